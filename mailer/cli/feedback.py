"""utskick feedback: what came back, what was done about it, and what waits for a person."""

from collections.abc import Callable
from dataclasses import asdict
from typing import Annotated

import typer
from sqlmodel import Session

from mailer.app import App
from mailer.cli.frame import Json, app_of, moment_in, print_json, remark, say
from mailer.cli.tables import print_listing, print_table
from mailer.errors import Mistake
from mailer.feedback import book, listing, polling, runs
from mailer.feedback.imap import open_mailbox
from mailer.feedback.models import Feedback
from mailer.feedback.sorting import What
from mailer.i18n import _
from mailer.outbox.status import find
from subscribers.finding import find_member

commands = typer.Typer(no_args_is_help=True)
Key = Annotated[str, typer.Argument(metavar="MAILING", help="The key of a mailing, such as weekly:2026-W47.")]
_COLUMNS = ("id", "at", "member", "mailing", "kind", "source", "cause", "verdict", "action", "standing")


@commands.command("list")
def list_events(
    context: typer.Context,
    mailing: Annotated[str | None, typer.Option(metavar="MAILING", help="Only of this mailing.")] = None,
    member: Annotated[str | None, typer.Option(metavar="MEMBER", help="Only of this member.")] = None,
    as_json: Json = False,
) -> None:
    """List what came back, the newest first."""
    app = app_of(context)
    with app.reading() as session:
        who = find_member(session, member) if member else None
        rows = [asdict(it) for it in listing.events(session, mailing=mailing, member=who, held=False)]
    print_listing(rows, _COLUMNS, zone=app.settings.site.zone, as_json=as_json)


@commands.command()
def held(context: typer.Context, as_json: Json = False) -> None:
    """List the verdicts that wait for a person: many mailboxes of one mail host failed in one mailing."""
    app = app_of(context)
    with app.reading() as session:
        rows = [asdict(it) for it in listing.events(session, mailing=None, member=None, held=True)]
    print_listing(rows, _COLUMNS, zone=app.settings.site.zone, as_json=as_json)


@commands.command()
def unknown(context: typer.Context, as_json: Json = False) -> None:
    """List what providers told in the last 30 days that is not understood, or is about no mail of ours."""
    app = app_of(context)
    with app.reading() as session:
        rows = [asdict(it) for it in listing.unknown(session)]
    print_listing(rows, ("at", "provider", "what"), zone=app.settings.site.zone, as_json=as_json)


@commands.command()
def show(context: typer.Context, number: Annotated[int, typer.Argument(metavar="ID")], as_json: Json = False) -> None:
    """Show one event with the server's own words."""
    app = app_of(context)
    with app.reading() as session:
        feedback = session.get(Feedback, number)
        if feedback is None:
            raise Mistake("There is no event {number}: see `utskick feedback list`.", number=number)
        row = asdict(listing.told(session, feedback))
    if as_json:
        print_json([row], zone=app.settings.site.zone)
        return
    for field, value in row.items():
        say(f"{_(field)}\t{value}")


@commands.command()
def explain(
    context: typer.Context,
    said: Annotated[str, typer.Argument(metavar="MEMBER", help="Id, member number or address.")],
    as_json: Json = False,
) -> None:
    """Say in one sentence why a member gets no mail."""
    app = app_of(context)
    with app.reading() as session:
        member = find_member(session, said)
        why = listing.explain(session, member, today=app.now().date())
    zone = app.settings.site.zone
    at = moment_in(zone, why.at) if why.at else ""
    sentence = _(why.sentence).format(at=at, cause=_(why.cause), until=why.until)
    if as_json:
        print_json([{"member": member, "reason": sentence, "at": why.at}], zone=zone)
        return
    say(sentence)


@commands.command()
def dead(context: typer.Context, as_json: Json = False) -> None:
    """List the members with a dead address, district by district, for the membership secretary."""
    app = app_of(context)
    with app.reading() as session:
        rows = [asdict(it) for it in listing.dead(session)]
    if as_json:
        print_json(rows, zone=app.settings.site.zone)
        return
    print_table(rows, ("district", "count", "members"), zone=app.settings.site.zone)
    remark("Who they are: utskick members show ID")


@commands.command()
def poll(context: typer.Context, as_json: Json = False) -> None:
    """Read the mailbox of the config now: bounces, complaints and mails that unsubscribe."""
    app = app_of(context)
    if not app.settings.feedback.imap.host:
        raise Mistake("The config names no mailbox: set host and username in [feedback.imap].")
    app.engine.connect().close()
    with open_mailbox(app.settings.feedback.imap) as mailbox:
        counted = polling.poll(mailbox, app.writing, app.links.tokens, now=app.now())
    rows = [asdict(listing.CameIn(what.value, counted[what])) for what in What]
    if as_json:
        print_json(rows, zone=app.settings.site.zone)
        return
    print_table([row for row in rows if row["mails"]], ("what", "mails"), zone=app.settings.site.zone)
    remark("Mails looked at: {count}.", count=counted.total())


@commands.command()
def accept(context: typer.Context, key: Key) -> None:
    """Do what was held back of a mailing: those mailboxes are dead."""
    app = app_of(context)
    count = _decide(app, key, lambda session, events: book.release(session, events, now=app.now()))
    remark("Addresses given up: {count}.", count=count)


@commands.command()
def dismiss(context: typer.Context, key: Key) -> None:
    """Let what was held back of a mailing mean nothing: it was an outage at their end."""
    app = app_of(context)
    count = _decide(app, key, lambda _session, events: book.dismiss(events))
    remark("Verdicts dismissed: {count}.", count=count)


def _decide(app: App, key: str, action: Callable[[Session, list[Feedback]], None]) -> int:
    with app.writing() as session:
        events = list(runs.held(session, find(session.connection(), key)))
        action(session, events)
        return len({event.address_key for event in events})
