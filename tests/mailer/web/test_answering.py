"""Answering to an event by the link in a letter."""

import asyncio
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from email import message_from_bytes, policy
from email.message import EmailMessage

import pytest
from httpx2 import Response
from sqlmodel import select

from mailer.events import answers, book
from mailer.events.answers import Given, Tally
from mailer.events.attendance import Answer
from mailer.jobs.places import keep_places
from mailer.links import Purpose
from mailer.members import places
from mailer.outbox.models import Delivery, Mailing, Variant
from mailer.outbox.running import drain
from subscribers import consent
from subscribers.models import Member, State
from tests.builders import a_member
from tests.mailer.events.saying import a_rally, a_shift
from tests.mailer.web.conftest import ANNA, BO, CECILIA, Site
from tests.mailer.web.test_calendar import hold


def answer_path(site: Site, event: int, member: int = ANNA) -> str:
    return f"/r/{site.app.links.tokens.make(Purpose.ANSWER, member, event)}"


def say(site: Site, event: int, choice: str, member: int = ANNA, companions: object = 0) -> Response:
    return site.press(answer_path(site, event, member), choice=choice, companions=str(companions))


def given(site: Site, event: int) -> dict[int, Given]:
    with site.app.reading() as session:
        return answers.answers_of(session, event)


def tally(site: Site, event: int) -> Tally:
    with site.app.reading() as session:
        return answers.tally(session, event)


def edit(site: Site, event: int, **values: object) -> None:
    with site.app.writing() as session:
        book.edit(session, book.find_event(session, str(event)), values, now=site.watch())


def told(site: Site, letter: str = "place") -> list[int]:
    """Return whom a letter about their answer was posted to, in order."""
    with site.app.reading() as session:
        query = select(Delivery.member_id).join(Mailing, Mailing.id == Delivery.mailing_id)  # type: ignore[arg-type]  # SQL
        return list(session.exec(query.where(Mailing.letter == letter).order_by(Delivery.id)))  # type: ignore[arg-type]  # SQL


def delivered(site: Site) -> list[EmailMessage]:
    """Send what was posted, and return the mails as somebody's program reads them."""
    catching = site.app.settings.outbox.model_copy(update={"providers": ("catch",)})
    site.app.settings = site.app.settings.model_copy(update={"outbox": catching})
    asyncio.run(drain(site.app.office()))
    files = sorted(path for path in site.app.data.rglob("new/*") if path.is_file())
    return [message_from_bytes(path.read_bytes(), policy=policy.default) for path in files]


def newcomers(site: Site, number: int) -> list[int]:
    with site.app.writing() as session:
        people = [a_member(f"m{one}@example.org") for one in range(number)]
        session.add_all(people)
        session.flush()
        return [person.id or 0 for person in people]


def test_a_yes_with_companions_is_kept_with_what_was_told_and_can_be_changed(site: Site):
    event = hold(site)
    edit(site, event, place="Humlegården")

    page = say(site, event, "yes", companions=2)

    assert page.status_code == 200
    assert "Du kommer. Vi ser fram emot att ses!" in page.text
    assert given(site, event) == {ANNA: Given(Answer.YES, 2, waiting=False, sequence=1)}
    assert tally(site, event) == Tally(coming=3, waiting=0, maybe=0, no=0)
    assert "med 2 i sällskap" in site.client.get(answer_path(site, event)).text
    assert "Kanske, alltså." in say(site, event, "maybe", companions=2).text
    assert "får inga fler påminnelser" in say(site, event, "no").text
    assert given(site, event) == {ANNA: Given(Answer.NO, 0, waiting=False, sequence=1)}


def test_the_page_speaks_the_members_language_and_says_what_holds_but_not_whose_it_is(site: Site):
    event = hold(site, place="Norra Bantorget")

    page = site.client.get(answer_path(site, event, CECILIA)).text

    assert "Are you coming?" in page
    assert "Saturday, May 1, 2027" in page
    assert "Cecilia" not in page
    assert "cecilia@" not in page


def test_a_link_that_asks_for_an_answer_shows_its_button_and_changes_nothing(site: Site):
    event = hold(site)

    for meant in ("yes", "maybe", "no", "x", ""):
        page = site.client.get(f"{answer_path(site, event)}?{meant}").text
        strong = page.partition('class="main" name="choice" value="')[2].partition('"')[0]
        assert strong == (meant if meant in ("yes", "maybe", "no") else "yes")
    assert given(site, event) == {}


def test_by_the_link_to_their_choices_a_member_answers_to_any_event(site: Site):
    hold(site, "another")
    event = hold(site)
    path = f"{site.choose_path()}/e/{event}"

    page = site.client.get(f"{path}?no").text
    assert page.partition('class="main" name="choice" value="')[2].startswith("no")
    action = page.partition('action="')[2].partition('"')[0]
    nonce = page.partition('name="nonce" value="')[2].partition('"')[0]
    assert action == answer_path(site, event)
    assert site.client.post(action, data={"nonce": nonce, "choice": "yes"}).status_code == 200
    assert given(site, event)[ANNA].answer is Answer.YES
    for wrong in (f"{site.choose_path()}/e/99", f"{site.choose_path()}/e/x", f"{answer_path(site, event)}/e/{event}"):
        assert site.client.get(wrong).status_code == 404


def test_the_page_of_ones_choices_leads_to_what_is_to_come_in_ones_districts(site: Site):
    assert "/events" not in site.client.get(site.choose_path()).text
    all_of_us, near = (
        hold(site, "all", title="Första maj"),
        hold(site, "near", title="Fika", districts=frozenset({"bromma"})),
    )
    hold(site, "far", title="Järvadagen", districts=frozenset({"jarva"}))
    site.press(site.choose_path(), district="bromma", language="sv")
    say(site, near, "maybe")
    assert f'href="{site.choose_path()}/events"' in site.client.get(site.choose_path()).text

    page = site.client.get(f"{site.choose_path()}/events").text

    assert page.index(f"{site.choose_path()}/e/{all_of_us}") < page.index(f"{site.choose_path()}/e/{near}")
    assert "Järvadagen" not in page
    assert "kanske" in page
    assert site.client.get(f"{answer_path(site, near)}/events").status_code == 404
    site.watch.at = a_rally().ends_at + timedelta(minutes=1)
    assert "Fika" not in site.client.get(f"{site.choose_path()}/events").text


def test_only_the_pages_own_form_answers(site: Site):
    event = hold(site)
    nonce = site.web.state.house.nonce_for(BO)

    for fields in ({}, {"nonce": "x"}, {"nonce": nonce}):
        page = site.client.post(answer_path(site, event), data={"choice": "yes", **fields})
        assert page.status_code == 400
    assert given(site, event) == {}


@pytest.mark.parametrize(
    "fields", [{"choice": "perhaps"}, {"companions": "-1"}, {"companions": "1" * 50}, {"companions": "٣"}]
)
def test_what_the_page_did_not_offer_is_refused_and_nothing_changes(site: Site, fields: dict[str, str]):
    event = hold(site)
    say(site, event, "maybe")

    assert site.press(answer_path(site, event), **({"choice": "yes"} | fields)).status_code == 409
    assert given(site, event)[ANNA].answer is Answer.MAYBE


def test_who_comes_late_waits_and_gets_the_place_and_a_letter_when_it_is_free(site: Site):
    event = hold(site, capacity=3)
    say(site, event, "yes", ANNA, companions=2)
    assert "Det är fullt." in site.client.get(answer_path(site, event, BO)).text
    assert "väntelistan" in say(site, event, "yes", BO).text
    site.watch.at += timedelta(minutes=1)
    say(site, event, "yes", CECILIA)
    assert tally(site, event) == Tally(coming=3, waiting=2, maybe=0, no=0)

    say(site, event, "yes", ANNA, companions=1)  # one place
    assert told(site) == [BO]
    say(site, event, "no", ANNA)

    assert told(site) == [BO, CECILIA]
    assert tally(site, event) == Tally(coming=2, waiting=0, maybe=0, no=1)
    say(site, event, "yes", BO)
    keep_places(site.app, site.watch())
    assert told(site) == [BO, CECILIA]


def test_room_for_more_gives_places_within_a_minute_and_less_room_takes_none(site: Site):
    event = hold(site, capacity=1)
    for member in (ANNA, BO, CECILIA):
        say(site, event, "yes", member)
        site.watch.at += timedelta(minutes=1)

    edit(site, event, capacity=2)
    keep_places(site.app, site.watch())
    assert told(site) == [BO]
    edit(site, event, capacity=1)
    keep_places(site.app, site.watch())

    assert given(site, event)[BO] == Given(Answer.YES, 0, waiting=False, sequence=0)
    assert given(site, event)[CECILIA].waiting


def test_the_letter_says_what_it_is_about_in_the_members_language_and_leads_to_their_page(site: Site):
    event = hold(site, capacity=1, title="Fika före första maj")
    say(site, event, "yes", ANNA)
    say(site, event, "yes", CECILIA)
    say(site, event, "no", ANNA)

    with site.app.reading() as session:
        mailing = session.exec(select(Mailing).where(Mailing.letter == "place")).one()
        variant = session.exec(select(Variant).where(Variant.mailing_id == mailing.id)).one()

    assert variant.language == "en"
    assert "Fika före första maj" in variant.content
    assert "Saturday, May 1, 2027" in variant.content
    assert "3" not in mailing.key.partition(":")[0]
    assert mailing.content == f'{{"number": {event}}}'


def test_the_letter_arrives_as_html_and_text_with_the_members_own_link(site: Site):
    event = hold(site, capacity=1, place="Folkets hus")
    for member, choice in ((ANNA, "yes"), (CECILIA, "yes"), (ANNA, "no")):
        say(site, event, choice, member)

    [mail] = delivered(site)

    link = f"{site.app.settings.site.base_url}{answer_path(site, event, CECILIA)}"
    assert mail["Subject"] == "You have a place: Första maj"
    for kind in ("plain", "html"):
        body = mail.get_body((kind,))
        assert body is not None
        text = body.get_content()
        assert link in text
        assert "Folkets hus" in text
        assert "because you answered on our pages" in text


def test_when_many_get_a_place_at_once_they_are_told_in_several_transactions(
    site: Site, monkeypatch: pytest.MonkeyPatch
):
    event = hold(site, capacity=1)
    say(site, event, "yes", ANNA)
    for member in newcomers(site, 7):
        say(site, event, "yes", member)
    monkeypatch.setattr(places, "AT_ONCE", 3)

    edit(site, event, capacity=None)
    keep_places(site.app, site.watch())

    assert len(told(site)) == len(set(told(site))) == 7
    assert tally(site, event).waiting == 0


def test_nobody_gets_a_place_once_it_has_begun_or_is_called_off(site: Site):
    event = hold(site, capacity=1)
    say(site, event, "yes", ANNA)
    say(site, event, "yes", BO)
    edit(site, event, cancelled=True)
    assert "Det blir inte av" in site.client.get(answer_path(site, event)).text

    assert say(site, event, "no", ANNA).status_code == 400 or given(site, event)[ANNA].answer is Answer.YES
    edit(site, event, cancelled=False, capacity=5)
    site.watch.at = a_rally().starts_at
    keep_places(site.app, site.watch())

    assert told(site) == []
    assert "Det har börjat" in site.client.get(answer_path(site, event)).text
    assert 'name="choice"' not in site.client.get(answer_path(site, event)).text


def test_a_campaign_that_has_begun_can_still_be_answered_to(site: Site):
    event = hold(site, shifts=(a_shift(),))
    site.watch.at = a_rally().starts_at + timedelta(minutes=1)

    assert say(site, event, "yes").status_code == 200


def test_who_left_may_still_say_no_and_who_was_erased_has_no_page(site: Site):
    event = hold(site)
    say(site, event, "yes")
    with site.app.writing() as session:
        consent.withdraw(session, ANNA, publication=None, source="link", now=site.watch())
        session.get_one(Member, BO).state = State.ERASED

    assert say(site, event, "no").status_code == 200
    assert site.client.get(answer_path(site, event, BO)).status_code == 404
    assert site.client.get(answer_path(site, 99)).status_code == 404
    assert site.client.get("/r/x").status_code == 404


def test_whoever_presses_at_the_same_time_no_place_is_given_twice(site: Site):
    event = hold(site, capacity=5)
    people = newcomers(site, 16)
    nonces = {member: site.web.state.house.nonce_for(member) for member in people}

    def press(member: int) -> int:
        fields = {"nonce": nonces[member], "choice": "yes", "companions": "0"}
        return int(site.client.post(answer_path(site, event, member), data=fields).status_code)

    with ThreadPoolExecutor(8) as threads:
        assert set(threads.map(press, people)) == {200}
    assert tally(site, event) == Tally(coming=5, waiting=11, maybe=0, no=0)
    with ThreadPoolExecutor(4) as threads:  # several clocks
        list(threads.map(lambda _: keep_places(site.app, site.watch()), range(4)))
    assert tally(site, event).coming == 5
    assert told(site) == []
