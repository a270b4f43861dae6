"""When a provider is left alone, and when it is tried again. Pure: no clock, no database.

closed      it gets letters; no row is kept
open        nothing goes there before `until`, whichever worker asks
half-open   one worker tries it with a single letter; by `until` another worker may
"""

import re
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from mailer.errors import MessageRefused, ProviderDown, SendError, TryLater, Unanswered
from mailer.outbox.states import BreakerState
from mailer.providers import Outcome, Receipt
from mailer.sentences import N_, Word

FIRST_REST = timedelta(minutes=1)
LONGEST_REST = timedelta(minutes=15)
TRIAL = timedelta(minutes=11)  # longer than a server may take to answer the final dot (RFC 5321 §4.5.3.2.6)
IN_A_ROW = 10  # refusals that speak of us, with nothing accepted between them
REFUSING = N_("It refused {number} letters in a row, the last one with: {answer}")

# Of us and not of the recipient: 421, too much or too fast (X.7.28, X.4.5), policy and reputation (X.7). RFC 3463 §3.8
_ABOUT_US = re.compile(r"\b421\b|\b[45]\.(7\.\d+|4\.5|3\.2)\b")
_GREYLISTED = re.compile(r"gr[ae]y.?list", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Rest:
    """A provider that rests. `because` is a sentence with `values`, as ProviderDown has them."""

    state: BreakerState
    since: datetime
    until: datetime
    length: timedelta
    because: str
    values: dict[str, object]
    refused: bool = False  # it answers, and refuses what we send; otherwise it cannot be used at all

    @property
    def reason(self) -> ProviderDown:
        return ProviderDown(self.because, **{name: value for name, value in self.values.items() if name != "code"})  # type: ignore[arg-type]  # mypy takes them for the code


def greylisted(outcome: SendError) -> bool:
    """Say whether a server asks a stranger to come again: it will take the letter then."""
    return _GREYLISTED.search(outcome.detail) is not None


def speaks_of_us(outcome: Outcome) -> bool:
    """Say whether a refusal would meet any other letter of ours as well."""
    if not isinstance(outcome, TryLater | MessageRefused) or greylisted(outcome):
        return False
    return _ABOUT_US.search(outcome.code or outcome.detail[:40]) is not None


def works(outcome: Outcome) -> bool:
    """Say whether an outcome shows that a provider can be used: it answered, and not that it wants none of ours."""
    if isinstance(outcome, Receipt):
        return True
    answered = outcome.code or not isinstance(outcome, TryLater)
    return bool(answered) and not isinstance(outcome, Unanswered | ProviderDown) and not speaks_of_us(outcome)


class Refusing(ProviderDown):
    """It answers, but takes nothing of ours. `answer` is its last word, masked."""

    def __init__(self, number: int, answer: str) -> None:
        super().__init__(REFUSING, number=number, answer=answer[:200])


def lie_down(last: Rest | None, down: ProviderDown, now: datetime) -> Rest:
    """Rest twice as long as last time, 1 to 15 minutes. Whoever is second to tell of a trouble changes nothing."""
    if last is not None and last.state is BreakerState.OPEN and now < last.until:
        return last
    length = FIRST_REST if last is None else min(last.length * 2, LONGEST_REST)
    return Rest(
        BreakerState.OPEN,
        since=now if last is None else last.since,
        until=now + length,
        length=length,
        because=down.sentence,
        values={name: Word(value) if isinstance(value, str) else value for name, value in down.values.items()},
        refused=isinstance(down, Refusing),
    )


def on_trial(last: Rest, now: datetime) -> Rest:
    """Try it with one letter."""
    return replace(last, state=BreakerState.HALF_OPEN, until=now + TRIAL)
