import asyncio
from collections.abc import Sequence
from datetime import datetime, timedelta
from email import message_from_bytes
from email.policy import default

import pytest
import sqlalchemy as sa
from sqlmodel import Session

from mailer import db
from mailer.config import Settings
from mailer.config.people import Person
from mailer.config.values import Language
from mailer.digest.models import Edition
from mailer.errors import ProviderDown
from mailer.message import Message
from mailer.news.models import SourceState
from mailer.notices import tell
from mailer.notices.causes import Cause
from mailer.notices.gather import gather
from mailer.notices.letters import NOTHING, Enclosure, compose
from mailer.notices.models import Notice
from mailer.outbox import carriers, control, single
from mailer.outbox.breaker import Refusing
from mailer.outbox.models import Mailing, MailingState
from mailer.providers import Outcome, Receipt
from mailer.sentences import Sentence
from subscribers.streams import Stream
from tests.builders import MOMENT, some_settings

AN_ENCLOSURE = Enclosure(
    districts_without_news=("Farsta",),
    topics_without_news=({"sv": "Skola", "en": "Schools"},),
    pages=(("utkast.html", "<p>Å</p>"),),
)


@pytest.fixture
def settings() -> Settings:
    people = {"anna": Person(address="anna@example.org"), "bo": Person(address="bo@example.org", tell=("held",))}
    return some_settings().model_copy(update={"people": people})


def a_draft(session: Session, now: datetime) -> Edition:
    mailing = Mailing(
        key="weekly:2024-W10", publication="weekly", letter="digest", created_at=now, send_at=now + timedelta(days=3)
    )
    session.add(mailing)
    session.flush()
    edition = Edition(publication="weekly", period="2024-W10", mailing_id=mailing.id, drafted_at=now)
    session.add(edition)
    session.flush()
    return edition


def occasions(session: Session, settings: Settings, now: datetime) -> list[str]:
    return [cause.matter for cause in gather(session, settings, now)]


def test_a_draft_is_told_and_the_evening_before_that_it_is_not_approved(
    session: Session, settings: Settings, now: datetime
):
    a_draft(session, now)  # Monday noon, to be sent Thursday noon

    assert occasions(session, settings, now) == ["draft"]
    assert occasions(session, settings, now + timedelta(days=2, hours=5)) == ["draft"]  # Wednesday 17:00
    assert occasions(session, settings, now + timedelta(days=2, hours=6)) == ["draft", "unapproved"]  # 18:00


def test_a_draft_that_goes_by_itself_is_told_as_such_and_asks_for_no_approval(
    session: Session, settings: Settings, now: datetime
):
    a_draft(session, now)
    by_itself = settings.digest.model_copy(update={"auto_approve": True})

    [told] = gather(session, settings.model_copy(update={"digest": by_itself}), now + timedelta(days=2, hours=6))

    assert told.matter == "draft"
    assert "by itself" in told.lines[0]
    assert not any("approve weekly" in line for line in told.lines)


def test_the_commands_of_a_notice_name_the_edition(session: Session, settings: Settings, now: datetime):
    a_draft(session, now)
    anna, sender = Person(address="anna@example.org", language="en"), settings.publications["weekly"]

    said = [
        message_from_bytes(compose(cause, anna, sender, enclosure=NOTHING, now=now).content, policy=default)
        .get_content()
        .splitlines()
        for cause in gather(session, settings, now + timedelta(days=3))
    ]

    assert "Look at it: utskick editions preview weekly:2024-W10" in said[0]
    assert ["Approve it: utskick editions approve weekly:2024-W10" in lines for lines in said] == [True, True]


def test_a_held_mailing_is_told_with_its_reason(session: Session, settings: Settings, now: datetime):
    mailing = Mailing(key="m", publication="weekly", letter="digest", created_at=now)
    mailing.state, mailing.reason = MailingState.HELD, "it was 13 hours late"
    session.add(mailing)
    session.flush()

    (cause,) = gather(session, settings, now)

    assert cause.matter == "held"
    assert cause.values["reason"] == "it was 13 hours late"


def test_a_notice_is_all_in_the_language_of_whoever_reads_it(session: Session, settings: Settings, now: datetime):
    mailing = Mailing(key="m", publication="weekly", letter="digest", created_at=now)
    mailing.state, mailing.reason = MailingState.PAUSED, control.PAUSED
    session.add(mailing)
    session.flush()
    (cause,) = gather(session, settings, now)
    anna, sender = Person(address="anna@example.org", language="sv"), settings.publications["weekly"]

    mail = message_from_bytes(compose(cause, anna, sender, enclosure=NOTHING, now=now).content, policy=default)

    assert (mail["Subject"], mail["Content-Language"]) == ("Stoppat: m", "sv")
    assert mail.get_content().splitlines()[0] == "Utskicket m är pausat: En person pausade det."


def test_a_mailing_that_was_sent_is_told_and_a_letter_to_one_is_nobodys_business(
    session: Session, settings: Settings, now: datetime
):
    for stream in (Stream.ASKED, Stream.BULK):  # what somebody asked for; thanks, a welcome
        letter = single.LetterToOne(f"{stream}:4", "own-data", "weekly", member_id=4, language="sv", stream=stream)
        single.post(session, letter, give_up_after=timedelta(days=1), now=now)
    session.add(Mailing(key="weekly:2024-W10", publication="weekly", letter="digest", created_at=now))
    session.execute(sa.update(Mailing).values(state=MailingState.DONE, done_at=now))

    assert [cause.key for cause in gather(session, settings, now)] == ["report:weekly:2024-W10"]


@pytest.mark.parametrize(("told", "again"), [(True, []), (False, ["report"])])
def test_the_letters_of_a_mailing_are_counted_until_its_report_went_out(
    session: Session, settings: Settings, now: datetime, *, told: bool, again: list[str]
):
    session.add(
        Mailing(key="m", publication="weekly", letter="digest", created_at=now, state=MailingState.DONE, done_at=now)
    )
    session.add(Notice(cause="report:m", told_at=now, told=told))
    session.flush()

    assert occasions(session, settings, now) == again


def test_a_source_is_told_when_it_has_been_broken_for_two_days(session: Session, settings: Settings, now: datetime):
    session.add(SourceState(source="distriktet", broken_since=now, error="404"))
    session.flush()

    assert occasions(session, settings, now + timedelta(hours=47)) == []
    assert occasions(session, settings, now + timedelta(hours=48)) == ["source"]


def test_why_a_source_is_broken_is_told_in_the_language_of_whoever_is_told(
    session: Session, settings: Settings, now: datetime
):
    state = SourceState(source="distriktet")
    state.breaks(Sentence("{url} answers {status}.", {"url": "https://example.org/{x}", "status": 503}), now)
    session.add(state)
    session.flush()
    (cause,) = gather(session, settings, now + timedelta(days=2))
    anna, sender = Person(address="anna@example.org", language="sv"), settings.publications["weekly"]

    mail = message_from_bytes(compose(cause, anna, sender, enclosure=NOTHING, now=now).content, policy=default)

    assert mail.get_content().splitlines()[0].endswith("https://example.org/{x} svarar 503.")


def test_of_two_clocks_that_ask_at_once_one_tells(engine: sa.Engine, settings: Settings, now: datetime):
    with db.writing(engine) as session:
        a_draft(session, now)
    with db.writing(engine) as first:
        mine = tell.claim(first, settings, now)
    with db.writing(engine) as second:
        theirs = tell.claim(second, settings, now)

    assert len(mine) == 1
    assert theirs == []


def test_only_those_who_want_to_hear_of_it_are_told(session: Session, settings: Settings, now: datetime):
    a_draft(session, now)

    letters = tell.write(
        session, tell.claim(session, settings, now), settings, enclose=lambda *_: AN_ENCLOSURE, now=now
    )

    ((message,),) = letters.values()
    mail = message_from_bytes(message.content, policy=default)
    assert message.recipient == "anna@example.org"
    assert mail["Auto-Submitted"] == "auto-generated"
    assert [part.get_filename() for part in mail.iter_attachments()] == ["utkast.html"]
    assert b"\n." not in message.content
    assert mail.get_body().get_content().splitlines()[-2:] == [
        "Inga lokala nyheter den här veckan för: Farsta",
        "Inga nyheter den här veckan om: Skola",
    ]


def test_what_could_not_be_sent_is_not_noted_as_told(session: Session, settings: Settings, now: datetime):
    async def down(_: Sequence[Message]) -> list[Outcome]:
        raise ProviderDown("no route")

    async def up(messages: Sequence[Message]) -> list[Outcome]:
        return [Receipt("250 ok") for _ in messages]

    a_draft(session, now)
    letters = tell.write(session, tell.claim(session, settings, now), settings, enclose=lambda *_: NOTHING, now=now)
    assert asyncio.run(tell.send(letters, down)) == []
    assert tell.claim(session, settings, now + timedelta(minutes=1)) == []

    assert len(tell.claim(session, settings, now + timedelta(hours=1))) == 1
    tell.settle(session, asyncio.run(tell.send(letters, up)))
    assert tell.claim(session, settings, now + timedelta(hours=9)) == []


def test_a_provider_that_refuses_our_letters_is_told_at_once_and_one_out_of_reach_after_a_while(
    session: Session, settings: Settings, now: datetime
):
    connection = session.connection()
    carriers.lie_down(connection, "refusing", Refusing(10, "550 5.7.1 <anna@example.org> blocked"), now=now)
    carriers.lie_down(connection, "away", ProviderDown("{place} cannot be reached.", place="smtp.example.org"), now=now)

    [cause] = gather(session, settings, now)
    assert (cause.matter, cause.values["provider"]) == ("provider", "refusing")
    later = gather(session, settings, now + timedelta(minutes=5))
    assert {each.values["provider"] for each in later} == {"refusing", "away"}

    mail = message_from_bytes(a_notice(cause, language="sv"), policy=default)
    text = mail.get_body().get_content()
    assert "Den vägrade 10 brev i rad" in text
    assert "anna@example.org" not in text


def a_notice(cause: Cause, *, language: Language) -> bytes:
    person = Person(address="bo@example.org", language=language)
    sender = some_settings().publications["weekly"]
    return compose(cause, person, sender, enclosure=NOTHING, now=MOMENT).content
