"""utskick suppressions: addresses that are not written to."""

import csv
import sys
from datetime import datetime
from pathlib import Path
from typing import Annotated, Literal, NamedTuple, get_args

import typer

from mailer.cli.frame import Json, account, app_of, remark
from mailer.cli.tables import print_listing
from mailer.errors import Mistake
from mailer.sentences import N_
from subscribers import access, address, suppression
from subscribers.errors import SubscribersError
from subscribers.models import Scope

commands = typer.Typer(no_args_is_help=True)
_HANDED_OUT = ("key", "scope", "reason", "at")
_HEADS = ("key", "address")  # a first line that names its columns
_COLUMNS = ("id", N_("scope"), "reason", "at", "members")
Address = Annotated[str, typer.Argument(metavar="ADDRESS")]
Why = Literal["dead", "asked", "complaint"]
_KEY = 32  # octets of a keyed hash
_REASONS: dict[str, suppression.Reason] = {reason: reason for reason in get_args(suppression.Reason)}
_SCOPES: dict[str, Scope] = {"dead": Scope.ALL, "asked": Scope.ALL, "complaint": Scope.BULK}


@commands.command("list")
def list_suppressions(context: typer.Context, as_json: Json = False) -> None:
    """List what is suppressed, and why; members are named by their ids, addresses are not known."""
    app = app_of(context)
    with app.reading() as session:
        rows = list(suppression.listed(session))
    print_listing(rows, _COLUMNS, zone=app.settings.site.zone, as_json=as_json)


@commands.command()
def add(
    context: typer.Context,
    said: Address,
    reason: Annotated[Why, typer.Option(help="Why; a complaint leaves statutory letters.")] = "asked",
) -> None:
    """Never write to an address again."""
    app = app_of(context)
    with app.writing() as session:
        key = _parsed(said).key
        suppression.suppress(session, key, scope=_SCOPES[reason], reason=reason, now=app.now())
        access.record(session, who=account(), what=access.Act.SUPPRESS, now=app.now())
    remark("The address is suppressed.")


@commands.command()
def remove(context: typer.Context, said: Address) -> None:
    """Write to an address again that was thought dead, or that somebody asked for. Who left returns by themselves."""
    app = app_of(context)
    with app.writing() as session:
        key = _parsed(said).key
        left = suppression.lift_ours(session, key)
        access.record(session, who=account(), what=access.Act.UNSUPPRESS, now=app.now())
    if left:
        raise Mistake(
            "The address stays suppressed ({reasons}): only the member can take that back, by their own link or by "
            "signing up anew.",
            reasons=", ".join(left),
        )
    remark("The address is written to again.")


@commands.command("import")
def import_file(
    context: typer.Context,
    file: Annotated[
        Path,
        typer.Argument(metavar="FILE", help="One address a line, a CSV with address,reason, or what export wrote."),
    ],
) -> None:
    """Suppress every address of a file; all of it or, when a line is wrong, nothing."""
    app = app_of(context)
    rows = list(csv.reader(file.read_text(encoding="utf-8-sig").splitlines()))
    read = _exported if rows[:1] == [list(_HANDED_OUT)] else _written
    lines = [
        read(row, line, app.now()) for line, row in enumerate(rows, 1) if row and row[0].strip() not in ("", *_HEADS)
    ]
    with app.writing() as session:
        for one in lines:
            suppression.suppress(session, one.key, scope=one.scope, reason=one.reason, now=one.at)
        access.record(session, who=account(), what=access.Act.SUPPRESS, count=len(lines), now=app.now())
    remark("Addresses suppressed: {count}.", count=len(lines))


@commands.command()
def export(context: typer.Context) -> None:
    """Print what is suppressed as CSV, by keyed hash: for moving to another installation with the same keys."""
    app = app_of(context)
    out = csv.writer(sys.stdout)
    out.writerow(_HANDED_OUT)
    with app.writing() as session:
        rows = suppression.everything(session)
        access.record(session, who=account(), what=access.Act.EXPORT, count=len(rows), now=app.now())
        for row in rows:
            out.writerow((row.address_key.hex(), row.scope.value, row.reason, row.at.isoformat()))


class _Line(NamedTuple):
    key: bytes
    scope: Scope
    reason: suppression.Reason
    at: datetime


def _written(row: list[str], line: int, now: datetime) -> _Line:
    reason = _reason(row, line)
    return _Line(_parsed(row[0], line).key, _SCOPES[reason], reason, now)


def _exported(row: list[str], line: int, now: datetime) -> _Line:
    """Read a line of an export: every reason, those that only the member can take back too."""
    del now
    try:
        key, scope, reason, at = row
        found = _Line(bytes.fromhex(key), Scope(scope), _REASONS[reason], datetime.fromisoformat(at))
    except (ValueError, KeyError):
        found = None
    if found is None or len(found.key) != _KEY or found.at.tzinfo is None:
        raise Mistake("Line {line} is no line of an export; nothing was changed.", line=line)
    return found


def _parsed(said: str, line: int | None = None) -> address.Address:
    try:
        return address.parse(said.strip())
    except SubscribersError as error:
        if line is None:
            raise
        raise Mistake("Line {line} is no address; nothing was changed.", line=line) from error


def _reason(row: list[str], line: int) -> Why:
    match row[1].strip() if len(row) > 1 else "asked":
        case "dead" | "asked" | "complaint" as reason:
            return reason
        case "":
            return "asked"
    raise Mistake("Line {line}: a reason is dead, asked or complaint; nothing was changed.", line=line)
