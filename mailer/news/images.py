"""Pictures are copied, never linked: whoever serves a picture to a reader learns that the reader opened the mail."""

import hashlib
import io
import warnings
from pathlib import Path

from PIL import Image, ImageOps

from mailer.errors import UtskickError
from mailer.news.fetching import Web
from mailer.news.models import IMAGES
from mailer.news.parsed import StoredImage

SHOWN_WIDTH = 600  # CSS pixels: the width of the letter
_STORED_WIDTH = 2 * SHOWN_WIDTH  # sharp on a dense screen
_MAX_BYTES = 8 * 1024 * 1024
_MAX_SECONDS = 10
_MAX_PIXELS = 40_000_000
_SMALLEST = 40  # pixels; anything less is an icon or a counter
_FORMATS = ("JPEG", "PNG", "WEBP", "GIF")


def fetch_image(web: Web, url: str, data: Path) -> StoredImage | None:
    """Copy a picture; None when it cannot be had: an article without one is still news."""
    try:
        content = web.fetch(url, max_bytes=_MAX_BYTES, max_seconds=_MAX_SECONDS).content
    except UtskickError:
        return None
    return store_image(content, data / IMAGES) if content else None


def store_image(content: bytes, folder: Path) -> StoredImage | None:
    """Decode, turn upright, scale down and write anew, without what else the file held (place, camera, comments).

    returns  None when it is no picture of a kind we read, or too large or too small
    """
    try:
        picture = _decode(content)
    except (OSError, ValueError, SyntaxError, Image.DecompressionBombError, Image.DecompressionBombWarning):
        return None  # what Pillow raises on hostile files
    if picture is None:
        return None
    encoded, suffix = _encode(picture)
    name = f"{hashlib.sha256(encoded).hexdigest()}.{suffix}"
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    path = folder / name
    if not path.exists():
        part = path.with_suffix(".part")
        part.write_bytes(encoded)
        part.replace(path)
    width = min(picture.width, SHOWN_WIDTH)
    return StoredImage(name, width, max(1, round(picture.height * width / picture.width)))


def _decode(content: bytes) -> Image.Image | None:
    with warnings.catch_warnings():
        warnings.simplefilter("error", Image.DecompressionBombWarning)
        opened = Image.open(io.BytesIO(content), formats=_FORMATS)
        if opened.width * opened.height > _MAX_PIXELS or min(opened.size) < _SMALLEST:
            return None
        upright = ImageOps.exif_transpose(opened)
    clear = "A" in upright.getbands() or "transparency" in upright.info
    picture = upright.convert("RGBA" if clear else "RGB")
    picture.thumbnail((_STORED_WIDTH, 2 * _STORED_WIDTH))
    return picture


def _encode(picture: Image.Image) -> tuple[bytes, str]:
    """Photographs become JPEG; what is transparent stays PNG. Only the pixels are carried over."""
    bare = Image.new(picture.mode, picture.size)
    bare.paste(picture)
    written = io.BytesIO()
    if picture.mode == "RGBA":
        bare.save(written, "PNG", optimize=True)
        return written.getvalue(), "png"
    bare.save(written, "JPEG", quality=82, optimize=True, progressive=True)
    return written.getvalue(), "jpg"
