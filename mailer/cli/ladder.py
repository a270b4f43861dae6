"""utskick events ladder: which letters about an event went, and which will."""

from dataclasses import asdict
from typing import Annotated

import typer

from mailer.cli.frame import Json, account, app_of, moment_in, print_json, remark, say
from mailer.errors import Mistake
from mailer.i18n import _
from mailer.sentences import N_

_STATES = {
    "to come": N_("to come"),
    "skipped": N_("is not sent"),
    "approved": N_("is being planned"),
    "planned": N_("is being sent"),
    "paused": N_("paused"),
    "held": N_("held"),
    "done": N_("sent"),
    "cancelled": N_("ended"),
}
_LEFT_OUT = {
    "said no": N_("not to: who said no"),
    "did not say yes": N_("not to: who did not say yes"),
    "said yes": N_("not to: who has said yes already"),
    "told already": N_("not to: whom a digest or another letter told just before"),
    "enough letters": N_("not to: who has had enough letters this week"),
    "joined since": N_("not to: who joined since"),
}

Which = Annotated[str, typer.Argument(metavar="EVENT", help="The event's number or key, as `events list` shows it.")]
Send = Annotated[str | None, typer.Option(metavar="STEP", help="Send this step now, before its time.")]


def ladder(context: typer.Context, which: Which, send: Send = None, json: Json = False) -> None:
    """Show which letters about an event went when to how many, and which will."""
    from mailer.cli.event_letters import tell_what_waits  # noqa: PLC0415  # slow to load
    from mailer.events import book  # noqa: PLC0415  # as above
    from mailer.events.rows import details_of  # noqa: PLC0415  # as above
    from mailer.operators.about_events import Clearance  # noqa: PLC0415  # as above
    from mailer.operators.reach import require_reach  # noqa: PLC0415  # as above
    from mailer.reminders import keeping, listing  # noqa: PLC0415  # as above

    app = app_of(context)
    if not app.settings.events.publication:
        raise Mistake("No letters about events go: name a publication in [events] of the config.")
    planner, zone = Clearance(app.approving, app.now()).planner, app.settings.site.zone
    with app.reading() as session:
        found = book.find_event(session, which)
        event = found.id or 0
        if send:
            require_reach(session, app.settings, account(), [details_of(session, found).districts])
    if send:
        planned = keeping.send_now(planner, event, send)
        remark("{key} goes to {count} members.", key=planned.key, count=planned.candidates)
        return
    with app.reading() as session:
        rungs = listing.ladder(session, planner, event, app.digests_about)
    if json:
        print_json([asdict(rung) for rung in rungs], zone=zone)
        return
    for rung in rungs:
        say(f"{moment_in(zone, rung.at):<16}  {rung.step:<22}  {rung.members:>7}  {_(_STATES[rung.state])}")
        for why, members in rung.left_out.items():
            say(f"{'':>42}{members:>7}  {_(_LEFT_OUT[why])}")
    tell_what_waits(app, [event])
