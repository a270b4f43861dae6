"""Letters to one: whole or not at all, before a running mailing, and to nobody who must not be written to."""

import email
import email.policy
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path

import pytest
import sqlalchemy as sa
from sqlmodel import Session

from mailer import db
from mailer.errors import Unanswered
from mailer.links import Purpose, hour_of
from mailer.message import Message
from mailer.outbox.batches import Terms
from mailer.outbox.carriers import Carrier
from mailer.outbox.compose import Composer
from mailer.outbox.models import Batch, Delivery, DeliveryState, Mailing, MailingState, Variant
from mailer.outbox.office import Office
from mailer.outbox.single import LetterToOne, post, withdraw
from mailer.outbox.verdicts import BEFORE_REPEAT
from mailer.posting import LETTERS
from mailer.providers import Outcome
from mailer.render.letters import Letters
from mailer.resources import resource
from subscribers import address
from subscribers.models import Scope, State, Suppression
from tests.builders import MOMENT, a_member
from tests.fakes import FakeProvider, accept
from tests.mailer.outbox.posting import LINKS, SETTINGS, Clock, a_mailing, an_office, deliveries, send, states

Enrol = Callable[..., None]
ANNA = 1
SENT, CANCELLED, UNCERTAIN = DeliveryState.SENT, DeliveryState.CANCELLED, DeliveryState.UNCERTAIN


def a_letter(**values: object) -> LetterToOne:
    defaults: dict[str, object] = {
        "key": "own-data:1",
        "letter": "own-data",
        "publication": "weekly",
        "member_id": ANNA,
        "language": "sv",
    }
    return LetterToOne(**(defaults | values))  # type: ignore[arg-type]  # values are the test's own


def ask(session: Session, **values: object) -> int | None:
    return post(session, a_letter(**values), give_up_after=timedelta(days=1), now=MOMENT)


def an_asked_office(engine: sa.Engine, journals: Path, provider: FakeProvider, now: Clock) -> Office:
    """Return the office with the letters as they ship."""
    composer = Composer(Letters(resource("templates") / "email"), settings=SETTINGS, links=LINKS, kinds=LETTERS)
    return Office(engine, journals, [Carrier("fake", provider)], composer, timedelta(days=2), now, Terms())


@pytest.fixture
def anna(engine: sa.Engine) -> Enrol:
    def enrol(**values: object) -> None:
        with db.writing(engine) as session:
            session.add(a_member("anna@example.org", id=ANNA, **values))

    return enrol


def post_and_send(engine: sa.Engine, tmp_path: Path, provider: FakeProvider, **values: object) -> Clock:
    clock = Clock()
    with db.writing(engine) as session:
        assert ask(session, **values) is not None
    send(an_asked_office(engine, tmp_path / "journal", provider, clock))
    return clock


def test_it_is_automatic_says_why_and_has_no_header_to_unsubscribe(engine: sa.Engine, tmp_path: Path, anna: Enrol):
    anna()
    provider = FakeProvider()

    post_and_send(engine, tmp_path, provider)

    [message] = provider.accepted
    mail = email.message_from_bytes(message.content, policy=email.policy.default)
    assert message.recipient == "anna@example.org"
    assert mail["Auto-Submitted"] == "auto-generated"
    for name in ("List-Unsubscribe", "List-Unsubscribe-Post", "List-Id", "Precedence", "Feedback-ID"):
        assert name not in mail
    text = mail.get_body(("plain",)).get_content()
    token = LINKS.tokens.make(Purpose.OWN, ANNA, hour_of(MOMENT))
    assert f"https://post.example.org/m/{token}" in text
    assert "någon har bett om det på våra sidor" in text
    assert "/u/" not in mail.as_string()


def test_all_of_it_is_kept_with_the_callers_transaction_or_none(engine: sa.Engine, anna: Enrol):
    anna()

    def fail() -> None:
        with db.writing(engine) as session:
            ask(session)
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        fail()

    with db.reading(engine) as session:
        for table in (Mailing, Variant, Delivery, Batch):
            assert session.scalars(sa.select(table)).all() == []


def test_of_one_key_one_letter_is_posted(engine: sa.Engine, anna: Enrol):
    anna()
    with db.writing(engine) as session:
        assert ask(session) is not None
        assert ask(session) is None

    assert len(deliveries(engine)) == 1


def test_it_goes_before_a_mailing_that_is_being_sent(engine: sa.Engine, tmp_path: Path):
    a_mailing(engine, 40, batch=10)
    clock = Clock(MOMENT + timedelta(minutes=1))
    provider = FakeProvider()
    provider.between = lambda: _ask_once(engine, provider)

    send(an_office(engine, tmp_path / "journal", provider, now=clock))

    order = [address.partition("@")[0] for address in provider.addresses]
    assert sorted(order) == sorted([*(f"m{n}" for n in range(1, 41)), "m40"])
    assert order.index("m40") < 30  # the batches in hand when it came, and not the whole mailing


def _ask_once(engine: sa.Engine, provider: FakeProvider) -> None:
    if len(provider.accepted) == 5:
        with db.writing(engine) as session:
            post(session, a_letter(letter="short", member_id=40), give_up_after=timedelta(days=1), now=MOMENT)


@pytest.mark.parametrize(
    ("state", "scope", "expected"),
    [
        (State.PENDING, None, SENT),
        (State.ACTIVE, Scope.BULK, SENT),
        (State.LEFT, Scope.BULK, SENT),
        (State.PENDING, Scope.ALL, CANCELLED),
        (State.ACTIVE, Scope.ALL, CANCELLED),
    ],
)
def test_only_an_all_suppression_stops_what_somebody_asked_for(
    engine: sa.Engine, tmp_path: Path, anna: Enrol, state: State, scope: Scope | None, expected: DeliveryState
):
    anna(state=state)
    if scope:
        with db.writing(engine) as session:
            key = address.parse("anna@example.org").key
            session.add(Suppression(address_key=key, scope=scope, reason="left", at=MOMENT))

    post_and_send(engine, tmp_path, FakeProvider())

    assert states(engine) == {ANNA: expected}


def test_to_another_address_it_names_nobody_and_is_stopped_by_what_holds_for_that_one(
    engine: sa.Engine, tmp_path: Path, anna: Enrol
):
    anna(family_name="Zetterqvist")
    provider = FakeProvider()
    new = address.parse("ny@example.org")

    clock = post_and_send(engine, tmp_path, provider, letter="address-new", number=5, address=new)

    [message] = provider.accepted
    assert message.recipient == "ny@example.org"
    assert b"Anna" not in message.content
    assert b"anna@" not in message.content
    with engine.connect() as connection:
        assert b"ny@" not in connection.scalar(sa.text("SELECT address FROM mailing"))

    with db.writing(engine) as session:
        session.add(Suppression(address_key=new.key, scope=Scope.ALL, reason="asked", at=MOMENT))
        ask(session, key="again", letter="address-new", number=6, address=new)
    send(an_asked_office(engine, tmp_path / "journal", provider, clock))
    assert len(provider.accepted) == 1


def test_an_uncertain_one_is_sent_once_more_as_the_same_bytes_and_then_left(
    engine: sa.Engine, tmp_path: Path, anna: Enrol
):
    anna()
    tried: list[Message] = []

    def silent(message: Message) -> Outcome:
        tried.append(message)
        return Unanswered("The connection broke.")

    clock = post_and_send(engine, tmp_path, FakeProvider(silent))
    assert states(engine) == {ANNA: DeliveryState.QUEUED}
    clock.forward(BEFORE_REPEAT)
    office = an_asked_office(engine, tmp_path / "journal", FakeProvider(silent), clock)
    send(office)
    clock.forward(timedelta(hours=1))
    send(office)

    assert len(tried) == 2
    assert tried[0].content == tried[1].content
    assert states(engine) == {ANNA: UNCERTAIN}
    with db.reading(engine) as session:
        assert session.scalars(sa.select(Mailing)).one().state is MailingState.DONE


def test_a_digest_that_is_uncertain_is_not_sent_again_by_itself(engine: sa.Engine, tmp_path: Path):
    a_mailing(engine, 1)
    clock = Clock()
    send(an_office(engine, tmp_path / "journal", FakeProvider(lambda _: Unanswered("gone")), now=clock))

    assert states(engine) == {1: UNCERTAIN}


def test_whoever_is_erased_leaves_no_address_and_no_letter_behind(engine: sa.Engine, tmp_path: Path, anna: Enrol):
    anna()
    with db.writing(engine) as session:
        ask(session, address=address.parse("ny@example.org"))
    with db.writing(engine) as session:
        withdraw(session, ANNA, now=MOMENT)
    provider = FakeProvider(accept)

    send(an_asked_office(engine, tmp_path / "journal", provider, Clock()))

    assert provider.accepted == []
    with db.reading(engine) as session:
        mailing = session.scalars(sa.select(Mailing)).one()
        assert (mailing.address, mailing.state) == (None, MailingState.DONE)
