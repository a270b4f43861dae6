"""Events as calendars are told of them: what the public files say, and what a letter to whoever comes says beside."""

from dataclasses import replace

from mailer.config import Settings
from mailer.events import entries
from mailer.events.calendar_writing import Entry, Publisher, write_for
from mailer.events.details import Details, EventState
from mailer.events.models import Event
from mailer.outbox.single import INVITED
from mailer.render.filters import contact_link


def entry_of(event: Event, details: Details, page: str) -> Entry:
    """`page`: the address of its page."""
    return Entry(
        uid=event.uid,
        sequence=event.sequence,
        created_at=event.created_at,
        changed_at=event.changed_at,
        cancelled=event.state is EventState.CANCELLED,
        page=page,
        details=details,
    )


def publisher(settings: Settings) -> Publisher:
    """Return who invites: an address that people read, as programs may write there."""
    contact = settings.site.contact
    reply_to = settings.publications[settings.digest.publication].reply_to
    return Publisher(settings.site.organisation, contact if contact_link(contact) == f"mailto:{contact}" else reply_to)


def enclosed(
    settings: Settings, event: Event, details: Details, entry: entries.Entry | None, *, page: str, language: str
) -> dict[str, object]:
    """Return what a letter's content says of its reader's calendar."""
    if entry is None:
        return {}
    told = replace(entry_of(event, details, page), sequence=entry.sequence)
    text = write_for(told, publisher(settings), language, comes=entry.comes).decode()
    return {INVITED: {"method": "REQUEST" if entry.comes else "CANCEL", "text": text}, "file": f"{page}.ics"}
