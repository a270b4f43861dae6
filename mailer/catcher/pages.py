"""The inbox in a browser. Works without scripts, loads nothing from elsewhere, and trusts no mail it shows."""

import re
from datetime import datetime
from pathlib import Path
from urllib.parse import urlencode
from zoneinfo import ZoneInfo

from babel.dates import format_datetime
from jinja2 import Environment, FileSystemLoader
from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.middleware import Middleware
from starlette.middleware.trustedhost import TrustedHostMiddleware
from starlette.requests import Request
from starlette.responses import FileResponse, HTMLResponse, Response
from starlette.routing import Route
from starlette.types import ASGIApp, Receive, Scope, Send

from mailer.catcher.inbox import Inbox, Opened
from mailer.i18n import _, ngettext, speaking
from mailer.i18n.browsers import preferred

HERE = Path(__file__).parent
VIEWS = ("html", "text", "headers", "source")
WIDTHS = ("wide", "375", "320")
SHADES = ("light", "dark")
_OUR_PAGE = (
    "default-src 'none'; style-src 'self'; img-src data:; frame-src 'self'; form-action 'self'; base-uri 'none'; "
    "frame-ancestors 'none'"
)
_HEAD_TAG = re.compile(r"<head(\s[^>]*)?>", re.IGNORECASE)


def build_pages(inbox: Inbox, *, host: str, zone: ZoneInfo, images_from: tuple[str, ...]) -> Starlette:
    """Return the web app over `inbox`. Only requests that name this machine are answered (DNS rebinding)."""
    pages = _Pages(inbox, zone, images_from)
    return Starlette(
        routes=[
            Route("/", pages.show_list),
            Route("/style.css", pages.style),
            Route("/mail/{name}", pages.show_mail),
            Route("/mail/{name}/html", pages.html),
            Route("/mail/{name}/file.eml", pages.download),
        ],
        middleware=[
            Middleware(TrustedHostMiddleware, allowed_hosts=[host, "127.0.0.1", "localhost", "[::1]"]),
            Middleware(_SpeakTheirLanguage),
        ],
    )


class _Pages:
    def __init__(self, inbox: Inbox, zone: ZoneInfo, images_from: tuple[str, ...]) -> None:
        self._inbox = inbox
        # The sandbox keeps a mail's scripts and forms dead; links open outside it, and there work as ever.
        self._mail_policy = (
            "default-src 'none'; style-src 'unsafe-inline'; form-action 'none'; "
            f"img-src data: {' '.join(images_from)}; sandbox allow-popups allow-popups-to-escape-sandbox"
        )
        self._templates = Environment(
            loader=FileSystemLoader(HERE / "templates"), autoescape=True, extensions=["jinja2.ext.i18n"]
        )
        self._templates.install_gettext_callables(  # type: ignore[attr-defined]  # given by the extension
            _, ngettext, newstyle=True
        )
        self._templates.filters["moment"] = lambda at: _moment(at, zone)
        self._templates.filters["kilobytes"] = lambda size: f"{max(1, round(size / 1000))} kB"
        self._templates.globals["query"] = lambda **values: "?" + urlencode({k: v for k, v in values.items() if v})

    async def show_list(self, request: Request) -> Response:
        search = request.query_params.get("q", "")[:200]
        number = request.query_params.get("page", "1")
        page = self._inbox.page(int(number) if number.isdecimal() and len(number) < len("1000000") else 1, search)
        return self._page("inbox.html", page=page, search=search)

    async def show_mail(self, request: Request) -> Response:
        mail = self._mail(request)
        asked = request.query_params
        views = [view for view in VIEWS if view not in ("html", "text") or getattr(mail, view)]
        return self._page(
            "mail.html",
            mail=mail,
            views=views,
            view=asked["view"] if asked.get("view") in views else views[0],
            width=asked["width"] if asked.get("width") in WIDTHS else WIDTHS[0],
            shade=asked["shade"] if asked.get("shade") in SHADES else SHADES[0],
        )

    async def html(self, request: Request) -> Response:
        """Serve the HTML part, for the frame in `show_mail`; opened alone it is as harmless."""
        html = self._mail(request).html
        base = '<base target="_blank">'
        head = _HEAD_TAG.search(html)
        html = html[: head.end()] + base + html[head.end() :] if head else base + html
        return HTMLResponse(html, headers=_headers(self._mail_policy))

    async def download(self, request: Request) -> Response:
        raw = self._inbox.raw(request.path_params["name"])
        if raw is None:
            raise HTTPException(404)
        return Response(raw, media_type="message/rfc822", headers=_headers("default-src 'none'; sandbox"))

    async def style(self, _request: Request) -> Response:
        return FileResponse(HERE / "style.css", media_type="text/css")

    def _mail(self, request: Request) -> Opened:
        mail = self._inbox.open(request.path_params["name"])
        if mail is None:
            raise HTTPException(404, _("There is no such mail."))
        return mail

    def _page(self, template: str, **values: object) -> Response:
        html = self._templates.get_template(template).render(language=speaking.get(), **values)
        return HTMLResponse(html, headers=_headers(_OUR_PAGE))


def _headers(policy: str) -> dict[str, str]:
    return {
        "Content-Security-Policy": policy,
        "X-Content-Type-Options": "nosniff",
        "Referrer-Policy": "no-referrer",
        "Cache-Control": "no-store",
    }


def _moment(at: datetime, zone: ZoneInfo) -> str:
    return format_datetime(at.astimezone(zone), "d MMM y HH:mm:ss", locale=speaking.get())


class _SpeakTheirLanguage:
    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "http":
            speaking.set(preferred(Request(scope).headers.get("accept-language", ""), "en"))
        await self._app(scope, receive, send)
