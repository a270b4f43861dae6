"""From a text to letters: brought in, approved, held or sent, each member once."""

from datetime import UTC, datetime, timedelta
from pathlib import Path
from threading import Barrier, Thread

import pytest
import sqlalchemy as sa

from mailer import db
from mailer.campaigns import book
from mailer.campaigns.faults import WrongText
from mailer.campaigns.sending import NotAsApproved, Planned, send_due, send_now
from mailer.campaigns.states import CampaignState
from mailer.errors import Mistake
from mailer.links import Claim, Purpose
from mailer.outbox import control
from mailer.outbox.models import DeliveryState, MailingState
from subscribers import consent
from subscribers.models import Ground, MemberDistrict
from tests.builders import MOMENT
from tests.fakes import FakeProvider
from tests.mailer.campaigns.conftest import Town
from tests.mailer.campaigns.letters import a_file
from tests.mailer.digest.conftest import LINKS
from tests.mailer.message.wire import parsed
from tests.mailer.outbox.posting import deliveries, send

HOUR = timedelta(hours=1)
LATER = MOMENT + timedelta(days=1)
TO_BROMMA = a_file("Hej {{ member.given_name | default('vän') }}!", front="[audience]\ndistricts = 'bromma'")


def told(town: Town) -> set[int]:
    return set(deliveries(town.engine))


def test_a_letter_goes_to_those_it_was_approved_for_with_their_names_in_place(town: Town, tmp_path: Path):
    bromma, nameless = town.member("bromma"), town.member("bromma")
    town.member("kista")
    town.change_member(nameless, given_name="")
    town.write(text=TO_BROMMA)
    town.approve()

    assert send_now(town.post, "sommar", MOMENT) == Planned("campaign:sommar", 2, 2, 0, 0)
    provider = FakeProvider()
    send(town.office(tmp_path, provider))

    texts = {
        message.recipient: parsed(message.content).get_body(("plain",)).get_content() for message in provider.accepted
    }
    assert {address: "Hej vän!" in text for address, text in texts.items()} == {
        "member0@example.org": False,
        "member1@example.org": True,
    }
    assert "Hej Anna!" in texts["member0@example.org"]
    mail = parsed(provider.accepted[0].content)
    assert mail["List-Unsubscribe-Post"] == "List-Unsubscribe=One-Click"
    assert mail["Auto-Submitted"] is None  # a person wrote it
    assert told(town) == {bromma, nameless}
    assert town.state() is CampaignState.DONE


def test_who_joined_since_approval_does_not_get_it_and_who_left_is_counted(town: Town):
    stays, moves, leaves = (town.member("bromma") for _ in range(3))
    town.write(text=TO_BROMMA)
    town.approve()
    town.member("bromma")
    with db.writing(town.engine) as session:
        consent.withdraw(session, leaves, publication="weekly", source="link", now=MOMENT)
        session.execute(sa.delete(MemberDistrict).where(MemberDistrict.member_id == moves))

    assert send_now(town.post, "sommar", LATER) == Planned("campaign:sommar", 1, 1, 1, 2)

    assert told(town) == {stays}
    record = town.record()
    assert (record.candidates, record.joined_since, record.left_since) == (1, 1, 2)


def test_of_a_household_those_get_it_whom_it_is_for_in_one_mail(town: Town):
    here, elsewhere = town.member("bromma", address="par@example.org"), town.member("kista", address="par@example.org")
    both = [town.member("bromma", address="hem@example.org") for _ in range(2)]
    town.write(text=TO_BROMMA)

    assert (town.approve().counted.members, town.look().counted.mails) == (3, 2)
    assert send_now(town.post, "sommar", MOMENT) == Planned("campaign:sommar", 2, 3, 0, 0)

    found = deliveries(town.engine)
    assert elsewhere not in found
    assert found[here].household is None
    assert [found[member].household for member in both] == [both[0]] * 2


def test_a_text_that_changed_needs_approval_again(town: Town):
    town.member("bromma")
    town.write()
    town.approve()
    town.schedule(LATER)
    assert town.state() is CampaignState.SCHEDULED

    town.write(text=a_file("Hej alla!"))

    assert town.state() is CampaignState.DRAFT
    assert town.campaign().people is None
    assert send_due(town.post, LATER + HOUR) == []
    with pytest.raises(Mistake, match="utskick campaigns approve sommar"):
        send_now(town.post, "sommar", MOMENT)


def test_the_same_text_brought_in_again_stays_approved(town: Town):
    town.member("bromma")
    town.write()
    town.approve()
    town.write()

    assert town.state() is CampaignState.APPROVED


def test_an_event_that_changed_since_approval_holds_the_letter(town: Town):
    town.member("bromma")
    event = town.event()
    town.write(text=a_file(f"::: event {event}"))
    town.approve()
    town.schedule(LATER)
    town.change_event(event, place="Medborgarplatsen")

    assert send_due(town.post, LATER + HOUR) == []

    assert town.state() is CampaignState.HELD
    assert "has changed since" in town.mailing_of().reason
    town.approve(now=LATER + HOUR)
    assert town.state() is CampaignState.SCHEDULED
    assert len(send_due(town.post, LATER + HOUR)) == 1


def test_an_event_that_is_called_off_holds_the_letter_and_sending_by_hand_says_so(town: Town):
    town.member("bromma")
    event = town.event()
    town.write(text=a_file(f"::: event {event}"))
    town.approve()
    town.change_event(event, cancelled="true")

    with pytest.raises(NotAsApproved, match="has changed since"):
        send_now(town.post, "sommar", LATER)
    with pytest.raises(WrongText, match=r"line 6, column 11: The event .* is called off"):
        town.look()


def test_one_that_is_late_by_more_than_its_grace_waits_for_a_person(town: Town):
    town.member("bromma")
    town.write(text=a_file(front="send_at = '2024-03-05 08:00'"))
    town.approve()

    late = datetime(2024, 3, 5, 20, 1, tzinfo=UTC)
    assert send_due(town.post, late) == []
    assert (town.state(), town.mailing_of().state) == (CampaignState.HELD, MailingState.HELD)
    assert send_now(town.post, "sommar", late) is not None


def test_it_goes_at_its_time_on_the_sites_clock_and_once(town: Town):
    town.member("bromma")
    town.write(text=a_file(front="send_at = '2024-07-01 08:00'"))
    town.approve()

    assert send_due(town.post, datetime(2024, 7, 1, 5, 59, tzinfo=UTC)) == []
    assert len(send_due(town.post, datetime(2024, 7, 1, 6, 0, tzinfo=UTC))) == 1
    assert send_due(town.post, datetime(2024, 7, 1, 6, 1, tzinfo=UTC)) == []
    assert town.state() is CampaignState.SENDING


def test_two_clocks_plan_it_once(town: Town):
    for _ in range(3):
        town.member("bromma")
    town.write(text=a_file(front="send_at = '2024-03-05 08:00'"))
    town.approve()
    together, planned = Barrier(2), []

    def ring() -> None:
        together.wait()
        planned.extend(send_due(town.post, datetime(2024, 3, 5, 7, 30, tzinfo=UTC)))

    rings = [Thread(target=ring) for _ in range(2)]
    for one in rings:
        one.start()
    for one in rings:
        one.join()

    assert len(planned) == 1
    assert len(told(town)) == 3


def test_nothing_leaves_before_the_moment_that_somebody_may_still_change_their_mind_in(town: Town):
    town.member("bromma")
    town.write(text=a_file(front="send_at = '2024-03-05 08:00'"))
    until = datetime(2024, 3, 5, 8, 5, tzinfo=UTC)
    town.approve(not_before=until)

    assert send_due(town.post, until - timedelta(seconds=1)) == []
    assert send_now(town.post, "sommar", until - timedelta(seconds=1)) is None
    assert len(send_due(town.post, until)) == 1


def test_what_was_approved_can_be_taken_back_until_it_begins(town: Town):
    town.member("bromma")
    town.write()
    town.approve(not_before=MOMENT + HOUR)
    with db.writing(town.engine) as session:
        book.take_back(session, book.find(session, "sommar"), MOMENT)
    assert (town.state(), town.campaign().people, town.campaign().not_before) == (CampaignState.DRAFT, None, None)

    town.approve()
    send_now(town.post, "sommar", MOMENT)
    with db.writing(town.engine) as session, pytest.raises(Mistake, match="is sending"):
        book.take_back(session, book.find(session, "sommar"), MOMENT)


def test_what_was_told_to_go_and_taken_back_needs_a_time_again(town: Town):
    town.member("bromma")
    town.write()
    town.approve(not_before=MOMENT + HOUR)
    assert send_now(town.post, "sommar", MOMENT) is None
    with db.writing(town.engine) as session:
        book.take_back(session, book.find(session, "sommar"), MOMENT)
    town.approve()

    assert send_due(town.post, MOMENT + HOUR) == []
    assert town.state() is CampaignState.APPROVED


def test_what_was_taken_back_before_its_time_keeps_it(town: Town):
    town.member("bromma")
    town.write(text=a_file(front="send_at = '2024-03-05 08:00'"))
    town.approve()
    with db.writing(town.engine) as session:
        book.take_back(session, book.find(session, "sommar"), MOMENT)
    town.approve()

    assert town.state() is CampaignState.SCHEDULED


def test_a_window_to_think_again_does_not_make_a_late_letter_early(town: Town):
    town.member("bromma")
    town.write(text=a_file(front="send_at = '2024-03-05 08:00'"))
    late = datetime(2024, 3, 5, 20, 1, tzinfo=UTC)
    town.approve(now=late, not_before=late + timedelta(minutes=5))

    assert send_due(town.post, late + timedelta(minutes=6)) == []
    assert town.state() is CampaignState.HELD


def test_a_withdrawn_letter_is_not_sent_whatever_rings(town: Town, tmp_path: Path):
    members = [town.member("bromma") for _ in range(3)]
    town.write()
    town.approve()
    send_now(town.post, "sommar", MOMENT)
    with db.writing(town.engine) as session:
        book.withdraw(session, book.find(session, "sommar"))

    provider = FakeProvider()
    send(town.office(tmp_path, provider))

    assert provider.accepted == []
    assert {row.state for row in deliveries(town.engine).values()} == {DeliveryState.CANCELLED}
    assert len(told(town)) == len(members)
    assert town.state() is CampaignState.WITHDRAWN
    with pytest.raises(Mistake, match="is withdrawn"):
        town.write()


def test_the_ids_of_an_audience_are_kept_no_longer_than_they_are_needed(town: Town):
    town.member("bromma")
    for name in ("sommar", "host"):
        town.write(name)
        town.approve(name)
    assert town.campaign().people
    send_now(town.post, "sommar", MOMENT)
    with db.writing(town.engine) as session:
        control.cancel(session.connection(), "campaign:host")

    send_due(town.post, LATER)

    assert (town.campaign().people, town.campaign("host").people) == (None, None)
    assert town.record().counts.startswith('{"matching": 1,')


def test_a_call_goes_to_every_member_also_who_said_no_and_to_no_supporter(town: Town, tmp_path: Path):
    member, no = town.member("bromma"), town.member("bromma")
    supporter = town.member("bromma")
    town.change_member(supporter, ground=Ground.SUPPORTER)
    with db.writing(town.engine) as session:
        consent.withdraw(session, no, publication=None, source="link", now=MOMENT)
    town.write(text=a_file(front="kind = 'call'").replace('"weekly"', '"calls"'))
    town.approve()
    send_now(town.post, "sommar", MOMENT)
    provider = FakeProvider()
    send(town.office(tmp_path, provider))

    assert told(town) == {member, no}
    mail = parsed(provider.accepted[0].content)
    assert (mail["List-Unsubscribe"], mail["List-Unsubscribe-Post"]) == (None, None)
    assert "/u/" not in provider.accepted[0].content.decode()
    for form in ("plain", "html"):
        assert "enligt stadgarna ska vi skicka det" in " ".join(mail.get_body((form,)).get_content().split())
    assert "Kallelse" in mail.get_body(("plain",)).get_content()


@pytest.mark.parametrize(
    ("front", "publication", "line", "words"),
    [
        ("", "calls", 3, "is for what the statutes oblige you to send"),
        ("kind = 'campaign'", "calls", 3, "is for what the statutes oblige you to send"),
        ("kind = 'call'", "weekly", 3, "needs a publication with stream"),
        ("kind = 'call'\n[audience]\ntopics = 'care'", "calls", 5, "its audience can name districts, and nothing else"),
        ("kind = 'call'\n[[audience.exclude]]\nmembers = '1'", "calls", 5, "its audience can name districts"),
        ("", "nothing", 3, "There is no publication nothing"),
        ("sender = 'kista'", "weekly", 4, "no district kista to sign with"),
        ("event = 'nothing'", "weekly", 4, "There is no event nothing"),
        ("send_at = '2024-03-31 02:30'", "weekly", 4, "That hour does not exist"),
    ],
)
def test_what_does_not_fit_together_is_refused_with_its_line(
    town: Town, front: str, publication: str, line: int, words: str
):
    with pytest.raises(WrongText, match=f"brev.md, line {line}, ") as error:
        town.write(text=a_file(front=front).replace('"weekly"', f'"{publication}"'))

    assert words in str(error.value)


@pytest.mark.parametrize(
    ("body", "words"),
    [
        ("::: event nothing", "There is no event nothing"),
        ("::: news 999", "There is no approved news item 999"),
        ("::: news 99999999999999999999", "There is no approved news item"),
        ("::: news", "Name the news by their numbers"),
        ("::: image torg.jpg\nEtt torg\n:::", "was not copied"),
    ],
)
def test_what_a_block_names_has_to_be_there(town: Town, body: str, words: str):
    with pytest.raises(WrongText, match=r"brev\.md, line 6, column ") as error:
        town.write(text=a_file(body))

    assert words in str(error.value)


def test_each_reader_gets_the_link_by_which_they_invite_others(town: Town, tmp_path: Path):
    members = {f"member{number}@example.org": town.member("bromma") for number in range(3)}
    text = a_file("::: button {{ member.recruit }}\nVärva en vän\n:::")
    with pytest.raises(Mistake, match="enabled = true"):
        town.write(text=text)
    town.enable_recruiting()
    town.write(text=text)
    town.approve()
    send_now(town.post, "sommar", MOMENT)
    provider = FakeProvider()
    send(town.office(tmp_path, provider))

    for message in provider.accepted:
        words = parsed(message.content).get_body(("plain",)).get_content()
        token = words.partition("https://news.example.org/j/")[2][:23]
        assert LINKS.tokens.read(token, Purpose.RECRUIT) == Claim(Purpose.RECRUIT, members[message.recipient], 0)
    assert len(provider.accepted) == 3


def test_two_subjects_are_dealt_out_by_a_keyed_hash_the_same_at_every_try(town: Town):
    for _ in range(60):
        town.member("bromma")
    text = a_file(subject='["Ett", "Två"]')
    for name in ("sommar", "host"):
        town.write(name, text=text)
        town.approve(name)
        send_now(town.post, name, MOMENT)

    query = (
        "SELECT v.content, d.member_id FROM delivery d JOIN variant v ON v.id = d.variant_id WHERE d.mailing_id = {}"
    )
    dealt = [{member: '"Ett"' in content for content, member in town.rows(query.format(number))} for number in (1, 2)]
    assert 15 < sum(dealt[0].values()) < 45
    assert dealt[0] != dealt[1]  # another letter, another division


def test_each_gets_the_language_they_read_and_plain_text_if_they_want_nothing_else(town: Town):
    swedish, english = town.member("bromma"), town.member("bromma", language="en")
    plain = town.member("bromma", plain_only=True)
    town.write(text=a_file("Hej!\n+++ en\nsubject = 'Summer'\n+++\nHello!"))
    town.approve()
    send_now(town.post, "sommar", MOMENT)

    query = "SELECT d.member_id, v.language, v.plain_only FROM delivery d JOIN variant v ON v.id = d.variant_id"
    found = {member: (language, bool(only)) for member, language, only in town.rows(query)}
    assert found == {swedish: ("sv", False), english: ("en", False), plain: ("sv", True)}


def test_nobody_named_in_a_text_can_be_read_in_the_tables(town: Town):
    town.member("bromma", number="M-4711")
    town.write(text=a_file("Hälsa Zetterqvist", front="[[audience.exclude]]\nmembers = 'member0@example.org'"))

    stored = repr(town.rows("SELECT source FROM campaign"))
    assert "Zetterqvist" not in stored
    assert "member0" not in stored


def test_an_empty_audience_is_not_approved(town: Town):
    town.member("kista")
    town.write(text=TO_BROMMA)

    with pytest.raises(Mistake, match="Nobody would get sommar"):
        town.approve()
