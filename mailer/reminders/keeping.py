"""What is done about events each minute: end, stop, mend, tell, remind. Safe to ring twice, to miss, and to be killed.

That each letter goes once is decided by the key of its mailing. A changed time or place first stops what still waits;
once nobody has changed anything for a while, what waits gets the new words, and whoever was told the old ones gets one
letter that says so.
"""

import contextlib
from collections.abc import Iterator, Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from functools import partial

import sqlalchemy as sa
from sqlmodel import Session, col, select

from mailer import db
from mailer.errors import Mistake
from mailer.outbox import batches
from mailer.outbox.batches import Terms
from mailer.outbox.enqueue import Overtaken, open_mailing
from mailer.outbox.models import Mailing, MailingState
from mailer.outbox.moves import withdraw
from mailer.reminders import decide, gather
from mailer.reminders.decide import Digests
from mailer.reminders.dossier import OPEN, Dossier, Letter, is_news
from mailer.reminders.models import Reminder
from mailer.reminders.plan import Opened, Planned, Planner
from mailer.reminders.renewing import renew
from mailer.sentences import N_

BEGUN = N_("It was too late for the rest: the event has begun.")
CHANGED = N_("The event was changed: the new words come as soon as nothing more is changed.")
OVERTAKEN = N_("The event was changed again: another letter tells what is so now.")
CALLED_OFF = N_("The event does not take place.")
UNAPPROVED = N_("The event was changed: the new words wait for another operator's approval.")
GOES_ON = (CHANGED, UNAPPROVED)  # what stopped for these goes on by itself


Opening = tuple[str, datetime, str]  # a step, when it was due, and through which publication


def keep(planner: Planner, digests: Digests, terms: Terms) -> list[Planned]:
    """Do what is due by `planner.now` about every event. Returns what was planned."""
    with db.reading(planner.engine) as session:
        dossiers = gather.dossiers(session, planner.now)
    planned: list[Planned] = []
    for dossier in dossiers:
        if decide.rests(dossier, planner.ladder(dossier), digests, planner.now):
            continue
        with contextlib.suppress(Overtaken):  # another program has the mailing: that is what its key is for
            planned.extend(keep_one(planner, dossier, digests, terms))
    return planned


def send_now(planner: Planner, event: int, name: str) -> Planned:
    """Send a step before its time because a person says so, also to those who were told of the event just now.

    raises  Mistake when the event's ladder has no such step, it was sent, or it would be of no use any more
    """
    with db.reading(planner.engine) as session:
        [dossier] = gather.dossiers(session, planner.now, only=event)
    ladder = planner.ladder(dossier)
    if name not in {step.name for step in ladder}:
        known = ", ".join(step.name for step in ladder)
        raise Mistake(
            "The ladder of {event} has no step {step}: it has {known}.", event=dossier.key, step=name, known=known
        )
    if name in dossier.steps:
        raise Mistake("The step {step} of {event} has been sent, or is being sent.", event=dossier.key, step=name)
    if dossier.cancelled or planner.now >= decide.until(name, dossier.details):
        raise Mistake("It is too late for the step {step} of {event}.", event=dossier.key, step=name)
    if not _may_go(planner, dossier):
        raise Mistake(
            "The letters about {event} wait for another operator: ask with `utskick events approve {event}`.",
            event=dossier.key,
        )
    _open(planner, dossier, name, planner.now, planner.settings.events.publication)
    for planned in _plan_opened(replace(planner, apart=timedelta(0)), dossier):
        if planned.key == f"event:{event}:{name}":
            return planned
    raise Overtaken  # another program planned it in the meantime


def keep_one(planner: Planner, dossier: Dossier, digests: Digests, terms: Terms) -> Iterator[Planned]:
    for letter in decide.too_late(dossier, planner.now):
        _end(planner, letter, BEGUN)
    if not _mend(planner, dossier, terms):
        return
    with db.reading(planner.engine) as session:
        [dossier] = gather.dossiers(session, planner.now, only=dossier.id)  # as it is after what was done
        answers = gather.answers(session, dossier.id)
    _spare(planner, dossier, sorted(answers.declined))
    steps = _due(planner, dossier, answers, digests)
    if (steps or decide.unplanned(dossier)) and _may_go(planner, dossier):
        for step, due_at, publication in steps:
            _open(planner, dossier, step, due_at, publication)
        yield from _plan_opened(planner, dossier)


def _due(planner: Planner, dossier: Dossier, answers: gather.Answers, digests: Digests) -> list[Opening]:
    """Return what is to be opened now: what tells of a change, through each publication that does, and a step."""
    first, seen = planner.settings.events.publication, {*answers.seen.values()}
    tell = [one for one in decide.to_tell(dossier, first, seen, planner.now) if one in planner.settings.to_subscribe]
    found = decide.next_step(
        dossier, planner.ladder(dossier), digests, anyone_comes=bool(answers.coming), now=planner.now
    )
    step = [(found.step.name, found.at, first)] if found else []
    return [*((dossier.news, planner.now, publication) for publication in tell), *step]


def _may_go(planner: Planner, dossier: Dossier) -> bool:
    with db.reading(planner.engine) as session:
        return planner.may_go(session, dossier)


def _spare(planner: Planner, dossier: Dossier, declined: Sequence[int]) -> None:
    """Cancel what waits for those who said no since it was planned."""
    waiting = [letter for letter in dossier.letters if letter.step and letter.planned and letter.state in OPEN]
    if declined and waiting:
        with db.writing_beside(planner.engine) as session:
            for letter in waiting:
                withdraw(session.connection(), letter.mailing, declined, code="said no", now=planner.now)


def _mend(planner: Planner, dossier: Dossier, terms: Terms) -> bool:
    """Stop what waits with words that are not so any more, and mend it when it is time. Returns whether all is."""
    with db.reading(planner.engine) as session:
        found = (
            (letter, gather.outdated_variants(session.connection(), dossier, letter))
            for letter in decide.outdated(dossier)
        )
        stale = [(letter, variants) for letter, variants in found if variants]
    for letter, _ in stale:
        _move(planner, letter, frm=(MailingState.PLANNED,), to=MailingState.PAUSED, reason=CHANGED)
    if not decide.is_settled(dossier, planner.settings.events.quiet, planner.now):
        return False
    with db.reading(planner.engine) as session:
        connection = session.connection()
        if any(batches.held(connection, letter.mailing, terms=terms, now=planner.now) for letter, _ in stale):
            return False
    waiting = set()
    for letter, variants in stale:
        if dossier.cancelled:
            _end(planner, letter, CALLED_OFF)
        elif is_news(letter.step or ""):
            _end(planner, letter, OVERTAKEN)
        elif _may_go(planner, dossier):
            renew(planner, dossier, letter, variants)
        else:
            _say_why_it_waits(planner, letter)
            waiting.add(letter.mailing)
    for letter in dossier.letters:
        if letter.step and letter.mailing not in waiting:
            _go_on(planner, letter)
    return True


def _go_on(planner: Planner, letter: Letter) -> None:
    """Send on what was stopped for a change."""
    stopped = sa.update(Mailing).where(
        col(Mailing.id) == letter.mailing,
        col(Mailing.state) == MailingState.PAUSED,
        col(Mailing.reason).in_(GOES_ON),
    )
    if letter.state in OPEN:
        with db.writing(planner.engine) as session:
            session.execute(stopped.values(state=MailingState.PLANNED, reason=""))


def _say_why_it_waits(planner: Planner, letter: Letter) -> None:
    """Not of one that a person paused: that one does not go on by itself."""
    stopped = sa.update(Mailing).where(
        col(Mailing.id) == letter.mailing, col(Mailing.state) == MailingState.PAUSED, col(Mailing.reason) == CHANGED
    )
    if letter.reason != UNAPPROVED:
        with db.writing(planner.engine) as session:
            session.execute(stopped.values(reason=UNAPPROVED))


def _end(planner: Planner, letter: Letter, reason: str) -> None:
    _move(planner, letter, frm=tuple(OPEN), to=MailingState.CANCELLED, reason=reason)


def _move(planner: Planner, letter: Letter, *, frm: tuple[MailingState, ...], to: MailingState, reason: str) -> None:
    with db.writing(planner.engine) as session:
        session.execute(
            sa.update(Mailing)
            .where(col(Mailing.id) == letter.mailing, col(Mailing.state).in_(frm))
            .values(state=to, reason=reason)
        )


def _open(planner: Planner, dossier: Dossier, step: str, due_at: datetime, publication: str) -> None:
    """Open the mailing of a step; there is one of its key at most, whoever opens it."""
    until = decide.until(step, dossier.details)
    key = f"event:{dossier.id}:{step}"
    mailing = Mailing(
        key=f"{key}:{publication}" if is_news(step) else key,
        publication=publication,
        letter=step.partition("-")[0],
        state=MailingState.APPROVED,
        created_at=planner.now,
        send_at=due_at,
        late_at=until,
        send_by=until,
        give_up_at=until,
    )
    with db.writing(planner.engine) as session:
        number = open_mailing(session, mailing)
        if number is not None:
            session.add(Reminder(mailing_id=number, event_id=dossier.id, step=step, due_at=due_at))


def _plan_opened(planner: Planner, approved: Dossier) -> Iterator[Planned]:
    """Plan what was opened, now or before a crash: what changed first, because who is told that has had the step.

    Nothing of another revision than the one that may go.
    """
    while True:
        with db.reading(planner.engine) as session:
            [dossier] = gather.dossiers(session, planner.now, only=approved.id)
            opened = [_opened(session, letter) for letter in decide.unplanned(dossier)]
        if not opened or dossier.sequence != approved.sequence:
            return
        one = min(opened, key=lambda it: (not is_news(it.step), it.mailing))
        if is_news(one.step):
            told = [number for number in decide.told_in(dossier, one.step) if number != one.mailing]
            yield planner.plan(dossier, one, partial(planner.news, dossier=dossier, opened=one, beside=told))
        else:
            yield planner.plan(dossier, one, partial(planner.step, dossier=dossier, opened=one))


def _opened(session: Session, letter: Letter) -> Opened:
    row = session.exec(select(Reminder).where(Reminder.mailing_id == letter.mailing)).one()
    return Opened(letter.mailing, letter.key, letter.publication, row.step, row.due_at)
