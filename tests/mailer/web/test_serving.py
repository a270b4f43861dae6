"""The real server on a real socket: what it takes from a mail program, and what it does not take from anybody."""

import http.client
import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager

import pytest
import uvicorn
from fastapi import FastAPI, Response

from mailer.errors import Mistake
from mailer.web import listen, server_of
from mailer.web.connection import HEAD_BYTES, Connection
from tests.databases import ONLY_SQLITE
from tests.mailer.web.conftest import CECILIA, Site
from tests.waiting import PATIENCE

REQUEST = b"GET /nowhere HTTP/1.1\r\nHost: x\r\n\r\n"


class Hasty(Connection):
    seconds = 0.05


class Patient(Connection):
    seconds = 3600.0


@contextmanager
def serving(server: uvicorn.Server) -> Iterator[int]:
    listener = listen("127.0.0.1", 0)
    thread = threading.Thread(target=server.run, kwargs={"sockets": [listener]})
    thread.start()
    try:
        yield listener.getsockname()[1]
    finally:
        server.should_exit = True
        thread.join()


def all_that_comes(caller: socket.socket) -> bytes:
    """Read until the other side ends, however it does."""
    came = b""
    try:
        while more := caller.recv(65536):
            came += more
    except ConnectionResetError:
        pass
    return came


def test_a_taken_port_is_a_sentence():
    with listen("127.0.0.1", 0) as taken:
        port = taken.getsockname()[1]
        with pytest.raises(Mistake, match=f"Port {port} is taken"):
            listen("127.0.0.1", port)


def test_a_host_of_another_machine_is_a_sentence():
    with pytest.raises(Mistake, match=r"192\.0\.2\.1 is no address of this machine"):
        listen("192.0.2.1", 0)


def test_over_a_real_socket_a_mail_program_unsubscribes_and_learns_nothing_of_the_server(
    site: Site, capfd: pytest.CaptureFixture[str]
):
    with serving(server_of(site.web)) as port:
        client = http.client.HTTPConnection("127.0.0.1", port, timeout=PATIENCE)
        client.request(
            "POST",
            site.leave_path(CECILIA),
            body="List-Unsubscribe=One-Click",
            headers={"Content-Type": "application/x-www-form-urlencoded"},
        )
        answer = client.getresponse()
        assert (answer.status, answer.read()) == (200, b"You are unsubscribed.\n")
        assert answer.getheader("server") is None
        client.close()
    assert not site.gets(CECILIA)
    assert site.leave_path(CECILIA) not in "".join(capfd.readouterr())


@ONLY_SQLITE
@pytest.mark.parametrize("begun", [b"", b"\r\n", b"GET / HTTP/1.1\r\nHost: x\r\nX: ", REQUEST + b"GET"])
def test_a_head_that_does_not_end_is_cut_off(site: Site, begun: bytes):
    server = server_of(site.web)
    server.config.http = Hasty

    with serving(server) as port, socket.create_connection(("127.0.0.1", port), timeout=PATIENCE) as caller:
        caller.sendall(begun)
        all_that_comes(caller)  # ends: a time-out is an error


@ONLY_SQLITE
def test_a_head_without_measure_is_cut_off(site: Site):
    server = server_of(site.web)
    server.config.http = Patient

    with serving(server) as port, socket.create_connection(("127.0.0.1", port), timeout=PATIENCE) as caller:
        caller.sendall(b"GET / HTTP/1.1\r\nHost: x\r\nX: ")
        with pytest.raises(ConnectionError):  # noqa: PT012  # whichever of the pieces it is that is not taken
            for _ in range(1000):
                caller.sendall(b"a" * HEAD_BYTES)


def test_over_a_real_socket_a_token_has_one_spelling(site: Site):
    path = site.leave_path(CECILIA)
    with serving(server_of(site.web)) as port:
        client = http.client.HTTPConnection("127.0.0.1", port, timeout=PATIENCE)
        answers = {}
        for asked in (path, "/u/x", f"/u/%{ord(path[3]):02x}{path[4:]}", f"/%75{path[2:]}"):
            client.request("GET", asked)
            answer = client.getresponse()
            answers[asked] = (answer.status, answer.read())
        client.close()

    assert answers.pop(path)[0] == 200
    assert len(set(answers.values())) == 1
    assert answers["/u/x"][0] == 404


@pytest.mark.parametrize("ends", [b"", b"Connection: close\r\n"])
def test_who_does_not_read_the_answer_is_cut_off(ends: bytes):
    over, whole = threading.Event(), 64 * 1024 * 1024  # no kernel holds as much for one connection

    class Unread(Connection):
        taken_within = 0.05

        def connection_lost(self, exc: Exception | None) -> None:
            super().connection_lost(exc)
            over.set()

    web = FastAPI()
    web.get("/")(lambda: Response(bytes(whole)))
    server = server_of(web)
    server.config.http = Unread

    with serving(server) as port, socket.create_connection(("127.0.0.1", port), timeout=PATIENCE) as caller:
        caller.sendall(b"GET / HTTP/1.1\r\nHost: x\r\n" + ends + b"\r\n")
        assert over.wait(PATIENCE)
        assert len(all_that_comes(caller)) < whole


@ONLY_SQLITE
def test_a_connection_is_used_again_and_each_request_has_its_own_measure(site: Site):
    server = server_of(site.web)
    server.config.http = Patient
    server.config.timeout_keep_alive = 3600
    long = REQUEST[:-2] + b"X: " + b"a" * (HEAD_BYTES // 2) + b"\r\n\r\n"

    with serving(server) as port, socket.create_connection(("127.0.0.1", port), timeout=PATIENCE) as caller:
        for _ in range(4):
            caller.sendall(long[:100])
            caller.sendall(long[100:])
            answer = http.client.HTTPResponse(caller)
            answer.begin()
            assert (answer.status, len(answer.read()) > 0) == (404, True)
