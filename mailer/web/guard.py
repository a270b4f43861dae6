"""Around every answer: headers that forbid, a log line that names nobody, and a plain page when something breaks."""

import re
import time
import traceback
from collections.abc import Mapping, Sequence

import structlog
from starlette.responses import PlainTextResponse
from starlette.types import ASGIApp, Message, Receive, Scope, Send

log = structlog.get_logger()

# What an answer says for itself goes before these; pictures and the style sheet may be kept, pages may not.
HEADERS: Mapping[str, str] = {
    "Content-Security-Policy": (
        "default-src 'none'; style-src 'self'; img-src 'self'; form-action 'self'; base-uri 'none';"
        " frame-ancestors 'none'"
    ),
    "Referrer-Policy": "no-referrer",
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    "X-Robots-Tag": "noindex, nofollow",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Cache-Control": "no-store",
}
_SECRET = re.compile(r"^/([upmabcvrloj]|join|archive)/.*", re.DOTALL)  # anybody may write anything behind the last two
_TOKEN = re.compile(r"^/[upmabcvrloj]/")
_KNOWN = re.compile(
    r"/|/archive|/progress|/healthz|/readyz|/metrics|/static/(pages\.css|icon\.svg)|/n/\d{1,18}|/i/[\w.-]{1,80}"
    r"|/hooks/[a-z]{1,20}|/e/\d{1,18}(\.ics)?|/calendar(/[a-z0-9-]{1,64})?\.ics"
)
_NOWHERE = "/u/"  # no page has it

_Fields = Sequence[tuple[bytes, bytes]]


def _as_sent(headers: Mapping[str, str]) -> _Fields:
    return [(name.lower().encode(), value.encode()) for name, value in headers.items()]


_AS_SENT = _as_sent(HEADERS)


def masked(path: str) -> str:
    """Return `path` without what it should not tell a log: tokens, and anything a stranger made up."""
    if secret := _SECRET.match(path):
        return f"/{secret[1]}/…"
    return path if _KNOWN.fullmatch(path) else "other"


class Guard:
    """The outermost layer. Keeps an unforeseen error from the person, and its values from the log."""

    def __init__(self, app: ASGIApp, framed_by: Sequence[str] = ()) -> None:
        """framed_by: origins whose pages may show those of signing up in a frame."""
        self.app = app
        self._framed = _as_sent(_framed(framed_by)) if framed_by else _AS_SENT

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        asked, method, begun, status = masked(scope["path"]), scope["method"], time.perf_counter(), 0
        if not _is_plainly_spelt(scope):
            scope = {**scope, "path": _NOWHERE}
        if method == "HEAD":
            scope = {**scope, "method": "GET"}  # it is answered as GET is, RFC 9110 §9.3.2

        async def guarded(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
                said = {name for name, _ in message["headers"]}
                ours = self._framed if asked == "/join/…" else _AS_SENT
                message["headers"] = [*message["headers"], *(field for field in ours if field[0] not in said)]
            elif method == "HEAD":
                message = {**message, "body": b""}
            await send(message)

        try:
            await self.app(scope, receive, guarded)
        except Exception as error:  # noqa: BLE001  # the last door: whatever it is, the person sees a sentence
            log.error("page broke", path=asked, error=type(error).__name__, where=_frames(error))  # noqa: TRY400  # its message may quote a person
            if not status:
                await _APOLOGY(scope, receive, guarded)
        log.info("page", method=method, path=asked, status=status, ms=_milliseconds(begun))


def _is_plainly_spelt(scope: Scope) -> bool:
    """Whether a path with a token came as our links have it: what is percent-encoded is decoded before it is read."""
    path: str = scope["path"]
    return not _TOKEN.match(path) or scope.get("raw_path", path.encode()) == path.encode()


def _framed(origins: Sequence[str]) -> Mapping[str, str]:
    """Return HEADERS for a page that `origins` may frame; X-Frame-Options knows no list, so it is left out."""
    policy = HEADERS["Content-Security-Policy"].replace(
        "frame-ancestors 'none'", f"frame-ancestors {' '.join(origins)}"
    )
    kept = {name: value for name, value in HEADERS.items() if name != "X-Frame-Options"}
    return kept | {"Content-Security-Policy": policy}


_APOLOGY = PlainTextResponse(
    "Något gick fel hos oss. Försök igen om en stund.\nSomething went wrong here. Please try again in a while.\n",
    status_code=500,
)


def _frames(error: Exception) -> list[str]:
    """Return where it broke, without the message: a database error quotes the values it was given."""
    return [f"{frame.filename}:{frame.lineno} {frame.name}" for frame in traceback.extract_tb(error.__traceback__)[-6:]]


def _milliseconds(begun: float) -> int:
    return round((time.perf_counter() - begun) * 1000)
