"""A plan: who gets what in one edition. gather -> decide, once for each distinct reader -> one plan to write.

Memory: 16 bytes a delivery (member and household in an array of its variant), 4 bytes a member and recent mailing (what
they have had), and each distinct content once.
"""

from array import array
from collections.abc import Hashable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import NamedTuple

import sqlalchemy as sa
from sqlmodel import Session

from mailer.config import Settings
from mailer.digest import gather
from mailer.digest.contents import Json, compact, variant_content
from mailer.digest.gather import Candidates
from mailer.digest.happenings import Coming, coming
from mailer.digest.items import Items, Occasion
from mailer.digest.models import Edition
from mailer.digest.reasons import View, reason_for
from mailer.digest.rules import (
    Digest,
    Offer,
    choose,
    digest_of,
    is_served,
    offer_near,
    offer_to,
    on_offer,
    plan_for_all,
    signature,
)
from mailer.i18n import spoken
from mailer.links import Links
from mailer.outbox.enqueue import Content, Plan, Readership, Shelf
from subscribers import audience
from subscribers.reader import Cadence, Reader

_REMEMBERED = 20_000  # combinations of choices, 2 kB each; then they are looked at anew: memory stays bounded


class Form(NamedTuple):
    """What sets variants of the same digest apart."""

    digest: int
    language: str
    plain_only: bool
    letterhead: str | None


@dataclass
class Decisions:
    """Decides once for all readers of the same choices who have had the same, and numbers the distinct digests.

    items   what the edition has for anybody, as `rules.on_offer` returns it
    """

    items: Items
    occasion: Occasion
    for_all: Digest | None = None
    same_for_everyone: bool = False
    digests: dict[Digest, int] = field(default_factory=dict)
    _near: dict[frozenset[str], Offer] = field(default_factory=dict)
    _offers: dict[Hashable, tuple[Offer, dict[int, int | None]]] = field(default_factory=dict)
    _shown: dict[Hashable, int | None] = field(default_factory=dict)

    def number(self, reader: Reader, had: int) -> int | None:
        """Return the number of the reader's digest, None when there is none."""
        if is_served(reader, had):
            return None
        if self.same_for_everyone:
            return self._numbered(self.for_all)
        choices = signature(reader, self.occasion)
        offer, made = self._offers.get(choices) or self._offer(choices, reader)
        known = had & offer.bits
        if known not in made:
            made[known] = self._laid_out(choose(offer, known), offer.view)
        return made[known]

    def _offer(self, choices: Hashable, reader: Reader) -> tuple[Offer, dict[int, int | None]]:
        """Return what these choices have on offer, and room for what is decided of it: by what was had of it."""
        if len(self._offers) >= _REMEMBERED:
            self._offers.clear()
            self._near.clear()
        if reader.districts not in self._near:  # far fewer than combinations with topics
            self._near[reader.districts] = offer_near(self.items, reader.districts, self.occasion)
        made = self._offers[choices] = offer_to(reader, self._near[reader.districts]), {}
        return made

    def _laid_out(self, items: Items, view: View) -> int | None:
        """Number a choice of items by what is shown and why: laid out in sections only when it is a new one."""
        shown = tuple([(item.id, reason_for(item, view)) for item in items]), view.happenings, view.newcomers
        if shown not in self._shown:
            self._shown[shown] = self._numbered(digest_of(items, view))
        return self._shown[shown]

    def _numbered(self, digest: Digest | None) -> int | None:
        return None if digest is None else self.digests.setdefault(digest, len(self.digests))


@dataclass
class Assignment:
    """Who gets which variant: pairs laid flat, (member, household or 0).

    readers  households, of one member or more
    mails    those of them with something to send
    silent   members of the others
    """

    forms: dict[Form, "array[int]"] = field(default_factory=dict)
    readers: int = 0
    mails: int = 0
    silent: int = 0

    def add(self, form: Form, reader: Reader) -> None:
        self.mails += 1
        members = self.forms.get(form)
        if members is None:
            members = self.forms[form] = array("q")
        shared = reader.member_id if len(reader.household) > 1 else 0
        for member in reader.household:
            members.append(member)
            members.append(shared)


@dataclass(frozen=True, slots=True)
class Basis:
    """What one edition is planned from, gathered once, and the decisions made so far."""

    settings: Settings
    edition: Edition
    names: Json
    candidates: Candidates
    coming: Coming
    told: gather.Told
    decisions: Decisions

    @property
    def topics(self) -> tuple[str, ...]:
        return tuple(self.names["topic"])

    def digest(self, number: int) -> Digest:
        return list(self.decisions.digests)[number]


def prepare(
    session: Session, settings: Settings, edition: Edition, links: Links, now: datetime, newcomers: Mapping[str, int]
) -> Basis:
    """Gather what does not depend on a member. `now` is the moment of sending, or the one a preview looks at.

    newcomers   as mailer.members.recruiting.progress returns it, which is above this floor
    """
    happenings = coming(session, settings, links, now)
    occasion = gather.occasion(session, settings, happenings.happenings, newcomers, now)
    candidates = gather.candidates(session, settings, edition, links, now)
    month = gather.mailings_of_month(session, settings, edition)
    told = gather.told(session, edition, candidates.bits, month)
    same = settings.digest.same_for_everyone
    anyone_had = 0
    for mask in (mask for masks in told.values() for mask in masks.values()):
        anyone_had |= mask
    for_all = plan_for_all(candidates.items, anyone_had, occasion) if same else None
    decisions = Decisions(on_offer(candidates.items, occasion), occasion, for_all, same)
    return Basis(settings, edition, gather.names(session), candidates, happenings, told, decisions)


def readers_with_had(connection: sa.Connection, basis: Basis, now: datetime) -> Iterator[tuple[Reader, int]]:
    """Yield everyone who may be written to, with the mask of what anyone of the household has had."""
    history = gather.History(connection, basis.told)
    for page in audience.pages(connection, publication=basis.edition.publication, now=now):
        for reader in page:
            yield reader, history.had(reader)


def assign(basis: Basis, readers: Iterable[tuple[Reader, int]]) -> Assignment:
    """Decide for each reader. The order of the readers is the order of the variants."""
    assignment = Assignment()
    signs = letterheads(basis)
    for reader, had in readers:
        assignment.readers += 1
        number = basis.decisions.number(reader, had)
        if number is None:
            assignment.silent += len(reader.household)
        else:
            assignment.add(form_of(reader, number, signs, basis.settings), reader)
    return assignment


def letterheads(basis: Basis) -> frozenset[str]:
    """Return the districts that sign with a name or address of their own; none when all get the same."""
    if basis.settings.digest.same_for_everyone:
        return frozenset()
    return frozenset(basis.settings.publications[basis.edition.publication].districts)


def form_of(reader: Reader, digest: int, letterheads: frozenset[str], settings: Settings) -> Form:
    language = spoken(reader.language, settings.site.language)
    only = next(iter(reader.districts)) if len(reader.districts) == 1 else None
    return Form(digest, language, reader.plain_only, only if only in letterheads else None)


def imagined(districts: frozenset[str], basis: Basis, language: str) -> Reader:
    """Return a weekly reader of long standing who chose these districts and nothing else."""
    long_ago = basis.decisions.occasion.now - 2 * basis.settings.digest.fresh_for
    return Reader(
        member_id=0,
        household=(0,),
        language=language,
        plain_only=False,
        districts=districts,
        topics=frozenset(),
        cadence=Cadence.WEEKLY,
        since=long_ago,
    )


def to_write(basis: Basis, assignment: Assignment, shelves: Mapping[Form, Sequence[Shelf]]) -> Plan:
    """Return the plan as the outbox writes it. Pure: the same assignment and shelves give the same plan.

    shelves  what the archive shows, which may be what no member gets
    """
    digests = list(basis.decisions.digests)
    forms = dict.fromkeys([*assignment.forms, *shelves])
    told = sorted({item for form in forms for item in digests[form.digest].items})
    refs = {item: ref for ref, item in enumerate(told, start=1)}
    shown = sorted({pick.item for form in forms for pick in digests[form.digest].happenings})
    events = {event: ref for ref, event in enumerate(shown, start=len(told) + 1)}
    return Plan(
        content=mailing_content(basis.edition, basis.names),
        pieces=(
            *(compact(basis.candidates.pieces[item]) for item in told),
            *(compact(basis.coming.pieces[event]) for event in shown),
        ),
        readerships=[
            Readership(
                _content(form, digests[form.digest], refs, events, basis),
                assignment.forms.get(form, ()),
                shelves.get(form, ()),
            )
            for form in forms
        ],
        issue=basis.edition.period,
    )


def mailing_content(edition: Edition, names: Mapping[str, object], correction: str | None = None) -> str:
    """Return what all variants share, as JSON."""
    return compact(
        {
            "edition": edition.period,
            "subject": edition.subject,
            "intro": edition.intro,
            "correction": correction,
            "names": names,
        }
    )


def _content(form: Form, digest: Digest, refs: Mapping[int, int], events: Mapping[int, int], basis: Basis) -> Content:
    return Content(
        language=form.language,
        plain_only=form.plain_only,
        content=variant_content(digest, refs, form.letterhead, events=events),
        stories=tuple(sorted({basis.candidates.stories[item] for item in digest.items})),
        events=tuple(sorted((pick.item, basis.coming.revisions[pick.item]) for pick in digest.happenings)),
    )
