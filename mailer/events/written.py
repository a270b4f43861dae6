"""An event as a person writes it, in a file or behind a command: read into Details, and written back. Pure.

A file is TOML, with a table per event; the table's name is the event's key:

    [forsta-maj-2027]
    title = "Första maj"
    starts = "2027-05-01 13:00"
    ends = "2027-05-01 16:00"
    route = ["13:00 Samling @ Norra Bantorget", "15:00 Tal @ Kungsträdgården"]
    shifts = ["12:00-14:00 @ Norra Bantorget: 4"]      # that needs four people

A day without an hour makes an event of whole days; `ends` is then the last of them. The hours of route and shifts are
of the first day, unless a date stands before them.
"""

import re
import tomllib
from collections.abc import Mapping, Sequence
from datetime import date, datetime, time, timedelta
from typing import Annotated, Any

from pydantic import (
    AfterValidator,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    HttpUrl,
    PlainValidator,
    ValidationError,
    field_validator,
)

from mailer.errors import Mistake
from mailer.events.details import Details, Shift, Step
from mailer.events.moments import at_clock, midnight, wall, zone_names
from mailer.events.said import Fault, Said
from mailer.ladder import ANY_KIND
from mailer.message.characters import lines, one_line
from mailer.sentences import N_, Sentence
from mailer.validation import first_fault

MOST_EVENTS = 500  # of one file
_LONGEST_TEXT = 20_000  # characters
_DAY = timedelta(days=1)
_KEY = re.compile(r"[a-z0-9]+(-[a-z0-9]+)*")
_HOUR = r"([01]?\d|2[0-3])[:.]([0-5]\d)"
_DATE = r"(?:(\d{4}-\d\d-\d\d)\s+)?"
_STEP = re.compile(rf"{_DATE}{_HOUR}\s+(?P<what>[^@]+?)(?:\s+@\s+(?P<place>.+))?")
_SHIFT = re.compile(rf"{_DATE}{_HOUR}\s*[-–]\s*{_HOUR}\s+@\s+(?P<place>[^@]+):\s*(?P<needs>[1-9]\d{{0,3}})")
_LISTS = ("route", "shifts", "districts")


def _when(value: object) -> date:
    """Take TOML's own dates, or "2027-05-01" and "2027-05-01 13:00". A datetime is a date, too."""
    if isinstance(value, str):
        try:
            value = date.fromisoformat(value) if len(value) == len("2027-05-01") else datetime.fromisoformat(value)
        except ValueError:
            value = None
    if not isinstance(value, date) or (isinstance(value, datetime) and value.tzinfo):
        raise ValueError(N_('write "2027-05-01 13:00", or "2027-05-01" for a whole day'))
    return value


def _web_link(value: str) -> str:
    if value:
        HttpUrl(value)
        if "@" in value.partition("//")[2].partition("/")[0]:
            raise ValueError(N_("write a web address without a name or password in it"))
    return value


def _from_commas(value: object) -> object:
    return [part.strip() for part in value.split(",") if part.strip()] if isinstance(value, str) else value


Line = Annotated[str, AfterValidator(one_line), Field(max_length=200)]
Text = Annotated[str, AfterValidator(lambda text: lines(text).strip()), Field(max_length=_LONGEST_TEXT)]
When = Annotated[date, PlainValidator(_when)]
Link = Annotated[str, AfterValidator(_web_link), Field(max_length=500)]
Lines = Annotated[tuple[Line, ...], Field(max_length=200)]


class Written(BaseModel):
    """The keys that an event can have."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    title: Annotated[Line, Field(min_length=1)]
    starts: When
    ends: When
    zone: str | None = None
    text: Text = ""
    place: Line = ""
    map: Link = ""
    meeting_point: Line = ""
    route: Lines = ()
    shifts: Lines = ()
    access: Text = ""
    rain_plan: Text = ""
    contact: Line = ""
    url: Link = ""
    capacity: Annotated[int | None, Field(ge=1, le=1_000_000)] = None
    districts: Annotated[tuple[str, ...], BeforeValidator(_from_commas), Field(max_length=100)] = ()
    kind: Annotated[str, Field(pattern=r"^[a-z0-9]+(-[a-z0-9]+)*$", max_length=32)] = ANY_KIND
    cancelled: bool = False

    @field_validator("zone")
    @classmethod
    def _known(cls, value: str | None) -> str | None:
        if value is not None and value not in zone_names():
            raise ValueError(N_('write a zone as "Europe/Stockholm"'))
        return value


def read_file(content: bytes, zone: str) -> tuple[list[Said], list[Fault]]:
    """Read a file of events; one that is wrong stops no other. `zone`: of events that name none.

    raises  Mistake when it is no TOML at all, or holds too many
    """
    try:
        tables = tomllib.loads(content.decode("utf-8-sig"))
    except (tomllib.TOMLDecodeError, UnicodeDecodeError, RecursionError) as error:
        raise Mistake(
            "The file is no TOML ({reason}); docs/events.md says how events are written.", reason=str(error).rstrip(".")
        ) from None
    if len(tables) > MOST_EVENTS:
        raise Mistake("The file holds more than {limit} events; divide it.", limit=MOST_EVENTS)
    events, faults = [], []
    for key, table in tables.items():
        try:
            events.append(read_table(key, table, zone))
        except Mistake as error:
            faults.append(Fault(one_line(key), Sentence(error.sentence, error.values)))
    return events, faults


def read_table(key: str, table: object, zone: str) -> Said:
    """raises Mistake, which names the key that is wrong"""
    if not _KEY.fullmatch(key) or len(key) > 64:  # noqa: PLR2004  # as the slugs of config.toml
        raise Mistake('{key} is no name for an event: write small letters, digits and hyphens, as "may-day".', key=key)
    try:
        written = Written.model_validate(table)
    except ValidationError as error:
        fault = first_fault(error)
        raise Mistake("{key}: {reason}.", key=fault.key, reason=fault.reason) from None
    return Said(key, details_of(written, written.zone or zone), cancelled=written.cancelled)


def details_of(written: Written, zone: str) -> Details:
    """raises Mistake for hours that do not exist, ends before they start, or a route or shift that is not understood"""
    whole_days = not isinstance(written.starts, datetime)
    if whole_days == isinstance(written.ends, datetime):
        raise Mistake("{key}: write an hour in both starts and ends, or in neither.", key="ends")
    starts_at, ends_at = _moment("starts", written.starts, zone), _moment("ends", written.ends, zone)
    if whole_days:
        ends_at = _moment("ends", written.ends + _DAY, zone)
    if ends_at < starts_at or (whole_days and ends_at == starts_at):
        raise Mistake("{key}: it ends before it starts.", key="ends")
    first = written.starts.date() if isinstance(written.starts, datetime) else written.starts
    return Details(
        title=written.title,
        starts_at=starts_at,
        ends_at=ends_at,
        zone=zone,
        all_day=whole_days,
        text=written.text,
        place=written.place,
        map_url=written.map,
        meeting_point=written.meeting_point,
        route=tuple(_step(line, first, zone) for line in written.route),
        shifts=tuple(
            sorted((_shift(line, first, zone) for line in written.shifts), key=lambda s: (s.starts_at, s.place))
        ),
        access=written.access,
        rain_plan=written.rain_plan,
        contact=written.contact,
        url=written.url,
        capacity=written.capacity,
        districts=frozenset(written.districts),
        kind=written.kind,
    )


def _moment(key: str, said: date, zone: str) -> datetime:
    try:
        return at_clock(said, zone) if isinstance(said, datetime) else midnight(said, zone)
    except ValueError:
        raise Mistake("{key}: the clocks of {zone} never show {hour}.", key=key, zone=zone, hour=said) from None


def _step(line: str, first: date, zone: str) -> Step:
    found = _STEP.fullmatch(line)
    if found is None:
        raise Mistake('{key}: write "13:00 Gathering @ The Square"; {line} is not understood.', key="route", line=line)
    return Step(_hour("route", found.groups()[:3], first, zone), found["what"], found["place"] or "")


def _shift(line: str, first: date, zone: str) -> Shift:
    found = _SHIFT.fullmatch(line)
    if found is None:
        raise Mistake('{key}: write "14:00-16:00 @ The Square: 4"; {line} is not understood.', key="shifts", line=line)
    day, *hours = found.groups()[:5]
    starts = _hour("shifts", (day, *hours[:2]), first, zone)
    ends = _hour("shifts", (day, *hours[2:]), first, zone)
    if ends <= starts:  # over midnight
        ends = at_clock(wall(ends, zone) + _DAY, zone)
    return Shift(starts, ends, found["place"], int(found["needs"]))


def _hour(key: str, said: Sequence[str | None], first: date, zone: str) -> datetime:
    day, hour, minute = said
    try:
        on = date.fromisoformat(day) if day else first
    except ValueError:
        raise Mistake("{key}: {day} is no date.", key=key, day=day) from None
    return _moment(key, datetime.combine(on, time(int(hour or 0), int(minute or 0))), zone)


def from_pairs(pairs: Sequence[str]) -> dict[str, Any]:
    """Read `place="The Square"`, as a command is given it, into a table. A key of a list may be repeated.

    An empty value takes away what was said before. raises Mistake
    """
    table: dict[str, Any] = {}
    for pair in pairs:
        key, equals, value = pair.partition("=")
        if not equals or key not in Written.model_fields:
            keys = ", ".join(Written.model_fields)
            raise Mistake("Write KEY=VALUE; {pair} is none. The keys are {keys}.", pair=pair, keys=keys)
        if key in _LISTS:
            parts = value.split(",") if key == "districts" else [value]
            table.setdefault(key, []).extend(part.strip() for part in parts if part.strip())
        elif key in table:
            raise Mistake("{key} is said twice.", key=key)
        else:
            table[key] = value or None
    return table


def as_written(details: Details) -> dict[str, Any]:
    """Return the table that is read into these details."""
    starts, ends = wall(details.starts_at, details.zone), wall(details.ends_at, details.zone)
    return {
        "title": details.title,
        "starts": starts.date() if details.all_day else starts,
        "ends": (ends - _DAY).date() if details.all_day else ends,
        "zone": details.zone,
        "text": details.text,
        "place": details.place,
        "map": details.map_url,
        "meeting_point": details.meeting_point,
        "route": [step_line(step, details.zone) for step in details.route],
        "shifts": [shift_line(shift, details.zone) for shift in details.shifts],
        "access": details.access,
        "rain_plan": details.rain_plan,
        "contact": details.contact,
        "url": details.url,
        "capacity": details.capacity,
        "districts": sorted(details.districts),
        "kind": details.kind,
    }


def step_line(step: Step, zone: str) -> str:
    return f"{wall(step.at, zone):%Y-%m-%d %H:%M} {step.what}" + (f" @ {step.place}" if step.place else "")


def shift_line(shift: Shift, zone: str) -> str:
    begins, ends = wall(shift.starts_at, zone), wall(shift.ends_at, zone)
    return f"{begins:%Y-%m-%d %H:%M}-{ends:%H:%M} @ {shift.place}: {shift.needs}"


def merged(details: Details, said: Mapping[str, Any], key: str) -> Said:
    """Return the event with what was `said` of it (`from_pairs`) in place of what stood there. raises Mistake"""
    table = {name: value for name, value in (as_written(details) | dict(said)).items() if value is not None}
    return read_table(key, table, details.zone)
