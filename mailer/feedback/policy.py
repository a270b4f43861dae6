"""What follows from what came back: for the address, and for the mailing. Pure; every figure of the policy is here.

The address    hard: suppressed at once; but an unknown host may be a name server's bad day, and waits for a second
               strike a day later; a disabled mailbox may be enabled again, and waits for a third within a month
               soft: counted by mailings, and reset by one that arrived; too many over too long, and it is suppressed
               blocked: our own fault, never counted, and somebody is told
A mail host    when many of its mailboxes die in one run it is their outage, and the verdicts wait for a person
The mailing    stopped when too much of it bounces or is refused for what we did, or too many complain
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum

from mailer.feedback.causes import Cause, Verdict, verdict_of
from mailer.sentences import N_

SECOND_STRIKE_AFTER = timedelta(days=1)
DISABLED_STRIKES, DISABLED_WITHIN = 3, timedelta(days=30)
SOFT_MAILINGS, SOFT_SPAN = 4, timedelta(days=28)
OUTAGE_SHARE, OUTAGE_LEAST = 0.05, 20  # of a run; fewer are not an outage
BOUNCE_SHARE, BOUNCE_LEAST = 0.05, 20  # of a run
FAULT_SHARE, FAULT_LEAST = 0.05, 20  # of a run, refused for what we did
COMPLAINT_SHARE, COMPLAINT_LEAST = 0.001, 3  # of a run; one complaint in a small district is no run gone wrong
_TWICE = frozenset({Cause.UNKNOWN_HOST})


@dataclass(frozen=True, slots=True)
class Strike:
    """One bounce of an address. `at` is when it happened, `mailing` what bounced."""

    at: datetime
    mailing: int
    cause: Cause


class Action(StrEnum):
    NOTHING = "nothing"
    COUNT = "count"
    SUPPRESS = "suppress"
    ALARM = "alarm"


def decide(strikes: Sequence[Strike], *, arrived: datetime | None) -> Action:
    """Decide what the last of `strikes` means for the address.

    strikes  of this address, oldest first
    arrived  when a mail last reached it and nothing came back; what was before that does not count any more
    """
    last = strikes[-1]
    counted = [strike for strike in strikes if arrived is None or strike.at > arrived]
    match verdict_of(last.cause):
        case None:
            return Action.NOTHING
        case Verdict.BLOCKED:
            return Action.ALARM
        case Verdict.HARD if last.cause not in _TWICE or _again(counted, last):
            return Action.SUPPRESS
        case Verdict.SOFT if _still_disabled(counted, last) or _too_soft(counted):
            return Action.SUPPRESS
    return Action.COUNT


def _again(counted: Sequence[Strike], last: Strike) -> bool:
    return any(it.cause is last.cause and last.at - it.at >= SECOND_STRIKE_AFTER for it in counted)


def _still_disabled(counted: Sequence[Strike], last: Strike) -> bool:
    lately = {it.mailing for it in counted if it.cause is Cause.DISABLED and last.at - it.at <= DISABLED_WITHIN}
    return last.cause is Cause.DISABLED and len(lately) >= DISABLED_STRIKES


def _too_soft(counted: Sequence[Strike]) -> bool:
    soft = [it for it in counted if verdict_of(it.cause) is Verdict.SOFT]
    long_enough = bool(soft) and soft[-1].at - soft[0].at >= SOFT_SPAN
    return long_enough and len({it.mailing for it in soft}) >= SOFT_MAILINGS


@dataclass(frozen=True, slots=True)
class Run:
    """A mailing so far, or since a person let it go on; in addresses. `faults` were refused for what we did."""

    sent: int
    bounced: int
    complaints: int
    faults: int = 0


def outages(hard: Mapping[bytes, int], sent: int) -> frozenset[bytes]:
    """Return the mail hosts whose hard bounces in one run are too many to be true.

    hard  how many addresses, by the keyed hash of the host; `sent` is of the whole run
    """
    return frozenset(host for host, count in hard.items() if count >= OUTAGE_LEAST and count > OUTAGE_SHARE * sent)


TOO_MANY_BOUNCES = N_("Too much of it came back: look at `utskick feedback list` before it goes on.")
TOO_MANY_FAULTS = N_("Too much of it was refused for what we did: look at `utskick feedback list` before it goes on.")
TOO_MANY_COMPLAINTS = N_("Too many readers called it spam: look at `utskick feedback list` before it goes on.")


def stop_reason(run: Run) -> str | None:
    """Return why a mailing must stop, None when it may go on."""
    if run.complaints >= COMPLAINT_LEAST and run.complaints > COMPLAINT_SHARE * run.sent:
        return TOO_MANY_COMPLAINTS
    if run.bounced >= BOUNCE_LEAST and run.bounced > BOUNCE_SHARE * run.sent:
        return TOO_MANY_BOUNCES
    if run.faults >= FAULT_LEAST and run.faults > FAULT_SHARE * run.sent:
        return TOO_MANY_FAULTS
    return None
