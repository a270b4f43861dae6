"""Requests for approval: asked, signed, granted, declined, taken back. Who did what is logged by operator."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

import structlog
from sqlmodel import Session, col, select

from mailer import db
from mailer.campaigns.letter import Post
from mailer.errors import Mistake
from mailer.operators.about_events import called
from mailer.operators.matters import matter_of
from mailer.operators.models import GOOD_FOR, ApprovalRequest, ApprovalSignature, Outcome
from mailer.operators.people import operators
from mailer.operators.proposals import Proposal
from mailer.operators.rules import NOBODY, Asked, Operator, Verdict, judge

log = structlog.get_logger()

ACCOUNT, LINK = "account", "link"


@dataclass(frozen=True, slots=True)
class Signed:
    operator: str
    name: str
    way: str
    at: datetime


@dataclass(frozen=True, slots=True)
class State:
    """A request as it stands. `awaited`: any one of these has to sign next. `asked_by` is their name.

    called  its key as people are told it
    """

    number: int
    key: str
    called: str
    people: int
    asked_by: str
    asked_at: datetime
    outcome: Outcome
    signed: tuple[Signed, ...]
    awaited: frozenset[str]
    not_before: datetime | None

    def may_be_taken_back(self, now: datetime) -> bool:
        return self.outcome is Outcome.GRANTED and self.not_before is not None and now < self.not_before


def ask(place: Post, key: str, by: str, *, way: str | None, now: datetime) -> State:
    """Ask for approval, or take part in what was asked already; `way` None: it is not proved yet that it is them.

    raises  Mistake when it is past being approved, or when nobody could approve it
    """
    with db.reading(place.engine) as session:  # counting a register takes its time, and nobody who writes waits for it
        proposal = matter_of(key).propose(session, place, key, now)
    with db.writing(place.engine) as session:
        request = _standing(session, proposal, now) or _begin(session, proposal, by, now)
        people = operators(session, place.settings)
        if way is not None:
            _sign(session, request, by, way, now)
        verdict = _grant_if_enough(session, place, request, people, now)
        everyone = judge(_asked(request), people.keys(), people, second_above=place.settings.approval.second_above)
        if not everyone.granted:
            raise Mistake(
                "Nobody else in [operators] may approve {key} for {people} members: one who may_approve, and whose "
                "districts hold them all, is missing.",
                key=proposal.key,
                people=proposal.people,
            )
        number = request.id or 0
    return _carry_out(place, number, proposal, verdict, now)


def ask_unasked(place: Post, key: str, *, now: datetime) -> None:
    """Open a request because its time has come and nobody asked, whoever may approve it. raises Mistake as `ask`"""
    with db.reading(place.engine) as session:
        proposal = matter_of(key).propose(session, place, key, now)
    with db.writing(place.engine) as session:
        if _standing(session, proposal, now) is None:
            _begin(session, proposal, NOBODY, now).by_clock = True


def sign(place: Post, number: int, operator: str, *, now: datetime) -> State:
    """Take the part of an operator who is waited for, by a link that was sent to them."""
    with db.reading(place.engine) as session:
        proposal = _proposal(session, place, session.get_one(ApprovalRequest, number), now)
    with db.writing(place.engine) as session:
        request = _locked(session, number)
        people = operators(session, place.settings)
        if request.is_over(now) or operator not in _state(session, place, request).awaited:
            return _state(session, place, request)
        if proposal is None or proposal.content != request.content:
            _end(request, Outcome.CHANGED, None, now)
            return _state(session, place, request)
        request.people = proposal.people  # as in _standing
        _sign(session, request, operator, LINK, now)
        verdict = _grant_if_enough(session, place, request, people, now)
    return _carry_out(place, number, proposal, verdict, now)


def decline(place: Post, number: int, operator: str, *, now: datetime) -> State:
    """End a request: whoever could sign it may say no instead."""
    with db.writing(place.engine) as session:
        request = _locked(session, number)
        if operator in _state(session, place, request).awaited and not request.is_over(now):
            _end(request, Outcome.DECLINED, operator, now)
        return _state(session, place, request)


def take_back(place: Post, number: int, operator: str, *, now: datetime) -> State:
    """Make a draft again of what was granted, while its undo window is open."""
    with db.reading(place.engine) as session:
        state = _state(session, place, session.get_one(ApprovalRequest, number))
    if state.may_be_taken_back(now):
        matter_of(state.key).take_back(place, state.key, now)
        with db.writing(place.engine) as session:
            _end(_locked(session, number), Outcome.TAKEN_BACK, operator, now)
    return look(place, number)


def look(place: Post, number: int) -> State:
    with db.reading(place.engine) as session:
        return _state(session, place, session.get_one(ApprovalRequest, number))


def find(session: Session, number: int) -> ApprovalRequest | None:
    return session.get(ApprovalRequest, number)


def latest(place: Post, *, most: int) -> list[State]:
    """Return the requests, the latest first."""
    with db.reading(place.engine) as session:
        rows = session.exec(select(ApprovalRequest).order_by(col(ApprovalRequest.id).desc()).limit(most))
        return [_state(session, place, row) for row in rows]


def is_over(state: State, now: datetime) -> bool:
    return now - state.asked_at > GOOD_FOR


def _standing(session: Session, proposal: Proposal, now: datetime) -> ApprovalRequest | None:
    """Return the open request for these words; what was asked for other words is over.

    Who subscribes changes by the hour: that ends no request, and the limit holds for those of now.
    """
    rows = session.exec(
        select(ApprovalRequest)
        .where(ApprovalRequest.key == proposal.key, ApprovalRequest.outcome == Outcome.OPEN)
        .order_by(col(ApprovalRequest.id))
        .with_for_update()
    ).all()
    same = None
    for row in rows:
        if row.content == proposal.content and not row.is_over(now):
            same, row.people = row, proposal.people
        else:
            _end(row, Outcome.CHANGED, None, now)
    return same


def _begin(session: Session, proposal: Proposal, by: str, now: datetime) -> ApprovalRequest:
    author = by if proposal.author is None else proposal.author
    request = ApprovalRequest(
        key=proposal.key,
        content=proposal.content,
        people=proposal.people,
        districts="*" if proposal.districts is None else " ".join(sorted(proposal.districts)),
        asked_by=author,
        asked_at=now,
    )
    session.add(request)
    session.flush()
    log.info("approval asked for", request=request.id, key=request.key, operator=by, people=request.people)
    if proposal.author:  # they said it under their account
        _sign(session, request, proposal.author, ACCOUNT, now)
    return request


def _locked(session: Session, number: int) -> ApprovalRequest:
    """Two who press at once are served one after the other."""
    return session.exec(select(ApprovalRequest).where(ApprovalRequest.id == number).with_for_update()).one()


def _proposal(session: Session, place: Post, request: ApprovalRequest, now: datetime) -> Proposal | None:
    """Return what was asked for as it stands now, None when it is past being approved."""
    try:
        return matter_of(request.key).propose(session, place, request.key, now)
    except Mistake:
        return None


def _sign(session: Session, request: ApprovalRequest, operator: str, way: str, now: datetime) -> None:
    if operator not in _who(session, request):
        session.add(ApprovalSignature(request_id=request.id or 0, operator=operator, way=way, signed_at=now))
        session.flush()
        log.info("approval signed", request=request.id, key=request.key, operator=operator, way=way)


def _who(session: Session, request: ApprovalRequest) -> set[str]:
    return set(session.exec(select(ApprovalSignature.operator).where(ApprovalSignature.request_id == request.id)).all())


def _asked(request: ApprovalRequest) -> Asked:
    districts = None if request.districts == "*" else frozenset(request.districts.split())
    return Asked(request.asked_by, request.people, districts)


def _grant_if_enough(
    session: Session, place: Post, request: ApprovalRequest, people: Mapping[str, Operator], now: datetime
) -> Verdict:
    approval = place.settings.approval
    verdict = judge(_asked(request), _who(session, request), people, second_above=approval.second_above)
    if verdict.granted:
        _end(request, Outcome.GRANTED, None, now)
        request.not_before = now + approval.undo
    return verdict


def _end(request: ApprovalRequest, outcome: Outcome, operator: str | None, now: datetime) -> None:
    request.outcome, request.ended_at, request.ended_by = outcome, now, operator
    log.info("approval ended", request=request.id, key=request.key, outcome=outcome.value, operator=operator)


def _carry_out(place: Post, number: int, proposal: Proposal, verdict: Verdict, now: datetime) -> State:
    """Let the letter go when its approval is granted. A crash in between lets nothing go."""
    state = look(place, number)
    if verdict.granted and state.not_before is not None:
        who = ", ".join(sorted({one.operator for one in state.signed}))
        try:
            waits = matter_of(proposal.key).approve(
                place, proposal, who=who[:100], not_before=state.not_before, now=now
            )
        except Mistake:
            with db.writing(place.engine) as session:
                _end(_locked(session, number), Outcome.CHANGED, None, now)
            raise
        if not waits:
            return _beyond_undoing(place, number)
    return state


def _beyond_undoing(place: Post, number: int) -> State:
    """Offer no way back where nothing waits for the window to end."""
    with db.writing(place.engine) as session:
        request = _locked(session, number)
        request.not_before = None
        return _state(session, place, request)


def _state(session: Session, place: Post, request: ApprovalRequest) -> State:
    people = operators(session, place.settings)
    rows = session.exec(
        select(ApprovalSignature)
        .where(ApprovalSignature.request_id == request.id)
        .order_by(col(ApprovalSignature.signed_at), col(ApprovalSignature.id))
    ).all()
    verdict = judge(
        _asked(request), {row.operator for row in rows}, people, second_above=place.settings.approval.second_above
    )
    is_open = request.outcome is Outcome.OPEN
    return State(
        number=request.id or 0,
        key=request.key,
        called=called(session, request.key),
        people=request.people,
        asked_by=_name(people, request.asked_by),
        asked_at=request.asked_at,
        outcome=request.outcome,
        signed=tuple(Signed(row.operator, _name(people, row.operator), row.way, row.signed_at) for row in rows),
        awaited=verdict.awaited if is_open else frozenset(),
        not_before=request.not_before,
    )


def _name(people: Mapping[str, Operator], slug: str) -> str:
    return people[slug].name if slug in people else slug
