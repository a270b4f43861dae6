"""Our DKIM signature on what a provider carries, made while the letters before are on their way.

RSA takes longer than all else that is done for a letter. `cryptography` lets other threads run meanwhile, so a thread
or two do it for the next letters, and the event loop finds them ready. The rest of a signature is written where the
letter is: one that is composed here, hashed there and sent here goes from processor to processor.
"""

import importlib
import os
from collections import deque
from collections.abc import Callable, Sequence
from concurrent.futures import Executor, Future, ThreadPoolExecutor
from functools import partial
from itertools import islice
from typing import NamedTuple

from mailer.message import Message
from mailer.message.dkim import Draft, Signer
from mailer.providers import Desk, Outcome, Outgoing, Provider

# One or two workers run for each core (docs/scaling.md), so one for two cores is plenty; four sign more than one event
# loop sends. Each more contends with the loop for the interpreter.
THREADS = max(1, min(4, len(os.sched_getaffinity(0)) // 2))
GROUP = 16  # letters that a thread signs at a stretch: what it costs to wake one and to hear of it is shared by these
AHEAD = 2 * GROUP * THREADS  # letters: enough to keep the threads at work, few to take back when a mailing is stopped

Write = Callable[[bytes], Draft]
_Signature = bytes | Exception


def signed(name: str, provider: Provider, signer: Signer) -> Provider:
    """Return `provider` with our signature on its letters, as far as its file wants one.

    SIGNS_ITSELF = True     in the file of a provider that signs with the sender's own domain
    REWRITES = frozenset({"date"})  in the file of one that writes these fields anew; lower case
    """
    module = importlib.import_module(f"mailer.providers.{name}")
    if getattr(module, "SIGNS_ITSELF", False):
        return provider
    rewritten = frozenset(field.encode("ascii") for field in getattr(module, "REWRITES", ()))
    return Signing(provider, partial(signer.draft, leave_out=rewritten))


class Signing:
    """Carries by another provider, with the signatures that `write` drafts (mailer.providers.Provider)."""

    def __init__(self, provider: Provider, write: Write) -> None:
        self._provider = provider
        self._write = write

    async def carry(self, desk: Desk) -> None:
        """As the provider's own."""
        with ThreadPoolExecutor(THREADS, "dkim") as pool:
            ahead = _Ahead(desk, self._write, pool)
            try:
                await self._provider.carry(ahead)
            finally:
                ahead.give_back_rest()

    async def close(self) -> None:
        """As the provider's own."""
        await self._provider.close()


class _Unwritable(NamedTuple):
    """Stands for a draft, and raises what went wrong for the one letter it is about, in its turn."""

    error: Exception

    def signature(self) -> bytes:
        raise self.error

    def signed(self, _: bytes) -> bytes:
        raise self.error


_Draft = Draft | _Unwritable


class _Ahead:
    """The desk, a few letters ahead: those wait here, signed or being signed (mailer.providers.Desk)."""

    def __init__(self, desk: Desk, write: Write, pool: Executor) -> None:
        self._desk = desk
        self._write = write
        self._pool = pool
        self._waiting: deque[tuple[Outgoing, _Draft]] = deque()
        self._signatures: deque[_Signature] = deque()  # of the first of these
        self._signing: deque[Future[list[_Signature]]] = deque()  # of the others, in groups

    def take(self) -> Outgoing | None:
        """Hand over the next letter, signed; waits for its group when the threads are behind."""
        if len(self._waiting) <= AHEAD - GROUP:
            self._take_ahead()
        if not self._waiting:
            return None
        if not self._signatures:
            self._signatures.extend(self._signing.popleft().result())
        (ticket, key, message), draft = self._waiting[0]
        signature = self._signatures[0]
        if isinstance(signature, Exception):
            raise signature
        self._waiting.popleft()
        self._signatures.popleft()
        field = (draft.signed(signature),) if signature else ()
        return Outgoing(ticket, key, Message(message.sender, message.recipient, *field, *message.parts))

    def _take_ahead(self) -> None:
        while len(self._waiting) <= AHEAD - GROUP:
            outgoings = islice(iter(self._desk.take, None), GROUP)
            group = [(outgoing, self._draft(outgoing)) for outgoing in outgoings]  # at once: it was composed just now
            if not group:
                return
            self._waiting += group
            self._signing.append(self._pool.submit(_sign_each, [draft for _, draft in group]))

    def _draft(self, outgoing: Outgoing) -> _Draft:
        try:
            return self._write(outgoing.message.content)
        except Exception as error:  # noqa: BLE001  raised in its turn
            return _Unwritable(error)

    def start(self, outgoings: Sequence[Outgoing]) -> list[Outgoing]:
        return self._desk.start(outgoings)

    def settle(self, outgoing: Outgoing, outcome: Outcome) -> None:
        self._desk.settle(outgoing, outcome)

    def give_back(self, outgoing: Outgoing) -> None:
        self._desk.give_back(outgoing)

    def give_back_rest(self) -> None:
        """Return what was taken ahead of its turn, in the order it was taken in."""
        while self._waiting:
            outgoing, _ = self._waiting.pop()
            self._desk.give_back(outgoing)


def _sign_each(drafts: Sequence[_Draft]) -> list[_Signature]:
    return [_signature(draft) for draft in drafts]


def _signature(draft: _Draft) -> _Signature:
    try:
        return draft.signature()
    except Exception as error:  # noqa: BLE001  raised in its turn
        return error
