"""utskick approvals: who was asked, who signed. And how a command that sends asks for approval."""

import asyncio
from dataclasses import dataclass
from datetime import datetime
from typing import Annotated

import typer

from mailer.app import App
from mailer.cli.frame import Json, account, app_of, moment_in, reason_of, remark
from mailer.cli.tables import print_listing
from mailer.errors import Mistake, SendError, Trouble
from mailer.operators import book, people
from mailer.operators.book import ACCOUNT, State
from mailer.operators.letters import letters
from mailer.operators.models import Outcome

commands = typer.Typer(no_args_is_help=True)
As = Annotated[
    str | None,
    typer.Option("--as", metavar="OPERATOR", help="Who you are, if your account does not say: a link is sent to you."),
]
_COLUMNS = ("number", "key", "people", "asked_by", "asked_at", "outcome", "signed", "awaited")
_MOST = 50


@commands.command("list")
def list_requests(context: typer.Context, as_json: Json = False) -> None:
    """List what was asked for approval, the latest first."""
    app = app_of(context)
    rows = [_row(app, state) for state in book.latest(app.approving, most=_MOST)]
    print_listing(rows, _COLUMNS, zone=app.settings.site.zone, as_json=as_json)


def _row(app: App, state: State) -> dict[str, object]:
    over = state.outcome is Outcome.OPEN and book.is_over(state, app.now())
    return {
        "number": state.number,
        "key": state.key,
        "people": state.people,
        "asked_by": state.asked_by,
        "asked_at": state.asked_at,
        "outcome": "over" if over else state.outcome.value,
        "signed": ", ".join(one.operator for one in state.signed),
        "awaited": ", ".join(sorted(state.awaited)),
        "not_before": state.not_before,
    }


def refuse_as(as_operator: str | None) -> None:
    """raises Mistake when somebody says who they are where nobody is known"""
    if as_operator is not None:
        raise Mistake("The config has no [operators], so --as means nobody.")


def ask_for_approval(app: App, key: str, as_operator: str | None) -> None:
    """Take the part of whoever runs this, and write to whoever is needed next. Safe to repeat: links are sent anew."""
    settings, now = app.settings, app.now()
    if as_operator is None:
        state = book.ask(app.approving, key, people.by_account(settings, account()), way=ACCOUNT, now=now)
    else:
        state = book.ask(app.approving, key, people.by_name(settings, as_operator), way=None, now=now)
    if state.outcome is Outcome.GRANTED:  # which holds whether or not those who had a part in it can be written to
        _tell_granted(app, state)
    for outcome in asyncio.run(app.post(letters(app.approving, state, now=now))):
        if isinstance(outcome, SendError):
            raise Trouble("A link could not be sent: {reason}. Run the command again.", reason=reason_of(outcome))
    if state.outcome is not Outcome.GRANTED:
        _tell_who_has_a_link(state)


def _tell_granted(app: App, state: State) -> None:
    signed = ", ".join(one.name for one in state.signed)
    if state.not_before is None:
        remark("Approved by {signed}. There was no letter to send: nothing waits.", signed=signed)
    else:
        at = moment_in(app.settings.site.zone, state.not_before)
        remark("Approved by {signed}. It can be taken back until {at}.", signed=signed, at=at)


def _tell_who_has_a_link(state: State) -> None:
    if not state.signed:
        remark("A link was sent to {operator}: open it to confirm that it was you.", operator=", ".join(state.awaited))
    else:
        remark(
            "{key} goes to {people} members and needs one more operator. A link was sent to: {awaited}.",
            key=state.key,
            people=state.people,
            awaited=", ".join(sorted(state.awaited)),
        )


def undo_until(app: App) -> datetime:
    """Return until when what is approved now can be taken back, and nothing of it leaves."""
    return app.now() + app.settings.approval.undo


@dataclass(frozen=True, slots=True)
class Approved:
    """What was approved: when it goes, until when that is open to be undone, and the commands about it.

    late_at     after it a person has to say `send`; None: never
    not_before  nothing leaves before that
    noun        of the command: editions, campaigns; `name`: what it is called there
    """

    send_at: datetime
    late_at: datetime | None
    not_before: datetime
    noun: str
    name: str


def tell_when(app: App, it: Approved) -> None:
    """Say when what was approved goes, and how to take that back."""
    zone, now = app.settings.site.zone, app.now()
    at, begins = moment_in(zone, it.send_at), moment_in(zone, max(it.send_at, it.not_before))
    if now < it.send_at:
        remark("Approved. It goes out {at}.", at=begins)
    elif it.late_at is not None and it.late_at < now:
        command = f"utskick {it.noun} send {it.name}"
        remark("Approved, but its time was {at}, too long ago: send it with `{command}`.", at=at, command=command)
    elif now < it.not_before:
        remark("Approved. Its time was {at}, so it goes out {begins}.", at=at, begins=begins)
    else:
        remark("Approved. Its time was {at}, so it goes out at once.", at=at)
    tell_way_back(it.noun, it.name)


def tell_way_back(noun: str, name: str) -> None:
    remark("Until it goes it can be taken back: `utskick {noun} take-back {name}`.", noun=noun, name=name)


def tell_of_window(app: App, begins: datetime, noun: str, name: str) -> None:
    """Say that what a person wants to send now still waits for its approval to be beyond undoing."""
    remark(
        "It can still be taken back, and goes out {at} by itself where `utskick run` or `clock` runs; else run this "
        "command again then.",
        at=moment_in(app.settings.site.zone, begins),
    )
    tell_way_back(noun, name)
