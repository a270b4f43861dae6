"""What is proposed to an approver, and what can be done with it."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

from sqlmodel import Session

from mailer.campaigns.letter import Post


@dataclass(frozen=True, slots=True)
class Proposal:
    """What an approver is shown. `content`: hash of what it says. `districts`: of the audience; None: not bound to any.

    words    the audience, by language; it names no member
    account  how the number came about, by language: members added or taken, and why; empty: it is all who subscribe
    mails    how many that is: members who share an address share one
    archived a sentence on who may read it later, where it is not as with every edition
    author   whose part is in it before anybody asks, since they said it: an operator, NOBODY, or None: whoever asks
    """

    key: str
    content: str
    people: int
    districts: frozenset[str] | None
    words: Mapping[str, str]
    mails: int
    account: Mapping[str, Sequence[tuple[int, str]]]
    archived: str = ""
    author: str | None = None


class Matter(Protocol):
    def propose(self, session: Session, place: Post, key: str, now: datetime) -> Proposal:
        """Return it as it stands. raises Mistake when it is past being approved"""

    def approve(self, place: Post, proposal: Proposal, *, who: str, not_before: datetime, now: datetime) -> bool:
        """Let go what was proposed, in transactions of its own. raises Mistake when it is not that any more

        returns  whether there is a letter that waits for `not_before`, and can be taken back till then
        """

    def take_back(self, place: Post, key: str, now: datetime) -> None:
        """Stop it before anything of it leaves. raises Mistake when it has begun"""
