"""Who carries a mail. One file per provider; its name is the name in config.toml.

A provider file has a frozen pydantic `Settings` (its [providers.NAME] table) and a function
`open_provider(settings: Settings, *, data: Path) -> Provider`. How to write one: docs/adding-a-provider.md.
"""

import importlib
import pkgutil
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple, Protocol, runtime_checkable

from pydantic import ValidationError

from mailer.errors import Mistake, SendError, TryLater
from mailer.message import Message
from mailer.validation import first_fault


class Receipt(NamedTuple):
    """Proof of acceptance: what the provider calls the mail, or the server's answer."""

    answer: str


class Outgoing(NamedTuple):
    """A message on its way. `ticket` is the outbox's own number for it, `key` is stable over retries."""

    ticket: int
    key: str
    message: Message


Outcome = Receipt | SendError


class Desk(Protocol):
    """What a provider may ask of the outbox. All calls are quick and come from the event loop's thread."""

    def take(self) -> Outgoing | None:
        """Hand over the next message, or None when there is nothing (more) to send now."""

    def start(self, outgoings: Sequence[Outgoing]) -> list[Outgoing]:
        """Ask leave for the irrevocable lines of some; return those that may go.

        The others are withdrawn and given back: nothing of their bodies may be completed.
        """

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


@runtime_checkable
class Counted(Protocol):
    """A provider that has connections. `connections`: all workers on all hosts together have at most so many."""

    @property
    def connections(self) -> int: ...

    async def keep_to(self, number: int) -> None:
        """Have no more than `number` from now on; those beyond are closed when this returns.

        Nothing is being carried meanwhile.
        """


class LetterDesk:
    """A desk with a few letters on it that belong to no mailing: proofs, notices to the people in charge."""

    def __init__(self, messages: Sequence[Message]) -> None:
        self._waiting = [Outgoing(ticket, f"letter-{ticket}", message) for ticket, message in enumerate(messages)]
        self.outcomes: dict[int, Outcome] = {}

    def take(self) -> Outgoing | None:
        return self._waiting.pop(0) if self._waiting else None

    def start(self, outgoings: Sequence[Outgoing]) -> list[Outgoing]:
        return list(outgoings)

    def settle(self, outgoing: Outgoing, outcome: Outcome) -> None:
        self.outcomes[outgoing.ticket] = outcome

    def give_back(self, outgoing: Outgoing) -> None:
        self.outcomes[outgoing.ticket] = TryLater("the connection was closed before this letter's turn")


def provider_names() -> tuple[str, ...]:
    """Return the names that config.toml may use: the files of this folder that can open a provider."""
    names = (module.name for module in pkgutil.iter_modules(__path__))
    return tuple(name for name in names if hasattr(importlib.import_module(f"{__name__}.{name}"), "open_provider"))


def open_provider(name: str, table: Mapping[str, Any], *, data: Path) -> Provider:
    """Open the provider of file `name` with its [providers.NAME] table.

    raises  Mistake when there is no such provider or its settings are wrong
    """
    if name not in provider_names():
        known = ", ".join(provider_names())
        raise Mistake("There is no provider {name}; config.toml may name {known}.", name=name, known=known)
    module = importlib.import_module(f"{__name__}.{name}")
    try:
        settings = module.Settings.model_validate(table)
    except ValidationError as error:
        fault = first_fault(error)
        raise Mistake("[providers.{name}] {key}: {reason}.", name=name, key=fault.key, reason=fault.reason) from None
    provider: Provider = module.open_provider(settings, data=data)
    return provider
