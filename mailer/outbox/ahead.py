"""Composing ahead: while one batch is sent, all that the letters of the next one say is made ready in columns.

What is left for the event loop is one join a letter. Only letters to one person are made ready, and only where nothing
is wrong with any of their neighbours: the others are composed one by one in their turn, and fail alone.
"""

from collections.abc import Sequence
from itertools import groupby
from typing import NamedTuple

from mailer.message import Message
from mailer.message.headers import recipient as to_address
from mailer.message.skeleton import together
from mailer.outbox.compose import Composer, Shared
from mailer.outbox.manifest import FrozenContent, Letter, Occasion
from mailer.render.recipients import Readers
from subscribers.recipient import Recipient


class Ready(NamedTuple):
    """A letter that has only to be joined."""

    sender: str
    recipient: str
    frame: Sequence[bytes]
    own: Sequence[bytes]

    def message(self) -> Message:
        return Message(self.sender, self.recipient, *together(self.frame, self.own))


def compose_ahead(composer: Composer, occasion: Occasion, letters: Sequence[Letter]) -> list[Ready | None]:
    """Return the letters of a batch, None for each that must be composed in its turn. Milliseconds for each content."""
    ready: list[Ready | None] = []
    for content, run in groupby(letters, key=_kind):
        some = list(run)
        ready += [None] * len(some) if content is None else _alike(composer, occasion, content, some)
    return ready


def _kind(letter: Letter) -> FrozenContent | None:
    """Return the content, None for a household's letter and for one that nobody is left to get."""
    first = letter.held[0]
    alone = len(letter.held) == 1 and first.member == letter.addressee and first.recipient is not None
    return letter.content if alone else None


def _alike(
    composer: Composer, occasion: Occasion, content: FrozenContent, letters: Sequence[Letter]
) -> Sequence[Ready | None]:
    """Compose letters to one person each that share their content."""
    try:
        prepared, shared = composer.prepare(occasion, content, 1), composer.shared_by(occasion)
        people = [held.recipient for letter in letters for held in letter.held if held.recipient is not None]
        encoded = prepared.encode(_readers(composer, shared, content, people))
        senders = [_sender(composer, shared, person.member_id) for person in people]
        return [
            Ready(sender, _on_the_wire(person.address), encoded.frame, own)
            for sender, person, own in zip(senders, people, encoded.own, strict=True)
        ]
    except Exception:  # noqa: BLE001  whatever it is, the one it is about says so in their turn
        return [None] * len(letters)


def _readers(composer: Composer, shared: Shared, content: FrozenContent, people: Sequence[Recipient]) -> Readers:
    members = [person.member_id for person in people]
    links = composer.links.of_letters(members, shared.occasion.mailing, mailbox=shared.mailbox)
    return Readers(
        address=[person.address for person in people],
        name=[person.given_name for person in people],
        message_id=[f"{name}@{shared.domain}" for name in links.message_id],
        date=shared.occasion.started_at,
        unsubscribe=links.unsubscribe,
        preferences=links.preferences,
        mailto=links.by_mail,
        act=[composer.act(shared, member) for member in members] if shared.act else "",
        view_online=shared.page(content.variant),
    )


def _sender(composer: Composer, shared: Shared, member: int) -> str:
    return shared.sender or composer.links.envelope_sender(shared.bounces, member, shared.occasion.mailing)


def _on_the_wire(address: str) -> str:
    """Return the envelope's recipient. What is ASCII is right as it is: the letter's To has looked at it."""
    return address if address.isascii() else to_address("To", address).decode()
