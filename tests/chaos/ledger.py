"""What must be true after any run, whatever happened in it. Pure: two lists are held against each other."""

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import NamedTuple

WHOLE = "whole"


class Letter(NamedTuple):
    """One mailing to one address."""

    mailing: int
    recipient: str


class Acceptance(NamedTuple):
    """A line of the sink's log. `shape` is WHOLE, or says what is wrong with the mail."""

    letter: Letter
    shape: str


@dataclass(frozen=True)
class Account:
    """What the sink says and what the books say.

    candidates  of each mailing
    unfinished  mailings that did not become done
    bound       how many uncertain deliveries the run explains: requests that were never answered, and what the lost
                leases had not settled (architecture, the delivery contract)
    """

    acceptances: Sequence[Acceptance]
    books: Mapping[Letter, str]
    candidates: Mapping[int, int]
    unfinished: Sequence[int]
    bound: int


def faults(account: Account) -> list[str]:
    """Return what is wrong, as sentences; nothing when every recipient is accounted for."""
    return [*_at_the_sink(account), *_in_the_books(account), *_between_them(account)]


def _at_the_sink(account: Account) -> Iterator[str]:
    for letter, times in Counter(acceptance.letter for acceptance in account.acceptances).items():
        if times > 1:
            yield f"{letter} was accepted {times} times."
    for letter, shape in account.acceptances:
        if shape != WHOLE:
            yield f"{letter} arrived {shape}."


def _in_the_books(account: Account) -> Iterator[str]:
    settled = Counter(
        letter.mailing
        for letter, state in account.books.items()
        if state in {"sent", "failed", "cancelled", "uncertain"}
    )
    for mailing, candidates in account.candidates.items():
        if settled[mailing] != candidates:
            yield f"Mailing {mailing} had {candidates} candidates and settled {settled[mailing]}."
    for mailing in account.unfinished:
        yield f"Mailing {mailing} was never done."
    uncertain = Counter(account.books.values())["uncertain"]
    if uncertain > account.bound:
        yield f"{uncertain} deliveries are uncertain, and the run explains {account.bound}."


def _between_them(account: Account) -> Iterator[str]:
    arrived = {acceptance.letter for acceptance in account.acceptances}
    for letter, state in account.books.items():
        if state == "sent" and letter not in arrived:
            yield f"{letter} is called sent and never arrived."
        if state in {"failed", "cancelled", "queued"} and letter in arrived:
            yield f"{letter} is called {state} and arrived."
    for letter in sorted(arrived - account.books.keys()):
        yield f"{letter} arrived and stands in no book."
