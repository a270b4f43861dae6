"""Reads from the database what the people in charge should know."""

from collections.abc import Iterator, Mapping
from datetime import datetime, time, timedelta

import sqlalchemy as sa
from sqlmodel import Session, col, select

from mailer.config import Settings
from mailer.digest.models import Edition
from mailer.feedback import listing, runs
from mailer.news.models import SourceState
from mailer.notices.causes import Cause
from mailer.notices.models import Notice
from mailer.operators.models import GOOD_FOR, ApprovalRequest, Outcome
from mailer.outbox import carriers, ledger, single
from mailer.outbox.models import DeliveryState, Mailing, MailingState
from mailer.reminders import keeping
from mailer.sentences import N_, Sentence, Word

SOURCE_BROKEN_FOR = timedelta(days=2)
UNREACHABLE_FOR = timedelta(minutes=5)
EVENING = time(18)
NEWS_IS_OLD_AFTER = timedelta(days=7)  # a first start does not report on years of mailings

_WAITS_FOR_APPROVAL = (
    N_("The edition {edition} is drafted. It goes out {send_at} once it is approved."),
    N_("Look at it: utskick editions preview {edition}"),
    N_("Approve it: utskick editions approve {edition}"),
)
_GOES_BY_ITSELF = (
    N_("The edition {edition} is drafted. It goes out {send_at} by itself, as auto_approve in the config says."),
    N_("Look at it: utskick editions preview {edition}"),
)


def gather(session: Session, settings: Settings, now: datetime) -> list[Cause]:
    """Return everything there is to tell at `now`, told before or not; but no count of letters that was told."""
    return [
        *_drafts(session, settings, now),
        *_unasked(session, now),
        *_stopped(session, now),
        *_too_late(session, now),
        *_resting(session, settings, now),
        *_broken_sources(session, settings, now),
        *_came_back(session, now),
        *_dead(session, settings, now),
        *_reports(session, now),
    ]


def _drafts(session: Session, settings: Settings, now: datetime) -> Iterator[Cause]:
    rows = session.exec(
        select(Edition, Mailing)
        .join(Mailing, col(Mailing.id) == col(Edition.mailing_id))
        .where(Mailing.state == MailingState.DRAFT, Edition.drafted_at > now - NEWS_IS_OLD_AFTER)
    )
    for edition, mailing in rows:
        values = {"edition": mailing.key, "send_at": _local(mailing.send_at, settings)}
        if settings.digest.auto_approve:
            yield _drafted(edition, mailing.key, values, _GOES_BY_ITSELF)
            continue
        yield _drafted(edition, mailing.key, values, _WAITS_FOR_APPROVAL)
        if mailing.send_at is not None and now >= _evening_before(mailing.send_at, settings):
            yield _unapproved(edition, mailing.key, values)


def _drafted(edition: Edition, key: str, values: Mapping[str, str], lines: tuple[str, ...]) -> Cause:
    return Cause(
        key=f"draft:{key}",
        matter="draft",
        subject=N_("Draft ready: {edition}"),
        lines=lines,
        values=values,
        edition_id=edition.id,
    )


def _unapproved(edition: Edition, key: str, values: Mapping[str, str]) -> Cause:
    return Cause(
        key=f"unapproved:{key}",
        matter="unapproved",
        subject=N_("Not approved yet: {edition}"),
        lines=(
            N_("Nobody has approved the edition {edition}, so it will not go out {send_at}."),
            N_("Approve it: utskick editions approve {edition}"),
        ),
        values=values,
        edition_id=edition.id,
    )


def _unasked(session: Session, now: datetime) -> Iterator[Cause]:
    """Tell of letters about an event that are due and wait for an operator whom nobody had asked."""
    asked = select(ApprovalRequest).where(
        col(ApprovalRequest.by_clock),
        ApprovalRequest.outcome == Outcome.OPEN,
        col(ApprovalRequest.asked_at) > now - GOOD_FOR,
    )
    for request in session.exec(asked):
        yield Cause(
            key=f"approval:{request.id}",
            matter="unapproved",
            subject=N_("Not approved yet: {edition}"),
            lines=(
                N_("Letters of {edition} are due and go to {people} members: that takes another operator's approval."),
                N_("Whoever may approve them was sent a link. Send it anew: utskick events approve {event}"),
            ),
            values={"edition": request.key, "people": request.people, "event": request.key.rpartition(":")[2]},
            request=request.id,
        )


def _stopped(session: Session, now: datetime) -> Iterator[Cause]:
    states = (MailingState.HELD, MailingState.PAUSED)
    since = sa.func.coalesce(col(Mailing.send_at), col(Mailing.created_at))  # a campaign may be written long before
    stopped = select(Mailing).where(col(Mailing.state).in_(states), since > now - 4 * NEWS_IS_OLD_AFTER)
    for mailing in session.exec(stopped.where(~col(Mailing.reason).in_(keeping.GOES_ON))):  # those go on by themselves
        yield Cause(
            key=f"{mailing.state}:{mailing.key}:{mailing.reason}"[:200],
            matter="held",
            subject=N_("Stopped: {mailing}"),
            lines=(
                N_("The mailing {mailing} is {state}: {reason}"),
                N_("Look at it: utskick outbox status"),
                N_("Let it go on: utskick outbox resume {mailing}"),
                N_("End it: utskick outbox cancel {mailing}"),
            ),
            values={"mailing": mailing.key, "state": Word(mailing.state), "reason": Word(mailing.reason or "-")},
            lasts=True,
        )


def _too_late(session: Session, now: datetime) -> Iterator[Cause]:
    """Tell of letters about an event that it overtook."""
    ended = select(Mailing).where(Mailing.state == MailingState.CANCELLED, Mailing.reason == keeping.BEGUN)
    lately = ended.where(Mailing.created_at > now - 4 * NEWS_IS_OLD_AFTER)
    for mailing in session.exec(lately.where(~_is_told("late"))):
        counts = ledger.counts(session.connection(), mailing.id or 0, mailing.plan)
        missed = counts[DeliveryState.CANCELLED] + counts[DeliveryState.QUEUED]
        if missed:
            yield Cause(
                key=f"late:{mailing.key}",
                matter="held",
                subject=N_("Not sent whole: {mailing}"),
                lines=(
                    N_("The event began before {mailing} was sent whole: {missed} of {candidates} did not get it."),
                    N_("Each of them: utskick outbox show {mailing}"),
                ),
                values={"mailing": mailing.key, "missed": missed, "candidates": mailing.candidates},
            )


def _resting(session: Session, settings: Settings, now: datetime) -> Iterator[Cause]:
    """A provider that refuses our letters is told of at once; one that cannot be reached may be back in a moment."""
    for provider, rest in carriers.resting(session.connection()).items():
        if rest.refused or rest.since <= now - UNREACHABLE_FOR:
            yield Cause(
                key=f"provider:{provider}:{rest.since:%Y-%m-%dT%H:%M:%S}",
                matter="provider",
                subject=N_("The provider {provider} gets no letters now"),
                lines=(
                    N_("The provider {provider} rests since {since}: {reason}"),
                    N_(
                        "It is tried again with one letter at a time, the next time {until}. Nothing is lost meanwhile."
                    ),
                    *(
                        [N_("Once it takes letters, try what failed: utskick outbox retry-failed MAILING")]
                        if rest.refused
                        else []
                    ),
                    N_("Look at it: utskick outbox providers"),
                ),
                values={
                    "provider": provider,
                    "since": _local(rest.since, settings),
                    "until": _local(rest.until, settings),
                    "reason": Sentence(rest.because, rest.values),
                },
                lasts=True,
            )


def _broken_sources(session: Session, settings: Settings, now: datetime) -> Iterator[Cause]:
    broken = select(SourceState).where(col(SourceState.broken_since) <= now - SOURCE_BROKEN_FOR)
    for state in session.exec(broken):
        if state.source in settings.sources:
            yield Cause(
                key=f"source:{state.source}:{state.broken_since}",
                matter="source",
                subject=N_("No news from {source} for two days"),
                lines=(
                    N_("The source {source} has been broken since {since}: {error}"),
                    N_("Try it: utskick news fetch"),
                ),
                values={
                    "source": state.source,
                    "since": _local(state.broken_since, settings),
                    "error": state.why or "-",
                },
            )


def _came_back(session: Session, now: datetime) -> Iterator[Cause]:
    """Tell of mailings whose letters are refused for our own faults, and of those where a person has to decide."""
    for mailing, key, cause, count in runs.our_faults(session, since=now - NEWS_IS_OLD_AFTER):
        yield Cause(
            key=f"blocked:{mailing}:{cause}",
            matter="feedback",
            subject=N_("Refused for what we did: {mailing}"),
            lines=(
                N_("Servers refused {count} letters of {mailing} for a fault of ours ({cause}). No member is blamed."),
                N_("What they said: utskick feedback list --mailing {mailing}"),
            ),
            values={"mailing": key, "count": count, "cause": Word(cause)},
        )
    for mailing, key, count in runs.waiting(session):
        yield Cause(
            key=f"outage:{mailing}",
            matter="feedback",
            subject=N_("Many mailboxes failed at once: {mailing}"),
            lines=(
                N_("{count} mailboxes of one mail host failed in {mailing}. That is rarely true, so nothing was done."),
                N_("They are dead after all: utskick feedback accept {mailing}"),
                N_("It was an outage: utskick feedback dismiss {mailing}"),
            ),
            values={"mailing": key, "count": count},
            lasts=True,
        )


def _dead(session: Session, settings: Settings, now: datetime) -> Iterator[Cause]:
    """Tell once a week how many addresses are dead, district by district."""
    districts = listing.dead(session)
    if districts:
        year, week, _ = now.astimezone(settings.site.zone).isocalendar()
        yield Cause(
            key=f"dead:{year}-W{week:02}",
            matter="feedback",
            subject=N_("Dead addresses, week {week}"),
            lines=(
                N_("Members whose address is dead: {districts}."),
                N_("Who they are: utskick feedback dead"),
            ),
            values={"week": week, "districts": ", ".join(f"{it.district or '-'} {it.count}" for it in districts)},
        )


def _reports(session: Session, now: datetime) -> Iterator[Cause]:
    """Tell of mailings to many: what one member asked for, or is thanked for, is between them and us."""
    finished = select(Mailing).where(Mailing.state == MailingState.DONE, col(Mailing.done_at) > now - NEWS_IS_OLD_AFTER)
    for mailing in session.exec(finished.where(~single.is_to_one(), ~_is_told("report"))):
        counts = ledger.counts(session.connection(), mailing.id or 0, mailing.plan)
        yield Cause(
            key=f"report:{mailing.key}",
            matter="report",
            subject=N_("Sent: {mailing}"),
            lines=(
                N_("{mailing} has been sent."),
                N_("{candidates} in all: {sent} sent, {failed} failed, {cancelled} cancelled, {uncertain} uncertain."),
                N_("Each of them: utskick outbox show {mailing}"),
            ),
            values={
                "mailing": mailing.key,
                "candidates": mailing.candidates,
                **{state.value: count for state, count in counts.items()},
            },
        )


def _is_told(matter: str) -> sa.ColumnElement[bool]:
    """Whether this went out for a mailing: else its million letters were counted each minute, and writers wait."""
    key = sa.literal(f"{matter}:") + col(Mailing.key)
    return sa.exists().where(col(Notice.cause) == key, col(Notice.told))


def _local(moment: datetime | None, settings: Settings) -> str:
    return f"{moment.astimezone(settings.site.zone):%Y-%m-%d %H:%M}" if moment else "-"


def _evening_before(send_at: datetime, settings: Settings) -> datetime:
    day = send_at.astimezone(settings.site.zone).date() - timedelta(days=1)
    return datetime.combine(day, EVENING, tzinfo=settings.site.zone)
