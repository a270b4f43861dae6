"""Write a chunk of changes into the register. Looks again first: a person may have acted since the plan was made."""

from collections import defaultdict
from collections.abc import Sequence
from datetime import datetime
from typing import Any

import sqlalchemy as sa
from sqlmodel import Session, SQLModel, col, select

from subscribers import bulk, consent
from subscribers.importing.plan import Change
from subscribers.models import (
    Cadence,
    Consent,
    ConsentKind,
    District,
    Member,
    MemberDistrict,
    MemberTopic,
    State,
    Subscription,
    Topic,
)

_MEMBER = SQLModel.metadata.tables["member"]
_ERASED = SQLModel.metadata.tables["erased"]
_WILL = frozenset({"language", "plain_only"})  # with districts and topics: what a member may have chosen
_ADDRESS = frozenset({"address", "address_key"})  # what a member may have changed, with both mailboxes agreeing


def apply(session: Session, changes: Sequence[Change], now: datetime) -> None:
    """Add and change members in a few statements a table, with no ORM object per member."""
    added = _add(session, [change for change in changes if change.member_id is None], now)
    changed, free = _change(session, [change for change in changes if change.member_id is not None], now)
    _forget_choices(session, [number for number, _ in free])
    _choose(session, added + free)
    _subscribe(session, [(number, slug) for number, change in added for slug in change.person.publications], now)
    _subscribe(session, _missing(session, changed), now)
    _keep_evidence(session, added + changed, now)


Placed = list[tuple[int, Change]]  # the member's id, and what happens to them


def _add(session: Session, changes: Sequence[Change], now: datetime) -> Placed:
    keys = {key for change in changes for key in (change.number_key, change.address_key) if key}
    connection = session.connection()
    erased = bulk.among(connection, _ERASED.c.key, keys)
    taken = bulk.among(connection, _MEMBER.c.number_key, keys)
    new = [
        change
        for change in changes
        if change.number_key not in taken and not {change.number_key, change.address_key} & erased
    ]
    if not new:
        return []
    ids = bulk.reserve(connection, Member, len(new))
    rows = [_row(change) for change in new]
    columns: dict[str, Sequence[Any]] = {"id": ids} | {name: [row[name] for row in rows] for name in rows[0]}
    shared = {"created_at": now, "changed_at": now}
    bulk.insert(connection, Member, columns, shared)
    return list(zip(ids, new, strict=True))


def _change(session: Session, changes: Sequence[Change], now: datetime) -> tuple[Placed, Placed]:
    """Return who was changed, and who of them has not chosen by will meanwhile."""
    ids = [change.member_id for change in changes if change.member_id is not None]
    if not ids:
        return [], []
    own = select(Member.id, Member.state, Member.chosen_by, Member.address_by)
    query = own.where(col(Member.id).in_(ids)).order_by(col(Member.id)).with_for_update()
    current = {number: (state, chosen, moved) for number, state, chosen, moved in session.exec(query)}
    withdrew = consent.withdrawn(session, ids)
    changed: Placed = []
    free: Placed = []
    leave: defaultdict[frozenset[str], Placed] = defaultdict(list)
    for number, change in zip(ids, changes, strict=True):
        state, chosen, moved = current.get(number, (State.ERASED, None, None))
        if state is State.ERASED or (state is State.LEFT and number in withdrew):
            continue
        changed.append((number, change))
        if chosen is None:
            free.append((number, change))
        leave[(_WILL if chosen else frozenset()) | (_ADDRESS if moved else frozenset())].append((number, change))
    for columns, placed in leave.items():
        _update(session, placed, now, leave=columns)
    return changed, free


def _update(session: Session, placed: Placed, now: datetime, *, leave: frozenset[str]) -> None:
    rows = [_row(change) | {"member": number, "changed_at": now} for number, change in placed]
    if not rows:
        return
    columns = {name: sa.bindparam(f"new_{name}", type_=_MEMBER.c[name].type) for name in rows[0] if name in _MEMBER.c}
    kept: dict[str, Any] = {name: value for name, value in columns.items() if name not in leave}
    if "address_key" in kept:
        is_new = _MEMBER.c.address_key.is_distinct_from(columns["address_key"])
        kept["address_since"] = sa.case((is_new, columns["changed_at"]), else_=_MEMBER.c.address_since)
    statement = sa.update(_MEMBER).where(_MEMBER.c.id == sa.bindparam("member")).values(kept)
    session.connection().execute(
        statement,
        [{name if name == "member" else f"new_{name}": value for name, value in row.items()} for row in rows],
    )


def _row(change: Change) -> dict[str, Any]:
    person = change.person
    return {
        "number": person.number,
        "number_key": change.number_key,
        "address": person.address,
        "address_key": change.address_key,
        "given_name": person.given_name,
        "family_name": person.family_name,
        "language": person.language,
        "plain_only": person.plain_only,
        "state": person.state,
        "ground": person.ground,
    }


def _forget_choices(session: Session, ids: Sequence[int]) -> None:
    if ids:
        connection = session.connection()
        connection.execute(sa.delete(MemberDistrict).where(col(MemberDistrict.member_id).in_(ids)))
        connection.execute(sa.delete(MemberTopic).where(col(MemberTopic.member_id).in_(ids)))


def _choose(session: Session, placed: Placed) -> None:
    districts = dict(session.exec(select(District.slug, District.id)).all())
    topics = dict(session.exec(select(Topic.slug, Topic.id)).all())
    chosen = [(number, districts[slug]) for number, change in placed for slug in change.person.districts]
    followed = [(number, topics[slug]) for number, change in placed for slug in change.person.topics]
    connection = session.connection()
    bulk.insert(connection, MemberDistrict, _columns(("member_id", "district_id"), chosen))
    bulk.insert(connection, MemberTopic, _columns(("member_id", "topic_id"), followed))


def _missing(session: Session, placed: Placed) -> list[tuple[int, str]]:
    """Return what is to be opened: a row that is there is left alone, ended or not; who left everything gets none."""
    if not placed:
        return []
    ids = [number for number, _ in placed]
    query = select(Subscription.member_id, Subscription.publication).where(col(Subscription.member_id).in_(ids))
    held, withdrew = set(session.exec(query)), consent.withdrawn(session, ids)
    return [
        (number, slug)
        for number, change in placed
        for slug in change.person.publications
        if (number, slug) not in held and number not in withdrew
    ]


def _subscribe(session: Session, missing: Sequence[tuple[int, str]], now: datetime) -> None:
    columns = _columns(("member_id", "publication"), missing)
    bulk.insert(session.connection(), Subscription, columns, {"cadence": Cadence.WEEKLY, "since": now})


def _keep_evidence(session: Session, placed: Placed, now: datetime) -> None:
    rows = [
        (number, change.evidence.at or now, change.evidence.text or None)
        for number, change in placed
        if change.evidence is not None
    ]
    shared = {"kind": ConsentKind.GIVEN, "source": "import", "wording": ""}
    bulk.insert(session.connection(), Consent, _columns(("member_id", "at", "evidence"), rows), shared)


def _columns(names: Sequence[str], rows: Sequence[tuple[object, ...]]) -> dict[str, list[object]]:
    return {name: [row[place] for row in rows] for place, name in enumerate(names)}
