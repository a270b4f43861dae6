"""utskick retention: what is deleted when it is no longer needed, and when that was done."""

from collections.abc import Mapping
from dataclasses import asdict
from typing import Annotated

import typer

from mailer import db
from mailer.cli.frame import Json, app_of, print_json, remark
from mailer.cli.tables import print_table
from mailer.i18n import _
from mailer.members import nights, retention
from subscribers import enrolment

commands = typer.Typer(no_args_is_help=True)


@commands.command()
def run(
    context: typer.Context,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Show what would happen and change nothing.")] = False,
    as_json: Json = False,
) -> None:
    """Delete now what config says is too old. The clock does it each night."""
    app = app_of(context)
    with app.reading() as session:
        due = [asdict(one) for one in retention.report(session, app.settings.retention, app.now())]
    if not dry_run:
        counts = retention.run(app.writing, app.settings.retention, app.now())
        db.forget_deleted(app.engine, *enrolment.HOLDS_TEXTS)
        due = [one | {"due": counts[str(one["what"])]} for one in due]
    if as_json:
        print_json(due, zone=app.settings.site.zone)
    else:
        words = [one | {"what": _(str(one["what"]))} for one in due]
        print_table(words, ("what", "kept_days", "due"), zone=app.settings.site.zone)
    if dry_run:
        remark("Nothing was changed.")


@commands.command()
def report(context: typer.Context, as_json: Json = False) -> None:
    """Show what was deleted in the last thirty nights."""
    app = app_of(context)
    with app.reading() as session:
        found = [asdict(night) for night in nights.last(session)]
    if as_json:
        print_json(found, zone=app.settings.site.zone)
    else:
        rows = [night | {"deleted": _in_words(night["deleted"])} for night in found]
        print_table(rows, ("day", "begun_at", "done_at", "deleted"), zone=app.settings.site.zone)


def _in_words(counts: Mapping[str, int]) -> str:
    """Only what went: a column for each rule is wider than a screen."""
    return ", ".join(f"{_(what)} {count}" for what, count in counts.items() if count) or "-"
