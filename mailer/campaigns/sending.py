"""When a campaign goes out: at its time, or by hand; held when it is late, or when what it tells is not what it was."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from itertools import chain

import sqlalchemy as sa
from sqlmodel import Session, col, select

from mailer import db
from mailer.campaigns import audience, book, states
from mailer.campaigns.letter import Post, Standing
from mailer.campaigns.models import Campaign, CampaignRecord
from mailer.campaigns.people import People, unpacked
from mailer.campaigns.plan import Division, Shelves, divide, plan_of
from mailer.campaigns.shelving import issue_of, shelves
from mailer.campaigns.states import Action
from mailer.errors import Mistake
from mailer.outbox.enqueue import Overtaken, begin, write_plan
from mailer.outbox.models import Mailing, MailingState
from mailer.sentences import N_
from subscribers import audience as register
from subscribers.models import District
from subscribers.sealed import lookup_key
from subscribers.selection import holds

NOT_IN_TIME = N_("It was not sent in time: send it by hand, or withdraw it.")
CHANGED = N_("What it tells has changed since it was approved: look at it with preview, and approve it again.")


@dataclass(frozen=True, slots=True)
class Planned:
    """What a campaign came to. `candidates` are members; joined, left: since it was approved."""

    key: str
    mails: int
    candidates: int
    joined: int
    left: int


class NotAsApproved(Mistake):
    """A campaign was held: its text, or what it names, is not what was approved."""


def send_due(post: Post, now: datetime) -> list[Planned]:
    """Plan every approved campaign whose time has come. Safe to repeat, to miss, and to run twice at once."""
    with db.writing(post.engine) as session:
        hold_late(session, now)
        forget_people(session)
        due = [campaign.name for campaign in _due(session, now)]
    planned = []
    for name in due:
        try:
            planned.append(plan(post, name, now))
        except (Overtaken, NotAsApproved):
            continue  # another program has it; or it waits for a person, who is told
    return planned


def send_now(post: Post, name: str, now: datetime) -> Planned | None:
    """Send an approved campaign because a person says so; None when it may not go yet, and goes then by itself.

    raises  Mistake, NotAsApproved
    """
    with db.writing(post.engine) as session:
        campaign = book.find(session, name)
        states.require(Action.SEND, book.facts_of(session, campaign), campaign.name)
        if campaign.approved != campaign.content:
            raise Mistake(
                "The campaign {name} is not approved as it stands: run `utskick campaigns approve {name}`.",
                name=campaign.name,
            )
        mailing = book.mailing_of(session, campaign)
        mailing.state, mailing.reason = MailingState.APPROVED, ""
        book.give_time(session, campaign, min(mailing.send_at or now, now), post.settings)
        mailing.late_at = max(now, campaign.not_before or now) + post.settings.campaigns.grace
        waits = campaign.not_before is not None and campaign.not_before > now
    return None if waits else plan(post, name, now)


def plan(post: Post, name: str, now: datetime) -> Planned:
    """Plan an approved campaign as of `now` and hand it to the outbox.

    raises  Overtaken when another program did, NotAsApproved when it is held instead
    """
    with db.reading(post.engine) as session:
        mailing = book.mailing_of(session, book.find(session, name))
        number, key = mailing.id or 0, mailing.key
    ticket = begin(post.engine, number)
    with db.reading(post.engine) as session:
        campaign = book.find(session, name)
        standing = _as_approved(post, session, campaign, now)
        people = unpacked(campaign.people)
        division = _divide(post, session, standing, people, key, now) if standing else None
        shown = _shelves(post, session, standing) if standing else {}
    if standing is None or division is None:
        _hold(post, number)
        raise NotAsApproved(CHANGED)
    left = len(people) - division.members
    with db.writing(post.engine) as session:
        _note(session, key, division, left, now)
    issue = issue_of(key.removeprefix(book.KEY))
    written = plan_of(division, standing.content, post.links.image(""), shown, issue)
    candidates = write_plan(ticket, written, now=now)
    return Planned(key, division.mails, candidates, division.joined, left)


def _as_approved(post: Post, session: Session, campaign: Campaign, now: datetime) -> Standing | None:
    """Return the letter, None when it cannot be read any more or is not what was approved."""
    try:
        standing = post.desk(session, now).read_again(campaign, now)
    except Mistake:
        return None
    return standing if standing.digest == campaign.approved else None


def _divide(post: Post, session: Session, standing: Standing, people: People, key: str, now: datetime) -> Division:
    selection = audience.selection_of(session, standing.rule, standing.event)
    pages = register.pages(
        session.connection(),
        publication=standing.front.publication,
        stream=standing.stream,
        which=holds(selection),
        now=now.astimezone(post.settings.site.zone),
    )
    subjects = len(standing.front.subject)
    return divide(chain.from_iterable(pages), people, standing.content, subject_for(key, subjects))


def _shelves(post: Post, session: Session, standing: Standing) -> Shelves:
    if not standing.is_for_the_archive or standing.front.publication not in post.settings.archives:
        return {}
    return shelves(standing.content, session.exec(select(District.slug).order_by(col(District.slug))))


def _hold(post: Post, mailing: int) -> None:
    waiting = sa.and_(col(Mailing.id) == mailing, col(Mailing.state) == MailingState.APPROVED)
    with db.writing(post.engine) as session:
        session.execute(sa.update(Mailing).where(waiting).values(state=MailingState.HELD, reason=CHANGED))


def subject_for(key: str, subjects: int) -> Callable[[int], int]:
    """Return what chooses a member's subject: a keyed hash, so that every try is the same and nobody can foresee it."""
    if subjects == 1:
        return lambda _member: 0
    return lambda member: lookup_key(f"subject of {key}", str(member))[0] % subjects


def hold_late(session: Session, now: datetime) -> None:
    """Hold the approved campaigns that are later than their grace: a person decides what becomes of them."""
    for campaign in _due(session, now):
        mailing = book.mailing_of(session, campaign)
        if mailing.late_at is not None and mailing.late_at < now:
            mailing.state, mailing.reason = MailingState.HELD, NOT_IN_TIME
    session.flush()


def forget_people(session: Session) -> None:
    """Forget to whom campaigns were to go, once the outbox knows it or nobody needs it."""
    over = sa.or_(col(Mailing.plan).is_not(None), col(Mailing.state) == MailingState.CANCELLED)
    mailings = sa.select(col(Mailing.id)).where(over)
    kept = sa.and_(col(Campaign.people).is_not(None), col(Campaign.mailing_id).in_(mailings))
    session.execute(sa.update(Campaign).where(kept).values(people=None))


def _due(session: Session, now: datetime) -> list[Campaign]:
    due = select(Campaign).join(Mailing, col(Mailing.id) == col(Campaign.mailing_id))
    waiting = due.where(
        Mailing.state == MailingState.APPROVED,
        col(Mailing.plan).is_(None),
        col(Mailing.send_at) <= now,
        sa.or_(col(Campaign.not_before).is_(None), col(Campaign.not_before) <= now),
        Campaign.approved == Campaign.content,
    )
    return list(session.exec(waiting.order_by(col(Campaign.id))))


def _note(session: Session, key: str, division: Division, left: int, now: datetime) -> None:
    """Note for years how the audience differed from what was approved."""
    record = session.exec(select(CampaignRecord).where(CampaignRecord.key == key)).one()
    record.sent_at, record.candidates = now, division.members
    record.joined_since, record.left_since = division.joined, left
    session.flush()
