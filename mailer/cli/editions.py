"""utskick editions: draft, look, change, approve, send, correct."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Annotated

import typer
from sqlmodel import Session

from mailer.app import App
from mailer.cli import editions_seen as seen
from mailer.cli.approvals import Approved, As, ask_for_approval, refuse_as, tell_of_window, tell_when, undo_until
from mailer.cli.editions_seen import Name
from mailer.cli.frame import LARGEST_ID, account, app_of, moment_in, remark
from mailer.cli.progress import progress_bar
from mailer.cli.sheets import mails_to_members, members_in_words
from mailer.digest import corrections, editions, outdated, sending, waiting
from mailer.digest.models import Edition
from mailer.i18n import ngettext

commands = typer.Typer(no_args_is_help=True)

Item = Annotated[int, typer.Argument(min=1, max=LARGEST_ID, help="The number of a news item.")]


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
            outdated.survey(session, app.settings, app.links, mailing)
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
    if done.shown:
        remark("The archive shows the new words.")
    if done.key:
        remark(
            "{key} goes to the {candidates} who got the old ones, {at}. Until then `utskick outbox cancel {key}` takes "
            "it back.",
            key=done.key,
            candidates=done.candidates,
            at=moment_in(app.settings.site.zone, not_before),
        )


for _command in (seen.status, seen.preview, seen.proof):
    commands.command()(_command)
