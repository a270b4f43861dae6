"""What all e-mail APIs share: the life of one request. What differs is each provider's own file, a `Vendor`.

take        a message, and as many more as one request carries
prepare     the vendor's form of each; one that it cannot carry fails alone
connect     what goes wrong up to here harms nothing: all of it goes back
start       leave is asked when the connection stands and before the body is complete (mailer.providers.Desk)
answer      an outcome for each message; no answer, or none that can be understood, is `Unanswered`
"""

import asyncio
from abc import ABC, abstractmethod
from collections.abc import AsyncIterator, Coroutine, Hashable, Iterable, Sequence
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any

import httpx

from mailer.clock import Clock
from mailer.errors import AddressRefused, MessageRefused, ProviderDown, SendError, TryLater, Unanswered
from mailer.message import Message
from mailer.providers import Desk, Outcome, Outgoing
from mailer.providers.answers import Answer
from mailer.providers.smtp.crew import Crew

STOPPED = "We were stopped."
# A slow answer is waited for: giving up too soon makes uncertain what was taken.
_PATIENCE = httpx.Timeout(connect=30, write=60, read=120, pool=None)
_FOR_ONE = frozenset({400, 413, 422})  # what may be the fault of one message among many
_TRIES = 3  # of one request that a key makes safe to repeat
_LONGEST_PAUSE = 1.0  # seconds a lane waits when told that it was too fast; the rest is the back-off's business


@dataclass(frozen=True, slots=True)
class Abilities:
    """What a provider can do, and where the mail is then.

    raw_mime       our bytes arrive as they are; else our fields do, and the provider writes a mail of its own
    batch          the most messages that one request may carry
    repeat_within  how long a key keeps a repeated request from sending twice; None: they have no keys
    headers        which of our header fields arrive: "all", or what is lost
    data           where the provider keeps the mail
    """

    raw_mime: bool
    batch: int = 1
    repeat_within: timedelta | None = None
    headers: str = "all"
    data: str = ""


@dataclass(frozen=True, slots=True)
class Request:
    """A POST: everything but the moment."""

    url: str
    body: bytes
    headers: dict[str, str]


class Vendor(ABC):
    """One provider's own: form and meaning, without any network."""

    name: str
    abilities: Abilities
    batch: int = 1  # messages in one request, as config says; never more than its abilities allow

    @abstractmethod
    def prepare(self, message: Message) -> Any:
        """Return the provider's form of a message. raises SendError (never ProviderDown) when it cannot go that way."""

    def group(self, prepared: Any) -> Hashable:
        """Return what all messages of one request must share: nothing, unless a provider says otherwise."""
        del prepared
        return None

    @abstractmethod
    def request(self, prepared: Sequence[Any], *, key: str) -> Request:
        """Return the request that carries them. `key` is the same whenever the same messages are tried again."""

    @abstractmethod
    def outcomes(self, answer: Answer, count: int) -> Sequence[Outcome]:
        """Return what became of each of `count` messages. raises ProviderDown when nothing gets through."""


class _Withdrawn(Exception):
    """Some of a request may not be sent any more."""


class ApiProvider:
    """Carries mail through a vendor's API, one request at a time on each line (mailer.providers.Provider)."""

    def __init__(self, vendor: Vendor, lines: Sequence[httpx.AsyncClient], clock: Clock) -> None:
        self.vendor = vendor
        self._lines = lines
        self._most = len(lines)
        self._free: asyncio.Queue[httpx.AsyncClient] = asyncio.Queue()
        self._now = clock

    @property
    def connections(self) -> int:
        """At most so many requests at a time (mailer.providers.Counted)."""
        return len(self._lines)

    async def keep_to(self, number: int) -> None:
        """Make no more than `number` requests at a time from now on (mailer.providers.Counted.keep_to)."""
        self._most = number

    async def carry(self, desk: Desk) -> None:
        """Send all that `desk` hands over.

        raises  ProviderDown when nothing gets through, and whatever the desk raises
        """
        crew, lines = Crew(desk, self._most), self._lines[: self._most]
        self._free = asyncio.Queue()
        for line in lines:
            self._free.put_nowait(line)
        await _together(self._lane(crew) for _ in lines)
        if crew.failure is not None:
            raise crew.failure
        if crew.down is not None:
            raise crew.down

    async def close(self) -> None:
        for line in self._lines:
            await line.aclose()

    async def _lane(self, crew: Crew) -> None:
        try:
            while (first := await crew.next()) is not None:
                await self._send(crew, [first, *self._more(crew)])
        except Exception as error:  # noqa: BLE001  the desk's: `carry` raises it when every lane is home
            crew.crash(error)
        finally:
            crew.lane_ended()

    def _more(self, crew: Crew) -> list[Outgoing]:
        some: list[Outgoing] = []
        while len(some) < self.vendor.batch - 1 and (outgoing := crew.take()) is not None:
            some.append(outgoing)
        return some

    async def _send(self, crew: Crew, taken: Sequence[Outgoing]) -> None:
        loads = self._loads(crew, taken)
        try:
            await _together(self._deliver(load) for load in loads)
        finally:
            for load in loads:
                load.account_for(Unanswered(STOPPED))

    async def _deliver(self, load: "_Load") -> None:
        line = await self._free.get()
        try:
            await self._exhaust(load, line)
        finally:
            self._free.put_nowait(line)

    async def _exhaust(self, load: "_Load", line: httpx.AsyncClient) -> None:
        while load.left and not await self._try(load, line):
            pass

    def _loads(self, crew: Crew, taken: Sequence[Outgoing]) -> list["_Load"]:
        """Bring messages into the vendor's form and group them by request; those that cannot be are settled."""
        loads: dict[Hashable, _Load] = {}
        for outgoing in taken:
            try:
                prepared = self.vendor.prepare(outgoing.message)
            except SendError as refusal:
                crew.settle(outgoing, refusal)
            else:
                loads.setdefault(self.vendor.group(prepared), _Load(crew)).add(outgoing, prepared)
        return list(loads.values())

    async def _try(self, load: "_Load", line: httpx.AsyncClient) -> bool:
        """Make one request. False: some of it was withdrawn, and the rest has to go without."""
        request = self.vendor.request([load.prepared[it.ticket] for it in load.left], key=load.key)
        try:
            answer = await self._answer(request, load, line)
        except _Withdrawn:
            return False
        except ProviderDown as down:
            load.crew.stop(down)
            load.account_for(TryLater(down.detail))
        except SendError as silence:
            load.account_for(silence)
        else:
            await self._settle(load, answer, line)
        return True

    async def _settle(self, load: "_Load", answer: Answer, line: httpx.AsyncClient) -> None:
        try:
            outcomes = self.vendor.outcomes(answer, len(load.left))
        except ProviderDown as down:  # an answer that refuses everything: nothing of this request was taken
            load.crew.stop(down)
            later = TryLater(down.detail, code=down.code)
            load.account_for(_unknown(later) if load.in_doubt else later)
            return
        if len(outcomes) != len(load.left):
            load.account_for(Unanswered("The answer does not speak of every message."))
            return
        if len(outcomes) > 1 and _may_blame_one(answer, outcomes):
            await self._send_halves(load, line)
            return
        hurry = [it for it in outcomes if isinstance(it, TryLater)]
        load.settle([_unknown(it) if load.in_doubt and isinstance(it, TryLater) else it for it in outcomes])
        if hurry:
            await asyncio.sleep(min(_LONGEST_PAUSE, *(_seconds(it.retry_after) for it in hurry)))

    async def _send_halves(self, load: "_Load", line: httpx.AsyncClient) -> None:
        halves = load.halves()
        try:
            for half in halves:
                await self._exhaust(half, line)
        finally:
            for half in halves:
                half.account_for(Unanswered(STOPPED))

    async def _answer(self, request: Request, load: "_Load", line: httpx.AsyncClient) -> Answer:
        """Return the answer. raises ProviderDown before anything was started, Unanswered after."""
        tries = _TRIES if self.vendor.abilities.repeat_within else 1
        for left in range(tries - 1, -1, -1):
            try:
                reply = await line.post(request.url, content=_body(request, load), headers=_headers(request))
            except (httpx.ConnectError, httpx.ConnectTimeout, httpx.PoolTimeout) as error:
                if load.started:
                    raise Unanswered(_words(error)) from None
                raise ProviderDown(
                    "{name} cannot be reached ({reason}): check providers.{name}.base_url and the network.",
                    name=self.vendor.name,
                    reason=_words(error),
                ) from None
            except httpx.TransportError as error:
                if not left:
                    raise Unanswered(_words(error)) from None
            else:
                if not left or not Answer.is_unclear(reply.status_code):
                    return Answer.of(reply, now=self._now())
            load.in_doubt = True
        raise AssertionError  # the last try returns or raises


@dataclass(slots=True)
class _Load:
    """The messages of one request, each accounted for exactly once.

    in_doubt  it was made before, without a clear answer: that a repeat was not taken says nothing of the first
    """

    crew: Crew
    left: list[Outgoing] = field(default_factory=list)
    prepared: dict[int, Any] = field(default_factory=dict)
    started: set[int] = field(default_factory=set)
    in_doubt: bool = False

    def add(self, outgoing: Outgoing, prepared: Any) -> None:
        self.left.append(outgoing)
        self.prepared[outgoing.ticket] = prepared

    @property
    def key(self) -> str:
        """The same for the same messages in the same order."""
        return "/".join(outgoing.key for outgoing in self.left)

    def start(self) -> None:
        """Ask leave for all. raises _Withdrawn when one may not go; the others keep theirs."""
        asking = [it for it in self.left if it.ticket not in self.started]
        self.started |= {it.ticket for it in self.crew.desk.start(asking)}
        refused = [it for it in asking if it.ticket not in self.started]
        for outgoing in refused:
            self.left.remove(outgoing)
            self.crew.give_back(outgoing)
        if refused:
            raise _Withdrawn

    def halves(self) -> list["_Load"]:
        """Return two loads that have taken over all that is left."""
        taken, self.left = self.left, []
        middle = len(taken) // 2
        return [_Load(self.crew, part, self.prepared, self.started) for part in (taken[:middle], taken[middle:])]

    def settle(self, outcomes: Sequence[Outcome]) -> None:
        taken, self.left = self.left, []
        for outgoing, outcome in zip(taken, outcomes, strict=True):
            self.crew.settle(outgoing, outcome)

    def account_for(self, outcome: SendError) -> None:
        """Settle what was started; what was not goes back."""
        taken, self.left = self.left, []
        for outgoing in taken:
            if outgoing.ticket in self.started:
                self.crew.settle(outgoing, outcome)
            else:
                self.crew.give_back(outgoing)


async def _together(ways: Iterable[Coroutine[Any, Any, None]]) -> None:
    """Run them beside each other. When one fails, or we are stopped, the others end too before this raises.

    A request that went on would carry what its load has given back.
    """
    tasks = [asyncio.create_task(way) for way in ways]
    try:
        await asyncio.gather(*tasks)
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)


async def _body(request: Request, load: _Load) -> AsyncIterator[bytes]:
    """Yield the body once leave was given: httpx asks for it when the connection stands and the header is out."""
    load.start()
    yield request.body


def _headers(request: Request) -> dict[str, str]:
    return {**request.headers, "Content-Length": str(len(request.body))}


def _may_blame_one(answer: Answer, outcomes: Sequence[Outcome]) -> bool:
    """Whether a request may be refused for one of its messages, or for their sum: then it goes again in halves."""
    return answer.status in _FOR_ONE and all(isinstance(it, (AddressRefused, MessageRefused)) for it in outcomes)


def _unknown(later: TryLater) -> Unanswered:
    return Unanswered(later.detail, code=later.code)


def _seconds(span: timedelta | None) -> float:
    return _LONGEST_PAUSE if span is None else span.total_seconds()


def _words(error: httpx.TransportError) -> str:
    return str(error) or type(error).__name__


def open_api(vendor: Vendor, *, connections: int, clock: Clock) -> ApiProvider:
    """Return a provider for `vendor`. Nothing is connected yet; proxies of the environment are not used."""
    # A client for each connection: the library's pool looks at every connection again and again for each request.
    context = httpx.create_ssl_context(trust_env=False)
    lines = [
        httpx.AsyncClient(
            limits=httpx.Limits(max_connections=1, max_keepalive_connections=1),
            timeout=_PATIENCE,
            trust_env=False,
            verify=context,
            follow_redirects=False,  # members' data goes to the host that config names, and to no other
        )
        for _ in range(connections)
    ]
    return ApiProvider(vendor, lines, clock)
