"""Whatever path a token stands in: one that is forged, cut off, for something else or of nobody gets the same bytes."""

from mailer.links import Purpose
from tests.mailer.web.conftest import ANNA, LETTER, Site

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
FILLED_IN = {"publication": "weekly", "issue": "2024-W10", "number": "1"}


def test_on_every_path_with_a_token_what_is_not_ours_is_not_found_in_the_same_bytes(site: Site):
    site.lift_limits()
    make = site.app.links.tokens.make
    paths = {path: methods for path, methods in site.web.openapi()["paths"].items() if "{token}" in path}
    assert {path.split("/")[1] for path in paths} == OPENS.keys()
    answers = set()

    for path, methods in paths.items():
        opens = OPENS[path.split("/")[1]]
        ours = make(min(opens), ANNA, LETTER)
        wrong = [make(purpose, ANNA, LETTER) for purpose in Purpose if purpose not in opens]
        wrong += [ours[:-1], ours + "A", ours[:-1] + "_", ours.swapcase(), "x", make(min(opens), 4999, 4999)]
        for token in wrong:
            asked = path.format(token=token, **FILLED_IN)
            for method in methods:
                answer = site.client.request(method, asked, data={"nonce": "x"} if method == "post" else None)
                answers.add((answer.status_code, answer.content))

    assert [status for status, _ in answers] == [404]
