"""The mail programs' POST: what is taken before the framework, and that everything else gets the framework's answer."""

import asyncio
from collections.abc import Sequence
from typing import Any

import pytest
from structlog.testing import capture_logs

from mailer.web.forms import MAX_BYTES
from mailer.web.guard import HEADERS
from mailer.web.one_click import BODY
from tests.mailer.web.conftest import ANNA, BO, CECILIA, LETTER, Site

FORM = "application/x-www-form-urlencoded"


def send_raw(site: Site, path: str, messages: Sequence[dict[str, Any]], headers: Sequence[tuple[bytes, bytes]]) -> int:
    """Let the site hear `messages` one by one, as a server hands them on; return the status of its answer."""
    scope = {"type": "http", "http_version": "1.1", "method": "POST", "scheme": "http", "path": path, "root_path": ""}
    scope |= {"raw_path": path.encode(), "query_string": b"", "headers": list(headers), "client": None, "server": None}
    waiting, said = list(messages), []

    async def receive() -> dict[str, Any]:
        return waiting.pop(0) if waiting else {"type": "http.disconnect"}

    async def send(message: Any) -> None:
        said.append(message)

    asyncio.run(site.web(scope, receive, send))
    return int(said[0]["status"])


def test_it_is_answered_with_every_header_and_a_line_that_names_nobody(site: Site):
    with capture_logs() as logs:
        answer = site.client.post(site.leave_path(), content=BODY, headers={"content-type": FORM})

    assert (answer.status_code, answer.text) == (200, "Du får inte fler av de här breven.\n")
    assert all(answer.headers[name] == value for name, value in HEADERS.items())
    assert not site.gets(ANNA)
    assert not site.gets(BO)
    assert [(line["method"], line["path"], line["status"]) for line in logs] == [("POST", "/u/…", 200)]


@pytest.mark.parametrize(
    "body",
    [
        b"List-Unsubscribe=One-click",
        b"list-unsubscribe=One-Click",
        b"List-Unsubscribe=One-Click&x=1",
        b"List-Unsubscribe=One-Clic",
        b"x" * len(BODY),
        b"",
    ],
)
def test_another_body_is_a_form_and_changes_nothing(site: Site, body: bytes):
    answer = site.client.post(site.leave_path(), content=body, headers={"content-type": FORM})

    assert answer.status_code == 400
    assert site.gets(ANNA)


@pytest.mark.parametrize("kind", ["text/plain", "application/json", "multipart/form-data", ""])
def test_another_type_is_refused_and_changes_nothing(site: Site, kind: str):
    answer = site.client.post(site.leave_path(), content=BODY, headers={"content-type": kind})

    assert answer.status_code in (400, 415)
    assert site.gets(ANNA)


@pytest.mark.parametrize("kind", [f"{FORM};charset=utf-8", FORM.upper()])
def test_another_way_to_write_the_type_is_done_too(site: Site, kind: str):
    assert site.client.post(site.leave_path(), content=BODY, headers={"content-type": kind}).status_code == 200
    assert not site.gets(ANNA)


def test_one_that_comes_in_pieces_is_done_too(site: Site):
    headers = [(b"content-length", str(len(BODY)).encode()), (b"content-type", FORM.encode())]
    pieces = [
        {"type": "http.request", "body": BODY[:7], "more_body": True},
        {"type": "http.request", "body": BODY[7:], "more_body": False},
    ]

    assert send_raw(site, site.leave_path(CECILIA), pieces, headers) == 200
    assert not site.gets(CECILIA)


def test_a_length_that_is_not_true_changes_nothing(site: Site):
    headers = [(b"content-length", str(len(BODY)).encode()), (b"content-type", FORM.encode())]
    too_much = [{"type": "http.request", "body": BODY + b"x" * MAX_BYTES, "more_body": False}]

    assert send_raw(site, site.leave_path(CECILIA), too_much, headers) == 413
    assert send_raw(site, site.leave_path(CECILIA), [{"type": "http.disconnect"}], headers) >= 400
    assert site.gets(CECILIA)


def test_a_forged_one_and_one_of_nobody_get_the_bytes_of_any_page_that_is_not_there(site: Site):
    nobody = site.leave_path(999, LETTER)
    forged = [site.leave_path()[:-1] + "!", "/u/", "/u/x/y", site.choose_path().replace("/p/", "/u/"), nobody]

    answers = [site.client.post(path, content=BODY, headers={"content-type": FORM}) for path in forged]

    assert {answer.status_code for answer in answers} == {404}
    assert len({answer.content for answer in answers}) == 1
