"""Vendors at the wire: an HTTP server on the loopback that answers by script, and the words of each vendor."""

import asyncio
import base64
import contextlib
import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from types import TracebackType
from typing import Any, Self

import h11

from mailer.message.fields import REFERENCE, REFERENCE_HEADER, reference_of

DROP = None  # the connection ends without an answer


@dataclass(frozen=True)
class Received:
    path: str
    headers: Mapping[str, str]
    body: bytes

    @property
    def tree(self) -> Any:
        return json.loads(self.body)


@dataclass(frozen=True)
class Reply:
    status: int
    body: Any = ""
    headers: Mapping[str, str] = field(default_factory=dict)

    def octets(self) -> bytes:
        return self.body.encode() if isinstance(self.body, str) else json.dumps(self.body).encode()


Script = Callable[[Received], Reply | None]


class ApiServer:
    """Speaks HTTP/1.1 and remembers every request that was complete.

    delay     seconds before each answer
    together  nobody is answered before that many requests have come
    """

    def __init__(self, script: Script, *, delay: float = 0.0, together: int = 1) -> None:
        self.script = script
        self.received: list[Received] = []
        self.begun = 0
        self.most = 0  # requests at the same time
        self._under_way = 0
        self._delay = delay
        self._together = together
        self._enough = asyncio.Event()
        self._writers: list[asyncio.StreamWriter] = []

    async def __aenter__(self) -> Self:
        self._server = await asyncio.start_server(self._serve, "127.0.0.1", 0)
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._server.close()
        for writer in self._writers:
            writer.close()

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self._server.sockets[0].getsockname()[1]}"

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._writers.append(writer)
        with contextlib.suppress(asyncio.CancelledError):  # the loop ends while an answer is still owed
            await self._converse(reader, writer)
        writer.close()

    async def _converse(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        connection = h11.Connection(h11.SERVER)
        while (received := await self._request(connection, reader)) is not None:
            self.received.append(received)
            self._under_way += 1
            self.most = max(self.most, self._under_way)
            if len(self.received) >= self._together:
                self._enough.set()
            await self._enough.wait()
            reply = self.script(received)
            await asyncio.sleep(self._delay)
            self._under_way -= 1
            if reply is None:
                break
            octets = reply.octets()
            head = h11.Response(
                status_code=reply.status, headers=[("Content-Length", str(len(octets))), *reply.headers.items()]
            )
            for event in (head, h11.Data(data=octets), h11.EndOfMessage()):
                writer.write(connection.send(event) or b"")
            connection.start_next_cycle()

    async def _request(self, connection: h11.Connection, reader: asyncio.StreamReader) -> Received | None:
        """Return the next whole request; None when the client went away before it was."""
        head: h11.Request | None = None
        body = b""
        while True:
            event = connection.next_event()
            match event:
                case h11.NEED_DATA:
                    try:
                        octets = await reader.read(1 << 16)
                        connection.receive_data(octets)
                    except (ConnectionError, h11.RemoteProtocolError):
                        return None
                case h11.Request():
                    head = event
                    self.begun += 1
                case h11.Data():
                    body += event.data
                case h11.EndOfMessage() if head is not None:
                    fields = {name.decode().lower(): value.decode() for name, value in head.headers}
                    return Received(head.target.decode(), fields, body)
                case _:
                    return None


@dataclass(frozen=True)
class Vendor:
    """One vendor's words. `ok` and `items` answer a request; the others are what it says when it refuses all of it.

    reference  what a request gives along so that events bring it back
    raw        our octets in a request, where they go as they are
    headers    the header fields of the first message of a request, where the vendor writes the mail from fields
    items      answers a batch in which the messages of these places are refused, where the answer speaks of each
    most       messages that a request may carry
    has_keys   a repeated request is known by its key
    knows_addresses  it says that a request is refused for its address
    """

    name: str
    settings: Mapping[str, object]
    ok: Script
    address_refused: Reply
    message_refused: Reply
    shut: Sequence[Reply]
    recipients: Callable[[Received], list[str]]
    reference: Callable[[Received], object]
    raw: Callable[[Received], bytes] | None = None
    headers: Callable[[Received], Mapping[str, str]] | None = None
    items: Callable[[Received, Sequence[int]], Reply] | None = None
    most: int = 1
    has_keys: bool = False
    knows_addresses: bool = True


def _mailgun_raw(received: Received) -> bytes:
    return received.body[received.body.index(b"From:") :].rpartition(b"\r\n--")[0]


def _named(pairs: Sequence[Mapping[str, str]], name: str, value: str) -> dict[str, str]:
    return {pair[name]: pair[value] for pair in pairs}


def _mailgun_to(received: Received) -> list[str]:
    after = received.body.partition(b'name="to"\r\n\r\n')[2]
    return [after.partition(b"\r\n")[0].decode()]


def _resend_mails(received: Received) -> list[Any]:
    """Their request for many is a list, that for one is what it is about."""
    return received.tree if received.path.endswith("/batch") else [received.tree]


def _resend_ok(received: Received) -> Reply:
    return _resend_items(received, ()) if received.path.endswith("/batch") else Reply(200, {"id": "r"})


def _resend_items(received: Received, refused: Sequence[int]) -> Reply:
    count = len(received.tree)
    return Reply(
        200,
        {
            "data": [{"id": f"r{place}"} for place in range(count) if place not in refused],
            "errors": [{"index": place, "message": "Invalid `to` field."} for place in refused],
        },
    )


def _postmark_items(received: Received, refused: Sequence[int]) -> Reply:
    inactive = {"ErrorCode": 406, "Message": "You tried to send to a recipient that has been marked as inactive."}
    return Reply(
        200,
        [
            inactive if place in refused else {"ErrorCode": 0, "Message": "OK", "MessageID": f"p{place}"}
            for place in range(len(received.tree))
        ],
    )


def _brevo_ok(received: Received) -> Reply:
    versions = received.tree.get("messageVersions")
    return Reply(201, {"messageIds": [f"b{n}" for n in range(len(versions))]} if versions else {"messageId": "b"})


def _brevo_to(received: Received) -> list[str]:
    versions = received.tree.get("messageVersions") or [received.tree]
    return [version["to"][0]["email"] for version in versions]


VENDORS = (
    Vendor(
        name="mailgun",
        settings={"domain": "nyhet.example.org", "key": "k"},
        ok=lambda _: Reply(200, {"id": "<1@nyhet.example.org>", "message": "Queued. Thank you."}),
        address_refused=Reply(400, {"message": "to parameter is not a valid address. please check documentation"}),
        message_refused=Reply(400, {"message": "message is not valid MIME"}),
        shut=(
            Reply(401, "Forbidden"),
            Reply(402, {"message": "payment required"}),
            Reply(404, {"message": "no domain"}),
        ),
        recipients=_mailgun_to,
        reference=lambda received: reference_of(_mailgun_raw(received)),  # Message-ID is kept
        raw=_mailgun_raw,
    ),
    Vendor(
        name="ses",
        settings={"key_id": "AKIDEXAMPLE", "key": "k"},
        ok=lambda _: Reply(200, {"MessageId": "0102"}),
        address_refused=Reply(
            400,
            {"message": "Invalid domain name: m1@-"},
            {"x-amzn-ErrorType": "BadRequestException:http://internal.amazon.com/"},
        ),
        message_refused=Reply(
            400, {"message": "Email address is not verified."}, {"x-amzn-ErrorType": "MessageRejected"}
        ),
        shut=(
            Reply(400, {"message": "Sending is paused."}, {"x-amzn-ErrorType": "SendingPausedException"}),
            Reply(403, {"message": "The token has expired"}, {"x-amzn-ErrorType": "ExpiredTokenException"}),
            Reply(400, {"message": "Daily message quota exceeded."}, {"x-amzn-ErrorType": "ThrottlingException"}),
        ),
        recipients=lambda received: received.tree["Destination"]["ToAddresses"],
        reference=lambda received: received.tree["EmailTags"][0]["Value"],
        raw=lambda received: base64.b64decode(received.tree["Content"]["Raw"]["Data"]),
        knows_addresses=False,
    ),
    Vendor(
        name="brevo",
        settings={"key": "k"},
        ok=_brevo_ok,
        address_refused=Reply(400, {"code": "invalid_parameter", "message": "email is not valid in to"}),
        message_refused=Reply(400, {"code": "invalid_parameter", "message": "htmlContent is invalid"}),
        shut=(Reply(401, {"code": "unauthorized"}), Reply(400, {"code": "not_enough_credits"})),
        recipients=_brevo_to,
        reference=lambda received: received.tree["headers"]["X-Mailin-custom"],
        headers=lambda received: received.tree["headers"],
        most=1000,
        has_keys=True,
    ),
    Vendor(
        name="scaleway",
        settings={"project": "0" * 36, "key": "k"},
        ok=lambda _: Reply(200, {"emails": [{"id": "s1"}]}),
        address_refused=Reply(400, {"details": [{"argument_name": "to", "reason": "constraint"}]}),
        message_refused=Reply(400, {"message": "subject is not allowed"}),
        shut=(Reply(401, {"message": "denied"}), Reply(403, {"message": "insufficient permissions"})),
        recipients=lambda received: [received.tree["to"][0]["email"]],
        reference=lambda received: _named(received.tree["additional_headers"], "key", "value")[REFERENCE_HEADER],
        headers=lambda received: _named(received.tree["additional_headers"], "key", "value"),
    ),
    Vendor(
        name="postmark",
        settings={"token": "k"},
        ok=lambda received: _postmark_items(received, ()),
        address_refused=Reply(200, [{"ErrorCode": 406, "Message": "Inactive recipient"}]),
        message_refused=Reply(200, [{"ErrorCode": 300, "Message": "Invalid email request"}]),
        shut=(
            Reply(401, {"ErrorCode": 10, "Message": "Bad or missing API token"}),
            Reply(422, {"ErrorCode": 405, "Message": "Not allowed to send: ran out of credits"}),
        ),
        recipients=lambda received: [mail["To"] for mail in received.tree],
        reference=lambda received: received.tree[0]["Metadata"][REFERENCE],
        headers=lambda received: _named(received.tree[0]["Headers"], "Name", "Value"),
        items=_postmark_items,
        most=500,
    ),
    Vendor(
        name="resend",
        settings={"key": "k"},
        ok=_resend_ok,
        address_refused=Reply(200, {"data": [], "errors": [{"index": 0, "message": "Invalid `to` field."}]}),
        message_refused=Reply(422, {"name": "validation_error", "message": "Invalid html."}),
        shut=(
            Reply(403, {"name": "invalid_api_key", "message": "API key is invalid"}),
            Reply(429, {"name": "daily_quota_exceeded", "message": "You have reached your daily quota."}),
        ),
        recipients=lambda received: [mail["to"][0] for mail in _resend_mails(received)],
        reference=lambda received: _named(_resend_mails(received)[0]["tags"], "name", "value")[REFERENCE],
        headers=lambda received: received.tree[0]["headers"],
        items=_resend_items,
        most=100,
        has_keys=True,
    ),
    Vendor(
        name="postal",
        settings={"key": "k"},
        ok=lambda _: Reply(200, {"status": "success", "data": {"message_id": "<1@post>"}}),
        address_refused=Reply(200, {"status": "error", "data": {"code": "NoRecipients", "message": "none"}}),
        message_refused=Reply(200, {"status": "parameter-error", "data": {"message": "`data` parameter is required"}}),
        shut=(Reply(200, {"status": "error", "data": {"code": "InvalidServerAPIKey", "message": "no"}}),),
        recipients=lambda received: received.tree["rcpt_to"],
        reference=lambda received: reference_of(base64.b64decode(received.tree["data"])),
        raw=lambda received: base64.b64decode(received.tree["data"]),
    ),
)
