"""utskick events approve, take-back: letters about an event that go to many wait for another operator."""

from collections.abc import Collection
from typing import Annotated

import typer

from mailer.app import App
from mailer.cli.approvals import As, ask_for_approval, refuse_as
from mailer.cli.frame import account, app_of, remark
from mailer.errors import Mistake
from mailer.events.book import find_event
from mailer.events.rows import id_of
from mailer.i18n import speaking
from mailer.operators import about_events, book, people
from mailer.operators.about_events import Clearance
from mailer.operators.models import Outcome
from mailer.sentences import N_

Which = Annotated[str, typer.Argument(metavar="EVENT", help="The event's number or key, as `events list` shows it.")]
_WAIT = N_(
    "Letters about {event} go to {people} members and wait for another operator: ask by `utskick events approve "
    "{number}`. To: {audience}"
)
_CALLED_OFF = N_(
    "Nothing more is sent about {event}. The letter that says so goes to {people} members and waits for another "
    "operator: ask by `utskick events approve {number}`. To: {audience}"
)


def approve(context: typer.Context, which: Which, as_operator: As = None) -> None:
    """Ask another operator to approve the letters about an event as it is said now, or approve them."""
    app = app_of(context)
    if not app.settings.operators:
        refuse_as(as_operator)
        raise Mistake("The config has no [operators], so letters about events wait for nobody.")
    with app.reading() as session:
        event = find_event(session, which)
        number, key = id_of(event), event.key
    if tell_what_waits(app, [number]):
        ask_for_approval(app, about_events.key_of(number), as_operator)
    else:
        remark("The letters about {event} wait for no approval.", event=key)


def take_back(context: typer.Context, which: Which) -> None:
    """Let the letters wait again that were approved some minutes ago."""
    app = app_of(context)
    operator = people.by_account(app.settings, account())
    with app.reading() as session:
        event = find_event(session, which)
        request, key = about_events.last_granted(session, id_of(event)), event.key
    state = book.take_back(app.approving, request, operator, now=app.now()) if request else None
    if state is None or state.outcome is not Outcome.TAKEN_BACK:
        raise Mistake("Nothing about {event} was approved that can still be taken back.", event=key)
    remark("The letters about {event} wait again: `utskick events approve {event}` asks anew.", event=key)


def tell_what_waits(app: App, numbers: Collection[int]) -> bool:
    """Say to whom the letters about these events go that wait for another operator. Returns whether any do."""
    clearance = Clearance(app.approving, app.now())
    with app.reading() as session:
        waiting = clearance.waiting(session, numbers)
        for dossier, reach in waiting:
            words = about_events.words(session, app.approving, dossier, reach)
            remark(
                _CALLED_OFF if dossier.cancelled else _WAIT,
                event=dossier.key,
                number=dossier.id,
                people=reach.members,
                audience=words[speaking.get()],
            )
    return bool(waiting)
