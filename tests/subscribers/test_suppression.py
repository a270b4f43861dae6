from datetime import datetime

from sqlmodel import Session, select

from subscribers import suppression
from subscribers.models import Scope, Suppression

KEY = bytes(32)


def test_the_widest_reason_counts(session: Session, now: datetime):
    suppression.suppress(session, KEY, scope=Scope.BULK, reason="left", now=now)
    suppression.suppress(session, KEY, scope=Scope.ALL, reason="dead", now=now)

    assert suppression.scope_of(session, KEY) is Scope.ALL
    suppression.lift(session, KEY, reason="dead")
    assert suppression.scope_of(session, KEY) is Scope.BULK


def test_a_repeat_widens_and_never_narrows(session: Session, now: datetime):
    for scope in (Scope.BULK, Scope.ALL, Scope.BULK):
        suppression.suppress(session, KEY, scope=scope, reason="asked", now=now)

    assert session.exec(select(Suppression.scope)).one() is Scope.ALL


def test_an_address_nobody_suppressed_may_be_written_to(session: Session):
    assert suppression.scope_of(session, KEY) is None
    assert not suppression.is_suppressed(session, KEY)
