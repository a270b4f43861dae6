"""utskick editions: draft, look, change, approve, send, correct."""

import asyncio
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime
from typing import Annotated

import typer
from sqlmodel import Session

from mailer.app import App
from mailer.cli.approvals import Approved, As, ask_for_approval, refuse_as, tell_of_window, tell_when, undo_until
from mailer.cli.frame import LARGEST_ID, Json, account, app_of, moment_in, print_json, reason_of, remark
from mailer.cli.progress import progress_bar
from mailer.cli.sheets import mails_to_members, members_in_words, open_in_browser, show_coverage, show_sheets
from mailer.cli.tables import print_table
from mailer.digest import corrections, editions, previews, proofs, sending, waiting
from mailer.digest.models import Edition
from mailer.digest.plan import Basis, prepare
from mailer.errors import Mistake, SendError, Trouble
from mailer.i18n import ngettext, speaking
from mailer.members import recruiting
from mailer.outbox.models import DeliveryState
from subscribers.finding import find_member

commands = typer.Typer(no_args_is_help=True)

Name = Annotated[str, typer.Argument(help="An edition, weekly:2026-W47; or a publication: this week's.")]
Item = Annotated[int, typer.Argument(min=1, max=LARGEST_ID, help="The number of a news item.")]
_SHOWN = 20


@commands.command()
def draft(
    context: typer.Context, publication: Annotated[str, typer.Argument(help="The publication.")] = "weekly"
) -> None:
    """Open this week's edition. Harmless to repeat."""
    app = app_of(context)
    with app.writing() as session:
        edition = editions.draft(session, app.settings, publication, app.now())
        if edition is None:
            remark("There is a draft of this week's {publication} already.", publication=publication)
        else:
            remark(
                "Drafted {publication}:{period}. Look at it with `utskick editions preview {publication}`.",
                publication=publication,
                period=edition.period,
            )


@contextmanager
def _changed(context: typer.Context, name: str) -> Iterator[tuple[Session, Edition]]:
    """Hand out the edition for one change, and say then how to look at it."""
    app = app_of(context)
    with app.writing() as session:
        edition = editions.find(session, app.settings, name, app.now())
        key = editions.mailing_of(session, edition).key
        yield session, edition
    remark("Changed. Look at it with `utskick editions preview {key}`.", key=key)


@commands.command()
def intro(context: typer.Context, name: Name, text: Annotated[str, typer.Argument(help="Empty: none.")]) -> None:
    """Say something to all readers before the news."""
    with _changed(context, name) as (session, edition):
        editions.set_intro(session, edition, text)


@commands.command()
def subject(
    context: typer.Context, name: Name, text: Annotated[str, typer.Argument(help="Empty: the lead's.")]
) -> None:
    """Give every mail of the edition the same subject."""
    with _changed(context, name) as (session, edition):
        editions.set_subject(session, edition, text)


@commands.command()
def lead(context: typer.Context, name: Name, item: Item) -> None:
    """Let an item stand first with everyone it concerns."""
    with _changed(context, name) as (session, edition):
        editions.lead_with(session, edition, item)


@commands.command()
def order(
    context: typer.Context,
    name: Name,
    items: Annotated[list[int] | None, typer.Argument(min=1, max=LARGEST_ID, help="First to last.")] = None,
) -> None:
    """Put items before the others, in this order; without items, undo that."""
    with _changed(context, name) as (session, edition):
        editions.put_in_order(session, edition, items or [])


@commands.command("leave-out")
def leave_out(
    context: typer.Context,
    name: Name,
    item: Item,
    undo: Annotated[bool, typer.Option("--undo", help="Take it in again.")] = False,
) -> None:
    """Keep an item out of this edition; the next may have it."""
    change = editions.take_back_in if undo else editions.leave_out
    with _changed(context, name) as (session, edition):
        change(session, edition, item)


@commands.command()
def approve(context: typer.Context, name: Name, as_operator: As = None) -> None:
    """Let the draft go out at its time. Where the config has operators, ask for their approval."""
    app = app_of(context)
    if app.settings.operators:
        with app.reading() as session:
            key = editions.mailing_of(session, editions.find(session, app.settings, name, app.now())).key
        ask_for_approval(app, key, as_operator)
        return
    refuse_as(as_operator)
    with app.writing() as session:
        edition, not_before = editions.find(session, app.settings, name, app.now()), undo_until(app)
        editions.approve(session, edition, who=account(), now=app.now(), not_before=not_before)
        mailing = editions.mailing_of(session, edition)
        approved = Approved(mailing.send_at or app.now(), mailing.late_at, not_before, "editions", mailing.key)
    tell_when(app, approved)


@commands.command("take-back")
def take_back(context: typer.Context, name: Name) -> None:
    """Make a draft again of what was approved and has not begun to go out."""
    app = app_of(context)
    with app.writing() as session:
        edition = editions.find(session, app.settings, name, app.now())
        editions.take_back(session, app.settings, edition)
        remark("{key} is a draft again.", key=editions.mailing_of(session, edition).key)


@commands.command()
def send(context: typer.Context, name: Name) -> None:
    """Send an approved edition now, without waiting for its time."""
    app = app_of(context)
    with app.writing() as session:
        edition = editions.find(session, app.settings, name, app.now())
        number, begins = edition.id or 0, sending.bring_forward(session, app.settings, edition, app.now())
        key = editions.mailing_of(session, edition).key
    if begins > app.now():
        tell_of_window(app, begins, "editions", key)
        return
    with progress_bar() as progress:
        planned = sending.plan_edition(app.press(), number, app.now(), progress)
    remark(
        "{key}: {mails}, {variants}; nothing new for {silent}.",
        key=planned.key,
        mails=mails_to_members(planned.mails, planned.candidates),
        variants=ngettext("{number} variant", "{number} variants", planned.variants).format(number=planned.variants),
        silent=members_in_words(planned.silent),
    )


@commands.command()
def correct(
    context: typer.Context,
    name: Name,
    note: Annotated[str | None, typer.Option(help="What was wrong, for those who got it.")] = None,
    as_operator: As = None,
) -> None:
    """Without --note: stop the sending. With it: fix what changed, go on, and write to those who got the old.

    Where the config has operators, ask for their approval first.
    """
    app = app_of(context)
    with app.writing() as session:
        edition = editions.find(session, app.settings, name, app.now())
        mailing = editions.mailing_of(session, edition)
        if note is None:
            corrections.stop(session, mailing)
            remark(
                "Stopped. Mend it with `utskick news edit`, then `utskick editions correct {key} --note TEXT`.",
                key=mailing.key,
            )
            return
        if app.settings.operators:
            corrections.look(session, app.settings, app.links, mailing)
            key = waiting.keep(session, edition, note=note, now=app.now())
        session.expunge(edition)
    if app.settings.operators:
        ask_for_approval(app, key, as_operator)
    else:
        refuse_as(as_operator)
        _correct(app, edition, note)


def _correct(app: App, edition: Edition, note: str) -> None:
    tools, not_before = (app.engine, app.settings, app.links), undo_until(app)
    done = corrections.correct(*tools, edition, note=note, now=app.now())
    remark("{moved} waiting deliveries got the new words.", moved=done.moved)
    if done.key:
        remark(
            "{key} goes to the {candidates} who got the old ones, {at}. Until then `utskick outbox cancel {key}` takes "
            "it back.",
            key=done.key,
            candidates=done.candidates,
            at=moment_in(app.settings.site.zone, not_before),
        )


@commands.command()
def status(
    context: typer.Context, name: Annotated[str | None, typer.Argument()] = None, *, as_json: Json = False
) -> None:
    """Show the latest editions, or one with the counts of its deliveries."""
    app = app_of(context)
    with app.reading() as session:
        chosen = editions.find(session, app.settings, name, app.now()) if name else None
        rows = editions.status(session, chosen)
    if as_json:
        print_json(rows, zone=app.settings.site.zone)
        return
    counts = tuple(DeliveryState) if chosen else ()
    print_table(rows, ("key", "state", "send_at", "candidates", *counts, "reason"), zone=app.settings.site.zone)


@commands.command()
def preview(
    context: typer.Context,
    name: Name = "weekly",
    *,
    member: Annotated[
        str | None, typer.Option(metavar="MEMBER", help="What a member would get: id, member number or address.")
    ] = None,
    district: Annotated[str | None, typer.Option(help="What a member of this district would get.")] = None,
    as_json: Json = False,
    in_browser: Annotated[bool, typer.Option("--open", help="Show the mail in the browser.")] = False,
) -> None:
    """Show who would get what, and where there is nothing to get. Sends nothing."""
    app = app_of(context)
    with app.reading() as session:
        basis, moment = _basis(app, session, name)
        found, covers = _look(session, basis, moment, member, district)
    if in_browser and found:
        open_in_browser(proofs.html_of(app.letters, basis, found[0], app.links, moment))
    elif as_json:
        sheets = [previews.sheet_row(basis, sheet) for sheet in found]
        print_json([*sheets, *map(previews.cover_row, covers)], zone=app.settings.site.zone)
    else:
        _show(app, basis, found, covers)


@commands.command()
def proof(
    context: typer.Context,
    name: Name,
    addresses: Annotated[list[str], typer.Argument(help="Where to send it.")],
    district: Annotated[str | None, typer.Option(help="As a member of this district gets it.")] = None,
) -> None:
    """Send the edition as it stands to named addresses: what most would get, or a district's."""
    app = app_of(context)
    with app.reading() as session:
        basis, moment = _basis(app, session, name)
        found, _covers = _look(session, basis, moment, None, district)
    if not found:
        raise Mistake("The edition has nothing in it for anyone: there is no proof to send.")
    mails = [proofs.proof(app.letters, basis, found[0], app.links, address=to, now=app.now()) for to in addresses]
    outcomes = asyncio.run(app.post(mails))
    for address, outcome in zip(addresses, outcomes, strict=True):
        if isinstance(outcome, SendError):
            raise Trouble("The proof to {address} was not sent: {reason}.", address=address, reason=reason_of(outcome))
    remark("Proofs sent: {count}.", count=len(addresses))


def _basis(app: App, session: Session, name: str) -> tuple[Basis, datetime]:
    """Gather as if it were the hour of sending, or now when that is past."""
    edition = editions.find(session, app.settings, name, app.now())
    moment = max(app.now(), editions.mailing_of(session, edition).send_at or app.now())
    newcomers = recruiting.progress(session, app.settings)
    return prepare(session, app.settings, edition, app.links, moment, newcomers), moment


def _look(
    session: Session, basis: Basis, moment: datetime, member: str | None, district: str | None
) -> tuple[list[previews.Sheet], list[previews.Cover]]:
    if member is None and district is None:
        found, counts = previews.sheets(session, basis, moment)
        remark(
            "{mails}; nothing new for {silent}.",
            mails=mails_to_members(counts.mails, sum(sheet.members for sheet in found)),
            silent=members_in_words(counts.silent),
        )
        return found, previews.coverage(session, basis, moment)
    if district is not None:
        sheet = previews.for_district(session, basis, district)
    else:
        sheet = previews.for_member(session, basis, find_member(session, member or ""), moment)
    if sheet is None:
        remark("Nothing new: no mail would be sent.")
        return [], []
    return [sheet], []


def _show(app: App, basis: Basis, found: list[previews.Sheet], covers: list[previews.Cover]) -> None:
    shown = found[:_SHOWN]
    show_sheets(basis, [(sheet, proofs.reasons(app.letters, basis, sheet)) for sheet in shown])
    if len(shown) < len(found):
        more = len(found) - len(shown)
        remark(ngettext("{number} more variant.", "{number} more variants.", more), number=more)
    if covers:
        topics = basis.names["topic"]
        show_coverage(covers, {slug: names[speaking.get()] for slug, names in topics.items()})
