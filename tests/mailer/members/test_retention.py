"""What is no longer needed goes, when its time is over and not before; a dry run says so and changes nothing."""

from collections.abc import Callable
from contextlib import AbstractContextManager
from datetime import timedelta
from functools import partial

import pytest
import sqlalchemy as sa
from sqlmodel import Session, select

from mailer import db
from mailer.config.members import Retention
from mailer.feedback.models import Feedback, Kind
from mailer.feedback.policy import Action
from mailer.members import nights, retention
from mailer.outbox.models import Delivery, DeliveryState, Mailing
from subscribers import access, address, consent, joining, suppression
from subscribers.models import Access, Erased, Ground, Member, Scope, SignUp, State, Subscription
from tests.builders import MOMENT, a_member

KEPT = Retention()
GONE, WILFUL, BACK = 1, 2, 3
HOURS = timedelta(hours=1)

Transaction = Callable[[], AbstractContextManager[Session]]


@pytest.fixture
def transaction(engine: sa.Engine) -> Transaction:
    return partial(db.writing, engine)


@pytest.fixture
def old(transaction: Transaction) -> Transaction:
    """One thing of each kind, all from MOMENT."""
    with transaction() as session:
        session.add(a_member("gone@example.org", id=GONE, number="1", state=State.LEFT))
        session.add(a_member("wilful@example.org", id=WILFUL, number="2", ground=Ground.SUPPORTER))
        session.add(a_member("here@example.org", id=BACK))
        session.flush()
        session.add(Subscription(member_id=WILFUL, publication="weekly", since=MOMENT))
        session.flush()
        consent.withdraw(session, WILFUL, publication=None, source="link", now=MOMENT)
        session.add(Mailing(id=1, key="weekly:2024-W10", publication="weekly", letter="digest", created_at=MOMENT))
        session.flush()
        said = {"answer": "250 ok", "code": "250", "settled_at": MOMENT, "state": DeliveryState.SENT}
        session.add(Delivery(mailing_id=1, plan=1, member_id=BACK, variant_id=1, **said))
        about = {"member_id": BACK, "mailing_id": 1, "at": MOMENT, "received_at": MOMENT, "source": "smtp"}
        session.add(Feedback(key="x", kind=Kind.BOUNCE, action=Action.NOTHING, words="no such <…>", **about))
        access.record(session, who="kim", what=access.Act.LIST, now=MOMENT)
        wish = joining.Wish(address.parse("ny@example.org"), "weekly", None, "sv", "v1", "Ja!", "/join/weekly")
        number = joining.ask(session, wish, now=MOMENT)
        if db_is_postgresql(session):
            session.execute(sa.text("SELECT setval(pg_get_serial_sequence('member', 'id'), 100)"))
        joining.admit(session, number)
    return transaction


def db_is_postgresql(session: Session) -> bool:
    return session.connection().dialect.name == "postgresql"


def due(transaction: Transaction, days: int) -> dict[str, int]:
    with transaction() as session:
        return {one.what: one.due for one in retention.report(session, KEPT, MOMENT + timedelta(days=days, hours=1))}


@pytest.mark.parametrize(
    ("days", "whats"),
    [
        (6, set()),
        (7, {"sign-ups"}),
        (89, {"sign-ups"}),
        (90, {"sign-ups", "leavers", "delivery details"}),
        (180, {"sign-ups", "leavers", "delivery details", "feedback"}),
        (365, {"sign-ups", "leavers", "delivery details", "feedback", "diary"}),
    ],
)
def test_each_kind_goes_when_its_time_is_over(old: Transaction, days: int, whats: set[str]):
    told = due(old, days)
    assert {what for what, count in told.items() if count} == whats

    done = retention.run(old, KEPT, MOMENT + timedelta(days=days, hours=1))

    assert done == told
    assert not any(due(old, days).values())


def test_what_is_left_says_that_a_letter_went_and_nothing_more(old: Transaction):
    retention.run(old, KEPT, MOMENT + timedelta(days=400))

    with old() as session:
        delivery = session.exec(select(Delivery)).one()
        assert (delivery.state, delivery.answer, delivery.code) == (DeliveryState.SENT, None, None)
        assert session.exec(select(Access)).all() == []
        assert session.exec(select(SignUp)).all() == []
        states = {member.id: (member.state, member.address) for member in session.exec(select(Member))}
        assert states[GONE] == states[WILFUL] == (State.ERASED, None)
        assert states[BACK] == (State.ACTIVE, "here@example.org")


def test_who_left_by_will_stays_out_of_imports_and_can_sign_up_again(old: Transaction):
    retention.run(old, KEPT, MOMENT + timedelta(days=400))

    wilful, gone = address.parse("wilful@example.org"), address.parse("gone@example.org")
    with old() as session:
        hashes = set(session.exec(select(Erased.key)))
        assert wilful.key in hashes
        assert gone.key not in hashes
        assert suppression.scope_of(session, wilful.key) is Scope.BULK
        later = MOMENT + timedelta(days=401)
        number = joining.ask(session, joining.Wish(wilful, "weekly", None, "sv", "v1", "Ja!", "/"), now=later)
        sign_up = joining.admit(session, number)
        assert sign_up is not None
        back = joining.confirm(session, sign_up, now=later)
        assert session.get_one(Member, back).state is State.ACTIVE
        assert wilful.key not in set(session.exec(select(Erased.key)))
        assert suppression.scope_of(session, wilful.key) is None


def test_many_are_deleted_in_many_short_transactions(transaction: Transaction, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(retention, "AT_ONCE", 10)
    begun = 0
    with transaction() as session:
        for _ in range(35):
            access.record(session, who="kim", what=access.Act.LIST, now=MOMENT)

    def counted() -> AbstractContextManager[Session]:
        nonlocal begun
        begun += 1
        return transaction()

    assert retention.run(counted, KEPT, MOMENT + timedelta(days=366))["diary"] == 35
    assert begun == len(retention.RULES) + 3


def test_of_two_clocks_one_takes_the_night(transaction: Transaction):
    day = MOMENT.date()
    claimed = []
    for _ in range(2):
        with transaction() as session:
            claimed.append(nights.claim(session, day, MOMENT))
    assert claimed == [True, False]

    with transaction() as session:
        assert nights.last(session)[0].done_at is None
        nights.settle(session, day, {"diary": 3}, MOMENT + HOURS)
    with transaction() as session:
        [night] = nights.last(session)
    assert (night.deleted, night.done_at) == ({"diary": 3}, MOMENT + HOURS)
