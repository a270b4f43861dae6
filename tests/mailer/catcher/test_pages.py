"""What the inbox page shows, and what a mail in it cannot do."""

import asyncio
from datetime import UTC, datetime, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

import httpx
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from mailer.catcher.inbox import PER_PAGE, Inbox
from mailer.catcher.pages import build_pages
from mailer.message import Message, maildir

NOON = datetime(2026, 11, 23, 12, 0, tzinfo=UTC)
BODY = b"""From: =?utf-8?q?Exempelpartiet_i_Bromma?= <brev@example.org>\r
Subject: =?utf-8?q?Ny_skola_i_=C3=85rsta?=\r
MIME-Version: 1.0\r
Content-Type: multipart/alternative; boundary="x"\r
\r
--x\r
Content-Type: text/plain; charset=utf-8\r
Content-Transfer-Encoding: quoted-printable\r
\r
Hej =C3=85sa\r
--x\r
Content-Type: text/html; charset=utf-8\r
Content-Transfer-Encoding: quoted-printable\r
\r
<html lang=3D"sv"><head><title>x</title></head><body><a href=3D"https://nyhet.example.org/u/abc">L=C3=A4mna</a></body></html>\r
--x--\r
"""


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return maildir.create(tmp_path / "caught")


def catch(folder: Path, content: bytes = BODY, recipient: str = "asa@example.net", seconds: int = 0) -> str:
    message = Message("b-1@studs.example.org", recipient, content)
    return maildir.deliver(maildir.prepare(folder, message, now=NOON + timedelta(seconds=seconds)))


def get(folder: Path, path: str, **headers: str) -> httpx.Response:
    pages = build_pages(
        Inbox(folder), host="127.0.0.1", zone=ZoneInfo("Europe/Stockholm"), images_from=("https://nyhet.example.org",)
    )

    async def ask() -> httpx.Response:
        transport = httpx.ASGITransport(app=pages)
        async with httpx.AsyncClient(transport=transport, base_url="http://127.0.0.1:8025") as browser:
            return await browser.get(path, headers=headers)

    return asyncio.run(ask())


def test_the_newest_mail_comes_first_and_times_are_local(folder: Path) -> None:
    catch(folder, recipient="first@example.net")
    catch(folder, recipient="second@example.net", seconds=1)

    page = get(folder, "/").text

    assert page.index("second@example.net") < page.index("first@example.net")
    assert "Ny skola i Årsta" in page
    assert "13:00:00" in page


def test_a_long_list_comes_in_pages(folder: Path) -> None:
    for number in range(PER_PAGE + 1):
        catch(folder, recipient=f"m{number}@example.net", seconds=number)

    first, last, beyond = get(folder, "/").text, get(folder, "/?page=2").text, get(folder, "/?page=99999").text

    assert "m0@example.net" not in first
    assert "page=2" in first
    assert "m0@example.net" in last
    assert beyond == last


@pytest.mark.parametrize(
    ("search", "found"),
    [("asa@", True), ("SKOLA årsta", True), ("bromma", True), ("erik", False), ("<script>alert(1)</script>", False)],
)
def test_a_search_looks_at_recipient_sender_and_subject(search: str, found: bool, folder: Path) -> None:  # noqa: FBT001  a column of the table above
    catch(folder)

    page = get(folder, str(httpx.URL("/", params={"q": search}))).text

    assert ("asa@example.net" in page) is found
    assert "<script" not in page


@pytest.mark.parametrize(
    ("view", "shown"),
    [
        ("text", "Hej Åsa"),
        ("headers", "Exempelpartiet i Bromma &lt;brev@example.org&gt;"),
        ("source", "=?utf-8?q?Ny_skola_i_=C3=85rsta?="),
        ("html", "<iframe"),
        ("nonsense", "<iframe"),
    ],
)
def test_a_mail_is_shown_as_html_text_headers_and_source(view: str, shown: str, folder: Path) -> None:
    name = catch(folder)

    assert shown in get(folder, f"/mail/{name}?view={view}").text


@pytest.mark.parametrize("width", ["wide", "375", "320"])
@pytest.mark.parametrize("shade", ["light", "dark"])
def test_the_frame_takes_the_width_and_shade_that_were_chosen(width: str, shade: str, folder: Path) -> None:
    name = catch(folder)

    assert f'class="mail width-{width} {shade}"' in get(folder, f"/mail/{name}?width={width}&shade={shade}").text
    assert 'class="mail width-wide light"' in get(folder, f"/mail/{name}?width=1&shade=2").text


def test_the_html_runs_nothing_loads_nothing_foreign_and_opens_links_in_a_new_tab(folder: Path) -> None:
    name = catch(folder)

    answer = get(folder, f"/mail/{name}/html")

    policy = answer.headers["content-security-policy"]
    assert "default-src 'none'" in policy
    assert "img-src data: https://nyhet.example.org;" in policy
    assert policy.endswith("sandbox allow-popups allow-popups-to-escape-sandbox")
    assert "allow-scripts" not in policy
    assert '<head><base target="_blank"><title>' in answer.text
    assert 'href="https://nyhet.example.org/u/abc"' in answer.text
    assert 'sandbox="allow-popups allow-popups-to-escape-sandbox"' in get(folder, f"/mail/{name}").text


def test_our_own_pages_load_nothing_from_elsewhere_and_run_nothing(folder: Path) -> None:
    name = catch(folder)

    for path in ("/", f"/mail/{name}"):
        answer = get(folder, path)
        assert answer.headers["content-security-policy"].startswith("default-src 'none'; style-src 'self'")
        assert "<script" not in answer.text
        assert "http://" not in answer.text
        assert "https://" not in answer.text


def test_the_file_is_exactly_what_was_caught(folder: Path) -> None:
    name = catch(folder)

    answer = get(folder, f"/mail/{name}/file.eml")

    assert answer.content.endswith(BODY)
    assert answer.headers["content-type"] == "message/rfc822"


@pytest.mark.parametrize("name", ["..%2f..%2fetc%2fpasswd", "nothing", "0000000000000000.1_1.utskick"])
@pytest.mark.parametrize("tail", ["", "/html", "/file.eml"])
def test_only_names_on_the_list_are_opened(name: str, tail: str, folder: Path) -> None:
    (folder / "new" / "nothing").write_text("not one of ours")

    assert get(folder, f"/mail/{name}{tail}").status_code == 404


def test_a_request_under_another_name_is_refused(folder: Path) -> None:
    assert get(folder, "/", host="attacker.example:8025").status_code == 400


def test_a_mail_removed_by_hand_is_gone_from_the_list(folder: Path) -> None:
    name = catch(folder)
    inbox = Inbox(folder)
    assert inbox.page().total == 1

    (folder / "new" / name).unlink()

    assert inbox.page().total == 0
    assert inbox.open(name) is None


def test_the_page_speaks_swedish_to_who_asks_for_it(folder: Path) -> None:
    swedish = get(folder, "/", **{"accept-language": "sv-SE,sv;q=0.9,en;q=0.5"}).text
    english = get(folder, "/", **{"accept-language": "de,en-GB;q=0.8,sv;q=0.3"}).text

    assert '<html lang="sv"' in swedish
    assert "Inkorg" in swedish
    assert '<html lang="en"' in english
    assert "Inbox" in english


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow], max_examples=60)
@given(content=st.binary(max_size=400))
def test_any_bytes_at_all_can_be_listed_and_opened(content: bytes, folder: Path) -> None:
    name = catch(folder, content)
    inbox = Inbox(folder)

    assert inbox.page().mails
    opened = inbox.open(name)
    assert opened is not None
    (folder / "new" / name).unlink()


@pytest.mark.parametrize(
    "content",
    [
        b"Subject: =?utf-8?b?****?=\r\n\r\nx",
        b"Subject: =?no-such-charset?q?x?=\r\n\r\nx",
        b"Content-Type: text/html; charset=no-such\r\n\r\n<p>x",
        b"Content-Type: multipart/mixed; boundary=\r\n\r\nx",
        b"Content-Type: text/plain; charset=undefined\r\n\r\nx",
        b'Content-Type: text/html; charset="\x00"\r\n\r\nx',
        b"From: \xff\xfe\r\nSubject: a\r\n b\r\n\tc\r\n\r\nx",
        b"Content-Transfer-Encoding: base64\r\nContent-Type: text/html\r\n\r\n!!!",
        b"",
    ],
)
def test_a_broken_mail_is_shown_as_far_as_it_can_be(content: bytes, folder: Path) -> None:
    name = catch(folder, content)

    assert get(folder, "/").status_code == 200
    for view in ("html", "text", "headers", "source"):
        assert get(folder, f"/mail/{name}?view={view}").status_code == 200
    assert get(folder, f"/mail/{name}/html").status_code == 200
