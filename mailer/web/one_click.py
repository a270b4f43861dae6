"""The mail programs' POST, taken before the framework: after a mail-out it is nearly all that comes, hundreds a second.

Only what is exactly that POST, with a token of ours, is answered here. Whatever is anything else, or cannot be done, is
handed on as it came: the framework then says what is wrong with it, in the one way that there is.
"""

import asyncio
from functools import partial

from starlette.responses import PlainTextResponse
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from mailer.errors import UtskickError
from mailer.links import Claim, Purpose
from mailer.web.forms import SECONDS
from mailer.web.house import House
from mailer.web.leaving import leave_together, left_by_one_click
from subscribers.errors import Locked

BODY = b"List-Unsubscribe=One-Click"  # RFC 8058 §3.2
_LENGTH = (b"content-length", str(len(BODY)).encode())
_TYPE = (b"content-type", b"application/x-www-form-urlencoded")
_PATH = "/u/"


class OneClick:
    """Stands inside the Guard, which adds the headers and the log line."""

    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if not _may_be_one(scope):
            await self.app(scope, receive, send)
            return
        house: House = scope["app"].state.house
        claim = house.app.links.tokens.read(scope["path"].removeprefix(_PATH), Purpose.UNSUBSCRIBE)
        heard: list[Message] = []
        if claim and await _says_so(receive, heard) and (answer := await _leave(house, claim)):
            await answer(scope, receive, send)
        else:
            await self.app(scope, _again(heard, receive), send)


def _may_be_one(scope: Scope) -> bool:
    if scope["type"] != "http" or scope["method"] != "POST" or not scope["path"].startswith(_PATH):
        return False
    headers = scope["headers"]
    return _LENGTH in headers and _TYPE in headers


async def _says_so(receive: Receive, heard: list[Message]) -> bool:
    """Read one message into `heard`; one that comes in pieces, or too late, is for the framework to wait for."""
    try:
        async with asyncio.timeout(SECONDS):
            heard.append(await receive())
    except TimeoutError:
        return False
    return heard[0].get("body") == BODY and not heard[0].get("more_body")


async def _leave(house: House, claim: Claim) -> PlainTextResponse | None:
    try:
        language = await house.leaving.ask(claim, partial(leave_together, house))
    except (UtskickError, Locked):
        return None
    return left_by_one_click(language) if language else None


def _again(heard: list[Message], receive: Receive) -> Receive:
    """Return a `receive` that tells first what was heard."""

    async def told() -> Message:
        return heard.pop(0) if heard else await receive()

    return told
