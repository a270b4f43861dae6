"""Against a real server on this machine, which the tests allow by name."""

import gzip
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread

import pytest

from mailer.news.fetching import Validators, Web
from mailer.news.guard import ForbiddenAddress
from mailer.news.parsed import BrokenSource


class Pages(BaseHTTPRequestHandler):
    def do_GET(self) -> None:
        if self.path == "/feed" and self.headers.get("If-None-Match") == '"v1"':
            self._answer(304)
        elif self.path == "/feed":
            self._answer(200, b"<rss/>", {"ETag": '"v1"', "Content-Type": "text/xml; charset=iso-8859-1"})
        elif self.path == "/bomb":
            self._answer(200, gzip.compress(bytes(300_000)), {"Content-Encoding": "gzip"})
        elif self.path == "/loop":
            self._answer(302, headers={"Location": "/loop"})
        elif self.path == "/moved":
            self._answer(301, headers={"Location": "/feed"})
        else:
            self._answer(500)

    def _answer(self, status: int, body: bytes = b"", headers: dict[str, str] | None = None) -> None:
        self.send_response(status)
        for name, value in (headers or {}).items():
            self.send_header(name, value)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_: object) -> None:
        pass


@pytest.fixture
def server() -> Iterator[str]:
    http = ThreadingHTTPServer(("127.0.0.1", 0), Pages)
    thread = Thread(target=http.serve_forever, args=(0.01,))
    thread.start()
    yield f"http://127.0.0.1:{http.server_port}"
    http.shutdown()
    thread.join()
    http.server_close()


@pytest.fixture
def web() -> Iterator[Web]:
    web = Web(allow_hosts=["127.0.0.1"])
    yield web
    web.close()


def test_an_answer_comes_with_what_to_ask_it_with_next_time(web: Web, server: str):
    answer = web.fetch(f"{server}/feed")

    assert (answer.content, answer.charset) == (b"<rss/>", "iso-8859-1")
    assert answer.validators == Validators(etag='"v1"')


def test_what_has_not_changed_is_not_sent_again(web: Web, server: str):
    known = Validators(etag='"v1"')

    answer = web.fetch(f"{server}/feed", known)

    assert answer.content is None
    assert answer.validators == known


def test_a_redirect_is_followed_and_its_end_remembered(web: Web, server: str):
    assert web.fetch(f"{server}/moved").url == f"{server}/feed"


def test_too_large_is_told_by_the_unpacked_size(web: Web, server: str):
    with pytest.raises(BrokenSource, match="larger than"):
        web.fetch(f"{server}/bomb", max_bytes=100_000)


@pytest.mark.parametrize(("path", "reason"), [("/loop", "redirects more"), ("/none", "answers 500")])
def test_what_cannot_be_fetched_is_one_sentence(web: Web, server: str, path: str, reason: str):
    with pytest.raises(BrokenSource, match=reason):
        web.fetch(server + path)


def test_nobody_at_the_port_is_one_sentence(web: Web):
    with pytest.raises(BrokenSource, match="cannot be fetched"):
        web.fetch("http://127.0.0.1:1/")


@pytest.mark.parametrize("url", ["http://[", "https://", "nonsense"])
def test_a_malformed_address_is_one_sentence(web: Web, url: str):
    with pytest.raises((BrokenSource, ForbiddenAddress)):
        web.fetch(url)


@pytest.mark.parametrize("host", ["127.0.0.1", "2130706433", "0x7f.1", "localhost"])
def test_this_machine_is_not_fetched_unless_allowed_however_it_is_spelled(server: str, host: str):
    web = Web()

    with pytest.raises(ForbiddenAddress):
        web.fetch(server.replace("127.0.0.1", host) + "/feed")

    web.close()


def test_a_proxy_in_the_environment_does_not_lead_past_the_guard(server: str, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv("HTTP_PROXY", server)
    web = Web()

    with pytest.raises(ForbiddenAddress):
        web.fetch("http://127.0.0.1:1/")

    web.close()
