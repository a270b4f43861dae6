"""Campaigns as a person looks through them."""

import json
from dataclasses import dataclass
from datetime import datetime

from sqlmodel import Session, select

from mailer.campaigns import book
from mailer.campaigns.approving import Proposal
from mailer.campaigns.content import subjects_of
from mailer.campaigns.models import Campaign, CampaignRecord
from mailer.campaigns.states import CampaignState, state_of
from mailer.outbox import ledger


@dataclass(frozen=True, slots=True)
class Row:
    """A campaign in a listing. `candidates`: members it goes to; joined_since, left_since: since it was approved."""

    name: str
    state: CampaignState
    kind: str
    publication: str
    send_at: datetime | None
    approved_at: datetime | None
    approved_by: str | None
    candidates: int
    joined_since: int | None
    left_since: int | None
    reason: str


def row_of(session: Session, campaign: Campaign) -> Row:
    mailing = book.mailing_of(session, campaign)
    record = record_of(session, campaign)
    state = state_of(book.facts_of(session, campaign))
    approved = campaign.approved is not None and campaign.approved == campaign.content
    frozen = json.loads(record.counts)["members"] if record and approved else 0
    return Row(
        name=campaign.name,
        state=state,
        kind=campaign.kind,
        publication=mailing.publication,
        send_at=mailing.send_at,
        approved_at=campaign.approved_at,
        approved_by=campaign.approved_by,
        candidates=mailing.candidates if mailing.plan is not None else frozen,
        joined_since=record.joined_since if record else None,
        left_since=record.left_since if record else None,
        reason=mailing.reason,
    )


def record_of(session: Session, campaign: Campaign) -> CampaignRecord | None:
    """Return what is kept of a campaign's approval, None when it never was approved."""
    key = book.mailing_of(session, campaign).key
    return session.exec(select(CampaignRecord).where(CampaignRecord.key == key)).first()


def deliveries(session: Session, campaign: Campaign) -> dict[str, int]:
    """Return how many of its deliveries are in each state."""
    mailing = book.mailing_of(session, campaign)
    found = ledger.counts(session.connection(), mailing.id or 0, mailing.plan)
    return {state.value: number for state, number in found.items()}


def as_row(proposal: Proposal) -> dict[str, object]:
    """Return a proposal for programs."""
    counted, front = proposal.counted, proposal.standing.front
    return {
        "name": proposal.name,
        "kind": front.kind,
        "publication": front.publication,
        "subjects": {
            language: subjects_of(version) for language, version in proposal.standing.content["versions"].items()
        },
        "audience": {language: proposal.in_words(language) for language in ("sv", "en")},
        "matching": counted.matching,
        "excluded": [{"what": what, "members": number} for what, number in proposal.exclusions("en")],
        "not_allowed": counted.not_allowed,
        "members": counted.members,
        "mails": counted.mails,
        "hash": proposal.standing.digest,
        "for_the_archive": proposal.standing.is_for_the_archive,
    }
