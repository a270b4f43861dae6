"""An event as a letter keeps it: JSON, frozen when the letter is planned, and what templates read of it. Pure."""

from collections.abc import Mapping
from dataclasses import asdict, fields
from datetime import datetime
from typing import Any

from babel.dates import format_date

from mailer.events.details import Details, Step
from mailer.events.moments import wall
from mailer.events.wording import step_hour, when

Json = dict[str, Any]

_MOMENTS = ("starts_at", "ends_at")
_LEFT_OUT = frozenset({"shifts", "districts"})  # of its page only; which district a letter is for, its variant says


def frozen(event_id: int, sequence: int, details: Details, *, page: str, calendar: str, cancelled: bool) -> Json:
    """Return what is kept of an event. `page`, `calendar`: addresses of its page and its calendar file."""
    said = {name: value for name, value in asdict(details).items() if name not in _LEFT_OUT}
    said |= {name: said[name].isoformat() for name in _MOMENTS}
    said["route"] = [[step.at.isoformat(), step.what, step.place] for step in details.route]
    links = {"page": page, "calendar": calendar}
    return {"event": event_id, "sequence": sequence, "cancelled": cancelled, "details": said} | links


def thawed(piece: Mapping[str, Any]) -> Details:
    """Return the details that were frozen, without shifts and districts."""
    known = {field.name for field in fields(Details)}
    said = {name: value for name, value in piece["details"].items() if name in known}
    said |= {name: datetime.fromisoformat(said[name]) for name in _MOMENTS}
    said["route"] = tuple(Step(datetime.fromisoformat(at), what, place) for at, what, place in said["route"])
    return Details(**said)


def shown(piece: Mapping[str, Any], language: str) -> Json:
    """Return what templates read of a frozen event, its hours in words."""
    details = thawed(piece)
    first = wall(details.starts_at, details.zone).date()
    names = ("title", "text", "place", "map_url", "meeting_point", "access", "rain_plan", "contact", "url")
    return {
        **{name: getattr(details, name) for name in names},
        "when": when(details, language),
        "day": f"{first.day}",
        "month": format_date(first, "MMM", locale=language).rstrip("."),
        "short": when(details, language) if details.all_day else format_date(first, "EEEE d MMMM", locale=language),
        "route": [
            {"hour": step_hour(step, details, language), "what": step.what, "place": step.place}
            for step in details.route
        ],
        "page": piece["page"],
        "calendar": piece["calendar"],
        "cancelled": piece["cancelled"],
    }
