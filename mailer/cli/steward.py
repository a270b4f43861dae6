"""utskick events people: who comes, for whoever stands at the door. It names members, and the diary notes that."""

from dataclasses import asdict
from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from mailer import private_files
from mailer.cli.frame import Json, account, app_of, print_json, remark
from mailer.cli.tables import print_table
from mailer.errors import Mistake
from mailer.i18n import _, speaking
from subscribers import access

if TYPE_CHECKING:  # slow to load
    from mailer.members.attendees import Attendee, Stall

COLUMNS = ("id", "given_name", "family_name", "answer", "companions", "shifts")

Which = Annotated[str, typer.Argument(metavar="EVENT", help="The event's number or key, as `events list` shows it.")]
Csv = Annotated[Path | None, typer.Option("--csv", metavar="FILE", help="Write a file for a spreadsheet.")]
Page = Annotated[Path | None, typer.Option("--page", metavar="FILE", help="Write a page to print, as HTML.")]


def people(
    context: typer.Context, which: Which, csv_file: Csv = None, page: Page = None, as_json: Json = False
) -> None:
    """Show who answered to an event, and who has which shift. Files are written for this account alone."""
    from mailer.events import book  # noqa: PLC0415  # slow to load
    from mailer.members import attendees  # noqa: PLC0415  # as above

    app, language = app_of(context), speaking.get()
    with app.writing() as session:
        event = book.find_event(session, which)
        found = attendees.of_event(session, event, language)
        stalls = attendees.stalls(session, event, found, language)
        title = event.title
        access.record(session, who=account(), what=access.Act.EVENT, count=len(found), now=app.now())
    if csv_file:
        _write(csv_file, attendees.as_csv(found, [_(column) for column in COLUMNS]))
    if page:
        _write(page, _page(title, found, stalls, app.now().astimezone(app.settings.site.zone).date()))
    if as_json:
        print_json(map(asdict, found), zone=app.settings.site.zone)
    elif not (csv_file or page):
        print_table([asdict(one) for one in found], COLUMNS, zone=app.settings.site.zone)


def _write(path: Path, text: str) -> None:
    try:
        private_files.create(path, text)
    except FileExistsError:
        raise Mistake("{file} is there already: name another one.", file=path) from None
    except OSError as error:
        raise Mistake("{file} cannot be written: {reason}.", file=path, reason=error.strerror or error) from None
    remark("{file} is written. It names members: delete it when it has been used.", file=path)


def _page(title: str, found: "list[Attendee]", stalls: "list[Stall]", today: date) -> str:
    from mailer.web.rendering import environment  # noqa: PLC0415  # slow to load

    groups: dict[str, list[Attendee]] = {}
    for one in found:
        groups.setdefault(one.answer.value, []).append(one)
    template = environment(speaking.get()).get_template("people.html")
    return template.render(title=title, groups=groups, stalls=stalls, today=today)
