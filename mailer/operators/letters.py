"""What operators are written: a link to approve by, and that something was approved and can be taken back."""

from collections.abc import Iterable
from datetime import datetime

from mailer import db
from mailer.campaigns.letter import Post
from mailer.i18n import translations
from mailer.links import Purpose
from mailer.message import Message
from mailer.message.note import write_note
from mailer.operators.book import State
from mailer.operators.models import Outcome
from mailer.operators.people import number_of, operators
from mailer.operators.rules import Operator
from mailer.sentences import N_, Word, filled

_ASKED = (
    N_("{asked_by} asks for approval of {key}, which goes to {people} members."),
    N_("Look at it and decide: {link}"),
    N_("The link is yours alone and good for a week: do not pass it on. Opening it changes nothing."),
)
_DUE = (
    N_("{key} is due, and goes to {people} members: it needs an operator's approval."),
    *_ASKED[1:],
)
_YOURSELF = (
    N_("Somebody said to be you and asked for approval of {key}, which goes to {people} members."),
    N_("If that was you, confirm it: {link}"),
    N_("If not, say no there, and tell whoever runs the site. Opening the link changes nothing."),
)
_GRANTED = (
    N_("{key}, which goes to {people} members, is approved by {signed}."),
    N_("Nothing leaves before {at}. Until then you can take it back: {link}"),
    N_("Was your part in it not yours? Take it back, and tell whoever runs the site."),
)


def letters(place: Post, state: State, *, now: datetime) -> list[Message]:
    """Return what has to be sent after a step of a request."""
    with db.reading(place.engine) as session:
        people = operators(session, place.settings)
    if state.outcome is Outcome.OPEN:
        awaited = [people[slug] for slug in sorted(state.awaited)]
        return [_letter(place, state, one, _asking(state, one), N_("Approve {key}?"), now) for one in awaited]
    if state.may_be_taken_back(now):
        signers = [people[one.operator] for one in state.signed if one.operator in people]
        return [_letter(place, state, one, _GRANTED, N_("Approved: {key}"), now) for one in signers]
    return []


def _asking(state: State, operator: Operator) -> tuple[Word, ...]:
    if not state.asked_by:
        return _DUE
    return _YOURSELF if not state.signed and state.asked_by == operator.name else _ASKED


def link_of(place: Post, state: State, operator: Operator) -> str:
    return place.links.act(Purpose.APPROVE, number_of(operator), state.number)


def _letter(place: Post, state: State, to: Operator, lines: Iterable[Word], subject: Word, now: datetime) -> Message:
    sender = place.settings.publications[place.settings.digest.publication]
    say = translations(to.language).gettext
    values = {
        "key": state.called,
        "people": state.people,
        "asked_by": state.asked_by,
        "signed": ", ".join(one.name for one in state.signed),
        "link": link_of(place, state, to),
        "at": f"{state.not_before.astimezone(place.settings.site.zone):%Y-%m-%d %H:%M}" if state.not_before else "",
    }
    mail = write_note(
        (sender.from_name, sender.from_address),
        to.address,
        language=to.language,
        subject=filled(subject, values, say),
        lines=[line for each in lines for line in (filled(each, values, say), "")],
        now=now,
    )
    return Message(sender.from_address, to.address, bytes(mail))
