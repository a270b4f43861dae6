"""utskick outbox watch: what is being sent, as it goes."""

import time
from collections.abc import Iterator
from dataclasses import asdict
from datetime import tzinfo
from typing import Annotated

import typer
from rich.console import Console, Group
from rich.live import Live
from rich.table import Table
from rich.text import Text

from mailer.app import App
from mailer.cli.frame import Json, app_of, harmless, print_json, remark
from mailer.cli.tables import cell
from mailer.i18n import _
from mailer.outbox import progress
from mailer.outbox.pacing import Question
from mailer.outbox.progress import Look

EVERY = 1.0  # seconds between two looks
SHARE = 10  # a look that takes a second is repeated after ten: watching must not slow the sending
_MAILINGS = (
    "key",
    "state",
    "candidates",
    "queued",
    "deferred",
    "sent",
    "failed",
    "uncertain",
    "per_second",
    "remaining",
)
_PROVIDERS = ("provider", "state", "per_second", "until", "reason")
_MINUTE, _HOUR = 60, 3600

Row = dict[str, object]


def watch(
    context: typer.Context,
    once: Annotated[bool, typer.Option("--once", help="Look twice, a second apart, and stop.")] = False,
    as_json: Json = False,
) -> None:
    """Watch what is being sent: how fast, how much is left, who carries it. Ctrl-C ends it."""
    app = app_of(context)
    looks = _looks(app)
    before = next(looks)
    if once or as_json:
        mailings, providers = _rows(before, next(looks))
        if as_json:
            print_json([*mailings, *providers], zone=app.settings.site.zone)
        else:
            console = Console()
            if not console.is_terminal:
                console.width = 10_000  # a file has no edge
            console.print(_tables(mailings, providers, app.settings.site.zone))
        return
    try:
        _live(looks, before, app.settings.site.zone)
    except KeyboardInterrupt:
        remark("No longer watching; the sending goes on.")


def _live(looks: Iterator[Look], before: Look, zone: tzinfo) -> None:
    with Live(_tables(*_rows(None, before), zone), auto_refresh=False) as live:
        for now in looks:
            live.update(_tables(*_rows(before, now), zone), refresh=True)
            before = now


def _looks(app: App) -> Iterator[Look]:
    while True:
        begun = time.monotonic()
        with app.reading() as session:
            look = progress.look(session.connection(), app.paces, _, Question(app.now(), app.settings.site.zone))
        yield look
        time.sleep(max(EVERY, SHARE * (time.monotonic() - begun)))


def _rows(before: Look | None, now: Look) -> tuple[list[Row], list[Row]]:
    """Return a row for each mailing under way and one for each provider."""
    mailings = [asdict(each) for each in progress.compare(before, now)]
    rates = progress.rates(before, now)
    providers = [{**asdict(service), "per_second": rates[service.provider]} for service in now.services]
    return mailings, providers


def _tables(mailings: list[Row], providers: list[Row], zone: tzinfo) -> Group:
    if not mailings:
        return Group(Text(_("Nothing is being sent.")), _table(providers, _PROVIDERS, zone))
    return Group(_table(mailings, _MAILINGS, zone), Text(), _table(providers, _PROVIDERS, zone))


def _table(rows: list[Row], columns: tuple[str, ...], zone: tzinfo) -> Table:
    table = Table(box=None, pad_edge=False)
    for column in columns:
        table.add_column(_(column), justify="right" if column in _MAILINGS[2:] else "left", overflow="fold")
    for row in rows:
        table.add_row(*(Text(harmless(_shown(column, row[column], zone))) for column in columns))
    return table


def _shown(column: str, value: object, zone: tzinfo) -> str:
    if column == "per_second" and isinstance(value, float):
        return f"{value:.1f}" if value < 100 else f"{value:.0f}"  # noqa: PLR2004  where a tenth says nothing any more
    if column == "remaining" and isinstance(value, int):
        return _span(value)
    return cell(column, value, zone)


def _span(seconds: int) -> str:
    """Return how long it takes, as coarse as a forecast is."""
    if seconds < _MINUTE:
        return f"{seconds} s"
    if seconds < _HOUR:
        return f"{seconds // _MINUTE} min"
    return f"{seconds // _HOUR} h {seconds % _HOUR // _MINUTE} min"
