"""Our DKIM signature on what a provider carries, made while the letters before are on their way.

An RSA signature takes longer than all else that is done for a letter. `cryptography` lets other threads run meanwhile,
so a thread or two sign the next letters, and the event loop finds them ready.
"""

import importlib
import os
from collections import deque
from collections.abc import Callable, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from functools import partial
from itertools import islice

from mailer.message import Message
from mailer.message.dkim import Signer
from mailer.providers import Desk, Outcome, Outgoing, Provider

# One or two workers run for each core (docs/scaling.md), so one for two cores is plenty; four sign more than one event
# loop sends. Each more contends with the loop for the interpreter.
THREADS = max(1, min(4, len(os.sched_getaffinity(0)) // 2))
GROUP = 16  # letters that a thread signs at a stretch: what it costs to wake one and to hear of it is shared by these
AHEAD = 2 * GROUP * THREADS  # letters: enough to keep the threads at work, few to take back when a mailing is stopped

Sign = Callable[[bytes], bytes]
_Signed = Outgoing | Exception


def signed(name: str, provider: Provider, signer: Signer) -> Provider:
    """Return `provider` with our signature on its letters, as far as its file wants one.

    SIGNS_ITSELF = True     in the file of a provider that signs with the sender's own domain
    REWRITES = frozenset({"date"})  in the file of one that writes these fields anew; lower case
    """
    module = importlib.import_module(f"mailer.providers.{name}")
    if getattr(module, "SIGNS_ITSELF", False):
        return provider
    rewritten = frozenset(field.encode("ascii") for field in getattr(module, "REWRITES", ()))
    return Signing(provider, partial(signer.sign, leave_out=rewritten))


class Signing:
    """Carries by another provider what `sign` has signed (mailer.providers.Provider)."""

    def __init__(self, provider: Provider, sign: Sign) -> None:
        self._provider = provider
        self._sign = sign

    async def carry(self, desk: Desk) -> None:
        """As the provider's own."""
        with ThreadPoolExecutor(THREADS, "dkim") as pool:
            ahead = _Ahead(desk, lambda group: pool.submit(_sign_each, self._sign, group))
            try:
                await self._provider.carry(ahead)
            finally:
                ahead.give_back_rest()

    async def close(self) -> None:
        """As the provider's own."""
        await self._provider.close()


class _Ahead:
    """The desk, a few letters ahead: those wait here, signed or being signed (mailer.providers.Desk)."""

    def __init__(self, desk: Desk, sign: Callable[[list[Outgoing]], Future[list[_Signed]]]) -> None:
        self._desk = desk
        self._sign = sign
        self._waiting: deque[Outgoing] = deque()  # as they came from the desk
        self._signed: deque[_Signed] = deque()  # the first of these
        self._signing: deque[Future[list[_Signed]]] = deque()  # the others, in groups

    def take(self) -> Outgoing | None:
        """Hand over the next letter, signed; waits for its group when the threads are behind."""
        while len(self._waiting) <= AHEAD - GROUP and (group := list(islice(iter(self._desk.take, None), GROUP))):
            self._waiting.extend(group)
            self._signing.append(self._sign(group))
        if not self._waiting:
            return None
        if not self._signed:
            self._signed.extend(self._signing.popleft().result())
        signed = self._signed[0]
        if isinstance(signed, Exception):
            raise signed
        self._waiting.popleft()
        self._signed.popleft()
        return signed

    def start(self, outgoings: Sequence[Outgoing]) -> list[Outgoing]:
        return self._desk.start(outgoings)

    def settle(self, outgoing: Outgoing, outcome: Outcome) -> None:
        self._desk.settle(outgoing, outcome)

    def give_back(self, outgoing: Outgoing) -> None:
        self._desk.give_back(outgoing)

    def give_back_rest(self) -> None:
        """Return what was taken ahead of its turn, in the order it was taken in."""
        while self._waiting:
            self._desk.give_back(self._waiting.pop())


def _sign_each(sign: Sign, group: Sequence[Outgoing]) -> list[_Signed]:
    return [_signed_or_why_not(sign, outgoing) for outgoing in group]


def _signed_or_why_not(sign: Sign, outgoing: Outgoing) -> _Signed:
    ticket, key, (sender, recipient, content) = outgoing
    try:
        return Outgoing(ticket, key, Message(sender, recipient, sign(content)))
    except Exception as error:  # noqa: BLE001  raised for the one letter it is about, in its turn
        return error
