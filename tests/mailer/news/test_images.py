import hashlib
import io
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image

from mailer.news.images import store_image


def a_picture(kind: str = "JPEG", size: tuple[int, int] = (2400, 1200), mode: str = "RGB", **options: object) -> bytes:
    written = io.BytesIO()
    Image.new(mode, size, "red").save(written, kind, **options)
    return written.getvalue()


def test_a_picture_is_scaled_and_kept_under_its_hash(tmp_path: Path):
    stored = store_image(a_picture(), tmp_path)

    assert stored is not None
    content = (tmp_path / stored.name).read_bytes()
    assert stored.name == hashlib.sha256(content).hexdigest() + ".jpg"
    assert (stored.width, stored.height) == (600, 300)
    assert Image.open(io.BytesIO(content)).size == (1200, 600)
    assert [path.name for path in tmp_path.iterdir()] == [stored.name]


def test_where_and_with_what_it_was_taken_is_not_kept(tmp_path: Path):
    exif = Image.Exif()
    exif[0x010F] = "Kamera AB"
    exif[0x0112] = 6  # lies on its side

    stored = store_image(a_picture(exif=exif, comment=b"hemligt"), tmp_path)

    assert stored is not None
    content = (tmp_path / stored.name).read_bytes()
    assert b"Kamera" not in content
    assert b"hemligt" not in content
    assert stored.height > stored.width  # but it was turned upright


def test_what_is_transparent_stays_so(tmp_path: Path):
    stored = store_image(a_picture("PNG", (300, 200), "RGBA"), tmp_path)

    assert stored is not None
    assert stored.name.endswith(".png")
    assert (stored.width, stored.height) == (300, 200)


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"<svg xmlns='http://www.w3.org/2000/svg'/>",
        a_picture()[:500],
        a_picture(size=(30, 300)),
        a_picture("BMP"),
        a_picture("PNG", (9000, 9000), "1"),
    ],
    ids=["empty", "svg", "cut short", "an icon", "another kind", "too many pixels"],
)
def test_what_we_do_not_read_is_no_picture_and_leaves_nothing_behind(tmp_path: Path, content: bytes):
    assert store_image(content, tmp_path) is None
    assert list(tmp_path.iterdir()) == []


@given(st.binary(max_size=200), st.sampled_from(["JPEG", "PNG", "GIF", "WEBP"]))
def test_no_bytes_crash_the_reader(tmp_path_factory: pytest.TempPathFactory, noise: bytes, kind: str):
    folder: Path = tmp_path_factory.getbasetemp() / "images"
    content = bytearray(a_picture(kind, (60, 60)))
    content[20 : 20 + len(noise)] = noise

    store_image(bytes(content), folder)
