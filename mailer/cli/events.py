"""utskick events: what takes place, where and when."""

from collections.abc import Sequence
from dataclasses import asdict
from typing import Annotated
from urllib.parse import urlsplit

import typer
from sqlmodel import Session

from mailer.app import App
from mailer.cli import event_letters, ladder, steward
from mailer.cli.event_letters import Which, tell_what_waits
from mailer.cli.frame import Json, account, app_of, harmless, in_words, moment_in, print_json, remark, say
from mailer.errors import Mistake
from mailer.events import book, listing
from mailer.events.details import EventState
from mailer.events.models import Event
from mailer.events.rows import id_of, many_details
from mailer.events.written import from_pairs
from mailer.i18n import _
from mailer.operators.people import of_account
from mailer.operators.reach import require_reach
from mailer.sentences import N_
from subscribers.listing import find_district

commands = typer.Typer(no_args_is_help=True)

_STATES = {
    EventState.PLANNED: N_("planned"),
    EventState.CHANGED: N_("time or place changed"),
    EventState.CANCELLED: N_("called off"),
}

Pairs = Annotated[
    list[str],
    typer.Argument(
        metavar="KEY=VALUE...",
        help='What to say of it, as title="May Day" or starts="2027-05-01 13:00"; route=, shifts= and districts= may be'
        " repeated, an empty value takes away. The keys stand in docs/events.md.",
    ),
]
Off = Annotated[bool, typer.Option("--off", help="Take it back.")]


@commands.command()
def add(context: typer.Context, pairs: Pairs) -> None:
    """Write an event: at least title=, starts= and ends=."""
    app = app_of(context)
    with app.writing() as session:
        table = from_pairs(pairs)
        event = book.add(session, table, zone=_zone(app), host=_host(app), by=_by(app), now=app.now())
        _require_reach(app, session, [event])
        number = id_of(event)
        say(f"{event.id} {event.key}")
    tell_what_waits(app, [number])


@commands.command("import")
def import_(
    context: typer.Context,
    place: Annotated[str, typer.Argument(metavar="FILE|URL", help="A TOML file of events, or an iCalendar.")],
    source: Annotated[str | None, typer.Option(help="The source's slug; default: from the name.")] = None,
) -> None:
    """Bring in a file or a calendar. Safe to repeat: what is known is brought up to date."""
    from mailer.events.apart import read_apart  # noqa: PLC0415  # slow to load
    from mailer.news import importing, sources  # noqa: PLC0415  # as above

    app, name = app_of(context), source or importing.name_for(place)
    if name == book.WRITTEN_HERE:
        raise Mistake("{source} is what events written by hand are called: choose another --source.", source=name)
    with sources.open_tools(app.settings, app.data) as tools:
        content = importing.read(place, tools.web).content or b""
    read = read_apart(content, _zone(app))
    with app.writing() as session:
        _require_reach(app, session, book.of_source(session, name))
        stored = book.bring_in(session, name, read.events, host=_host(app), by=_by(app), now=app.now())
        _require_reach(app, session, book.of_source(session, name))
    for fault in (*read.faults, *stored.faults):
        remark("{event} was not taken: {reason}", event=fault.event, reason=in_words(fault.why))
    remark(
        "{source}: {added} new, {changed} changed, {unchanged} unchanged.",
        source=name,
        added=stored.added,
        changed=stored.changed,
        unchanged=stored.unchanged,
    )
    tell_what_waits(app, stored.written)
    if read.faults or stored.faults:
        raise typer.Exit(1)


@commands.command()
def edit(context: typer.Context, which: Which, pairs: Pairs) -> None:
    """Say something of an event otherwise. What you set stays, also when its source says another thing."""
    app = app_of(context)
    with app.writing() as session:
        event = book.find_event(session, which)
        _require_reach(app, session, [event])
        changed = book.edit(session, event, from_pairs(pairs), by=_by(app), now=app.now())
        _require_reach(app, session, [event])  # nor does anybody move it to others
        number = id_of(event)
        _tell(event, changed=bool(changed))
    tell_what_waits(app, [number])


@commands.command()
def cancel(context: typer.Context, which: Which, off: Off = False) -> None:
    """Say that an event does not take place. It stays in the calendar, marked so."""
    app = app_of(context)
    with app.writing() as session:
        event = book.find_event(session, which)
        _require_reach(app, session, [event])
        changed = book.cancel(session, event, off=off, by=_by(app), now=app.now())
        number = id_of(event)
        _tell(event, changed=changed)
    tell_what_waits(app, [number])


def _by(app: App) -> str | None:
    return of_account(app.settings, account())


def _require_reach(app: App, session: Session, events: Sequence[Event]) -> None:
    """raises Mistake when whoever runs this is an operator of other districts, or none; nothing is written then"""
    require_reach(session, app.settings, account(), [it.districts for it in many_details(session, events).values()])


def _tell(event: Event, *, changed: bool) -> None:
    if not changed:
        remark("{event} is as it was.", event=event.key)
        return
    state = _(_STATES[event.state])
    remark("{event}: {state}, change {sequence}.", event=event.key, state=state, sequence=event.sequence)


@commands.command("list")
def list_(
    context: typer.Context,
    district: Annotated[str | None, typer.Option(help="Only of this district.")] = None,
    all_of_them: Annotated[bool, typer.Option("--all", help="Those that are over, too.")] = False,
    json: Json = False,
) -> None:
    """List the events to come, the next one first."""
    app = app_of(context)
    with app.reading() as session:
        slug = find_district(session, district).slug if district else None
        entries = listing.list_events(session, district=slug, all_of_them=all_of_them, now=app.now())
    if json:
        print_json([asdict(entry) for entry in entries], zone=app.settings.site.zone)
        return
    for entry in entries:
        begins = moment_in(app.settings.site.zone, entry.starts_at)[: 10 if entry.all_day else None]
        mark = "" if entry.state == "planned" else f" [{_(_STATES[entry.state])}]"
        say(f"{entry.id:>5}  {begins:<16}  {entry.title}{mark}")
        say(f"{'':>25}{', '.join(filter(None, (entry.key, entry.place, *entry.districts)))}")


@commands.command()
def show(context: typer.Context, which: Which, json: Json = False) -> None:
    """Show an event whole, with what was said of it before."""
    app = app_of(context)
    zone = app.settings.site.zone
    with app.reading() as session:
        whole = listing.show(session, book.find_event(session, which))
    if json:
        print_json([asdict(whole)], zone=zone)
        return
    say(f"{whole.entry.id} {whole.entry.key} [{_(_STATES[whole.entry.state])}] {whole.uid}")
    for key, value in whole.said.items():
        values = value if isinstance(value, list) else [value]
        for one in values:
            if one not in ("", None):
                _say_field(key, str(one))
    counted = ", ".join(f"{_(name)} {number}" for name, number in asdict(whole.answers).items())
    _say_field("", counted)
    for earlier in whole.history:
        when = f"{moment_in(zone, earlier.starts_at)} – {moment_in(zone, earlier.ends_at)}"
        changed = f" ({', '.join(earlier.changed)})" if earlier.changed else ""
        say(f"{earlier.sequence:>5}  {moment_in(zone, earlier.at)}{changed}: {when}, {earlier.place}")


commands.command()(steward.people)
commands.command()(ladder.ladder)
commands.command()(event_letters.approve)
commands.command("take-back")(event_letters.take_back)


def _say_field(key: str, value: str) -> None:
    first, *rest = harmless(value).split("\n")
    say(f"{key:>14}  {first}")
    for line in rest:
        say(f"{'':>14}  {line}")


def _zone(app: App) -> str:
    return app.settings.site.time_zone


def _host(app: App) -> str:
    return urlsplit(app.settings.site.base_url).hostname or "localhost"
