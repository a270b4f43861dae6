"""Fetching politely and safely: conditional requests, time-outs, and limits on size, time and redirects."""

import time
from collections.abc import Collection
from dataclasses import dataclass

import httpx

from mailer.news.guard import GuardedTransport, Resolve, resolve
from mailer.news.parsed import BrokenSource

MAX_BYTES = 5 * 1024 * 1024  # of a feed or page, unpacked
MAX_REDIRECTS = 5
MAX_SECONDS = 60  # for a whole answer, so that a slow drip cannot hold the clock
_TIMEOUT = httpx.Timeout(15, connect=10)
_AGENT = "Utskick/0.1 (newsletter; fetches its configured sources)"
_ACCEPT = (
    "application/rss+xml, application/atom+xml, application/feed+json, text/html;q=0.8, text/plain;q=0.7, */*;q=0.5"
)


@dataclass(frozen=True, slots=True)
class Validators:
    """What a source said about its last answer, to be told back to it (RFC 9110 §13)."""

    etag: str | None = None
    last_modified: str | None = None


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
            inner or httpx.HTTPTransport(trust_env=False), allow_hosts=allow_hosts, resolve=resolve
        )
        self._client = httpx.Client(
            transport=guarded,
            trust_env=False,  # a proxy from the environment would connect in our place, past the guard
            follow_redirects=True,
            max_redirects=MAX_REDIRECTS,
            timeout=_TIMEOUT,
            headers={"User-Agent": _AGENT, "Accept": _ACCEPT},
        )

    def close(self) -> None:
        self._client.close()

    def fetch(self, url: str, validators: Validators = NOTHING_SAID, *, max_bytes: int = MAX_BYTES) -> Answer:
        """Get `url`, or learn that it has not changed since `validators`.

        raises  BrokenSource with a sentence, ForbiddenAddress for a private host
        """
        asked = {"If-None-Match": validators.etag, "If-Modified-Since": validators.last_modified}
        try:
            headers = {name: value for name, value in asked.items() if value}
            with self._client.stream("GET", url, headers=headers) as response:
                return _read(response, validators, max_bytes)
        except httpx.TooManyRedirects:
            raise BrokenSource("{url} redirects more than {limit} times.", url=url, limit=MAX_REDIRECTS) from None
        except httpx.TimeoutException:
            raise BrokenSource("{url} did not answer in time.", url=url) from None
        except (httpx.HTTPError, httpx.InvalidURL, UnicodeError) as error:
            raise BrokenSource("{url} cannot be fetched: {reason}.", url=url, reason=_one_line(error)) from error


def _read(response: httpx.Response, validators: Validators, max_bytes: int) -> Answer:
    url = str(response.url)
    if response.status_code == httpx.codes.NOT_MODIFIED:
        return Answer(url, None, None, validators)
    if not response.is_success:
        raise BrokenSource("{url} answers {status}.", url=url, status=response.status_code)
    said = Validators(response.headers.get("ETag"), response.headers.get("Last-Modified"))
    return Answer(url, _body(response, max_bytes), response.charset_encoding, said)


def _body(response: httpx.Response, max_bytes: int) -> bytes:
    deadline = time.monotonic() + MAX_SECONDS
    chunks: list[bytes] = []
    size = 0
    for chunk in response.iter_bytes():
        size += len(chunk)
        if size > max_bytes:
            raise BrokenSource("{url} is larger than {limit} bytes.", url=str(response.url), limit=max_bytes)
        if time.monotonic() > deadline:
            raise BrokenSource("{url} did not answer in time.", url=str(response.url))
        chunks.append(chunk)
    return b"".join(chunks)


def _one_line(error: Exception) -> str:
    return " ".join(str(error).split())[:200].rstrip(".") or type(error).__name__
