"""utskick news: bring news in, look at it, correct it."""

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict
from datetime import datetime
from typing import TYPE_CHECKING, Annotated

import typer

from mailer.app import App
from mailer.cli.frame import LARGEST_ID, Json, app_of, in_words, moment_in, print_json, remark, said, say
from mailer.errors import Mistake
from mailer.i18n import _
from mailer.news import editing, listing
from mailer.news.models import NewsItem
from mailer.news.moments import parse_moment
from mailer.news.reference import find_tag
from mailer.news.storing import lock

if TYPE_CHECKING:
    from mailer.news.sources import Report

commands = typer.Typer(no_args_is_help=True)

Item = Annotated[
    int,
    typer.Argument(metavar="ID", min=1, max=LARGEST_ID, help="The item's number, as `news list` shows it."),
]
Tags = Annotated[list[str] | None, typer.Option(help="A district or topic, by slug or name; may be repeated.")]
Title = Annotated[str | None, typer.Option(help="The title, in one line.")]
Body = Annotated[str | None, typer.Option(help="The text; a blank line parts paragraphs; - reads it from stdin.")]
Url = Annotated[str | None, typer.Option(help="Where the whole article is.")]
When = Annotated[str | None, typer.Option(metavar="WHEN", help='A date or time: "2024-03-05", "2024-03-05 18:00".')]
Off = Annotated[bool, typer.Option("--off", help="Take it back.")]


@commands.command("import")
def import_(
    context: typer.Context,
    place: Annotated[str, typer.Argument(metavar="FILE|URL", help="A feed, a page or a plain-text list.")],
    source: Annotated[str | None, typer.Option(help="The source's slug; default: from the name.")] = None,
    published: When = None,
) -> None:
    """Bring in a file or an address. Safe to repeat: what is known is brought up to date."""
    from mailer.news import importing, sources  # noqa: PLC0415  # an HTTP client and three parsers: a second of loading

    app = app_of(context)
    name, moment = source or importing.name_for(place), _moment(app, published)
    with sources.open_tools(app.settings, app.data) as tools:
        stored = importing.bring_in(
            importing.Order(place, name, moment), app.settings, tools, app.writing, now=app.now()
        )
    remark(
        "{source}: {added} new, {changed} changed, {unchanged} unchanged.",
        source=name,
        added=stored.added,
        changed=stored.changed,
        unchanged=stored.unchanged,
    )


@commands.command()
def fetch(
    context: typer.Context,
    names: Annotated[list[str] | None, typer.Argument(metavar="SOURCE...", help="Default: all of the config.")] = None,
) -> None:
    """Fetch sources now, without waiting for the clock."""
    from mailer.news import sources  # noqa: PLC0415  # as above

    app = app_of(context)
    with sources.open_tools(app.settings, app.data) as tools:
        wanted = names or list(app.settings.sources)
        reports = sources.fetch(wanted, app.settings, tools, app.writing, now=app.now())
    for report in reports:
        _tell(report)
    if any(report.error for report in reports):
        raise typer.Exit(1)


def _tell(report: "Report") -> None:
    if report.error:
        remark("{source}: broken. {reason}", source=report.source, reason=said(report.error))
    elif report.stored is None:
        remark("{source}: nothing new.", source=report.source)
    else:
        counts = {"added": report.stored.added, "changed": report.stored.changed}
        remark("{source}: {added} new, {changed} changed.", source=report.source, **counts)


@commands.command()
def add(
    context: typer.Context,
    title: Annotated[str, typer.Option(help="The title, in one line.")],
    body: Body = None,
    url: Url = None,
    published: When = None,
    tag: Tags = None,
) -> None:
    """Write an item. Without --tag its districts and topics are found in its words."""
    app = app_of(context)
    wording = editing.Wording(title, _text(body), url, _moment(app, published))
    with app.writing() as session:
        item = editing.add(session, wording, tag or [], now=app.now())
        say(str(item.id))


@commands.command()
def edit(
    context: typer.Context,
    item: Item,
    title: Title = None,
    body: Body = None,
    url: Url = None,
    published: When = None,
) -> None:
    """Correct an item. What you set stays, also when the source changes its own."""
    app = app_of(context)
    wording = editing.Wording(title, _text(body), url, _moment(app, published))
    with app.writing() as session:
        found = editing.find_item(session, item)
        editing.edit(session, found, wording)
        entry = listing.show(session, found, now=app.now())
    _print_entries([entry], app)


@commands.command()
def tag(
    context: typer.Context,
    item: Item,
    add: Tags = None,
    remove: Tags = None,
    lock: Annotated[bool | None, typer.Option("--lock/--unlock", help="Keep the tags as they are.")] = None,
) -> None:
    """Add and remove districts and topics; the rules do not undo it. --lock stops the rules altogether."""
    app = app_of(context)
    with app.writing() as session:
        found = editing.find_item(session, item)
        editing.retag_by_hand(session, found, add=add or [], remove=remove or [])
        if lock is True:
            editing.lock_tags(session, found)
        elif lock is False:
            editing.unlock_tags(session, found)
        entry = listing.show(session, found, now=app.now())
    _print_entries([entry], app)


@commands.command()
def important(context: typer.Context, item: Item, off: Off = False) -> None:
    """Put an item before the others."""
    with _changing(context, item) as found:
        found.important = not off


@commands.command()
def hide(context: typer.Context, item: Item, off: Off = False) -> None:
    """Leave an item out of every edition to come."""
    with _changing(context, item) as found:
        found.hidden = not off


@commands.command()
def approve(context: typer.Context, item: Item, off: Off = False) -> None:
    """Let an item of a source that is not trusted by itself into the editions."""
    with _changing(context, item) as found:
        found.approved = not off


@commands.command()
def expire(
    context: typer.Context,
    item: Item,
    when: Annotated[str, typer.Argument(metavar="WHEN", help='A date, a time, "now" or "never".')] = "now",
) -> None:
    """Say from when an item is no news any more."""
    app = app_of(context)
    moment = None if when == "never" else app.now() if when == "now" else _moment(app, when)
    with _changing(context, item) as found:
        found.expires_at = moment
        lock(found, "expires_at")


@commands.command("list")
def list_(
    context: typer.Context,
    source: Annotated[str | None, typer.Option(help="Only of this source.")] = None,
    tag: Annotated[str | None, typer.Option(help="Only with this district or topic.")] = None,
    state: Annotated[listing.State | None, typer.Option(help="Only in this state.")] = None,
    limit: Annotated[int | None, typer.Option(min=1, max=LARGEST_ID, help="At most so many.")] = None,
    json: Json = False,
) -> None:
    """List the news, newest first, with districts, topics and what caused them."""
    app = app_of(context)
    with app.reading() as session:
        wanted = listing.Wanted(source, find_tag(session, tag) if tag else None, state, limit)
        entries = listing.list_news(session, wanted, now=app.now())
    if json:
        print_json([asdict(entry) for entry in entries], zone=app.settings.site.zone)
    else:
        _print_entries(entries, app)


@commands.command()
def show(context: typer.Context, item: Item, json: Json = False) -> None:
    """Show an item whole."""
    app = app_of(context)
    with app.reading() as session:
        entry = listing.show(session, editing.find_item(session, item), now=app.now())
    if json:
        print_json([asdict(entry)], zone=app.settings.site.zone)
        return
    _print_entries([entry], app)
    say(f"\n{entry.body}" + (f"\n\n{entry.url}" if entry.url else ""))


@commands.command("sources")
def sources_(context: typer.Context, json: Json = False) -> None:
    """Show how each source is doing."""
    app = app_of(context)
    with app.reading() as session:
        entries = listing.list_sources(session, app.settings.sources)
    if json:
        rows = [asdict(entry) | {"error": in_words(entry.error) if entry.error else None} for entry in entries]
        print_json(rows, zone=app.settings.site.zone)
        return
    for entry in entries:
        fetched = moment_in(app.settings.site.zone, entry.fetched_at) if entry.fetched_at else "–"
        say(f"{entry.source:<24} {_(entry.state):<8} {entry.items:>5}  {fetched}  {entry.url or ''}".rstrip())
        if entry.error:
            say(f"{'':<24} {in_words(entry.error)}")


def _print_entries(entries: list[listing.Entry], app: App) -> None:
    for entry in entries:
        day = entry.published_at.astimezone(app.settings.site.zone).date()
        marks = [_("important")] * entry.important + [_(entry.state)] * (entry.state != "approved")
        say(f"{entry.id:>5}  {day}  {entry.title}" + "".join(f" [{mark}]" for mark in marks))
        tags = [f"{slug} ({entry.reasons[slug]})" for slug in (*entry.districts, *entry.topics)]
        if tags:
            say(f"{'':>19}{', '.join(tags)}")


@contextmanager
def _changing(context: typer.Context, item: int) -> Iterator[NewsItem]:
    """Hand out an item for a change, and show then how it stands."""
    app = app_of(context)
    with app.writing() as session:
        found = editing.find_item(session, item)
        yield found
        session.add(found)
        session.flush()
        entry = listing.show(session, found, now=app.now())
    _print_entries([entry], app)


def _text(said: str | None) -> str | None:
    return sys.stdin.read() if said == "-" else said


def _moment(app: App, said: str | None) -> datetime | None:
    if said is None:
        return None
    moment = parse_moment(said, app.settings.site.zone)
    if moment is None:
        raise Mistake('{said} is not a date: write "2024-03-05" or "2024-03-05 18:00".', said=said)
    return moment
