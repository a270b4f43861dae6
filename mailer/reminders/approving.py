"""What is approved of the letters about an event: what they say, and to whom they go. Nothing is written here."""

import hashlib
import json
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field

from sqlmodel import Session

from mailer.ladder import Step
from mailer.reminders import decide, gather
from mailer.reminders.choose import FOR_YES, Area
from mailer.reminders.dossier import Dossier
from mailer.reminders.due import moment_of
from mailer.reminders.gather import Answers
from mailer.reminders.plan import Opened, Planner
from subscribers.reference import parents

_NOT_TOLD = frozenset({"capacity"})  # no letter says it, and it is raised while people answer


@dataclass(frozen=True, slots=True)
class Reach:
    """To how many members the letters about an event go that are to come, were they sent now.

    near       who read of events and for whom it is, but for who said no; none when no step of its ladder is to come
    told       others, who were told another time or place, or saw one when they answered
    districts  that hold all of them; None: not bound to any
    """

    near: int
    told: int
    districts: frozenset[str] | None

    @property
    def members(self) -> int:
        return self.near + self.told


@dataclass(slots=True)
class _Count:
    """Counts for one event while the register is gone through."""

    area: Area
    answers: Answers
    coming_only: bool
    told: frozenset[int]
    near: int = 0
    also_near: set[int] = field(default_factory=set)  # of those who were told

    @property
    def is_by_choice(self) -> bool:
        """Whether what somebody chose alone decides."""
        return not (self.coming_only or self.told or self.answers.declined)

    def add(self, chosen: frozenset[str], household: Sequence[int]) -> None:
        if self.area.reason_for(chosen):
            among = set(household) - self.answers.declined
            meant = among & self.answers.coming if self.coming_only else among
            self.near += len(meant)
            self.also_near |= meant & self.told


def content_of(planner: Planner, dossier: Dossier) -> str:
    """Return a hash of what the letters say and to whom.

    A place that letters told otherwise in between is told anew when it comes back: that is another one.
    """
    said = planner.piece(dossier, dossier.sequence)
    details = {name: value for name, value in said["details"].items() if name not in _NOT_TOLD}
    rule = (sorted(dossier.details.districts), planner.settings.events.publication)
    whole = json.dumps(
        [details, dossier.cancelled, dossier.moved if dossier.told_otherwise else 0, *rule], sort_keys=True
    )
    return hashlib.sha256(whole.encode()).hexdigest()


def steps_ahead(planner: Planner, dossier: Dossier) -> list[Step]:
    """Return the steps of the ladder that can still go, those that are due and wait among them."""
    if dossier.cancelled:
        return []
    moments = {step: moment_of(step, dossier.details) for step in planner.ladder(dossier)}
    gone = [at for step, at in moments.items() if step.name in dossier.steps]
    last = max(gone, default=dossier.created_at)  # what was missed before it does not go any more
    return [
        step for step, at in moments.items() if at > last and planner.now < decide.until(step.name, dossier.details)
    ]


def reaches(session: Session, planner: Planner, dossiers: Sequence[Dossier]) -> dict[int, Reach]:
    """Count for several events at once, by their number: the register is gone through one time."""
    tree, counts = parents(session), {}
    for dossier in dossiers:
        answers, ahead = gather.answers(session, dossier.id), steps_ahead(planner, dossier)
        told = _to_be_told(session, planner, dossier, answers)
        count = _Count(Area(dossier.details.districts, tree), answers, _is_for_yes(ahead), told)
        counts[dossier.id] = (count, bool(ahead))
    _go_through(session, planner, [count for count, is_ahead in counts.values() if is_ahead])
    return {
        dossier.id: Reach(count.near, len(count.told - count.also_near), _districts(dossier, told=bool(count.told)))
        for dossier in dossiers
        for count, _ in (counts[dossier.id],)
    }


def _go_through(session: Session, planner: Planner, counts: Sequence[_Count]) -> None:
    if not counts:
        return
    closely = [count for count in counts if not count.is_by_choice]
    chosen: Counter[frozenset[str]] = Counter()
    for reader in planner.readers(session.connection(), planner.settings.events.publication):
        chosen[reader.districts] += len(reader.household)
        for count in closely:
            count.add(reader.districts, reader.household)
    for count in counts:
        if count.is_by_choice:
            count.near = sum(members for districts, members in chosen.items() if count.area.reason_for(districts))


def _is_for_yes(ahead: Sequence[Step]) -> bool:
    return all(step.letter in FOR_YES for step in ahead)


def _to_be_told(session: Session, planner: Planner, dossier: Dossier, answers: Answers) -> frozenset[int]:
    """Return who is to be told what changed, by a letter to many or to them alone."""
    seen, now = answers.seen, planner.now
    if now >= decide.until(dossier.news, dossier.details) or not any(map(dossier.outdated, dossier.revisions)):
        return frozenset()
    last = gather.last_told(session.connection(), dossier, seen)
    found = {member for member in seen if dossier.outdated(last[member] - 1)}
    for publication in decide.to_tell(dossier, planner.settings.events.publication, {*seen.values()}, now):
        if publication in planner.settings.to_subscribe:
            opened = Opened(0, "", publication, dossier.news, now)
            for flat in planner.news(session, dossier, opened, ()).forms.values():
                found.update(flat[::2])
    return frozenset(found)


def _districts(dossier: Dossier, *, told: bool) -> frozenset[str] | None:
    """Return the districts it is for, and those that it was for when letters told what is to be told otherwise now."""
    before = (dossier.revisions[one].districts for one in dossier.told_otherwise) if told else ()
    areas = [dossier.details.districts, *(area for area in before if area is not None)]
    return frozenset().union(*areas) if all(areas) else None
