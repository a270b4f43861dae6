"""utskick outbox: what is being sent, and what a person may do about it."""

import time
from collections.abc import Callable, Sequence
from dataclasses import asdict
from datetime import tzinfo
from functools import partial
from typing import Annotated, TypeVar

import sqlalchemy as sa
import typer

from mailer.app import App
from mailer.cli import watching
from mailer.cli.frame import LARGEST_ID, Json, account, app_of, insist, moment_in, print_json, remark
from mailer.cli.progress import progress_bar
from mailer.cli.tables import print_listing, print_table
from mailer.i18n import _
from mailer.outbox import batches, control
from mailer.outbox.batches import Holder, Terms
from mailer.outbox.models import DeliveryState
from mailer.outbox.pacing import Question
from mailer.outbox.status import WAITING, Service, as_row, find, records, services
from mailer.outbox.status import status as status_of
from mailer.sentences import Word
from subscribers import access
from subscribers.recipient import recipients

commands = typer.Typer(no_args_is_help=True)
uncertain = typer.Typer(help="Deliveries of which nobody knows whether they arrived.", no_args_is_help=True)
commands.add_typer(uncertain, name="uncertain")

Key = Annotated[str, typer.Argument(metavar="MAILING", help="The key of a mailing, such as weekly:2026-W47.")]
Numbers = Annotated[
    list[int] | None,
    typer.Argument(metavar="[DELIVERY]...", min=1, max=LARGEST_ID, help="Default: all of them."),
]
Result = TypeVar("Result")
_STATUS = ("key", "state", "candidates", "queued", "sent", "failed", "cancelled", "uncertain", "balanced")
_LOOK = 0.05  # seconds


@commands.command()
def status(
    context: typer.Context,
    key: Annotated[str | None, typer.Argument(metavar="[MAILING]", help="Default: every mailing.")] = None,
    as_json: Json = False,
) -> None:
    """Show how far each mailing is."""
    app = app_of(context)
    with app.reading() as session:
        rows = [as_row(each) for each in status_of(session.connection(), key)]
    if as_json:
        print_json(rows, zone=app.settings.site.zone)
        return
    print_table([_while_it_goes(row) for row in rows], _STATUS, zone=app.settings.site.zone)
    for row in rows:
        if row["reason"]:
            remark("{key}: {reason}", key=row["key"], reason=Word(row["reason"]))
    for service in _services(app):
        _say_why(service, app.settings.site.zone)


def _while_it_goes(row: dict[str, object]) -> dict[str, object]:
    """Books that are still being written are nothing to worry about: a person sees whether they balance at the end."""
    return row | {"balanced": None} if row["queued"] else row


def _say_why(service: Service, zone: tzinfo) -> None:
    """Say why a provider takes nothing now, if it does not."""
    name, reason = service.provider, service.reason
    if service.state == WAITING and service.until:
        until = moment_in(zone, service.until)
        remark("The provider {provider} waits until {until}: {reason}.", provider=name, until=until, reason=reason)
    elif reason:
        remark("The provider {provider} rests: {reason}", provider=name, reason=reason)


@commands.command()
def providers(context: typer.Context, as_json: Json = False) -> None:
    """Show which providers take letters, and why one rests or waits."""
    app = app_of(context)
    rows = [as_row(service) for service in _services(app)]
    print_listing(rows, ("provider", "state", "since", "until", "reason"), zone=app.settings.site.zone, as_json=as_json)


def _services(app: App) -> list[Service]:
    with app.reading() as session:
        return services(session.connection(), app.paces, _, Question(app.now(), app.settings.site.zone))


commands.command()(watching.watch)


@commands.command()
def pause(context: typer.Context, key: Key, as_json: Json = False) -> None:
    """Stop a mailing, and return when nothing of it can be sent any more; resume sends on."""
    app = app_of(context)
    _change(app, lambda connection: control.pause(connection, key))
    _wait_for_workers(app, key, as_json=as_json)
    remark("The mailing {key} is paused.", key=key)


@commands.command()
def resume(context: typer.Context, key: Key) -> None:
    """Send on what is paused or held."""
    app = app_of(context)
    _change(app, lambda connection: control.resume(connection, key, now=app.now()))
    remark("The mailing {key} is sent on.", key=key)


@commands.command()
def cancel(
    context: typer.Context,
    key: Key,
    yes: Annotated[bool, typer.Option("--yes", help="Do not ask.")] = False,
    as_json: Json = False,
) -> None:
    """End a mailing, and return when nothing of it can be sent any more. This cannot be undone."""
    app = app_of(context)
    with app.reading() as session:
        find(session.connection(), key)
    if not yes:
        insist(_("End the mailing {key} for good?").format(key=key))
    _change(app, lambda connection: control.cancel(connection, key))
    _wait_for_workers(app, key, as_json=as_json)
    _change_all(app, lambda connection: control.cancel_some(connection, now=app.now()))
    remark("The mailing {key} is cancelled.", key=key)
    if _still_open(app, key):
        remark("A worker that was lost still has some of it: the next one to start settles what it left.")


@commands.command("retry-failed")
def retry_failed(context: typer.Context, key: Key) -> None:
    """Try the failed deliveries of a mailing again, and only those."""
    app = app_of(context)
    again = partial(control.retry_failed, key=key, give_up_after=app.settings.outbox.give_up_after, now=app.now())
    number = _change_all(app, again)
    remark("Deliveries queued again: {number}.", number=number)


@commands.command()
def show(
    context: typer.Context,
    key: Key,
    state: Annotated[list[DeliveryState] | None, typer.Option(help="Only those; may be given again.")] = None,
    addresses: Annotated[bool, typer.Option("--addresses", help="Open the addresses; it is noted who did.")] = False,
    as_json: Json = False,
) -> None:
    """Show what was done for each recipient of a mailing."""
    _show(app_of(context), key, states=tuple(state or DeliveryState), addresses=addresses, as_json=as_json)


@uncertain.command("list")
def list_uncertain(
    context: typer.Context,
    key: Key,
    addresses: Annotated[bool, typer.Option("--addresses", help="Open the addresses; it is noted who did.")] = False,
    as_json: Json = False,
) -> None:
    """Show the deliveries that were handed over and never answered."""
    _show(app_of(context), key, states=(DeliveryState.UNCERTAIN,), addresses=addresses, as_json=as_json)


@uncertain.command()
def resend(context: typer.Context, key: Key, deliveries: Numbers = None) -> None:
    """Send uncertain deliveries again, as the same letter: some may get it twice."""
    app = app_of(context)
    again = partial(
        control.resend_uncertain,
        key=key,
        deliveries=deliveries or (),
        give_up_after=app.settings.outbox.give_up_after,
        now=app.now(),
    )
    number = _change(app, again) if deliveries else _change_all(app, again)
    remark("Deliveries queued again: {number}.", number=number)


@uncertain.command()
def settle(
    context: typer.Context,
    key: Key,
    deliveries: Numbers = None,
    failed: Annotated[bool, typer.Option("--failed", help="They did not arrive; default: they did.")] = False,
) -> None:
    """Write down what became of uncertain deliveries."""
    app, state = app_of(context), DeliveryState.FAILED if failed else DeliveryState.SENT
    write = partial(control.settle_uncertain, key=key, deliveries=deliveries or (), state=state, now=app.now())
    number = _change(app, write) if deliveries else _change_all(app, write)
    remark("Deliveries settled: {number}.", number=number)


def _show(app: App, key: str, *, states: tuple[DeliveryState, ...], addresses: bool, as_json: bool) -> None:
    with app.reading() as session:
        connection = session.connection()
        found = list(records(connection, find(connection, key), states=states))
    rows = [as_row(record) for record in found]
    if addresses:
        opened = _addresses(app, [record.member for record in found])
        rows = [row | {"address": opened.get(record.member)} for row, record in zip(rows, found, strict=True)]
    if as_json:
        print_json(rows, zone=app.settings.site.zone)
        return
    who = ("address",) if addresses else ()
    columns = ("delivery", "member", *who, "state", "attempts", "settled_at", "provider", "code", "answer")
    print_table(rows, columns, zone=app.settings.site.zone)


def _addresses(app: App, members: Sequence[int]) -> dict[int, str]:
    """Open the addresses, and write down who asked."""
    with app.writing() as session:
        access.record(session, who=account(), what=access.Act.SHOW, count=len(members), now=app.now())
        people = recipients(session.connection(), members)
    return {member: recipient.address for member, recipient in people.items()}


def _wait_for_workers(app: App, key: str, *, as_json: bool) -> None:
    """Return when no worker can send of a stopped mailing any more, and say who is waited for, and until when."""
    terms, zone = Terms(app.settings.outbox.lease), app.settings.site.zone
    waited_for: dict[str, Holder] = {}
    total = 0
    with progress_bar() as progress:
        while holders := _holders(app, key, terms):
            left = sum(holder.batches for holder in holders)
            total = max(total, left)
            progress("Batches given back", total - left, total)
            for holder in holders:
                if holder.worker not in waited_for:
                    _say_who_is_waited_for(holder, zone)
                waited_for[holder.worker] = holder
            time.sleep(_LOOK)
    if as_json:
        print_json([asdict(holder) for holder in waited_for.values()], zone=zone)


def _say_who_is_waited_for(holder: Holder, zone: tzinfo) -> None:
    remark(
        "Waiting for worker {worker}: it finishes what it has handed over, or is given up at {until}.",
        worker=holder.worker,
        until=f"{holder.until.astimezone(zone):%H:%M:%S}",
    )


def _holders(app: App, key: str, terms: Terms) -> list[Holder]:
    with app.reading() as session:
        connection = session.connection()
        return batches.held(connection, find(connection, key), terms=terms, now=app.now())


def _still_open(app: App, key: str) -> bool:
    with app.reading() as session:
        [found] = status_of(session.connection(), key)
    return found.queued > 0


def _change(app: App, what: Callable[[sa.Connection], Result]) -> Result:
    with app.writing() as session:
        return what(session.connection())


def _change_all(app: App, some: Callable[[sa.Connection], int]) -> int:
    """Repeat, in short transactions, until there is none left."""
    total = 0
    with progress_bar() as progress:
        while number := _change(app, some):
            total += number
            progress("Changing the books", total, None)
    return total
