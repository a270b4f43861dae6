"""An event's ladder as a person looks at it: what was sent when to how many, and what will be."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

from sqlmodel import Session, select

from mailer.outbox import ledger
from mailer.outbox.models import DeliveryState, Mailing
from mailer.reminders import decide, gather
from mailer.reminders.decide import Digests
from mailer.reminders.dossier import Dossier, Letter
from mailer.reminders.due import Due, moment_of
from mailer.reminders.models import Reminder
from mailer.reminders.plan import Opened, Planner


@dataclass(frozen=True, slots=True)
class Rung:
    """A step of the ladder, or what told of a change.

    at        when it went or will go
    state     of its mailing; "to come", or "skipped": it came before the event, or with another one
    members   who get it, as of now where it is to come
    left_out  why -> how many members
    """

    step: str
    key: str | None
    at: datetime
    state: str
    members: int
    sent: int
    left_out: Mapping[str, int]


def ladder(session: Session, planner: Planner, event: int, digests: Digests) -> list[Rung]:
    """Return the steps of an event by their time, those that are to come counted as if they went now."""
    [dossier] = gather.dossiers(session, planner.now, only=event)
    gone = [_gone(session, letter) for letter in dossier.letters if letter.step]
    steps = planner.ladder(dossier)
    missing = [Due(step, moment_of(step, dossier.details)) for step in steps if step.name not in dossier.steps]
    return sorted(
        [*gone, *(_to_come(session, planner, dossier, one, digests) for one in missing)],
        key=lambda rung: (rung.at, rung.step),
    )


def _gone(session: Session, letter: Letter) -> Rung:
    mailing = session.get_one(Mailing, letter.mailing)
    reminder = session.exec(select(Reminder).where(Reminder.mailing_id == letter.mailing)).one()
    counts = ledger.counts(session.connection(), letter.mailing, mailing.plan)
    return Rung(
        step=letter.step or "",
        key=letter.key,
        at=letter.at,
        state=letter.state.value,
        members=mailing.candidates,
        sent=counts[DeliveryState.SENT],
        left_out=json.loads(reminder.left_out),
    )


def _to_come(session: Session, planner: Planner, dossier: Dossier, one: Due, digests: Digests) -> Rung:
    at, name = decide.goes_at(one, dossier, digests), one.step.name
    over = at <= planner.now or one.at <= dossier.created_at or at >= decide.until(name, dossier.details)
    if over or dossier.cancelled:
        return Rung(name, None, at, "skipped", 0, 0, {})
    opened = Opened(0, "", planner.settings.events.publication, name, max(one.at, planner.now))
    assignment = planner.step(session, dossier, opened)
    members = sum(len(flat) // 2 for flat in assignment.forms.values())
    return Rung(name, None, at, "to come", members, 0, dict(assignment.left_out))
