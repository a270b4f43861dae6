"""What every route is given: the installation, its pages, its limits, and what a path's token says."""

import time
from collections.abc import Awaitable, Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import date
from threading import Lock
from typing import Annotated

from fastapi import Depends, Request
from sqlmodel import Session
from starlette.exceptions import HTTPException

from mailer.app import App
from mailer.feedback.hooks.calls import Fetch, Hook, Unreachable
from mailer.i18n import spoken
from mailer.i18n.browsers import preferred
from mailer.links import Claim, Purpose
from mailer.web import nonce
from mailer.web.forms import Fields
from mailer.web.limits import Act, Limits, network_of
from mailer.web.rendering import Pages
from mailer.web.together import Together


def _nothing(url: str) -> bytes:
    raise Unreachable(url)


@dataclass(frozen=True, slots=True)
class House:
    app: App
    pages: Pages
    turn: Lock = field(default_factory=Lock)
    limits: Limits = field(default_factory=Limits)
    hooks: Mapping[str, Hook] = field(default_factory=dict)  # by provider: those that can be told to us
    fetch: Fetch = _nothing
    leaving: Together[Claim, str | None] = field(default_factory=Together)

    @contextmanager
    def writing(self) -> Iterator[Session]:
        """One transaction at a time: SQLite has one writer, and threads that wait here are served in a queue.

        Left to SQLite they would sleep and try again, and after a mail-out some would wait for seconds.
        """
        with self.turn, self.app.writing() as session:
            yield session

    def count(self, act: Act, request: Request) -> None:
        """Count `act` for the network that asks. raises HTTPException 429 when it was too often."""
        peer = request.client.host if request.client else None
        forwarded = request.headers.get("x-forwarded-for", "")
        network = network_of(peer, forwarded, self.app.settings.web.trusted_proxies)
        if wait := self.limits.wait(act, network, now=time.monotonic()):
            raise HTTPException(429, headers={"Retry-After": str(wait)})

    def today(self) -> date:
        """Return the day it is where the members are."""
        return self.app.now().astimezone(self.app.settings.site.zone).date()

    def nonce_for(self, member: int) -> str:
        return nonce.issue(self.app.links.tokens, member, self.app.now())

    def came_from_our_page(self, fields: Fields, member: int) -> bool:
        """Whether the form is one that a page of this member's showed lately."""
        return nonce.holds(self.app.links.tokens, fields.one("nonce"), member, self.app.now())

    def spoken(self, language: str) -> str:
        """Return `language` if we speak it, else the site's."""
        return spoken(language, self.app.settings.site.language)

    def name_of(self, publication: str, language: str) -> str:
        """As mailer.config.Settings.name_of."""
        return self.app.settings.name_of(publication, language)


async def _house(request: Request) -> House:
    house: House = request.app.state.house
    return house


def language_of(request: Request, house: House) -> str:
    """Return the language of whoever asks without a link of their own."""
    return preferred(request.headers.get("accept-language", ""), house.app.settings.site.language)


Here = Annotated[House, Depends(_house)]


def claim_of(*purposes: Purpose) -> Callable[..., Awaitable[Claim]]:
    """Return a dependency that reads a path's token, before any database: a valid one is never limited.

    It raises HTTPException 404 for one that is not ours or not for this, 429 when too many such came from there.
    """

    async def read(token: str, house: Here, request: Request) -> Claim:
        for purpose in purposes:
            claim = house.app.links.tokens.read(token, purpose)
            if claim is not None:
                return claim
        house.count(Act.FORGED, request)
        raise HTTPException(404)

    return read
