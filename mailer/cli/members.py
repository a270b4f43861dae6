"""utskick members: the register. Whoever reads it, hands it out or changes it is noted in its diary."""

from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import asdict
from datetime import tzinfo
from pathlib import Path
from typing import Annotated, Any

import typer

from mailer.app import App
from mailer.cli import rights
from mailer.cli.frame import Json, account, app_of, print_json, remark, say
from mailer.cli.progress import progress_bar
from mailer.cli.rights import Said
from mailer.cli.tables import cell
from mailer.cli.welcome import welcome
from mailer.errors import Mistake
from mailer.i18n import _
from subscribers import access, listing
from subscribers.finding import find_member
from subscribers.importing import run
from subscribers.importing.line import Note
from subscribers.importing.lines import LARGEST
from subscribers.importing.plan import Plan, refuse_too_many_gone
from subscribers.importing.register import Person
from subscribers.importing.report import Outcome, outcomes
from subscribers.importing.target import Policy
from subscribers.models import Ground, State

commands = typer.Typer(no_args_is_help=True)


@commands.command("import")
def import_file(  # noqa: PLR0913, PLR0917  # each is an option of the command
    context: typer.Context,
    file: Annotated[Path, typer.Argument(metavar="FILE", help="A CSV or XLSX file with a line of headings.")],
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Show what would happen and change nothing.")] = False,
    whole_register: Annotated[
        bool, typer.Option("--whole-register", help="The file holds everyone: who is missing from it has left.")
    ] = False,
    yes: Annotated[bool, typer.Option("--yes", help="Also when more than 5 % are missing.")] = False,
    mapping: Annotated[
        list[str] | None,
        typer.Option("--map", metavar="FIELD=HEADING", help="Which column holds a field; FIELD= reads none."),
    ] = None,
    sheet: Annotated[str | None, typer.Option(metavar="NAME", help="The sheet of a workbook.")] = None,
    as_json: Json = False,
) -> None:
    """Take members from a file: add who is new, change who differs, leave alone what members chose."""
    app = app_of(context)
    member_file = run.MemberFile(data=_bytes(file), name=file.name, sheet=sheet, said=dict(map(_said, mapping or [])))
    with progress_bar() as progress:
        with app.reading() as session:
            prepared = run.prepare(session, member_file, _policy(app, whole_register=whole_register), progress)
        if not dry_run:
            if not yes:
                refuse_too_many_gone(prepared.plan)
            run.carry_out(app.writing, prepared, who=account(), now=app.now(), progress=progress)
    _tell(prepared, app.settings.site.zone, dry_run=dry_run, as_json=as_json)


@commands.command("list")
def list_members(
    context: typer.Context,
    district: Annotated[str | None, typer.Option(metavar="DISTRICT", help="Only who chose this district.")] = None,
    state: Annotated[State | None, typer.Option(help="Only members in this state.")] = None,
    as_json: Json = False,
) -> None:
    """List members."""
    app = app_of(context)
    with app.writing() as session:
        found = list(listing.members(session, district=district, state=state))
        access.record(session, who=account(), what=access.Act.LIST, count=len(found), now=app.now())
    if as_json:
        print_json(map(asdict, found), zone=app.settings.site.zone)
        return
    for member in found:
        say("\t".join(str(cell) if cell else "-" for cell in _cells(member)))
    remark("Members: {count}.", count=len(found))


@commands.command()
def show(context: typer.Context, said: Said, as_json: Json = False) -> None:
    """Show one member."""
    app = app_of(context)
    with app.writing() as session:
        member = find_member(session, said)
        found = listing.member(session, member)
        access.record(session, who=account(), what=access.Act.SHOW, member_id=member, now=app.now())
    if as_json:
        print_json([asdict(found)], zone=app.settings.site.zone)
        return
    for field, value in asdict(found).items():
        say(f"{_(field)}\t{cell(field, value, app.settings.site.zone) or '-'}")


for _command in (rights.export, rights.erase, rights.readmit, rights.diary, welcome):
    commands.command()(_command)


def _tell(prepared: run.Prepared, zone: tzinfo, *, dry_run: bool, as_json: bool) -> None:
    if prepared.not_read:
        remark("These columns are not read: {headings}.", headings=", ".join(prepared.not_read))
    if as_json:
        print_json(map(_outcome, outcomes(prepared.plan)), zone=zone)
    else:
        say("\n".join(_report(prepared.plan, dry_run=dry_run)))
    if dry_run:
        remark("Nothing was changed.")


def _bytes(file: Path) -> bytes:
    try:
        if file.stat().st_size > LARGEST:
            raise Mistake("{file} is larger than {limit} MB: split it.", file=file, limit=LARGEST // 2**20)
        return file.read_bytes()
    except FileNotFoundError:
        raise Mistake("There is no file {file}.", file=file) from None
    except OSError as error:
        raise Mistake("{file} cannot be read: {reason}.", file=file, reason=error.strerror) from None


def _said(text: str) -> tuple[str, str]:
    field, equals, heading = text.partition("=")
    if not equals:
        raise Mistake("Write --map as FIELD=HEADING, not {text}.", text=text)
    return field.strip(), heading.strip()


def _policy(app: App, *, whole_register: bool) -> Policy:
    return Policy(
        publications=app.settings.members.publications,
        ground=Ground(app.settings.members.ground),
        language=app.settings.site.language,
        whole_register=whole_register,
    )


def _cells(member: listing.Listed) -> tuple[object, ...]:
    districts, publications = " ".join(member.districts), " ".join(member.publications)
    return member.id, member.number, _name(member), member.address, _(member.state), districts, publications


def _outcome(outcome: Outcome) -> dict[str, Any]:
    return {
        "outcome": outcome.outcome,
        "line": outcome.line,
        "id": outcome.id,
        "fields": outcome.fields,
        "reason": _sentence(outcome.reason) if outcome.reason else None,
        "remarks": [_sentence(note) for note in outcome.remarks],
    }


def _report(plan: Plan, *, dry_run: bool) -> Iterator[str]:
    counts = {
        _("added"): len(plan.added),
        _("changed"): len(plan.changed),
        _("unchanged"): len(plan.unchanged),
        _("gone"): len(plan.gone),
        _("refused"): len(plan.refused),
    }
    width = max(map(len, counts))
    for word, count in counts.items():
        yield f"{word:{width}} {count:>9}"
    for note in plan.refused:
        yield _("Line {line} is refused: {reason}").format(line=note.line, reason=_sentence(note))
    if dry_run:
        for change in plan.changed:
            yield _("Line {line} changes: {fields}").format(line=change.line, fields=", ".join(change.fields))
    yield from _grouped(plan.remarks)
    for line, person in plan.without_address:
        yield _("Line {line} has no address: {number} {name}").format(
            line=line, number=person.number, name=_name(person)
        )
    for change in plan.gone:
        yield _("Missing from the file: {number} {name}").format(
            number=change.person.number or "-", name=_name(change.person)
        )


def _grouped(notes: Iterable[Note]) -> Iterator[str]:
    """Yield each remark once, with its first line and how many more there are."""
    notes = list(notes)
    counts = Counter(map(_sentence, notes))
    first: dict[str, int] = {}
    for note in notes:
        first.setdefault(_sentence(note), note.line)
    for sentence, line in first.items():
        if counts[sentence] == 1:
            yield _("Line {line}: {sentence}").format(line=line, sentence=sentence)
        else:
            yield _("Line {line} and {more} more: {sentence}").format(
                line=line, more=counts[sentence] - 1, sentence=sentence
            )


def _sentence(note: Note) -> str:
    return _(note.sentence).format(**note.values)


def _name(person: Person | listing.Listed) -> str:
    return " ".join(filter(None, (person.given_name, person.family_name)))
