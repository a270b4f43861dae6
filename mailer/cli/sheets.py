"""How a preview looks on a terminal: who gets what and why, what each district has. Nothing is cut."""

import tempfile
import webbrowser
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

from rich.console import Console

from mailer.cli.frame import harmless, remark, say
from mailer.digest.plan import Basis
from mailer.digest.previews import Cover, Sheet
from mailer.i18n import _, ngettext

_HOLE = "–"


def show_sheets(basis: Basis, found: Sequence[tuple[Sheet, Mapping[int, str]]]) -> None:
    """Print contents, each with its reasons: item -> the sentence that its readers get."""
    console = Console(soft_wrap=True)
    for sheet, reasons in found:
        heading = f"{mails_to_members(sheet.mails, sheet.members)}  {sheet.form.language}"
        console.print(heading, style="bold", markup=False, highlight=False)
        for item in sheet.digest.items:
            title = basis.candidates.pieces[item]["title"]
            console.print(harmless(f"  {item}  {title}  ({reasons[item]})"), markup=False, highlight=False)


def show_coverage(covers: Sequence[Cover], topics: Mapping[str, str]) -> None:
    """Print a line for each district. `topics`: slug -> name"""
    width = max(len(cover.name) for cover in covers)
    with_readers = [cover for cover in covers if cover.read]
    without = [cover for cover in covers if not cover.read]
    for heading, some in ((_("Districts with readers:"), with_readers), (_("Districts without readers:"), without)):
        if some:
            say("\n".join(["", heading, *_lines(some, topics, width)]))


def open_in_browser(html: str) -> None:
    """Show a letter as its readers see it, and say where its page lies."""
    with tempfile.NamedTemporaryFile("w", suffix=".html", delete=False, encoding="utf-8") as page:
        page.write(html)
    remark("The page is {path}.", path=page.name)
    webbrowser.open(Path(page.name).as_uri())


def mails_to_members(mails: int, members: int) -> str:
    """Say both: members who share an address share a mail."""
    return _("{mails} to {members}").format(
        mails=ngettext("{number} mail", "{number} mails", mails).format(number=mails), members=members_in_words(members)
    )


def members_in_words(members: int) -> str:
    return ngettext("{number} member", "{number} members", members).format(number=members)


def _lines(covers: Sequence[Cover], topics: Mapping[str, str], width: int) -> Iterator[str]:
    for cover in covers:
        counts = [f"{topics[topic]} {items or _HOLE}" for topic, items in cover.topics.items()]
        local = _("local {number}").format(number=cover.local or _HOLE)
        yield f"  {cover.name:{width}}  {', '.join([local, *counts])}"
