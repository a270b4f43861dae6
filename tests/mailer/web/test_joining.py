"""Whoever signs up gets one letter, and nothing else happens until its button is pressed."""

import re
from collections.abc import Callable
from datetime import timedelta

import pytest
from httpx2 import Response
from sqlmodel import select

from mailer.config.members import Welcome
from mailer.jobs.joining import keep_sign_ups
from mailer.jobs.welcomes import send_welcomes
from mailer.links import Purpose
from mailer.members import retention
from mailer.outbox.models import Delivery, Mailing
from mailer.web.limits import Act
from subscribers import address, consent, enrolment, joining, suppression
from subscribers.models import Consent, Member, Scope, SignUp, State
from tests.builders import MOMENT
from tests.mailer.web.conftest import ANNA, BO, CECILIA, Site

NEW = "ny@example.org"
MINUTE, HOUR, DAY = timedelta(minutes=1), timedelta(hours=1), timedelta(days=1)
NONCE = re.compile(r'name="nonce" value="([^"]*)"')


def sign_up(site: Site, whom: str = NEW, path: str = "/join/weekly", **fields: str) -> Response:
    """Fill in the form as a person does: some seconds after it was opened."""
    found = NONCE.search(site.client.get(path).text)
    site.watch.at += timedelta(seconds=20)
    nonce = found[1] if found else ""
    return site.client.post(path, data={"nonce": nonce, "address": whom, "agree": "yes", **fields})


def waiting(site: Site) -> list[SignUp]:
    with site.app.reading() as session:
        found = list(session.exec(select(SignUp).order_by(SignUp.id)))  # type: ignore[arg-type]  # a column, on a class
        session.expunge_all()
        return found


def confirm_path(site: Site, number: int | None = None) -> str:
    one = next(one for one in waiting(site) if number in (None, one.id))
    assert one.member_id is not None
    return f"/c/{site.app.links.tokens.make(Purpose.CONFIRM, one.member_id, one.id or 0)}"


def members(site: Site) -> dict[int, tuple[State, str | None]]:
    with site.app.reading() as session:
        return {member.id or 0: (member.state, member.address) for member in session.exec(select(Member))}


def test_a_stranger_signs_up_confirms_and_gets_the_letter(site: Site):
    answer = sign_up(site, path="/join/weekly/bromma")

    assert "Titta i din brevlåda" in answer.text
    [one] = waiting(site)
    newcomer = one.member_id or 0
    assert members(site)[newcomer] == (State.PENDING, NEW)
    assert [(letter.key, letter.letter) for letter in site.letters()] == [(f"join:{one.id}", "join")]
    assert not site.gets(newcomer)

    assert "Välkommen" in site.press(confirm_path(site)).text

    assert site.gets(newcomer)
    assert members(site)[newcomer] == (State.ACTIVE, NEW)
    assert waiting(site) == []
    with site.app.reading() as session:
        held = enrolment.export(session, newcomer)
    assert held["districts"] == ["bromma"]
    assert (held["ground"], held["language"]) == ("supporter", "sv")


def test_what_was_said_yes_to_is_kept_with_its_version_time_and_page(site: Site):
    page = site.client.get("/join/weekly/bromma").text
    sign_up(site, path="/join/weekly/bromma")
    asked = site.watch.at
    site.watch.at += DAY
    site.press(confirm_path(site))

    with site.app.reading() as session:
        given, confirmed = session.exec(select(Consent).where(Consent.publication == "weekly")).all()
        assert (given.kind, given.at, given.source) == ("given", asked, "form")
        assert (confirmed.kind, confirmed.at, confirmed.source) == ("confirmed", asked + DAY, "link")
        assert given.wording == confirmed.wording
        assert re.fullmatch(r"join-[0-9a-f]{12}", given.wording)
        text, where = (given.evidence or "").splitlines()
    assert f"<span>{text}</span>" in page
    assert where == "/join/weekly/bromma"


@pytest.fixture
def known(site: Site) -> dict[str, str]:
    """An address of each kind: what may be told of none of them."""
    with site.app.writing() as session:
        consent.withdraw(session, CECILIA, publication=None, source="link", now=MOMENT)
        suppression.suppress(
            session, address.parse("klagar@example.org").key, scope=Scope.BULK, reason="complaint", now=MOMENT
        )
        suppression.suppress(
            session, address.parse("borta@example.org").key, scope=Scope.ALL, reason="dead", now=MOMENT
        )
    return {
        "new": NEW,
        "subscribed": "paret@example.org",
        "left": "cecilia@example.org",
        "complained": "klagar@example.org",
        "nowhere": "borta@example.org",
    }


def test_the_answer_is_the_same_whoever_it_is_and_so_is_what_is_written_before_it(
    site: Site, known: dict[str, str], monkeypatch: pytest.MonkeyPatch
):
    answers = [sign_up(site, whom) for whom in known.values()]
    assert len({(answer.status_code, answer.content) for answer in answers}) == 1

    monkeypatch.setattr("mailer.web.joining._answer", lambda *_: None)  # a crash after the answer
    asked = []
    monkeypatch.setattr(joining, "admit", lambda *_: asked.append(1))
    for whom in known.values():
        sign_up(site, whom)
    assert asked == []
    assert len(waiting(site)) >= len(known)


def test_a_letter_goes_to_whoever_may_have_one(site: Site, known: dict[str, str]):
    for whom in known.values():
        sign_up(site, whom)

    with site.app.reading() as session:
        asked = {one.address for one in session.exec(select(SignUp))}
    assert asked == set(known.values()) - {known["nowhere"]}
    assert len(site.letters()) == len(asked)
    assert site.gets(ANNA)
    assert not site.gets(CECILIA)


def test_who_left_or_complained_returns_this_way_and_is_asked_once(site: Site, known: dict[str, str]):
    for whom in (known["left"], known["complained"]):
        for _ in range(3):
            sign_up(site, whom)
            site.watch.at += DAY
    assert len(site.letters()) == 2

    for one in waiting(site):
        site.press(confirm_path(site, one.id))

    assert site.gets(CECILIA)
    with site.app.reading() as session:
        assert suppression.scope_of(session, address.parse(known["complained"]).key) is None
        assert suppression.scope_of(session, address.parse(known["left"]).key) is None


def test_of_a_couple_the_one_who_does_not_get_it_is_meant(site: Site):
    site.press(site.leave_path(BO), choice="leave")

    sign_up(site, "paret@example.org")
    site.press(confirm_path(site))

    assert site.gets(BO)
    assert len(members(site)) == 3


def test_nobody_erased_is_written_to_or_entered_anew_until_they_are_let_in(site: Site):
    with site.app.writing() as session:
        enrolment.erase(session, CECILIA, MOMENT)

    sign_up(site, "cecilia@example.org")
    assert (waiting(site), site.letters()) == ([], [])
    assert members(site)[CECILIA] == (State.ERASED, None)

    with site.app.writing() as session:
        enrolment.readmit(session, address.parse("cecilia@example.org"))
    sign_up(site, "cecilia@example.org")
    assert len(site.letters()) == 1


def test_one_address_is_sent_few_letters_however_often_somebody_asks(site: Site):
    def letters_after(*waits: timedelta) -> int:
        for wait in waits:
            site.watch.at += wait
            sign_up(site)
        return len(site.letters())

    assert letters_after(MINUTE, MINUTE, MINUTE) == 1
    assert letters_after(HOUR, HOUR) == 3
    assert letters_after(HOUR, HOUR, HOUR) == 3
    assert letters_after(DAY) == 4


def test_sign_ups_are_limited_per_network(site: Site):
    for number in range(Act.SIGN_UP.burst):
        assert sign_up(site, f"a{number}@example.org").status_code == 200

    assert sign_up(site, NEW).status_code == 429
    assert site.press(site.leave_path(), choice="leave").status_code == 200


@pytest.mark.parametrize("seconds", [0, 2, 25 * 3600, -60])
def test_who_sends_the_form_faster_than_anybody_reads_is_asked_to_press_once_more(site: Site, seconds: int):
    nonce = NONCE.search(site.client.get("/join/weekly").text)
    assert nonce
    site.watch.at += timedelta(seconds=seconds)

    answer = site.client.post("/join/weekly", data={"nonce": nonce[1], "address": NEW, "agree": "yes"})

    assert "Läs igenom, kryssa i rutan igen och tryck en gång till" in answer.text
    assert f'value="{NEW}"' in answer.text
    assert waiting(site) == []


def test_a_program_that_fills_in_every_field_signs_nobody_up(site: Site):
    assert "tryck en gång till" in sign_up(site, homepage="https://spam.example").text
    assert waiting(site) == []


def test_a_form_on_another_site_leads_to_ours_which_says_what_one_agrees_to(site: Site):
    answer = site.client.post("/join/weekly", data={"address": NEW})

    assert answer.status_code == 200
    assert "får spara min adress" in answer.text
    found = NONCE.search(answer.text)
    assert found
    site.watch.at += timedelta(seconds=20)
    site.client.post("/join/weekly", data={"nonce": found[1], "address": NEW, "agree": "yes"})
    assert len(waiting(site)) == 1


@pytest.mark.parametrize(("whom", "fields"), [("nowhere", {}), ("a@b", {}), ("", {}), (NEW, {"agree": ""})])
def test_what_cannot_be_is_said_and_nothing_is_kept(site: Site, whom: str, fields: dict[str, str]):
    answer = sign_up(site, whom, **fields)

    assert answer.status_code == 400
    assert 'role="alert"' in answer.text
    assert waiting(site) == []


@pytest.mark.parametrize("path", ["/join/nothing", "/join/weekly/atlantis", "/join/", "/join/weekly/bromma/x", "/join"])
def test_what_nobody_can_sign_up_for_has_no_page(site: Site, path: str):
    assert site.client.get(path).status_code == 404
    assert site.client.post(path, data={"address": NEW}).status_code in (404, 405)


def test_the_link_confirms_only_with_its_pages_nonce_and_only_while_it_is_good(site: Site):
    sign_up(site)
    path = confirm_path(site)

    assert site.client.post(path, data={"nonce": "x"}).status_code == 400
    assert site.client.post(path, data={"List-Unsubscribe": "One-Click"}).status_code == 400
    assert site.client.get(path).status_code == 200
    site.watch.at += timedelta(days=8)
    assert site.press(path).status_code == 410
    assert [state for state, _ in members(site).values()].count(State.ACTIVE) == 3


def test_who_does_not_confirm_is_forgotten_and_the_id_stays_taken(site: Site):
    sign_up(site)
    sign_up(site, "cecilia@example.org")
    newcomer = waiting(site)[0].member_id or 0

    for days, left in ((6, State.PENDING), (8, State.ERASED)):
        retention.run(site.app.writing, site.app.settings.retention, site.watch.at + timedelta(days=days))
        assert members(site)[newcomer][0] is left

    assert waiting(site) == []
    assert members(site)[newcomer] == (State.ERASED, None)
    assert members(site)[CECILIA] == (State.ACTIVE, "cecilia@example.org")
    sign_up(site)
    assert waiting(site)[0].member_id != newcomer


def test_what_a_crash_left_unanswered_is_answered_by_the_clock(site: Site, monkeypatch: pytest.MonkeyPatch):
    with monkeypatch.context() as crash:
        crash.setattr("mailer.web.joining._answer", lambda *_: None)
        sign_up(site)
    assert site.letters() == []

    for _ in range(2):
        keep_sign_ups(site.app, site.watch.at + 2 * MINUTE)

    assert len(site.letters()) == 1


def embedding(site: Site, origins: tuple[str, ...]) -> Callable[[str], Response]:
    from fastapi.testclient import TestClient  # noqa: PLC0415  # a site of its own, set up otherwise

    from mailer.web import create_web  # noqa: PLC0415  # as above

    join = site.app.settings.join.model_copy(update={"embed_in": origins})
    site.app.settings = site.app.settings.model_copy(update={"join": join})
    return TestClient(create_web(site.app), follow_redirects=False).get


def test_only_the_form_may_be_framed_and_only_by_the_sites_that_config_names(site: Site):
    get = embedding(site, ("https://www.example.org",))

    framed, other = get("/join/weekly").headers, get("/").headers

    assert "frame-ancestors https://www.example.org;" in framed["content-security-policy"] + ";"
    assert "x-frame-options" not in framed
    assert "frame-ancestors 'none'" in other["content-security-policy"]
    assert other["x-frame-options"] == "DENY"
    assert get("/join/nothing").headers["content-security-policy"] == framed["content-security-policy"]


def test_who_confirms_is_welcomed_once_and_nobody_when_it_is_switched_off(site: Site):
    def welcomed() -> list[int]:
        send_welcomes(site.app, site.watch.at)
        with site.app.reading() as session:
            return list(
                session.exec(
                    select(Delivery.member_id)
                    .join(Mailing, Mailing.id == Delivery.mailing_id)
                    .where(Mailing.letter == "welcome")
                )
            )

    sign_up(site)
    newcomer = waiting(site)[0].member_id
    assert welcomed() == []
    for _ in range(2):
        site.press(confirm_path(site))
        assert welcomed() == [newcomer]
        site.watch.at += DAY
        sign_up(site)

    site.app.settings = site.app.settings.model_copy(update={"welcome": Welcome(enabled=False)})
    site.watch.at += DAY
    sign_up(site, "annan@example.org")
    site.press(confirm_path(site, waiting(site)[-1].id))
    assert welcomed() == [newcomer]
