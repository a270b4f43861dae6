"""Read from the database what an import is decided on."""

import json
import sys
from collections import defaultdict
from typing import Any

import sqlalchemy as sa
from sqlmodel import Session, SQLModel, col, select

from subscribers import consent
from subscribers.importing.entries import Reference, reference
from subscribers.importing.register import Known, Person, Register
from subscribers.models import (
    Consent,
    ConsentKind,
    District,
    Erased,
    FormerAddress,
    ImportMapping,
    Member,
    MemberDistrict,
    MemberTopic,
    State,
    Subscription,
    Suppression,
    Topic,
)

_MEMBER = SQLModel.metadata.tables["member"]
_COLUMNS = (
    "id",
    "number_key",
    "address_key",
    "number",
    "address",
    "given_name",
    "family_name",
    "language",
    "plain_only",
    "state",
    "ground",
    "chosen_by",
    "address_by",
)


def references(session: Session) -> Reference:
    """Return the names that districts and topics go by."""
    return reference(
        session.exec(select(District.slug, District.name)).all(),
        session.exec(select(Topic.slug, Topic.name, Topic.name_en)).all(),
    )


def remembered(session: Session, header_key: str) -> dict[str, str]:
    """Return the mapping that was agreed for these headings, field -> heading."""
    row = session.get(ImportMapping, header_key)
    columns: dict[str, str] = json.loads(row.columns) if row else {}
    return columns


def register(session: Session) -> Register:
    """Return everyone who is not erased: one query a table, and no ORM object per member."""
    choices = _Choices(session)
    query = sa.select(*(_MEMBER.c[name] for name in _COLUMNS)).where(col(Member.state) != State.ERASED)
    return Register(
        members=[choices.known(row) for row in session.connection().execute(query)],
        erased=frozenset(session.exec(select(Erased.key))),
        suppressed=frozenset(session.exec(select(Suppression.address_key))),
    )


class _Choices:
    """What stands in the tables beside Member, by member id."""

    def __init__(self, session: Session) -> None:
        self._districts = _by_member(
            session, select(MemberDistrict.member_id, District.slug).join(District).order_by(District.slug)
        )
        self._topics = _by_member(session, select(MemberTopic.member_id, Topic.slug).join(Topic).order_by(Topic.slug))
        self._publications = _by_member(
            session, select(Subscription.member_id, Subscription.publication).order_by(Subscription.publication)
        )
        # A yes from a form is proof only once it was confirmed from the address.
        proof = sa.or_(col(Consent.kind) == ConsentKind.CONFIRMED, col(Consent.source) != "form")
        self._consented = set(
            session.exec(select(Consent.member_id).where(col(Consent.kind) != ConsentKind.WITHDRAWN, proof))
        )
        self._withdrew = consent.all_withdrawn(session)
        self._former: defaultdict[int, tuple[bytes, ...]] = defaultdict(tuple)
        for member, key in session.exec(select(FormerAddress.member_id, FormerAddress.address_key)):
            self._former[member] += (key,)

    def known(self, row: sa.Row[Any]) -> Known:
        return Known(
            id=row.id,
            number_key=row.number_key,
            address_key=row.address_key,
            person=Person(
                number=row.number,
                address=row.address,
                given_name=row.given_name,
                family_name=row.family_name,
                language=row.language,
                plain_only=row.plain_only,
                state=row.state,
                ground=row.ground,
                districts=self._districts.get(row.id, ()),
                topics=self._topics.get(row.id, ()),
                publications=self._publications.get(row.id, ()),
            ),
            chosen=row.chosen_by is not None,
            moved=row.address_by is not None,
            consented=row.id in self._consented,
            withdrew=row.id in self._withdrew,
            former=self._former.get(row.id, ()),
        )


def _by_member(session: Session, query: sa.Executable) -> dict[int, tuple[str, ...]]:
    slugs: defaultdict[int, list[str]] = defaultdict(list)
    for member_id, slug in session.connection().execute(query):
        slugs[member_id].append(sys.intern(slug))
    return {member_id: tuple(found) for member_id, found in slugs.items()}
