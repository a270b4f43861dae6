"""The site put together: routes, and what becomes of every error."""

from collections.abc import Mapping

from fastapi import FastAPI, Request, Response
from fastapi.responses import HTMLResponse
from starlette.exceptions import HTTPException

from mailer.app import App
from mailer.errors import UtskickError
from mailer.feedback.hooks.calls import Fetch
from mailer.web import (
    answering,
    approving,
    archive,
    archive_link,
    attending,
    calendar,
    choosing,
    confirming,
    forgetting,
    hooks,
    joining,
    leaving,
    moving,
    own,
    public,
    recruiting,
    shifting,
    viewing,
    watching,
)
from mailer.web.guard import Guard
from mailer.web.house import House, language_of
from mailer.web.one_click import OneClick
from mailer.web.rendering import Pages
from subscribers.errors import Locked


def create_web(app: App, fetch: Fetch = hooks.fetch) -> FastAPI:
    """Return the site of one installation. It opens the database when first asked for it.

    fetch   gets what proves a provider's webhook
    raises  Mistake when a provider's webhook is set up wrongly
    """
    web = FastAPI(
        title="Utskick",
        openapi_url=None,  # its viewers load scripts from elsewhere; web.openapi() remains
        redirect_slashes=False,  # one-click must never meet a redirect, RFC 8058 §3.1
    )
    web.state.house = House(
        app, Pages(app.settings), hooks=hooks.open_hooks(app.settings.providers, fetch), fetch=fetch
    )
    web.state.installation = app
    for part in (
        public,
        calendar,
        answering,
        attending,
        shifting,
        leaving,
        choosing,
        own,
        moving,
        joining,
        confirming,
        viewing,
        watching,
        hooks,
        forgetting,
        archive_link,
        approving,
        recruiting,
    ):
        web.include_router(part.router)
    web.include_router(archive.open_router)
    web.include_router(archive.members_router)
    web.add_exception_handler(HTTPException, _refusal)
    web.add_exception_handler(UtskickError, _trouble)
    web.add_exception_handler(Locked, _trouble)
    web.add_middleware(OneClick)
    web.add_middleware(Guard, framed_by=app.settings.join.embed_in)
    return web


def _refusal(request: Request, error: Exception) -> Response:
    status = error.status_code if isinstance(error, HTTPException) else 500
    headers = (error.headers if isinstance(error, HTTPException) else None) or {}
    if request.method == "OPTIONS" and "Allow" in headers:
        # Starlette names those of one route; HEAD is answered wherever GET is.
        return Response(status_code=204, headers={**headers, "Allow": headers["Allow"].replace("GET", "GET, HEAD")})
    return _error_page(request, status, headers)


def _trouble(request: Request, error: Exception) -> Response:
    """A database that is locked or gone: whoever asked may come back, and a mail program will."""
    del error
    return _error_page(request, 503, {"Retry-After": "30"})


def _error_page(request: Request, status: int, headers: Mapping[str, str]) -> HTMLResponse:
    house: House = request.app.state.house
    return house.pages.answer("error.html", language_of(request, house), status=status, headers=headers, error=status)
