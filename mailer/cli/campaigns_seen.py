"""utskick campaigns list, status, show and report: how letters go, and what came of them."""

from dataclasses import asdict
from typing import Annotated

import typer

from mailer.campaigns import book, listing
from mailer.campaigns.comparing import LEAST_SHOWN, Group, compare, shown
from mailer.campaigns.front import MOST_SUBJECTS
from mailer.campaigns.letter import files_of
from mailer.campaigns.report import groups
from mailer.cli.frame import Json, app_of, moment_in, print_json, remark, say
from mailer.cli.tables import print_table
from mailer.i18n import _, speaking
from mailer.outbox.models import DeliveryState

Name = Annotated[str, typer.Argument(help="The campaign's name, as `campaigns list` shows it.")]
_LISTED = ("name", "state", "kind", "publication", "send_at", "candidates", "reason")
_MOST = 50


def report(context: typer.Context, name: Name, json: Json = False) -> None:
    """Say what came of a letter, by subject: who unsubscribed and who answered since. Numbers below 5 are not shown."""
    app = app_of(context)
    with app.reading() as session:
        found = groups(session, book.find(session, name), app.settings.site.language)
    deeds = list(found[0].did)
    rows = [_row(group) for group in found]
    verdicts = {deed.value: compare(found, deed) for deed in deeds} if len(found) == MOST_SUBJECTS else {}
    if json:
        print_json([row | {"verdicts": verdicts} for row in rows], zone=app.settings.site.zone)
        return
    below = _("below {least}").format(least=LEAST_SHOWN)
    print_table(
        [{key: below if value is None else value for key, value in row.items()} for row in rows],
        ("subject", "members", *deeds),
        zone=app.settings.site.zone,
    )
    for deed, verdict in verdicts.items():
        say(f"{_(deed)}: {_(verdict)}.", err=True)


def _row(group: Group) -> dict[str, object]:
    did = {deed.value: shown(number) for deed, number in group.did.items()}
    return {"subject": group.subject, "members": shown(group.members), **did}


def list_(context: typer.Context, json: Json = False) -> None:
    """List the campaigns, the latest first."""
    app = app_of(context)
    with app.reading() as session:
        rows = [asdict(listing.row_of(session, campaign)) for campaign in book.every(session, most=_MOST)]
    if json:
        print_json(rows, zone=app.settings.site.zone)
    else:
        print_table(rows, _LISTED, zone=app.settings.site.zone)


def status(context: typer.Context, name: Annotated[str | None, typer.Argument()] = None, json: Json = False) -> None:
    """Show how the letters go, or one with the counts of its deliveries and who joined or left since approval."""
    if name is None:
        list_(context, json=json)
        return
    app = app_of(context)
    with app.reading() as session:
        campaign = book.find(session, name)
        row = asdict(listing.row_of(session, campaign)) | listing.deliveries(session, campaign)
    if json:
        print_json([row], zone=app.settings.site.zone)
    else:
        columns = (*_LISTED[:-1], *DeliveryState, "joined_since", "left_since", "reason")
        print_table([row], columns, zone=app.settings.site.zone)


def show(context: typer.Context, name: Name, json: Json = False) -> None:
    """Show the letter as it was written, and what was approved of it."""
    app = app_of(context)
    zone = app.settings.site.zone
    with app.reading() as session:
        campaign = book.find(session, name)
        row = asdict(listing.row_of(session, campaign))
        record = listing.record_of(session, campaign)
        files = files_of(campaign)
    if json:
        kept = record.model_dump(exclude={"id"}) if record else None
        print_json([row | {"files": [list(file) for file in files], "record": kept}], zone=zone)
        return
    for _file, text in files:
        say(text.rstrip("\n"))
    print_table([row], _LISTED, zone=zone)
    if record:
        words = record.rule_sv if speaking.get() == "sv" else record.rule_en
        at = moment_in(zone, record.approved_at)
        remark("Approved {at} by {who}: {words}", at=at, who=record.approved_by, words=words)
        remark("Its hash: {hash}", hash=record.content)
