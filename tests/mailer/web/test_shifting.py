"""Shifts, taken and swapped behind the link in a letter."""

from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta

import pytest
from httpx2 import Response
from sqlmodel import select

from mailer.events import book, shifts
from mailer.events.attendance import Answer
from mailer.events.details import Shift
from mailer.jobs.places import keep_places
from mailer.outbox.models import Mailing
from tests.mailer.events.saying import a_shift
from tests.mailer.web.conftest import ANNA, BO, CECILIA, Site
from tests.mailer.web.test_answering import answer_path, delivered, edit, given, newcomers, told
from tests.mailer.web.test_calendar import hold

MORNING, NOON = a_shift(6, needs=2, place="Brommaplan"), a_shift(10, needs=1, place="Skärholmstorget")


@pytest.fixture
def event(site: Site) -> int:
    return hold(site, shifts=(MORNING, NOON))


def do(site: Site, event: int, choice: str, which: Shift = MORNING, member: int = ANNA) -> Response:
    with site.app.reading() as session:
        [number] = [post.id for post in shifts.posts(session, event) if post.shift == which]
    nonce = site.web.state.house.nonce_for(member)
    fields = {"nonce": nonce, "choice": choice, "shift": str(number)}
    return site.client.post(f"{answer_path(site, event, member)}/shifts", data=fields)


def taken(site: Site, event: int) -> dict[int, list[Shift]]:
    with site.app.reading() as session:
        return shifts.taken_by(session, event)


def test_a_shift_is_taken_which_is_a_yes_and_left_again(site: Site, event: int):
    page = do(site, event, "take")

    assert page.status_code == 200
    assert "Passet är ditt. Tack!" in page.text
    assert "1 av 2 tagna" in page.text
    assert taken(site, event) == {ANNA: [MORNING]}
    assert given(site, event)[ANNA].answer is Answer.YES
    assert "Du har lämnat passet." in do(site, event, "leave").text
    assert taken(site, event) == {}


def test_who_comes_late_to_a_full_shift_is_told_so(site: Site, event: int):
    do(site, event, "take", NOON, ANNA)

    page = do(site, event, "take", NOON, BO)

    assert page.status_code == 409
    assert "det passet är fullt" in page.text
    assert taken(site, event) == {ANNA: [NOON]}


def test_an_offered_shift_is_its_holders_until_another_takes_it_and_then_they_are_told(site: Site, event: int):
    do(site, event, "take", NOON, ANNA)
    assert "Det är ditt tills någon gör det" in do(site, event, "offer", NOON, ANNA).text
    assert taken(site, event) == {ANNA: [NOON]}
    assert "någon erbjuder sitt" in site.client.get(answer_path(site, event, BO)).text

    assert do(site, event, "take", NOON, BO).status_code == 200

    assert taken(site, event) == {BO: [NOON]}
    assert told(site, "shift") == [ANNA]
    [mail] = delivered(site)
    assert mail["Subject"] == "Ditt pass har tagits över: Första maj"
    assert "Skärholmstorget" in mail.get_body(("html",)).get_content()  # type: ignore[union-attr]  # it has one
    refused = do(site, event, "keep", NOON, ANNA)
    assert refused.status_code == 409
    assert "inte längre" in refused.text


def test_an_offer_can_be_taken_back(site: Site, event: int):
    do(site, event, "take", NOON, ANNA)
    do(site, event, "offer", NOON, ANNA)

    assert "Du behåller passet." in do(site, event, "keep", NOON, ANNA).text

    assert do(site, event, "take", NOON, BO).status_code == 409
    assert taken(site, event) == {ANNA: [NOON]}


def test_nobody_leaves_or_offers_what_is_anothers_or_takes_what_has_begun(site: Site, event: int):
    do(site, event, "take", NOON, ANNA)
    for choice in ("leave", "offer", "keep"):
        assert do(site, event, choice, NOON, BO).status_code == 409
    site.watch.at = NOON.starts_at
    for choice, member in (("take", BO), ("leave", ANNA), ("offer", ANNA)):
        assert do(site, event, choice, NOON, member).status_code == 409

    assert taken(site, event) == {ANNA: [NOON]}


def test_a_shift_that_is_moved_keeps_its_people_who_are_told_once_and_one_that_goes_too(site: Site, event: int):
    do(site, event, "take", MORNING, CECILIA)
    do(site, event, "take", NOON, BO)
    assert told(site, "shift") == []

    edit(site, event, shifts=["2027-05-01 09:00-11:00 @ Brommaplan: 2"])
    assert f"{taken(site, event)[CECILIA][0].starts_at:%H:%M}" == "07:00"
    for _ in range(2):
        keep_places(site.app, site.watch())

    assert told(site, "shift") == [BO, CECILIA] or told(site, "shift") == [CECILIA, BO]
    assert taken(site, event).keys() == {CECILIA}
    mails = {mail["Subject"]: mail.get_body(("plain",)).get_content() for mail in delivered(site)}  # type: ignore[union-attr]  # it has one
    assert mails.keys() == {
        *("Your shift has been moved: Första maj", "Ditt pass behövs inte längre: Första maj"),
        *("You are coming: Första maj", "Du kommer: Första maj"),
    }
    assert "Saturday, May 1, 2027, 09:00–11:00, Brommaplan" in mails["Your shift has been moved: Första maj"]


def test_of_a_shift_that_is_over_nobody_is_told(site: Site, event: int):
    do(site, event, "take", NOON, ANNA)
    site.watch.at = NOON.ends_at + timedelta(minutes=1)
    edit(site, event, shifts=[])
    keep_places(site.app, site.watch())

    assert told(site, "shift") == []
    assert taken(site, event) == {}


def test_the_day_before_each_is_reminded_of_their_shift_once(site: Site, event: int):
    do(site, event, "take", MORNING, CECILIA)
    do(site, event, "take", NOON, BO)
    site.watch.at = MORNING.starts_at - timedelta(days=1, minutes=1)
    keep_places(site.app, site.watch())
    assert told(site, "shift") == []

    site.watch.at += timedelta(minutes=1)
    for _ in range(2):
        keep_places(site.app, site.watch())
    assert told(site, "shift") == [CECILIA]
    site.watch.at = NOON.starts_at - timedelta(hours=1)  # the clock was down
    do(site, event, "leave", NOON, BO)
    do(site, event, "take", NOON, ANNA)  # has just read when it is
    keep_places(site.app, site.watch())

    assert told(site, "shift") == [CECILIA]


def test_a_reminder_of_a_shift_says_when_and_where_and_goes_before_it_begins(site: Site, event: int):
    do(site, event, "take", NOON, CECILIA)
    site.watch.at = NOON.starts_at - timedelta(hours=3)
    keep_places(site.app, site.watch())

    [mail] = [one for one in delivered(site) if "shift" in one["Subject"]]

    assert mail["Subject"] == "Your shift, Saturday, May 1, 2027, 12:00–14:00: Första maj"
    for kind in ("plain", "html"):
        text = mail.get_body((kind,)).get_content()  # type: ignore[union-attr]  # it has both
        assert "You have taken this shift, and it begins within a day:" in text
        assert "Skärholmstorget" in text
    with site.app.reading() as session:
        [letter] = session.exec(select(Mailing).where(Mailing.letter == "shift"))
        assert letter.give_up_at == NOON.starts_at


@pytest.mark.parametrize("why", ["begun", "called off", "moved"])
def test_of_a_shift_that_has_begun_or_is_none_nobody_is_reminded(site: Site, event: int, why: str):
    do(site, event, "take", NOON, CECILIA)
    site.watch.at = NOON.starts_at - timedelta(0 if why == "begun" else 0.5)
    if why == "called off":
        with site.app.writing() as session:
            book.cancel(session, book.find_event(session, str(event)), off=False, now=site.watch())
    if why == "moved":
        edit(site, event, shifts=["2027-05-01 13:00-15:00 @ Skärholmstorget: 1"])

    for _ in range(2):
        keep_places(site.app, site.watch())

    assert told(site, "shift") == ([CECILIA] if why == "moved" else [])  # that letter says when it is


@pytest.mark.parametrize(("was", "said"), [("Humlegården", "Changed"), ("off", "Called off")])
def test_who_answered_on_a_page_reads_what_changed_in_a_letter_to_them(site: Site, event: int, was: str, said: str):
    do(site, event, "take", NOON, CECILIA)
    if was == "off":
        with site.app.writing() as session:
            book.cancel(session, book.find_event(session, str(event)), off=False, now=site.watch())
    else:
        edit(site, event, place="Humlegården")
    site.watch.at += timedelta(minutes=11)
    keep_places(site.app, site.watch())

    [mail] = delivered(site)

    assert mail["Subject"] == f"{said}: Första maj"
    for kind in ("plain", "html"):
        text = mail.get_body((kind,)).get_content()  # type: ignore[union-attr]  # it has both
        assert answer_path(site, event, CECILIA) in text
        assert ("Norra Bantorget" in text and "Humlegården" in text) or was == "off"
        assert "List-Unsubscribe" not in mail


@pytest.mark.parametrize(
    "fields", [{"choice": "x"}, {"shift": "99"}, {"shift": "1; DROP"}, {"shift": ""}, {"shift": "9" * 30}]
)
def test_what_the_page_did_not_offer_changes_nothing(site: Site, event: int, fields: dict[str, str]):
    form = {"choice": "take", "shift": "1", "nonce": site.web.state.house.nonce_for(ANNA)} | fields

    assert site.client.post(f"{answer_path(site, event)}/shifts", data=form).status_code == 409
    assert taken(site, event) == {}


def test_a_shift_of_another_event_is_none_of_this_one(site: Site, event: int):
    other = hold(site, "other")

    assert site.press(f"{answer_path(site, other)}", choice="yes").status_code == 200
    form = {"choice": "take", "shift": "1", "nonce": site.web.state.house.nonce_for(ANNA)}
    assert site.client.post(f"{answer_path(site, other)}/shifts", data=form).status_code == 409
    assert taken(site, event) == taken(site, other) == {}


def test_without_the_pages_nonce_nothing_happens_and_looking_changes_nothing(site: Site, event: int):
    path = f"{answer_path(site, event)}/shifts"
    before = site.dump()

    assert site.client.post(path, data={"choice": "take", "shift": "1"}).status_code == 400
    assert site.client.get(path).status_code == 200

    assert site.dump() == before


def test_whoever_presses_at_the_same_time_no_shift_is_taken_twice_and_a_swap_is_one(site: Site, event: int):
    do(site, event, "take", NOON, ANNA)
    do(site, event, "offer", NOON, ANNA)
    people = newcomers(site, 12)

    with ThreadPoolExecutor(6) as threads:
        statuses = list(threads.map(lambda member: do(site, event, "take", NOON, member).status_code, people))
        mornings = list(threads.map(lambda member: do(site, event, "take", MORNING, member).status_code, people))

    assert sorted(statuses) == [200] + [409] * 11
    assert sorted(mornings) == [200] * 2 + [409] * 10
    held = [shift for own in taken(site, event).values() for shift in own]
    assert (held.count(NOON), held.count(MORNING)) == (1, 2)
    assert ANNA not in taken(site, event)
    assert told(site, "shift") == [ANNA]
