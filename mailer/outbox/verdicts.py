"""What an outcome means for the books. Pure: no clock, no database."""

from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from functools import lru_cache
from zlib import crc32

from mailer.errors import MessageRefused, SendError, TryLater, Unanswered
from mailer.message.characters import one_line
from mailer.message.masking import mask_addresses
from mailer.outbox.breaker import greylisted
from mailer.outbox.states import DeliveryState
from mailer.providers import Outcome, Receipt

FIRST_RETRY = timedelta(minutes=1)
AFTER_GREYLISTING = timedelta(minutes=5)  # what such servers commonly make a stranger wait
SHORTEST_WAIT = timedelta(seconds=1)  # however soon a server invites us
LONGEST_WAIT = timedelta(hours=4)
BEFORE_REPEAT = timedelta(minutes=2)  # a letter that arrived after all is seen by its reader, who stops waiting
_CODE, _ANSWER = 16, 500  # what the columns hold


@dataclass(frozen=True, slots=True)
class Attempt:
    """What the judge must know of one mail besides its outcome. `ticket` is stable over retries."""

    ticket: int
    attempts: int  # before this one
    at: datetime
    give_up_at: datetime
    address: str = ""  # masked wherever the server repeats it
    names: tuple[str, ...] = ()  # words that name the recipient, likewise
    repeats: bool = False  # once more when it is uncertain: its mailing allows it, and it was not done yet


@dataclass(frozen=True, slots=True)
class Verdict:
    """A delivery's new state. `due_at` is set only when it stays queued; `repeated` when although uncertain.

    for_content  it was refused for what was in it, which says nothing of the address
    """

    state: DeliveryState
    code: str | None = None
    answer: str | None = None
    due_at: datetime | None = None
    attempts: int = 0
    repeated: bool = False
    for_content: bool = False

    @property
    def known(self) -> bool:
        """Neither to be tried again nor in doubt."""
        return self.state not in (DeliveryState.QUEUED, DeliveryState.UNCERTAIN)


def judge(outcome: Outcome, attempt: Attempt) -> Verdict:
    """Turn an outcome into a state; a deferred mail fails when its next turn would come too late."""
    if isinstance(outcome, Receipt):
        return sent(outcome, attempt.attempts, attempt.address, attempt.names)
    answer, code = _kept(outcome.detail, attempt), _kept(outcome.code, attempt)
    due_at = _next_turn(outcome, attempt)
    state = DeliveryState.QUEUED if due_at else _final(outcome)
    verdict = Verdict(
        state,
        code[:_CODE] or None,
        answer[:_ANSWER] or None,
        due_at,
        attempt.attempts + 1,
        for_content=isinstance(outcome, MessageRefused),
    )
    return once_more(verdict, attempt.at) if attempt.repeats else verdict


def sent(receipt: Receipt, attempts: int, address: str, names: tuple[str, ...] = ()) -> Verdict:
    """Return the verdict on what was accepted. Many a server says the same of every mail, and names nobody."""
    if not names and address.rpartition("@")[0].casefold() not in _folded(receipt.answer):
        return _sent_namelessly(receipt.answer, attempts + 1)
    return Verdict(
        DeliveryState.SENT, answer=_without(receipt.answer, address, names)[:_ANSWER] or None, attempts=attempts + 1
    )


@lru_cache(maxsize=64)
def _folded(text: str) -> str:
    return text.casefold()


@lru_cache(maxsize=64)
def _sent_namelessly(answer: str, attempts: int) -> Verdict:
    return Verdict(DeliveryState.SENT, answer=_printable(answer)[:_ANSWER] or None, attempts=attempts)


def once_more(verdict: Verdict, at: datetime) -> Verdict:
    """Return `verdict`, but for an uncertain delivery of a mailing that repeats: that one is queued again."""
    if verdict.state is not DeliveryState.UNCERTAIN:
        return verdict
    return replace(verdict, state=DeliveryState.QUEUED, due_at=at + BEFORE_REPEAT, repeated=True)


def _kept(text: str, attempt: Attempt) -> str:
    return _without(text, attempt.address, attempt.names)


def _without(text: str, address: str, names: tuple[str, ...]) -> str:
    """Return what may be stored of a server's words and shown on a terminal: nobody named, nothing unprintable."""
    heard = text.casefold()  # the slower search only for what is there
    echoed = [word for word in (address.rpartition("@")[0], *names) if word.casefold() in heard]
    return one_line(mask_addresses(text, address, *echoed)) if echoed else _printable(text)


@lru_cache(maxsize=64)
def _printable(text: str) -> str:
    return one_line(mask_addresses(text))


def _final(outcome: SendError) -> DeliveryState:
    return DeliveryState.UNCERTAIN if isinstance(outcome, Unanswered) else DeliveryState.FAILED


def _next_turn(outcome: Outcome, attempt: Attempt) -> datetime | None:
    if not isinstance(outcome, TryLater):
        return None
    due_at = attempt.at + _wait(outcome, attempt)
    return due_at if due_at <= attempt.give_up_at else None


def _wait(outcome: TryLater, attempt: Attempt) -> timedelta:
    """Double with every attempt, and spread by up to a quarter so that a thousand deferred mails do not return at once.

    The spread depends on the ticket and the attempt alone: a repeated run decides the same. A server's hint is the
    least it asks for; one that is absurd must neither make us hammer at its door nor lose the letter.
    """
    doubled: int = 2 ** min(attempt.attempts, 16)
    if outcome.retry_after is not None:
        wait = max(outcome.retry_after, min(SHORTEST_WAIT * doubled, FIRST_RETRY))
    else:
        wait = (AFTER_GREYLISTING if greylisted(outcome) else FIRST_RETRY) * doubled
    longest: timedelta = min(wait, LONGEST_WAIT)
    return longest + longest * (crc32(b"%d:%d" % (attempt.ticket, attempt.attempts)) % 1024 / 4096)
