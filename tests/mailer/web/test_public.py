from pathlib import Path

import pytest

from mailer.web.rendering import STATIC
from tests.builders import a_news_item
from tests.mailer.web.conftest import Site

PICTURE = "0123456789abcdef" * 4 + ".jpg"


def publish(site: Site, **values: object) -> None:
    with site.app.writing() as session:
        session.add(a_news_item(id=7, **values))


def test_an_item_without_a_page_elsewhere_is_shown_whole_and_escaped(site: Site):
    publish(site, title="Ny bro <b>i</b> Älvsjö", body="Första.\n\nAndra raden\nbryts här & nu.")

    page = site.client.get("/n/7")

    assert page.status_code == 200
    assert "<h1>Ny bro &lt;b&gt;i&lt;/b&gt; Älvsjö</h1>" in page.text
    assert '<p class="whole">Första.</p>' in page.text
    assert '<p class="whole">Andra raden\nbryts här &amp; nu.</p>' in page.text
    assert '<article lang="sv">' in page.text


@pytest.mark.parametrize("values", [{"approved": False}, {"hidden": True}])
def test_an_item_that_is_not_out_yet_or_taken_back_has_no_page(site: Site, values: dict[str, object]):
    publish(site, **values)

    assert site.client.get("/n/7").content == site.client.get("/n/8").content
    assert site.client.get("/n/7").status_code == 404


@pytest.mark.parametrize("number", ["0", "-1", "x", "1.0", "9" * 18, "9" * 40, "٣", "7%00", "7 "])
def test_what_is_no_number_of_an_item_is_not_found(site: Site, number: str):
    publish(site)

    assert site.client.get(f"/n/{number}").status_code == 404


def test_an_item_that_has_a_page_elsewhere_is_linked_and_not_copied(site: Site):
    publish(site, url="https://example.org/bro", body="Texten.")

    page = site.client.get("/n/7").text

    assert 'href="https://example.org/bro"' in page
    assert "Läs på example.org" in page
    assert "Texten." not in page


def test_a_link_that_is_no_web_address_is_not_given_to_a_browser(site: Site):
    publish(site, url="javascript:alert(1)")

    assert "javascript:" not in site.client.get("/n/7").text


def test_an_item_in_another_language_says_so(site: Site):
    publish(site, language="en")

    page = site.client.get("/n/7", headers={"Accept-Language": "sv"}).text

    assert '<html lang="sv"' in page
    assert '<article lang="en">' in page


@pytest.fixture
def images(site: Site) -> Path:
    folder = site.app.data / "images"
    folder.mkdir()
    (folder / PICTURE).write_bytes(b"\xff\xd8\xff picture")
    (folder / "secret.txt").write_text("no")
    (folder / ("f" * 64 + ".png")).symlink_to(site.app.data / "keys.toml")
    (folder / ("e" * 64 + ".png")).mkdir()
    return folder


def test_a_picture_may_be_kept_for_ever_and_shown_by_mail_programs(site: Site, images: Path):
    answer = site.client.get(f"/i/{PICTURE}")

    assert answer.status_code == 200
    assert answer.content == (images / PICTURE).read_bytes()
    assert answer.headers["content-type"] == "image/jpeg"
    assert answer.headers["cache-control"] == "public, max-age=31536000, immutable"
    assert answer.headers["cross-origin-resource-policy"] == "cross-origin"
    assert site.client.head(f"/i/{PICTURE}").status_code == 200


@pytest.mark.usefixtures("images")
@pytest.mark.parametrize(
    "name",
    [
        "secret.txt",
        "f" * 64 + ".png",
        "e" * 64 + ".png",
        "a" * 64 + ".jpg",
        "../keys.toml",
        "..%2fkeys.toml",
        "%2e%2e%2f%2e%2e%2fkeys.toml",
        "..%5ckeys.toml",
        "%2fetc%2fpasswd",
        f"./{PICTURE}%00.jpg",
        f"{PICTURE}%0a",
        PICTURE.upper(),
        PICTURE + "." + "jpg",
        "x" * 5000 + ".jpg",
        "",
    ],
)
def test_nothing_but_a_picture_of_ours_comes_out_of_the_folder(site: Site, name: str):
    answer = site.client.get(f"/i/{name}")

    assert answer.status_code == 404
    assert b"seal" not in answer.content


def test_a_picture_is_sent_in_part_when_only_a_part_is_asked_for(site: Site, images: Path):
    for wanted, status in (("bytes=0-1", 206), ("bytes=9999-", 416), ("bytes=x", 400)):
        answer = site.client.get(f"/i/{PICTURE}", headers={"Range": wanted})
        assert answer.status_code == status
        assert answer.headers["x-content-type-options"] == "nosniff"
    assert images.is_dir()


def test_the_style_sheet_is_ours_and_its_address_changes_with_it(site: Site):
    page = site.client.get("/").text
    address = page.partition('rel="stylesheet" href="')[2].partition('"')[0]

    answer = site.client.get(address)

    assert answer.content == STATIC["pages.css"]
    assert answer.headers["content-type"].startswith("text/css")
    assert "immutable" in answer.headers["cache-control"]
    assert "?v=" in address


def test_the_front_page_says_what_this_is_in_the_browsers_language(site: Site):
    assert "<h1>Brev till medlemmar</h1>" in site.client.get("/").text
    english = site.client.get("/", headers={"Accept-Language": "en-GB,sv;q=0.5"})
    assert "<h1>Letters to members</h1>" in english.text
    assert "The weekly letter" in english.text
    assert english.headers["content-language"] == "en"


def test_a_monitor_is_told_that_the_database_answers(site: Site):
    assert site.client.get("/healthz").text == "ok\n"
