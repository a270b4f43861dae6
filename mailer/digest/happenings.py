"""The coming events that a digest tells of below its news."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

from sqlmodel import Session, col, or_, select

from mailer.config import Settings
from mailer.digest.contents import Json
from mailer.digest.items import Happening
from mailer.events.details import EventState
from mailer.events.frozen import frozen
from mailer.events.models import Event
from mailer.events.rows import id_of, many_details
from mailer.links import Links


@dataclass(frozen=True, slots=True)
class Coming:
    """`pieces`: what is frozen of each event; `revisions`: the number of what was said of it last."""

    happenings: tuple[Happening, ...]
    pieces: Mapping[int, Json]
    revisions: Mapping[int, int]


def coming(session: Session, settings: Settings, links: Links, now: datetime) -> Coming:
    """Return the events that begin soon; of whole days, those that last yet; none that was called off."""
    soon = now + settings.digest.events_within
    begins = or_(col(Event.starts_at) > now, col(Event.all_day))
    query = select(Event).where(begins, col(Event.ends_at) > now, col(Event.starts_at) <= soon)
    found = session.exec(query.where(Event.state != EventState.CANCELLED)).all() if settings.digest.events else []
    details = many_details(session, found)
    return Coming(
        happenings=tuple(
            Happening(id_of(event), event.starts_at, details[id_of(event)].districts)
            for event in sorted(found, key=lambda event: (event.starts_at, event.id))
        ),
        pieces={
            number: frozen(
                number,
                event.sequence,
                details[number],
                page=links.event(number),
                calendar=f"{links.event(number)}.ics",
                cancelled=False,
            )
            for event in found
            for number in (id_of(event),)
        },
        revisions={id_of(event): event.sequence for event in found},
    )
