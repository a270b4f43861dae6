"""Who carries a mail. One file per provider; its name is the name in config.toml.

A provider file has a frozen pydantic `Settings` (its [providers.NAME] table) and a function
`open_provider(settings: Settings, *, data: Path) -> Provider`.
"""

from dataclasses import dataclass
from typing import Protocol

from mailer.errors import SendError
from mailer.message import Message


@dataclass(frozen=True, slots=True)
class Receipt:
    """Proof of acceptance: what the provider calls the mail, or the server's answer."""

    answer: str


@dataclass(frozen=True, slots=True)
class Outgoing:
    """A message on its way. `ticket` is the outbox's own number for it, `key` is stable over retries."""

    ticket: int
    key: str
    message: Message


Outcome = Receipt | SendError


class Desk(Protocol):
    """What a provider may ask of the outbox. All calls are quick and come from the event loop's thread."""

    def take(self) -> Outgoing | None:
        """Hand over the next message, or None when there is nothing (more) to send now."""

    def start(self, outgoing: Outgoing) -> bool:
        """Ask leave for the irrevocable line. False: withdraw, nothing of the body may be completed."""

    def settle(self, outgoing: Outgoing, outcome: Outcome) -> None:
        """Report what became of a message that was started, or refused before."""

    def give_back(self, outgoing: Outgoing) -> None:
        """Return a message that was taken but never started."""


class Provider(Protocol):
    """Carries messages from a desk until it is dry. Keeps its connections for the next call."""

    async def carry(self, desk: Desk) -> None:
        """Send all that `desk` hands over; every taken message is settled or given back before it returns.

        raises  ProviderDown when nothing can be sent at all; what was taken has been given back
        """

    async def close(self) -> None:
        """Take leave of the server."""
