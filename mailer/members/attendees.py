"""Who comes to an event, with names: for whoever stands at the door or at a stall. No address, no number.

Names are opened here: whoever asks notes it in the register's diary.
"""

import csv
import io
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from enum import StrEnum

import sqlalchemy as sa
from sqlmodel import Session, col

from mailer.events import answers, shifts, wording
from mailer.events.answers import Given
from mailer.events.attendance import Answer
from mailer.events.details import Shift
from mailer.events.models import Event
from mailer.events.rows import id_of
from subscribers.models import Member

_AT_ONCE = 500  # bound variables of one statement
_FORMULA = ("=", "+", "-", "@", "\t", "\r")  # how a cell begins that a spreadsheet would carry out


class Coming(StrEnum):
    """What a member's answer came to. SHIFT: they have not answered, and have a shift."""

    YES = "yes"
    SHIFT = "has a shift"
    WAITING = "waiting"
    MAYBE = "maybe"
    NO = "no"


@dataclass(frozen=True, slots=True)
class Attendee:
    """A member who answered, or has a shift. `shifts`: their hours and places, in words."""

    id: int
    given_name: str
    family_name: str
    answer: Coming
    companions: int
    shifts: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Stall:
    """A shift with those who have it."""

    when: str
    place: str
    needs: int
    people: tuple[Attendee, ...]


def of_event(session: Session, event: Event, language: str) -> list[Attendee]:
    """Return everybody who answered or has a shift: those who come first, by family name."""
    given, taken = answers.answers_of(session, id_of(event)), shifts.taken_by(session, id_of(event))
    names = _names(session, sorted(given.keys() | taken.keys()))
    found = [
        Attendee(
            id=member,
            given_name=given_name,
            family_name=family_name,
            answer=_coming(given.get(member)),
            companions=given[member].companions if member in given else 0,
            shifts=tuple(_in_words(shift, event.zone, language) for shift in taken.get(member, ())),
        )
        for member, (given_name, family_name) in names.items()
    ]
    order = list(Coming)
    return sorted(found, key=lambda one: (order.index(one.answer), one.family_name.casefold(), one.given_name, one.id))


def stalls(session: Session, event: Event, people: Sequence[Attendee], language: str) -> list[Stall]:
    """Return the shifts of an event, the next one first, each with those of `people` who have it."""
    return [
        Stall(
            when=wording.shift_when(post.shift, event.zone, language),
            place=post.shift.place,
            needs=post.shift.needs,
            people=tuple(one for one in people if one.id in post.holders),
        )
        for post in shifts.posts(session, id_of(event))
    ]


def as_csv(people: Iterable[Attendee], headings: Sequence[str]) -> str:
    """Return a file for a spreadsheet: semicolons, as Swedish ones expect, and no cell that it would carry out.

    headings  of id, given name, family name, answer, companions, shifts
    """
    file = io.StringIO()
    writer = csv.writer(file, delimiter=";", lineterminator="\r\n")
    writer.writerow(headings)
    for one in people:
        cells = (one.given_name, one.family_name, one.answer.value, str(one.companions), ", ".join(one.shifts))
        writer.writerow([str(one.id), *(f"'{cell}" if cell.startswith(_FORMULA) else cell for cell in cells)])
    return "\N{BYTE ORDER MARK}" + file.getvalue()


def _names(session: Session, members: Sequence[int]) -> dict[int, tuple[str, str]]:
    columns = (col(Member.id), col(Member.given_name), col(Member.family_name))
    found: dict[int, tuple[str, str]] = {}
    for start in range(0, len(members), _AT_ONCE):
        some = col(Member.id).in_(members[start : start + _AT_ONCE])
        for number, given_name, family_name in session.execute(sa.select(*columns).where(some)):
            found[number] = given_name or "", family_name or ""
    return found


def _coming(given: Given | None) -> Coming:
    if given is None:
        return Coming.SHIFT
    if given.answer is Answer.YES:
        return Coming.WAITING if given.waiting else Coming.YES
    return Coming(given.answer.value)


def _in_words(shift: Shift, zone: str, language: str) -> str:
    return f"{wording.shift_when(shift, zone, language)}, {shift.place}"
