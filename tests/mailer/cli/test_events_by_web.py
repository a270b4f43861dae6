"""A calendar that is fetched from a real server: as news is, and no private host unless config allows it."""

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path

from mailer.events.calendar_writing import write_feed
from tests.mailer.cli.conftest import Run
from tests.mailer.events.saying import a_rally
from tests.mailer.events.test_calendar_writing import PUBLISHER, an_entry

FEED = [an_entry(), an_entry(uid="2@example.org", details=a_rally(title="Höstmöte", place="Folkets hus"))]


@contextmanager
def serving(content: bytes) -> Iterator[str]:
    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.send_response(200)
            self.send_header("Content-Type", "text/calendar")
            self.send_header("Content-Length", str(len(content)))
            self.end_headers()
            self.wfile.write(content)

        def log_message(self, format: str, *args: object) -> None:  # noqa: A002  # its name there
            del format, args

    with HTTPServer(("127.0.0.1", 0), Handler) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        try:
            yield f"http://127.0.0.1:{server.server_port}/kalender.ics"
        finally:
            server.shutdown()
            thread.join()


def allow(folder: Path) -> None:
    config = folder / "config.toml"
    text = config.read_text(encoding="utf-8")
    config.write_text(text.replace("allow_hosts = []", 'allow_hosts = ["127.0.0.1"]'), encoding="utf-8")


def test_a_calendar_on_the_web_is_brought_in_and_brought_up_to_date(run: Run, tmp_path: Path):
    allow(tmp_path)
    with serving(write_feed(FEED, PUBLISHER, "sv", name="x")) as address:
        assert run("events", "import", address, "--source", "granne")[2].count("granne: 2 new, 0 changed") == 1
    moved = an_entry(sequence=4, details=a_rally(place="Humlegården"))
    with serving(write_feed([moved], PUBLISHER, "sv", name="x")) as address:
        assert "granne: 0 new, 1 changed, 0 unchanged" in run("events", "import", address, "--source", "granne")[2]

    out = run("events", "list", "--all")[1]
    assert "Humlegården" in out
    assert "Folkets hus" in out


def test_a_private_host_is_not_asked_unless_config_says_so(run: Run):
    with serving(write_feed(FEED, PUBLISHER, "sv", name="x")) as address:
        status, _, err = run("events", "import", address, "--source", "granne")

    assert status != 0
    assert "127.0.0.1" in err
    assert run("events", "list", "--all")[1] == ""
