"""utskick editions status, preview, proof: how editions go, and what they would be."""

import asyncio
from datetime import datetime
from typing import Annotated

import typer
from sqlmodel import Session

from mailer.app import App
from mailer.cli.frame import Json, app_of, print_json, reason_of, remark
from mailer.cli.sheets import mails_to_members, members_in_words, open_in_browser, show_coverage, show_sheets
from mailer.cli.tables import print_table
from mailer.digest import editions, previews, proofs
from mailer.digest.plan import Basis, prepare
from mailer.errors import Mistake, SendError, Trouble
from mailer.i18n import ngettext, speaking
from mailer.members import recruiting
from mailer.outbox.models import DeliveryState
from subscribers.finding import find_member

Name = Annotated[str, typer.Argument(help="An edition, weekly:2026-W47; or a publication: this week's.")]
_SHOWN = 20


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
        open_in_browser(proofs.show(app.letters, basis, found[0], app.links, moment).html)
    elif as_json:
        sheets = [previews.sheet_row(basis, sheet) for sheet in found]
        print_json([*sheets, *map(previews.cover_row, covers)], zone=app.settings.site.zone)
    else:
        _show(app, basis, found, covers)


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
