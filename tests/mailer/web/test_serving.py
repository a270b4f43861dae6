import http.client
import threading

import pytest

from mailer.errors import Mistake
from mailer.web import listen, server_of
from tests.mailer.web.conftest import CECILIA, Site
from tests.waiting import PATIENCE


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
    listener = listen("127.0.0.1", 0)
    port = listener.getsockname()[1]
    server = server_of(site.web)
    thread = threading.Thread(target=server.run, kwargs={"sockets": [listener]})
    thread.start()
    try:
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
    finally:
        server.should_exit = True
        thread.join()
    assert not site.gets(CECILIA)
    assert site.leave_path(CECILIA) not in "".join(capfd.readouterr())
