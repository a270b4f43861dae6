"""Planning one letter about an event: gather, decide for each reader, hand it to the outbox."""

import json
from array import array
from collections import Counter
from collections.abc import Callable, Collection, Iterator
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import NamedTuple

import sqlalchemy as sa
from sqlmodel import Session, col

from mailer import db
from mailer.config import Settings
from mailer.events.frozen import frozen
from mailer.i18n import spoken
from mailer.ladder import Step
from mailer.links import Links
from mailer.outbox.enqueue import Content, Plan, Readership, begin, write_plan
from mailer.outbox.single import NUMBER
from mailer.reminders import gather
from mailer.reminders.choose import Area, Chosen, Occasion, Reason, Why, choose
from mailer.reminders.contents import Json, compact, variant_content
from mailer.reminders.dossier import Dossier
from mailer.reminders.models import Reminder
from mailer.render.letterheads import signing
from subscribers import audience
from subscribers.reader import Reader
from subscribers.reference import parents

TOLD = Reason("told")  # why somebody gets what changed: they were told the old


class Opened(NamedTuple):
    """A mailing that is to be planned, and the step it is of."""

    mailing: int
    key: str
    publication: str
    step: str
    due_at: datetime


class Form(NamedTuple):
    """What sets variants apart. `was`: the revision that its readers were told before."""

    letter: str
    reason: Reason
    was: int | None
    language: str
    plain_only: bool
    letterhead: str | None


@dataclass
class Assignment:
    """Who gets which variant: pairs laid flat, (member, household or 0)."""

    forms: dict[Form, "array[int]"] = field(default_factory=dict)
    left_out: Counter[str] = field(default_factory=Counter)

    def add(self, form: Form, members: tuple[int, ...]) -> None:
        flat = self.forms.setdefault(form, array("q"))
        shared = members[0] if len(members) > 1 else 0
        for member in members:
            flat.append(member)
            flat.append(shared)


@dataclass(frozen=True, slots=True)
class Planned:
    """What a plan came to; `candidates` are members."""

    key: str
    candidates: int
    variants: int


Assign = Callable[[Session], Assignment]
MayGo = Callable[[Session, Dossier], bool]


def any_may_go(_session: Session, _dossier: Dossier) -> bool:
    return True


@dataclass(frozen=True, slots=True)
class Planner:
    """With what letters about events are planned, as of `now`. `may_go`: whether they wait for nobody's approval."""

    engine: sa.Engine
    settings: Settings
    links: Links
    now: datetime
    apart: timedelta | None = None  # as the config says, unless a person sends a step by hand
    may_go: MayGo = any_may_go

    def ladder(self, dossier: Dossier) -> tuple[Step, ...]:
        return self.settings.events.ladder(dossier.details.kind)

    def plan(self, dossier: Dossier, opened: Opened, assign: Assign) -> Planned:
        """Plan what `assign` decides. raises Overtaken when another program plans it, or somebody stopped it"""
        ticket = begin(self.engine, opened.mailing)
        with db.reading(self.engine) as session:
            assignment = assign(session)
            plan = self._to_write(session, dossier, assignment)
        candidates = write_plan(ticket, plan, now=self.now)
        note = sa.update(Reminder).where(col(Reminder.mailing_id) == opened.mailing)
        with db.writing(self.engine) as session:
            session.execute(note.values(left_out=json.dumps(assignment.left_out)))
        return Planned(opened.key, candidates, len(assignment.forms))

    def step(self, session: Session, dossier: Dossier, opened: Opened) -> Assignment:
        """Decide for everyone who may be written to. The order of the readers is the order of the variants."""
        connection, events = session.connection(), self.settings.events
        answers = gather.answers(session, dossier.id)
        apart = events.apart if self.apart is None else self.apart
        occasion = Occasion(
            letter=opened.step.partition("-")[0],
            due_at=opened.due_at,
            area=Area(dossier.details.districts, parents(session)),
            coming=answers.coming,
            declined=answers.declined,
            told=gather.told_lately(connection, dossier, self.now - apart),
            had=gather.had_this_week(connection, opened.mailing, self.now),
            at_most=events.per_week,
        )
        assignment = Assignment()
        for reader in self.readers(connection, opened.publication):
            chosen = choose(reader, occasion)
            if isinstance(chosen, Chosen):
                assignment.add(self._form(opened.publication, chosen, None, reader), chosen.members)
            elif isinstance(chosen, Why):
                assignment.left_out[chosen.value] += len(reader.household)
        return assignment

    def news(self, session: Session, dossier: Dossier, opened: Opened, beside: Collection[int]) -> Assignment:
        """Find those who last heard or saw otherwise, but for whom a mailing of `beside` tells the same."""
        connection, answers = session.connection(), gather.answers(session, dossier.id)
        told, tells = gather.last_told(connection, dossier, answers.seen), gather.told_beside(connection, beside)
        declined = answers.declined - answers.seen.keys()  # who has a shift all the same has to know
        alone = declined | answers.entered  # these: by a letter of their own, see mailer.members.answered
        letter = "cancelled" if dossier.cancelled else "changed"

        def concerns(member: int) -> bool:
            known = member < len(told) and told[member] and dossier.outdated(told[member] - 1)
            return bool(known) and not tells[member] and member not in alone

        assignment = Assignment()
        for reader in self.readers(connection, opened.publication):
            if members := tuple(member for member in reader.household if concerns(member)):
                chosen = Chosen(letter, members, TOLD)
                assignment.add(self._form(opened.publication, chosen, told[members[0]] - 1, reader), members)
        return assignment

    def piece(self, dossier: Dossier, revision: int) -> Json:
        """Return what is frozen of the event as that revision had it."""
        page = self.links.event(dossier.id)
        return frozen(
            dossier.id,
            revision,
            gather.as_it_was(dossier, revision),
            page=page,
            calendar=f"{page}.ics",
            cancelled=dossier.revisions[revision].where.cancelled,
        )

    def readers(self, connection: sa.Connection, publication: str) -> Iterator[Reader]:
        local = self.now.astimezone(self.settings.site.zone)
        for page in audience.pages(connection, publication=publication, now=local):
            yield from page

    def _form(self, publication: str, chosen: Chosen, was: int | None, reader: Reader) -> Form:
        language = spoken(reader.language, self.settings.site.language)
        letterhead = signing(self.settings, publication, reader.districts)
        return Form(chosen.letter, chosen.reason, was, language, reader.plain_only, letterhead)

    def _to_write(self, session: Session, dossier: Dossier, assignment: Assignment) -> Plan:
        """Return the plan as the outbox writes it: first the event as it is now, then as it was."""
        before = sorted({form.was for form in assignment.forms if form.was is not None})
        refs: dict[int | None, int] = {revision: ref for ref, revision in enumerate(before, start=2)}
        return Plan(
            content=compact({NUMBER: dossier.id, "names": gather.names(session)}),
            pieces=tuple(compact(self.piece(dossier, revision)) for revision in (dossier.sequence, *before)),
            readerships=[
                Readership(
                    Content(
                        language=form.language,
                        plain_only=form.plain_only,
                        content=variant_content(form.letter, refs.get(form.was), form.reason, form.letterhead),
                        events=((dossier.id, dossier.sequence),),
                    ),
                    members,
                )
                for form, members in assignment.forms.items()
            ],
        )
