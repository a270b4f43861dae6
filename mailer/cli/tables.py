"""Rows as columns on a terminal; a file or a pipe has no edge, so nothing is cut there."""

from collections.abc import Mapping, Sequence
from datetime import datetime, tzinfo

from rich.console import Console
from rich.table import Table
from rich.text import Text

from mailer.cli.frame import harmless, moment_in, print_json
from mailer.i18n import _

# Fields that hold words of ours. Any other text is somebody's: a member may be called what we call a state.
_OURS = {"state", "reason", "answer", "ground", "kind", "what", "cause", "verdict", "action", "standing", "scope"}


def print_table(
    rows: Sequence[Mapping[str, object]], columns: Sequence[str], *, zone: tzinfo, title: str | None = None
) -> None:
    """Print the named fields of `rows`, headed by their names in the person's language; moments in `zone`."""
    table = Table(title=title, title_justify="left", box=None, pad_edge=False)
    for column in columns:
        numeric = any(isinstance(row.get(column), int) and not isinstance(row.get(column), bool) for row in rows)
        table.add_column(_(column), justify="right" if numeric else "left", overflow="fold")
    for row in rows:
        table.add_row(
            *(Text(harmless(cell(column, row.get(column), zone))) for column in columns)
        )  # a server's words are no markup
    console = Console()
    if not console.is_terminal:
        console.width = 10_000
    console.print(table)


def print_listing(rows: Sequence[Mapping[str, object]], columns: Sequence[str], *, zone: tzinfo, as_json: bool) -> None:
    """Print `rows` as whoever asks wants them: all their fields for a program, the named ones for a person."""
    if as_json:
        print_json(rows, zone=zone)
    else:
        print_table(rows, columns, zone=zone)


def cell(column: str, value: object, zone: tzinfo) -> str:
    """Return the value of a field as a person reads it."""
    if value is None or value == "":
        return ""
    if isinstance(value, bool):
        return _("yes") if value else _("no")
    if isinstance(value, datetime):
        return moment_in(zone, value)
    if isinstance(value, tuple):
        return ", ".join(map(str, value))
    return _(str(value)) if column in _OURS else str(value)
