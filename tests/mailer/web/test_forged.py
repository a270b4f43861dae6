"""Whatever path a token stands in: one that is forged, cut off, for something else or of nobody gets the same bytes."""

import sqlalchemy as sa
from httpx2 import Response

from mailer.links import Purpose
from tests.mailer.web.conftest import ANNA, CECILIA, LETTER, Site

OPENS = {
    "a": {Purpose.ADDRESS_NEW},
    "b": {Purpose.ADDRESS_OLD},
    "c": {Purpose.CONFIRM},
    "j": {Purpose.RECRUIT},
    "l": {Purpose.ARCHIVE},
    "m": {Purpose.OWN, Purpose.PREFERENCES},  # the second asks for a link
    "o": {Purpose.APPROVE},
    "p": {Purpose.PREFERENCES, Purpose.ANSWER},
    "r": {Purpose.ANSWER},
    "u": {Purpose.UNSUBSCRIBE},
    "v": {Purpose.VIEW},
}
ONE_CLICK = {"List-Unsubscribe": "One-Click"}
FILLED_IN = {"publication": "weekly", "issue": "2024-W10", "number": "1", "form": "x"}


def wrongly_written(site: Site, opens: set[Purpose]) -> list[str]:
    """Return what no key of ours has signed for what this path opens."""
    make = site.app.links.tokens.make
    ours = make(min(opens), ANNA, LETTER)
    wrong = [make(purpose, ANNA, LETTER) for purpose in Purpose if purpose not in opens]
    return [*wrong, ours[:-1], ours + "A", ours[:-1] + "_", ours.swapcase(), "x"]


def paths_with_a_token(site: Site) -> dict[str, list[str]]:
    paths = site.web.openapi()["paths"].items()
    return {path: list(methods) for path, methods in paths if "{token}" in path}


def ask(site: Site, path: str, method: str, token: str) -> Response:
    asked = path.format(token=token, **FILLED_IN)
    return site.client.request(method, asked, data={"nonce": "x"} if method == "post" else None)


def test_on_every_path_with_a_token_what_is_not_ours_is_not_found_in_the_same_bytes(site: Site):
    site.lift_limits()
    paths = paths_with_a_token(site)
    assert {path.split("/")[1] for path in paths} == OPENS.keys()
    answers = set()

    for path, methods in paths.items():
        opens = OPENS[path.split("/")[1]]
        nobody = site.app.links.tokens.make(min(opens), 4999, 4999)
        for token in (*wrongly_written(site, opens), nobody):
            for method in methods:
                answer = ask(site, path, method, token)
                answers.add((answer.status_code, answer.content))

    assert [status for status, _ in answers] == [404]


def test_the_database_is_not_asked_about_what_no_key_of_ours_has_signed(site: Site):
    site.lift_limits()
    said: list[str] = []
    sa.event.listen(site.app.engine, "before_cursor_execute", lambda *told: said.append(told[2]))
    assert site.client.get(site.leave_path()).status_code == 200
    assert said
    said.clear()

    for path, methods in paths_with_a_token(site).items():
        for token in wrongly_written(site, OPENS[path.split("/")[1]]):
            for method in methods:
                ask(site, path, method, token)

    assert said == []


def test_a_token_that_is_spelt_in_another_way_is_not_found_in_the_same_bytes(site: Site):
    """A percent-encoded path is decoded before anybody reads it, so each link would have many spellings."""
    site.lift_limits()
    path = site.leave_path(CECILIA)
    token = path.removeprefix("/u/")
    forged = site.client.get("/u/x").content

    for at, letter in enumerate(path):
        other = f"{path[:at]}%{ord(letter):02X}{path[at + 1 :]}"
        for answer in (site.client.get(other), site.client.post(other, data=ONE_CLICK)):
            assert answer.status_code == 404, other
        assert site.client.get(other).content == forged, other
    for other in (f"/%75/{token}", f"/u/{token[:-1]}%{ord(token[-1]):02x}", f"/p/{token}/%65/1", f"/u/{token}%2F"):
        assert site.client.get(other).content == forged, other

    assert site.gets(CECILIA)
    assert site.client.post(path, data=ONE_CLICK).status_code == 200
    assert not site.gets(CECILIA)
