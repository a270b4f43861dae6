"""Sending through an API whose answers take 50 ms: messages a second, and how near the server's limit that is.

The server runs on the loopback in a process of its own. Its limit is what a bare client reaches that sends the very
same requests over the same number of connections and looks at nothing.

    python -m benchmarks.api [--connections N] [--seconds N]
"""

import argparse
import asyncio
import json
import multiprocessing
import re
import resource
import tempfile
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from multiprocessing.connection import Connection
from pathlib import Path
from urllib.parse import urlsplit

from mailer.message import Message
from mailer.message.skeleton import alternative
from mailer.providers import Outcome, Outgoing, Receipt, open_provider
from mailer.providers.api import ApiProvider

DELAY = 0.05  # seconds
_LENGTH = re.compile(rb"content-length: (\d+)", re.IGNORECASE)
_HEAD = [
    b'From: "Exempelpartiet" <brev@nyhet.example.org>\r\nTo: <m@example.net>\r\nSubject: Veckans nyheter\r\n',
    b"Message-ID: <aJ3x@nyhet.example.org>\r\nList-Unsubscribe: <https://post.example.org/u/aBcDeFgHiJkLmNoPqRsTuVw>\r\n",
]
_PARAGRAPH = "Stadsdelsnämnden i Skärholmen bygger ut förskolan vid torget med fyra avdelningar. "
CONTENT = alternative(_HEAD, text=[_PARAGRAPH * 30], html=[f"<p>{_PARAGRAPH}</p>" * 250]).compose({})


@dataclass(frozen=True)
class Case:
    vendor: str
    settings: Mapping[str, object]
    answer: Callable[[int], object]  # what the server says to a request of so many messages
    message: bytes = b""  # stands once in each message of a request; empty where one goes at a time


def _postmark(count: int) -> object:
    return [{"ErrorCode": 0, "Message": "OK", "MessageID": str(n)} for n in range(count)]


CASES = (
    Case("mailgun", {"domain": "nyhet.example.org", "key": "k"}, lambda _: {"id": "1"}),
    Case("ses", {"key_id": "k", "key": "k"}, lambda _: {"MessageId": "1"}),
    Case("postal", {"key": "k"}, lambda _: {"status": "success", "data": {"message_id": "1"}}),
    Case("scaleway", {"project": "0" * 36, "key": "k"}, lambda _: {"emails": [{"id": "1"}]}),
    Case("brevo", {"key": "k"}, lambda count: {"messageIds": [str(n) for n in range(count)]}, b'"textContent"'),
    Case("postmark", {"token": "k"}, _postmark, b'"MessageStream"'),
    Case("resend", {"key": "k"}, lambda count: {"data": [{"id": str(n)} for n in range(count)]}, b'"subject"'),
)


class Server(asyncio.Protocol):
    """Answers each whole request after DELAY, whatever it says."""

    def __init__(self, case: Case) -> None:
        self._case = case
        self._have = bytearray()
        self._whole = 0  # octets of the request that is coming; 0: not known yet

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = transport

    def data_received(self, data: bytes) -> None:
        self._have += data
        if not self._whole and (end := self._have.find(b"\r\n\r\n")) >= 0:
            length = _LENGTH.search(self._have, 0, end)
            self._whole = end + 4 + (int(length[1]) if length else 0)
        if self._whole and len(self._have) >= self._whole:
            count = self._have.count(self._case.message, 0, self._whole) if self._case.message else 1
            del self._have[: self._whole]
            self._whole = 0
            body = json.dumps(self._case.answer(count)).encode()
            answer = b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n%s" % (len(body), body)
            asyncio.get_running_loop().call_later(DELAY, self._transport.write, answer)  # type: ignore[attr-defined]  # a socket's transport


def serve(place: int, port: Connection) -> None:
    async def run() -> None:
        server = await asyncio.get_running_loop().create_server(lambda: Server(CASES[place]), "127.0.0.1", 0)
        port.send(server.sockets[0].getsockname()[1])
        await server.serve_forever()

    asyncio.run(run())


@dataclass
class TimedDesk:
    """Hands out letters for so many seconds."""

    seconds: float
    sent: int = 0
    wrong: list[Outcome] = field(default_factory=list)
    until: float = 0.0
    taken: int = 0

    def take(self) -> Outgoing | None:
        now = time.monotonic()
        self.until = self.until or now + self.seconds
        if now >= self.until:
            return None
        self.taken += 1
        return Outgoing(self.taken, f"k{self.taken}", Message("b@studs.example.org", "m@example.net", CONTENT))

    def start(self, outgoings: Sequence[Outgoing]) -> list[Outgoing]:
        return list(outgoings)

    def settle(self, outgoing: Outgoing, outcome: Outcome) -> None:
        del outgoing
        self.sent += isinstance(outcome, Receipt)
        if not isinstance(outcome, Receipt):
            self.wrong.append(outcome)

    def give_back(self, outgoing: Outgoing) -> None:
        raise AssertionError(outgoing)


async def ours(case: Case, url: str, connections: int, seconds: float) -> tuple[float, float, int, bytes]:
    """Return messages a second, CPU microseconds a message, messages in a request, and a request as it went out."""
    settings = {**case.settings, "base_url": url, "connections": connections}
    provider = open_provider(case.vendor, settings, data=Path(tempfile.gettempdir()))
    if not isinstance(provider, ApiProvider):
        raise TypeError(case.vendor)
    await provider.carry(TimedDesk(0.3))  # connections stand, modules are loaded
    desk = TimedDesk(seconds)
    began, busy = time.monotonic(), _cpu()
    await provider.carry(desk)
    took, busy = time.monotonic() - began, _cpu() - busy
    await provider.close()
    if desk.wrong:
        raise RuntimeError(f"{case.vendor}: {desk.wrong[0]!r}")
    return desk.sent / took, busy / desk.sent * 1e6, provider.vendor.batch, _request(provider, url)


def _request(provider: ApiProvider, url: str) -> bytes:
    vendor = provider.vendor
    prepared = [vendor.prepare(Message("b@studs.example.org", "m@example.net", CONTENT)) for _ in range(vendor.batch)]
    request = vendor.request(prepared, key="k")
    parts = urlsplit(request.url)
    fields = "".join(f"{name}: {value}\r\n" for name, value in request.headers.items())
    head = f"POST {parts.path} HTTP/1.1\r\nHost: {urlsplit(url).netloc}\r\n{fields}Content-Length: {len(request.body)}"
    return head.encode() + b"\r\n\r\n" + request.body


async def bare(request: bytes, url: str, connections: int, seconds: float) -> float:
    """Return requests a second of a client that only writes and waits."""
    done = 0
    host, port = urlsplit(url).hostname, urlsplit(url).port
    until = time.monotonic() + seconds

    async def lane() -> None:
        nonlocal done
        reader, writer = await asyncio.open_connection(host, port)
        while time.monotonic() < until:
            writer.write(request)
            head = await reader.readuntil(b"\r\n\r\n")
            length = _LENGTH.search(head)
            await reader.readexactly(int(length[1]) if length else 0)
            done += 1
        writer.close()

    began = time.monotonic()
    await asyncio.gather(*(lane() for _ in range(connections)))
    return done / (time.monotonic() - began)


def _cpu() -> float:
    used = resource.getrusage(resource.RUSAGE_SELF)
    return used.ru_utime + used.ru_stime


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--connections", type=int, default=20)
    parser.add_argument("--seconds", type=float, default=3.0)
    args = parser.parse_args()
    print(f"{len(CONTENT):,} bytes a message, {args.connections} connections, {DELAY * 1000:.0f} ms an answer")
    print(f"{'':>9}  {'batch':>5}  {'messages/s':>10}  {'limit':>8}  {'ratio':>5}  {'CPU a message':>13}")
    for case in CASES:
        near, far = multiprocessing.Pipe()
        process = multiprocessing.Process(target=serve, args=(CASES.index(case), far), daemon=True)
        process.start()
        url = f"http://127.0.0.1:{near.recv()}"
        rate, cpu, batch, request = asyncio.run(ours(case, url, args.connections, args.seconds))
        limit = asyncio.run(bare(request, url, args.connections, args.seconds)) * batch
        process.terminate()
        process.join()
        print(
            f"{case.vendor:>9}  {batch:>5}  {rate:>10,.0f}  {limit:>8,.0f}  {rate / limit:>5.2f}  {cpu:>10,.0f} us",
            flush=True,
        )


if __name__ == "__main__":
    main()
