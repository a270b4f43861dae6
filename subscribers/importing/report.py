"""What an import did or would do, line by line."""

from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Literal

from subscribers.importing.line import Note
from subscribers.importing.plan import Change, Plan
from subscribers.importing.register import Person


@dataclass(frozen=True, slots=True)
class Outcome:
    """What becomes of one line of the file, or of one member who is missing from it (line None).

    id       None for a new member, and for a refused line
    person   as they will be; None for a line that is refused or changes nothing
    fields   what changes
    """

    outcome: Literal["added", "changed", "unchanged", "gone", "refused"]
    line: int | None
    id: int | None
    person: Person | None = None
    fields: tuple[str, ...] = ()
    reason: Note | None = None
    remarks: tuple[Note, ...] = ()


def outcomes(plan: Plan) -> Iterator[Outcome]:
    """Yield every line in the order of the file, then who is missing from it."""
    remarks: defaultdict[int, list[Note]] = defaultdict(list)
    for note in plan.remarks:
        remarks[note.line].append(note)
    found = [_changed("added", change, remarks) for change in plan.added]
    found += [_changed("changed", change, remarks) for change in plan.changed]
    found += [Outcome("unchanged", line, number, remarks=tuple(remarks[line])) for line, number in plan.unchanged]
    found += [
        Outcome("refused", note.line, None, reason=note, remarks=tuple(remarks[note.line])) for note in plan.refused
    ]
    yield from sorted(found, key=lambda outcome: outcome.line or 0)
    for change in plan.gone:
        yield Outcome("gone", None, change.member_id, change.person, change.fields)


def _changed(word: Literal["added", "changed"], change: Change, remarks: dict[int, list[Note]]) -> Outcome:
    return Outcome(
        word, change.line, change.member_id, change.person, change.fields, remarks=tuple(remarks[change.line])
    )
