"""Fetching politely and safely: conditional requests, time-outs, and limits on size, time and redirects."""

import socket
import threading
import zlib
from collections.abc import Callable, Collection, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import httpx

from mailer.news.guard import GuardedTransport, Resolve, resolve
from mailer.news.parsed import BrokenSource, Validators, without_password

MAX_BYTES = 5 * 1024 * 1024  # of a feed or page, unpacked
MAX_REDIRECTS = 5
MAX_SECONDS = 60  # for a whole answer with its redirects, so that a slow drip cannot hold the clock
_LONGEST_VALIDATOR = 500  # characters; one that is longer is not stored, and the source is asked unconditionally
_TIMEOUT = httpx.Timeout(15, connect=10)
# A connection is kept under the IP address that was judged: another name behind that address would be spoken to over
# it without its certificate ever being looked at.
_NO_REUSE = httpx.Limits(max_keepalive_connections=0)
_AGENT = "Utskick/0.1 (newsletter; fetches its configured sources)"
_ACCEPT = (
    "application/rss+xml, application/atom+xml, application/feed+json, text/html;q=0.8, text/plain;q=0.7, */*;q=0.5"
)


Trace = Callable[[str, Mapping[str, Any]], None]  # what httpcore calls for each step of a request


NOTHING_SAID = Validators()


@dataclass(frozen=True, slots=True)
class Answer:
    """An answer in full. `content` None: nothing changed since (304). `url` is where it was found in the end."""

    url: str
    content: bytes | None
    charset: str | None
    validators: Validators


class Web:
    """The only door to other people's servers; one per process. Close it after use."""

    def __init__(
        self,
        *,
        allow_hosts: Collection[str] = (),
        resolve: Resolve = resolve,
        inner: httpx.BaseTransport | None = None,
    ) -> None:
        guarded = GuardedTransport(
            inner or httpx.HTTPTransport(trust_env=False, limits=_NO_REUSE), allow_hosts=allow_hosts, resolve=resolve
        )
        self._client = httpx.Client(
            transport=guarded,
            trust_env=False,  # a proxy from the environment would connect in our place, past the guard
            follow_redirects=True,
            max_redirects=MAX_REDIRECTS,
            timeout=_TIMEOUT,
            headers={"User-Agent": _AGENT, "Accept": _ACCEPT, "Accept-Encoding": "gzip"},
        )

    def close(self) -> None:
        self._client.close()

    def fetch(
        self,
        url: str,
        validators: Validators = NOTHING_SAID,
        *,
        max_bytes: int = MAX_BYTES,
        max_seconds: float = MAX_SECONDS,
    ) -> Answer:
        """Get `url`, or learn that it has not changed since `validators`.

        raises  BrokenSource with a sentence, ForbiddenAddress for a private host
        """
        shown = without_password(url)
        try:
            with _hour_glass(max_seconds) as trace:
                return self._answer(url, validators, max_bytes, trace)
        except httpx.TooManyRedirects:
            raise BrokenSource("{url} redirects more than {limit} times.", url=shown, limit=MAX_REDIRECTS) from None
        except httpx.TimeoutException:
            raise BrokenSource("{url} did not answer in time.", url=shown) from None
        except (httpx.HTTPError, httpx.InvalidURL, UnicodeError, zlib.error) as error:
            raise BrokenSource("{url} cannot be fetched: {reason}.", url=shown, reason=_plain(error)) from error

    def _answer(self, url: str, validators: Validators, max_bytes: int, trace: Trace) -> Answer:
        asked = {"If-None-Match": validators.etag, "If-Modified-Since": validators.last_modified}
        headers = {name: value for name, value in asked.items() if value}
        with self._client.stream("GET", url, headers=headers, extensions={"trace": trace}) as response:
            return _read(response, validators, max_bytes)


@contextmanager
def _hour_glass(seconds: float) -> Iterator[Trace]:
    """Hang up when `seconds` are over. A time-out of the socket counts anew with every byte that comes.

    yields  what to hand to httpcore: it shows us the connection as soon as there is one
    """
    streams: list[Any] = []
    over = threading.Event()

    def run_out() -> None:
        over.set()
        for stream in streams[-1:]:
            _hang_up(stream.get_extra_info("socket"))

    def trace(step: str, info: Mapping[str, Any]) -> None:
        if step.endswith(("connect_tcp.complete", "start_tls.complete")):
            streams.append(info["return_value"])
        if over.is_set() and step.endswith(".started"):
            raise httpx.ReadTimeout("the time of the whole answer is over")

    timer = threading.Timer(seconds, run_out)
    timer.daemon = True
    timer.start()
    try:
        yield trace
    except httpx.TransportError as error:
        if over.is_set():
            raise httpx.ReadTimeout("the time of the whole answer is over") from error
        raise
    finally:
        timer.cancel()


def _hang_up(connection: socket.socket) -> None:
    try:
        socket.socket.shutdown(connection, socket.SHUT_RDWR)  # wakes whoever reads; TLS has its own, which does not
    except OSError:
        return  # it was gone already


def _read(response: httpx.Response, validators: Validators, max_bytes: int) -> Answer:
    url = without_password(str(response.url))
    if response.status_code == httpx.codes.NOT_MODIFIED:
        return Answer(url, None, None, validators)
    if not response.is_success:
        raise BrokenSource("{url} answers {status}.", url=url, status=response.status_code)
    said = Validators(_validator(response, "ETag"), _validator(response, "Last-Modified"))
    body = b"".join(_pieces(response, url, max_bytes))
    return Answer(url, body, response.charset_encoding, said)


def _validator(response: httpx.Response, name: str) -> str | None:
    said = response.headers.get(name)
    return said if said and len(said) <= _LONGEST_VALIDATOR and said.isascii() and said.isprintable() else None


def _pieces(response: httpx.Response, url: str, max_bytes: int) -> Iterator[bytes]:
    """Unpack by ourselves, never more than is left to `max_bytes`.

    httpx unpacks whole chunks: packed twice, half a kilobyte is hundreds of megabytes before anybody can count them.
    """
    packing = response.headers.get("Content-Encoding", "identity").strip().lower()
    if packing not in {"identity", "gzip", "x-gzip"}:
        raise BrokenSource("{url} is packed in a way that was not asked for.", url=url)
    inflate = zlib.decompressobj(zlib.MAX_WBITS | 16) if packing != "identity" else None  # 16: with gzip's frame
    left = max_bytes
    for chunk in response.iter_raw():
        piece = inflate.decompress(chunk, left + 1) if inflate else chunk
        left -= len(piece)
        if left < 0:
            raise BrokenSource("{url} is larger than {limit} bytes.", url=url, limit=max_bytes)
        yield piece


def _plain(error: Exception) -> str:
    """Return its words in one line, without what a server may have put into them to play with a terminal."""
    words = " ".join(str(error).split())[:200].rstrip(".")
    return without_password("".join(filter(str.isprintable, words))) or type(error).__name__
