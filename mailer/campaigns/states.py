"""What a campaign is at this moment, and what may be done to it then. Pure.

A campaign has no column for its state: it follows from what was written, tested and approved, and from its mailing.
So a text that changed after approval is a draft again, whoever changed it and however.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from mailer.errors import Mistake
from mailer.outbox.states import MailingState
from mailer.sentences import Word


class CampaignState(StrEnum):
    """draft: being written. tested: sent to named addresses as it stands. approved: waits for somebody to say when.

    scheduled: has its time. sending, paused: in the hands of the outbox. held: it was late, or what it tells changed;
    a person decides. done: everybody is accounted for. withdrawn: a person ended it.
    """

    DRAFT = "draft"
    TESTED = "tested"
    APPROVED = "approved"
    SCHEDULED = "scheduled"
    SENDING = "sending"
    PAUSED = "paused"
    HELD = "held"
    DONE = "done"
    WITHDRAWN = "withdrawn"


class Action(StrEnum):
    """What a person may do to a campaign."""

    WRITE = "write"
    TEST = "test"
    APPROVE = "approve"
    SCHEDULE = "schedule"
    SEND = "send"
    TAKE_BACK = "take back"
    WITHDRAW = "withdraw"


@dataclass(frozen=True, slots=True)
class Facts:
    """What a state follows from. `content`, `tested` and `approved` are hashes of the letter (content.digest_of).

    planned  its deliveries are written: nothing of it can be changed any more
    """

    mailing: MailingState
    content: str
    tested: str | None = None
    approved: str | None = None
    send_at: datetime | None = None
    planned: bool = False


_OF_MAILING: Mapping[MailingState, CampaignState] = {
    MailingState.PLANNED: CampaignState.SENDING,
    MailingState.PAUSED: CampaignState.PAUSED,
    MailingState.HELD: CampaignState.HELD,
    MailingState.DONE: CampaignState.DONE,
    MailingState.CANCELLED: CampaignState.WITHDRAWN,
}

_UNSENT = frozenset({CampaignState.DRAFT, CampaignState.TESTED, CampaignState.APPROVED, CampaignState.SCHEDULED})
_OPEN: Mapping[Action, frozenset[CampaignState]] = {
    Action.WRITE: _UNSENT | {CampaignState.HELD},
    Action.TEST: _UNSENT | {CampaignState.HELD},
    Action.APPROVE: frozenset({CampaignState.DRAFT, CampaignState.TESTED, CampaignState.HELD}),
    Action.SCHEDULE: _UNSENT,
    Action.SEND: frozenset({CampaignState.APPROVED, CampaignState.SCHEDULED, CampaignState.HELD}),
    Action.TAKE_BACK: frozenset({CampaignState.APPROVED, CampaignState.SCHEDULED, CampaignState.HELD}),
    Action.WITHDRAW: frozenset(CampaignState) - {CampaignState.DONE, CampaignState.WITHDRAWN},
}


def state_of(facts: Facts) -> CampaignState:
    if facts.mailing in _OF_MAILING:
        return _OF_MAILING[facts.mailing]
    if facts.mailing is MailingState.APPROVED and facts.approved == facts.content:
        return CampaignState.SCHEDULED if facts.send_at else CampaignState.APPROVED
    return CampaignState.TESTED if facts.tested == facts.content else CampaignState.DRAFT


def is_open(action: Action, facts: Facts) -> bool:
    """Say whether `action` may be done now. Once the deliveries are written, the outbox alone has a say."""
    if facts.planned and action is not Action.WITHDRAW:
        return False
    return state_of(facts) in _OPEN[action]


def require(action: Action, facts: Facts, name: str) -> None:
    """raises Mistake, which says what the campaign is, when `action` is not open"""
    if is_open(action, facts):
        return
    state = Word(state_of(facts))
    if action is Action.SEND and not facts.planned:
        raise Mistake(
            "The campaign {name} is {state}: run `utskick campaigns approve {name}` first.", name=name, state=state
        )
    raise Mistake("The campaign {name} is {state}, so that cannot be done to it.", name=name, state=state)
