"""Hooks and whatever anybody writes, also those who know the key: an answer that is no 500, and no member touched."""

import json
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer
from typing import Any

import pytest
import sqlalchemy as sa
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from mailer.feedback.hooks.calls import Unreachable
from mailer.web.hooks import fetch
from tests.builders import MOMENT
from tests.mailer.web import tellers
from tests.mailer.web.tellers import Posting, Teller
from tests.mailer.web.test_hooks import Desk, bounce_of, every_teller
from tests.mailer.web.test_hooks import desk as desk  # noqa: PLC0414  # a fixture

VALUES: st.SearchStrategy[Any] = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats()
    | st.text(max_size=20)
    | st.sampled_from(["\0", "\ud800", "9" * 400, -1, 1e308, float("nan"), 10**30, "2024-03-07T25:00:00Z", "x" * 5000]),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3),
    max_leaves=5,
)
in_an_installation = settings(
    max_examples=25,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
    derandomize=True,
)


def paths(tree: Any, before: tuple[Any, ...] = ()) -> Iterator[tuple[Any, ...]]:
    """Yield the way to every value of a tree."""
    for name in tree if isinstance(tree, dict) else range(len(tree)) if isinstance(tree, list) else ():
        yield (*before, name)
        yield from paths(tree[name], (*before, name))


def changed(event: dict[str, Any], path: tuple[Any, ...], value: Any) -> dict[str, Any]:
    copy: dict[str, Any] = json.loads(json.dumps(event))
    inner: Any = copy
    for name in path[:-1]:
        inner = inner[name]
    inner[path[-1]] = value
    return copy


@every_teller
@in_an_installation
@given(data=st.data())
def test_an_event_with_anything_in_any_of_its_fields(desk: Desk, teller: Teller, data: st.DataObject) -> None:
    case = data.draw(st.sampled_from(teller.cases), label="case")
    event = case.event(desk.token())
    path = data.draw(st.sampled_from(sorted(paths(event), key=repr)), label="field")
    spoiled = changed(event, path, data.draw(VALUES, label="value"))

    answer = desk.send(teller, teller.post(spoiled, MOMENT, True))

    assert answer.status_code in (204, 400, 403)
    assert {row.member_id for row in desk.feedback()} <= {3}


@every_teller
@in_an_installation
@given(body=st.binary(max_size=200) | VALUES.map(lambda value: json.dumps(value).encode()))
def test_a_body_of_anything(desk: Desk, teller: Teller, body: bytes) -> None:
    plain = desk.send(teller, Posting({}, body))
    proved = desk.send(teller, teller.seal(body, MOMENT)) if teller.seal else plain

    assert plain.status_code in (400, 403, 429)
    assert proved.status_code in (204, 400, 403, 429)
    assert not desk.feedback()


@every_teller
@in_an_installation
@given(
    headers=st.dictionaries(
        st.sampled_from(
            [
                *("authorization", "svix-id", "svix-timestamp", "svix-signature", "x-postal-signature-256"),
                *(
                    "x-amz-sns-message-type",
                    "x-amz-sns-message-id",
                    "content-type",
                    "content-length",
                    "content-encoding",
                ),
            ]
        ),
        st.text(st.characters(min_codepoint=32, max_codepoint=255, exclude_characters="\x7f"), max_size=60)
        | st.sampled_from(["Basic", "Basic =", "Basic w", "v1,", "v1,=", "v1", "nan", "inf", "1e999", "-1"]),
    )
)
def test_headers_of_anything(desk: Desk, teller: Teller, headers: dict[str, str]) -> None:
    good = teller.post(bounce_of(teller).event(desk.token()), MOMENT, True)
    raw = {name.encode(): value.encode("latin-1") for name, value in headers.items()}

    answer = desk.site.client.post(f"/hooks/{teller.name}", content=good.body, headers=[*raw.items()])

    assert answer.status_code in ((204,) if teller.proof_in_body else (403, 429))


def test_what_could_not_be_kept_is_not_acknowledged(desk: Desk) -> None:
    """They tell it again, and then it is kept."""
    teller = tellers.RESEND
    posting = teller.post(bounce_of(teller).event(desk.token()), MOMENT, True)
    with desk.site.app.engine.begin() as connection:
        connection.execute(sa.text("ALTER TABLE hook_call RENAME TO away"))

    assert desk.send(teller, posting).status_code in (500, 503)
    assert not desk.feedback()

    with desk.site.app.engine.begin() as connection:
        connection.execute(sa.text("ALTER TABLE away RENAME TO hook_call"))
    assert desk.send(teller, posting).status_code == 204
    assert len(desk.feedback()) == 1


class Answers(BaseHTTPRequestHandler):
    """A host with a certificate, and with what a hook must not take for one."""

    def do_GET(self) -> None:
        status = {"/moved": 302, "/gone": 404}.get(self.path, 200)
        body = b"x" * (100_000 if self.path == "/long" else 10)
        self.send_response(status)
        self.send_header("Location", "/certificate")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_: object) -> None:
        pass


@pytest.fixture
def host() -> Iterator[str]:
    with HTTPServer(("127.0.0.1", 0), Answers) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        yield f"http://127.0.0.1:{server.server_port}"
        server.shutdown()
        thread.join()


def test_a_fetch_follows_nothing_and_reads_no_more_than_a_certificate_has(host: str) -> None:
    assert fetch(f"{host}/certificate") == b"x" * 10
    for path in ("moved", "gone", "long"):
        with pytest.raises(Unreachable):
            fetch(f"{host}/{path}")


def test_a_host_that_does_not_answer_is_said_to_be_unreachable() -> None:
    with pytest.raises(Unreachable):
        fetch("http://127.0.0.1:1/")
