"""The book of campaigns: a text is brought in, found again, tested, given its time, withdrawn. Nothing is sent here."""

import json
from datetime import datetime, timedelta

from sqlmodel import Session, col, select

from mailer.campaigns import states
from mailer.campaigns.gather import Pictures
from mailer.campaigns.letter import Desk, Standing
from mailer.campaigns.models import Campaign
from mailer.campaigns.states import Action, Facts
from mailer.campaigns.written import File
from mailer.config import Settings
from mailer.errors import Mistake
from mailer.outbox import control
from mailer.outbox.enqueue import open_mailing
from mailer.outbox.models import Mailing, MailingState

KEY = "campaign:"
_ROOM = timedelta(hours=1)  # for the clock to begin what may go at last


def bring_in(desk: Desk, name: str, files: list[File], pictures: Pictures, *, who: str) -> Campaign:
    """Write a text into the book: a new campaign, or other words for one of that name that was not sent.

    raises  WrongText, and Mistake when that campaign can no longer be changed
    """
    session, now = desk.session, desk.now
    standing = desk.read(files, pictures)
    known = session.exec(select(Campaign).where(Campaign.name == name)).first()
    if known is None:
        return _begin(desk, name, standing, _kept(files, pictures), who)
    states.require(Action.WRITE, facts_of(session, known), name)
    mailing = mailing_of(session, known)
    if known.content != standing.digest:
        known.content, known.changed_at = standing.digest, now
    if known.approved != standing.digest:
        reopen(session, known, now)
    known.source, known.pictures = _kept(files, pictures)
    known.kind = standing.front.kind
    mailing.publication, mailing.letter, mailing.stream = standing.front.publication, known.kind, standing.stream
    give_time(session, known, standing.send_at or mailing.send_at, desk.settings)
    return known


def _begin(desk: Desk, name: str, standing: Standing, kept: tuple[str, str], who: str) -> Campaign:
    front, now = standing.front, desk.now
    mailing = open_mailing(
        desk.session,
        Mailing(
            key=f"{KEY}{name}",
            publication=front.publication,
            letter=front.kind,
            state=MailingState.DRAFT,
            stream=standing.stream,
            created_at=now,
        ),
    )
    if mailing is None:
        raise Mistake("Another program brought in {name} just now: look at it, or try again.", name=name)
    campaign = Campaign(
        name=name,
        mailing_id=mailing,
        kind=front.kind,
        source=kept[0],
        pictures=kept[1],
        content=standing.digest,
        drafted_at=now,
        drafted_by=who,
        changed_at=now,
    )
    desk.session.add(campaign)
    desk.session.flush()
    give_time(desk.session, campaign, standing.send_at, desk.settings)
    return campaign


def _kept(files: list[File], pictures: Pictures) -> tuple[str, str]:
    return json.dumps(files, ensure_ascii=False), json.dumps(dict(pictures))


def find(session: Session, name: str) -> Campaign:
    """raises Mistake when there is none of that name"""
    found = session.exec(select(Campaign).where(Campaign.name == name.removeprefix(KEY))).first()
    if found is None:
        raise Mistake("There is no campaign {name}; `utskick campaigns list` shows those there are.", name=name)
    return found


def every(session: Session, *, most: int) -> list[Campaign]:
    """Return the campaigns, the latest first."""
    return list(session.exec(select(Campaign).order_by(col(Campaign.id).desc()).limit(most)))


def mailing_of(session: Session, campaign: Campaign) -> Mailing:
    return session.exec(select(Mailing).where(Mailing.id == campaign.mailing_id)).one()


def facts_of(session: Session, campaign: Campaign) -> Facts:
    mailing = mailing_of(session, campaign)
    return Facts(
        mailing.state,
        content=campaign.content,
        tested=campaign.tested,
        approved=campaign.approved,
        send_at=mailing.send_at,
        planned=mailing.plan is not None,
    )


def note_test(session: Session, campaign: Campaign, standing: Standing, now: datetime) -> None:
    """Note that the letter was sent to named addresses as it stands."""
    campaign.content = campaign.tested = standing.digest
    campaign.tested_at = now
    session.add(campaign)
    session.flush()


def schedule(session: Session, campaign: Campaign, at: datetime, settings: Settings, now: datetime) -> None:
    """Give a campaign its time. raises Mistake for one that is past, or when it is too late for that"""
    states.require(Action.SCHEDULE, facts_of(session, campaign), campaign.name)
    if at <= now:
        raise Mistake("That time is past: send it now with `utskick campaigns send {name}`.", name=campaign.name)
    give_time(session, campaign, at, settings)


def give_time(session: Session, campaign: Campaign, at: datetime | None, settings: Settings) -> None:
    """Set when the mailing goes and what follows from it: later than its grace, it is held for a person."""
    mailing, grace = mailing_of(session, campaign), settings.campaigns.grace
    mailing.send_at = at
    mailing.late_at = mailing.give_up_at = None
    if at:
        waits, approved_at = campaign.not_before or at, campaign.approved_at or at
        mailing.late_at = at + grace
        if approved_at <= mailing.late_at:  # it was in time when it was approved
            mailing.late_at = max(mailing.late_at, waits + _ROOM)
        mailing.give_up_at = max(at, waits) + settings.outbox.give_up_after
    session.flush()


def reopen(session: Session, campaign: Campaign, now: datetime) -> None:
    """Make a draft of a campaign again: what was approved is not what it says. A plan being written is overtaken.

    A time that is past goes too, or the next approval would send it although nobody said when.
    """
    mailing = mailing_of(session, campaign)
    mailing.state, mailing.reason = MailingState.DRAFT, ""
    if mailing.send_at is not None and mailing.send_at <= now:
        mailing.send_at = mailing.late_at = mailing.give_up_at = None
    mailing.planning += 1
    campaign.approved = campaign.approved_at = campaign.approved_by = campaign.people = campaign.not_before = None
    session.flush()


def take_back(session: Session, campaign: Campaign, now: datetime) -> None:
    """Make a draft again of what was approved and has not begun. raises Mistake when it has"""
    states.require(Action.TAKE_BACK, facts_of(session, campaign), campaign.name)
    reopen(session, campaign, now)


def withdraw(session: Session, campaign: Campaign) -> None:
    """End a campaign, also while it is being sent: what is not handed over yet is not sent. raises Mistake"""
    states.require(Action.WITHDRAW, facts_of(session, campaign), campaign.name)
    control.cancel(session.connection(), mailing_of(session, campaign).key)
    campaign.people = None
    session.flush()
    session.expire_all()
