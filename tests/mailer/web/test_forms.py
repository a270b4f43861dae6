"""Whatever a stranger sends: never a 500, and never a change."""

import asyncio

import pytest
from fastapi import Request
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from starlette.exceptions import HTTPException
from starlette.types import Message

from mailer.web.forms import MAX_BYTES, read_body
from tests.mailer.web.conftest import Site

FORM = "application/x-www-form-urlencoded"
PART = 'Content-Disposition: form-data; name="List-Unsubscribe"\r\n\r\nOne-Click\r\n'
NEARLY_A_FORM = '-b\r\n:;="&%naмeContentDisposition form'
FILE = b'--b\r\nContent-Disposition: form-data; name="f"; filename="x"\r\n\r\nx\r\n--b--\r\n'


def nested(depth: int) -> bytes:
    head = "".join(
        f'--b{n}\r\nContent-Disposition: form-data; name="x"\r\n'
        f"Content-Type: multipart/mixed; boundary=b{n + 1}\r\n\r\n"
        for n in range(depth)
    )
    return head.encode()


@pytest.mark.parametrize(
    ("kind", "body", "status"),
    [
        (FORM, b"x" * (MAX_BYTES + 1), 413),
        (FORM, b"&".join(b"a=1" for _ in range(2000)), 400),
        (FORM, b"\xff\xfe\x00=%zz&%", 400),
        (FORM, b"List-Unsubscribe=One-Click\xff", 400),
        (f"{FORM}; charset=utf-16", b"a=b", 400),
        ("multipart/form-data", b"List-Unsubscribe=One-Click", 400),
        ("multipart/form-data; boundary=", b"--\r\n", 400),
        ("multipart/form-data; boundary=b", b"", 400),
        ("multipart/form-data; boundary=b", b"--b\r\n\r\nx\r\n--b--\r\n", 400),
        ("multipart/form-data; boundary=b0", nested(200), 400),
        ("multipart/form-data; boundary=b; charset=punycode", f"--b\r\n{PART}--b--\r\n".encode() * 2, 400),
        (
            "multipart/form-data; boundary=b",
            b'--b\r\nContent-Disposition: form-data; name="f"; filename="x"\r\n\r\nx\r\n--b--\r\n',
            400,
        ),
        ("multipart/form-data; boundary=" + "b" * 9000, b"x", 400),
        ("application/json", b'{"List-Unsubscribe": "One-Click"}', 415),
        ("text/plain", b"List-Unsubscribe=One-Click", 415),
        ("\xff;;=", b"List-Unsubscribe=One-Click", 415),
        ("", b"List-Unsubscribe=One-Click", 415),
    ],
)
def test_a_hostile_body_is_refused_with_a_page(site: Site, kind: str, body: bytes, status: int):
    before = site.dump()

    for path in (site.leave_path(), site.choose_path()):
        answer = site.client.post(path, content=body, headers={"Content-Type": kind.encode("latin-1")})
        assert answer.status_code == status
        assert answer.headers["content-type"].startswith("text/html")
    assert site.dump() == before


def test_a_body_of_unknown_length_is_cut_off_too(site: Site):
    parts = (b"a" * 1000 for _ in range(100))

    assert site.client.post(site.leave_path(), content=parts, headers={"Content-Type": FORM}).status_code == 413


def test_one_field_beside_the_one_click_pair_makes_it_another_form(site: Site):
    body = f'--b\r\n{PART}--b\r\nContent-Disposition: form-data; name="x"\r\n\r\ny\r\n--b--\r\n'.encode()

    answer = site.client.post(
        site.leave_path(), content=body, headers={"Content-Type": "multipart/form-data; boundary=b"}
    )

    assert answer.status_code == 400


@settings(
    deadline=None, max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow]
)
@given(
    body=st.binary(max_size=300)
    | st.text(alphabet='-b\r\n:;="&%naмeContentDisposition form', max_size=300).map(str.encode),
    kind=st.sampled_from([FORM, "multipart/form-data; boundary=b"]),
)
def test_no_body_breaks_the_page_or_changes_anything(site: Site, body: bytes, kind: str):
    before = site.dump()

    assert site.client.post(site.leave_path(), content=body, headers={"Content-Type": kind}).status_code == 400
    assert site.dump() == before


def test_a_body_that_trickles_is_given_up():
    async def silence() -> Message:
        await asyncio.Event().wait()
        raise AssertionError

    request = Request({"type": "http", "method": "POST", "headers": []}, silence)

    with pytest.raises(HTTPException, match="408"):
        asyncio.run(read_body(request, seconds=0.01))
