"""Who gets which form of a letter: its language, plain or not, and one of two subjects. Pure but for the keyed hash."""

from array import array
from collections.abc import Callable, Container, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import NamedTuple

from mailer.campaigns.content import compact, variant_of
from mailer.campaigns.markup import Json
from mailer.outbox.enqueue import Content, Plan, Readership, Shelf
from mailer.outbox.single import NUMBER
from subscribers.reader import Reader


class Form(NamedTuple):
    """What sets the variants of a letter apart. `subject`: which of its subjects, from 0."""

    language: str
    plain_only: bool
    subject: int


Shelves = Mapping[Form, Sequence[Shelf]]


@dataclass
class Division:
    """The readers of a letter by form, as pairs laid flat: (member, household or 0).

    joined  members who belong to it now, and did not when it was approved; they do not get it
    """

    forms: dict[Form, "array[int]"] = field(default_factory=dict)
    mails: int = 0
    members: int = 0
    joined: int = 0


def divide(
    readers: Iterable[Reader], people: Container[int], content: Json, subject_for: Callable[[int], int]
) -> Division:
    """Divide those of `readers` who were approved. `subject_for`: which subject a household gets, by its first one"""
    found = Division()
    versions = list(content["versions"])
    for reader in readers:
        members = [member for member in reader.household if member in people]
        found.joined += len(reader.household) - len(members)
        if not members:
            continue
        language = reader.language if reader.language in versions else versions[0]
        flat = found.forms.setdefault(Form(language, reader.plain_only, subject_for(members[0])), array("q"))
        for member in members:
            flat.append(member)
            flat.append(members[0] if len(members) > 1 else 0)
        found.mails += 1
        found.members += len(members)
    return found


def plan_of(division: Division, content: Json, image: str, shelves: Shelves, issue: str) -> Plan:
    """Return the plan as the outbox writes it; the same division gives the same plan.

    image    where pictures lie
    shelves  what the archive shows, under the name of `issue`; it may be what no member gets
    """
    return Plan(
        content=compact({"kind": content["kind"], "event": content["event"], NUMBER: 0}),
        pieces=(),
        readerships=[
            Readership(
                Content(
                    language=form.language,
                    plain_only=form.plain_only,
                    events=tuple((event, sequence) for event, sequence in content["told"]),
                    content=compact(
                        variant_of(content["versions"][form.language], form.subject, content["sender"], image)
                    ),
                ),
                division.forms.get(form, ()),
                shelves.get(form, ()),
            )
            for form in sorted({*division.forms, *shelves})
        ],
        issue=issue if shelves else "",
    )
