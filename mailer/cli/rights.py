"""utskick members export, erase, readmit and diary: what members have a right to, and who looked at them."""

from dataclasses import asdict, fields
from typing import Annotated

import typer

from mailer import db
from mailer.cli.frame import Json, account, app_of, print_json, remark
from mailer.cli.tables import print_listing, print_table
from mailer.errors import Mistake
from mailer.members import held
from subscribers import access, address, enrolment
from subscribers.finding import find_member

Said = Annotated[str, typer.Argument(metavar="MEMBER", help="The id, the member number or the address.")]
_ENTRY = tuple(field.name for field in fields(access.Entry))


def export(context: typer.Context, said: Said) -> None:
    """Print everything that is held about a member, as JSON: what they have a right to be given."""
    app = app_of(context)
    with app.writing() as session:
        found = held.export(session, find_member(session, said), who=account(), now=app.now())
    print_json([found], zone=app.settings.site.zone)


def erase(
    context: typer.Context,
    said: Said,
    yes: Annotated[bool, typer.Option("--yes", help="Yes, for ever.")] = False,
    as_json: Json = False,
) -> None:
    """Forget a member for ever, and list who else may still hold the address; no import brings them back."""
    if not yes:
        raise Mistake("Erasing cannot be undone: repeat with --yes.")
    app = app_of(context)
    with app.writing() as session:
        member = find_member(session, said)
        elsewhere = held.erase(session, member, who=account(), now=app.now())
    db.forget_deleted(app.engine, *enrolment.HOLDS_TEXTS)
    if as_json:
        print_json(map(asdict, elsewhere), zone=app.settings.site.zone)
    elif elsewhere:
        print_table([asdict(one) for one in elsewhere], ("provider", "letters", "last_at"), zone=app.settings.site.zone)
    remark("Member {member} is erased.", member=member)
    if elsewhere:
        remark("These providers carried letters to them, and may hold the address: ask them to erase it too.")


def readmit(
    context: typer.Context,
    said: Annotated[str, typer.Argument(metavar="ADDRESS", help="The address of someone who was erased.")],
    number: Annotated[str | None, typer.Option(metavar="NUMBER", help="Their member number, if they had one.")] = None,
) -> None:
    """Let someone who was erased come back, because they have asked: they can sign up, or be imported again."""
    app = app_of(context)
    with app.writing() as session:
        known = enrolment.readmit(session, address.parse(said), number=number)
        access.record(session, who=account(), what=access.Act.READMIT, now=app.now())
    if known:
        remark("They can come back.")
    else:
        remark("Nobody of this address was erased.")


def diary(
    context: typer.Context,
    member: Annotated[
        str | None, typer.Option("--member", metavar="MEMBER", help="Only entries that name this member.")
    ] = None,
    most: Annotated[int, typer.Option("--most", metavar="NUMBER", min=1, help="How many entries, newest first.")] = 100,
    as_json: Json = False,
) -> None:
    """Show who read, exported, imported or erased members, and when."""
    app = app_of(context)
    with app.reading() as session:
        member_id = find_member(session, member) if member else None
        rows = [asdict(entry) for entry in access.diary(session, member_id=member_id, most=most)]
    print_listing(rows, _ENTRY, zone=app.settings.site.zone, as_json=as_json)
