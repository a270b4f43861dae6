"""POST /hooks/PROVIDER: bounces and complaints as a provider tells them. What follows is mailer.feedback's business."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Annotated

import httpx
import structlog
from fastapi import APIRouter, Depends, Request, Response
from starlette.exceptions import HTTPException

from mailer.config.outbox import ProviderTable
from mailer.db import outlive_power_cuts
from mailer.feedback import told
from mailer.feedback.hooks import open_hook
from mailer.feedback.hooks.calls import Call, Fetch, Forged, Heard, Hook, Unreachable, Unreadable
from mailer.web.forms import SECONDS, read_body
from mailer.web.house import Here, House
from mailer.web.limits import Act

router = APIRouter()
log = structlog.get_logger()

_MOST_FETCHED = 64 * 1024  # a certificate, or a few lines of XML
_PATIENCE = 10.0  # seconds


def fetch(url: str) -> bytes:
    """Return what lies at an address that a hook has checked. raises Unreachable; no redirect is followed."""
    found = bytearray()
    try:
        with httpx.Client(trust_env=False, timeout=_PATIENCE) as client, client.stream("GET", url) as answer:
            if not answer.is_success:
                raise Unreachable(f"status {answer.status_code}")
            for chunk in answer.iter_bytes():
                found += chunk
                if len(found) > _MOST_FETCHED:
                    raise Unreachable("too long")
    except httpx.HTTPError as error:
        raise Unreachable(type(error).__name__) from None
    return bytes(found)


def open_hooks(providers: Mapping[str, ProviderTable], fetch: Fetch) -> dict[str, Hook]:
    """Return the hooks that config.toml sets up. raises Mistake as `open_hook`."""
    opened = {name: open_hook(name, table.webhook, fetch) for name, table in providers.items()}
    return {name: hook for name, hook in opened.items() if hook is not None}


@dataclass(frozen=True, slots=True)
class Posted:
    provider: str
    hook: Hook
    call: Call


async def _posted(provider: str, request: Request, house: Here) -> Posted:
    """raises HTTPException: 404 for a provider that is not set up, and as `read_body`"""
    hook = house.hooks.get(provider)
    if hook is None:
        raise HTTPException(404)
    body = await read_body(request, SECONDS, hook.most_bytes)
    return Posted(provider, hook, Call(dict(request.headers.items()), body))


@router.post("/hooks/{provider}")
def hear(posted: Annotated[Posted, Depends(_posted)], request: Request, house: Here) -> Response:
    """Answer 204 when what was told is on disk, or known already, or of no interest."""
    heard = _proved(posted, request, house)
    if heard.confirm:
        _confirm(posted.provider, heard.confirm, house)
    now = house.app.now()
    with house.app.reading() as session:
        mails = told.mails_of(session, posted.provider, heard, house.app.links.tokens, now=now)
    if heard.told or heard.strange:
        with house.writing() as session:
            outlive_power_cuts(session.connection())  # they will not tell it again
            kept = told.take_in(session, posted.provider, heard, mails, now=now)
        ours, strange = sum(map(bool, mails)), bool(heard.strange)
        log.info("hook", provider=posted.provider, events=len(heard.told), ours=ours, strange=strange, new=kept)
    return Response(status_code=204)


def _proved(posted: Posted, request: Request, house: House) -> Heard:
    """raises HTTPException: 403 unproved (429 when that came too often), 400 unreadable, 503 proof not to be had"""
    try:
        return posted.hook.hear(posted.call, now=house.app.now())
    except Forged as error:
        log.warning("hook refused", provider=posted.provider, reason=str(error))
        house.count(Act.FORGED, request)
        raise HTTPException(403) from None
    except Unreadable as error:
        log.warning("hook not understood", provider=posted.provider, reason=str(error))
        raise HTTPException(400) from None
    except Unreachable as error:
        raise _later(posted.provider, error) from None


def _confirm(provider: str, url: str, house: House) -> None:
    """Say yes to being told: their request is proved and the address is theirs. raises HTTPException 503"""
    try:
        house.fetch(url)
    except Unreachable as error:
        raise _later(provider, error) from None
    log.warning("hook confirmed", provider=provider)


def _later(provider: str, error: Unreachable) -> HTTPException:
    log.warning("hook waits", provider=provider, reason=str(error))
    return HTTPException(503, headers={"Retry-After": "60"})
