"""What anybody may see: the front page, a news item without a page elsewhere, its picture, the style sheet."""

import re
from urllib.parse import urlsplit

from fastapi import APIRouter, Request, Response
from fastapi.responses import FileResponse, HTMLResponse
from sqlmodel import col, select
from starlette.exceptions import HTTPException

from mailer.news.models import IMAGES, NewsItem
from mailer.web.house import Here, language_of
from mailer.web.rendering import STATIC

router = APIRouter()

FOR_EVER = "public, max-age=31536000, immutable"
_NUMBER = re.compile(r"[1-9]\d{0,8}", re.ASCII)  # PostgreSQL has 32 bits for it, and refuses to compare with more
_IMAGE = re.compile(r"[a-z0-9][a-z0-9-]{7,69}\.(jpg|png|webp|gif)")
_TYPES = {
    "css": "text/css",
    "gif": "image/gif",
    "jpg": "image/jpeg",
    "png": "image/png",
    "svg": "image/svg+xml",
    "webp": "image/webp",
}


@router.get("/")
def front(request: Request, house: Here) -> HTMLResponse:
    settings, language = house.app.settings, language_of(request, house)
    return house.pages.answer(
        "front.html",
        language,
        headers={"X-Robots-Tag": "all"},
        publications={slug: house.name_of(slug, language) for slug in settings.publications},
        joinable=settings.join.publications,
        archives=settings.archives,
    )


@router.get("/n/{number}")
def news_item(number: str, request: Request, house: Here) -> HTMLResponse:
    """An item that has a page elsewhere is shown by its title and that link: the text is its publisher's."""
    if not _NUMBER.fullmatch(number):
        raise HTTPException(404)
    with house.app.reading() as session:
        item = session.exec(
            select(NewsItem).where(
                NewsItem.id == int(number), col(NewsItem.approved).is_(True), col(NewsItem.hidden).is_(False)
            )
        ).first()
        if item is None:
            raise HTTPException(404)
        return house.pages.answer(
            "item.html",
            language_of(request, house),
            item=item,
            day=item.published_at.astimezone(house.app.settings.site.zone).date(),
            paragraphs=[paragraph for paragraph in item.body.split("\n\n") if paragraph.strip()],
            host=_host(item.url),
        )


def _host(url: str | None) -> str | None:
    """Return the host that a link goes to; None for one that a browser should not be given."""
    parts = urlsplit(url or "")
    return parts.hostname if parts.scheme in ("http", "https") else None


@router.get("/i/{name}")
def image(name: str, house: Here) -> FileResponse:
    """Mail programs show these, so other origins may load them; their names are hashes, so they never change."""
    form = _IMAGE.fullmatch(name)
    path = house.app.data / IMAGES / name
    if form is None or path.is_symlink() or not path.is_file():
        raise HTTPException(404)
    return FileResponse(
        path,
        media_type=_TYPES[form[1]],
        headers={"Cache-Control": FOR_EVER, "Cross-Origin-Resource-Policy": "cross-origin"},
    )


@router.get("/static/{name}")
async def static(name: str) -> Response:
    if name not in STATIC:
        raise HTTPException(404)
    return Response(STATIC[name], media_type=_TYPES[name.rpartition(".")[2]], headers={"Cache-Control": FOR_EVER})
