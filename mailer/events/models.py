"""Events as they are stored: what is said of each, for which districts, its shifts, and what was said before."""

from datetime import datetime

from sqlalchemy import Boolean, Column, ForeignKey, UniqueConstraint, false
from sqlmodel import Field, SQLModel

from mailer.events.attendance import Answer
from mailer.events.details import EventState
from mailer.ladder import ANY_KIND
from subscribers.column_types import BigId, stored


class Event(SQLModel, table=True):
    """Something that takes place. Its fields are those of mailer.events.details.Details.

    key       what its source knows it by: the name of its table in a file, or a calendar's UID
    uid       what calendar programs know it by: never changed
    sequence  how often it was changed (RFC 5545 3.8.7.4): the number of its last revision
    locked    names of what a person set by hand, comma separated: an import leaves them alone
    route     JSON: [[moment, what, place], ...]
    """

    __table_args__ = (UniqueConstraint("source", "key"),)

    id: int | None = Field(default=None, primary_key=True)
    source: str = Field(max_length=64)
    key: str = Field(max_length=255)
    uid: str = Field(max_length=255, unique=True)
    state: EventState = Field(default=EventState.PLANNED, sa_column=Column(stored(EventState), nullable=False))
    sequence: int = 0
    created_at: datetime
    changed_at: datetime
    locked: str = ""
    title: str = Field(max_length=200)
    starts_at: datetime
    ends_at: datetime = Field(index=True)
    zone: str = Field(max_length=64)
    all_day: bool = False
    text: str = ""
    place: str = Field(default="", max_length=200)
    map_url: str = Field(default="", max_length=500)
    meeting_point: str = Field(default="", max_length=200)
    route: str = "[]"
    access: str = ""
    rain_plan: str = ""
    contact: str = Field(default="", max_length=200)
    url: str = Field(default="", max_length=500)
    capacity: int | None = None
    kind: str = Field(default=ANY_KIND, max_length=32, sa_column_kwargs={"server_default": ANY_KIND})


class EventDistrict(SQLModel, table=True):
    """A district that an event is for. One with none is for everybody."""

    __tablename__ = "event_district"

    event_id: int = Field(foreign_key="event.id", primary_key=True)
    slug: str = Field(primary_key=True, max_length=64, index=True)


class EventShift(SQLModel, table=True):
    """A time at a place that needs people. It keeps its id while its time or its place stays.

    gone   it is needed no more; the row stays until those who had taken it have been told
    """

    __tablename__ = "event_shift"

    id: int | None = Field(default=None, primary_key=True)
    event_id: int = Field(foreign_key="event.id", index=True)
    starts_at: datetime
    ends_at: datetime
    place: str = Field(max_length=200)
    needs: int
    gone: bool = Field(default=False, sa_column=Column(Boolean, nullable=False, server_default=false()))


class EventRevision(SQLModel, table=True):
    """What was said of when and where, from `at` until the next revision: who was told what, later letters can tell.

    changed    names of what is said otherwise than before, comma separated; none in the first one
    said_by    the operator of the config who said it; None: it had none then, or it was before this was kept
    districts  slugs with spaces; "": it was for everybody, None: it was before this was kept
    """

    __tablename__ = "event_revision"

    event_id: int = Field(foreign_key="event.id", primary_key=True)
    sequence: int = Field(primary_key=True)
    at: datetime
    changed: str = ""
    starts_at: datetime
    ends_at: datetime
    place: str = Field(default="", max_length=200)
    meeting_point: str = Field(default="", max_length=200)
    route: str = "[]"
    cancelled: bool = False
    said_by: str | None = Field(default=None, max_length=64)
    districts: str | None = None


class Rsvp(SQLModel, table=True):
    """What a member answered to an event: their last word.

    waiting   a yes without a place yet; places are given in the order of `since`
    sequence  the revision of the event that they saw, or were told by a letter to them alone
    in_calendar     a letter has put it into their calendar, and none has taken it out
    entry_due       that is not what they last answered: a letter is to mend it
    entry_sequence  SEQUENCE of the entry that was mailed last; None: none was
    """

    event_id: int = Field(foreign_key="event.id", primary_key=True)
    member_id: int = Field(
        sa_column=Column(BigId, ForeignKey("member.id", ondelete="CASCADE"), primary_key=True, index=True)
    )
    answer: Answer = Field(sa_column=Column(stored(Answer), nullable=False))
    companions: int = 0
    waiting: bool = False
    since: datetime
    answered_at: datetime
    sequence: int = 0
    in_calendar: bool = Field(default=False, sa_column=Column(Boolean, nullable=False, server_default=false()))
    entry_due: bool = Field(default=False, sa_column=Column(Boolean, nullable=False, server_default=false()))
    entry_sequence: int | None = None


class TakenShift(SQLModel, table=True):
    """A shift that a member has taken, and still has until somebody takes it over.

    offered_at                  since when another may take it over; None: nobody may
    starts_at, ends_at, place   what the member was told of it last
    sequence                    the revision of the event, as in Rsvp
    reminded_at                 since when they need no reminder of it: they had one, or were told of it a day before
    """

    __tablename__ = "taken_shift"

    shift_id: int = Field(foreign_key="event_shift.id", primary_key=True)
    member_id: int = Field(
        sa_column=Column(BigId, ForeignKey("member.id", ondelete="CASCADE"), primary_key=True, index=True)
    )
    taken_at: datetime
    offered_at: datetime | None = None
    starts_at: datetime
    ends_at: datetime
    place: str = Field(max_length=200)
    sequence: int = Field(default=0, sa_column_kwargs={"server_default": "0"})
    reminded_at: datetime | None = None


class ShiftSwap(SQLModel, table=True):
    """A member's wish to have another shift for theirs: the first who has that one and agrees swaps with them.

    It holds for as long as they have theirs without a break (`taken_at`), and neither shift is moved.

    told_at    when those who had the wanted one were last written to
    withdrawn  the member wishes it no more; the row says that others were told
    """

    __tablename__ = "shift_swap"

    shift_id: int = Field(foreign_key="event_shift.id", primary_key=True)
    member_id: int = Field(
        sa_column=Column(BigId, ForeignKey("member.id", ondelete="CASCADE"), primary_key=True, index=True)
    )
    wanted_id: int = Field(foreign_key="event_shift.id", primary_key=True)
    proposed_at: datetime
    told_at: datetime
    withdrawn: bool = Field(default=False, sa_column=Column(Boolean, nullable=False, server_default=false()))
