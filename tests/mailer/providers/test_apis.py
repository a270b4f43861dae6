"""One contract for every API provider: what it sends, what its answers become, and what it never does twice."""

import asyncio
from base64 import b64decode
from datetime import timedelta
from email.header import decode_header, make_header
from pathlib import Path

import httpx
import pytest
from pydantic import SecretStr

from mailer.clock import system_clock
from mailer.errors import MessageRefused, Mistake, ProviderDown, TryLater
from mailer.message import Message
from mailer.message.invitation import Invitation
from mailer.message.skeleton import with_invitation
from mailer.providers import Outgoing, Provider, open_provider, provider_names
from mailer.providers.api import ApiProvider
from mailer.providers.brevo import Brevo
from mailer.providers.brevo import Settings as BrevoSettings
from tests.mailer.providers.desks import RecordingDesk, until
from tests.mailer.providers.vendors import DROP, VENDORS, ApiServer, Received, Reply, Script, Vendor

CONTENT = (
    b'From: "Exempelpartiet" <brev@nyhet.example.org>\r\n'
    b"To: <m@example.net>\r\n"
    b"Reply-To: <svar@example.org>\r\n"
    b"Subject: =?utf-8?q?Veckobrevet_f=C3=B6r_dig?=\r\n"
    b"Date: Thu, 07 Mar 2024 07:00:00 +0000\r\n"
    b"Message-ID: <aJ3x@nyhet.example.org>\r\n"
    b"List-Unsubscribe: <https://post.example.org/u/aBcDeFgHiJkLmNoPqRsTuVw>\r\n"
    b"List-Unsubscribe-Post: List-Unsubscribe=One-Click\r\n"
    b"MIME-Version: 1.0\r\n"
    b'Content-Type: multipart/alternative; boundary="=_utskick_alternative"\r\n'
    b"\r\n--=_utskick_alternative\r\n"
    b"Content-Type: text/plain; charset=utf-8\r\nContent-Transfer-Encoding: quoted-printable\r\n\r\n"
    b"Nyheter fr=C3=A5n Sk=C3=A4rholmen.\r\n"
    b"\r\n--=_utskick_alternative\r\n"
    b"Content-Type: text/html; charset=utf-8\r\nContent-Transfer-Encoding: quoted-printable\r\n\r\n"
    b"<p>Nyheter fr=C3=A5n Sk=C3=A4rholmen.</p>\r\n"
    b"\r\n--=_utskick_alternative--\r\n"
)


@pytest.fixture(params=VENDORS, ids=lambda vendor: vendor.name)
def vendor(request: pytest.FixtureRequest) -> Vendor:
    found: Vendor = request.param
    return found


def letters(count: int) -> list[Outgoing]:
    return [
        Outgoing(n, f"weekly+{n}", Message(f"b-{n}@studs.example.org", f"m{n}@example.net", CONTENT))
        for n in range(1, count + 1)
    ]


def own_letters(count: int) -> list[Outgoing]:
    """Letters as members get them, each with a one-click header of its own."""
    return [
        Outgoing(n, f"k{n}", Message("b@example.org", f"m{n}@example.net", CONTENT.replace(b"aBcDe", b"%05d" % n)))
        for n in range(count)
    ]


def opened(vendor: Vendor, server: ApiServer | str, data: Path, **settings: object) -> Provider:
    url = server if isinstance(server, str) else server.url
    return open_provider(vendor.name, {**vendor.settings, "base_url": url, **settings}, data=data)


def carried(vendor: Vendor, script: Script, desk: RecordingDesk, data: Path, **settings: object) -> ApiServer:
    """Carry all of `desk` to a server with that script; return the server, closed."""

    async def carry() -> ApiServer:
        async with ApiServer(script) as server:
            provider = opened(vendor, server, data, **settings)
            try:
                await provider.carry(desk)
            finally:
                await provider.close()
            return server

    return asyncio.run(carry())


def always(reply: Reply | None) -> Script:
    return lambda _: reply


def test_every_api_provider_is_under_this_contract() -> None:
    assert {vendor.name for vendor in VENDORS} == set(provider_names()) - {"smtp", "catch"}


def test_every_message_arrives_once_and_is_accounted_for(vendor: Vendor, tmp_path: Path) -> None:
    desk = RecordingDesk(*letters(25))

    server = carried(vendor, vendor.ok, desk, tmp_path)

    told = [address for received in server.received for address in vendor.recipients(received)]
    assert sorted(told) == sorted(f"m{n}@example.net" for n in range(1, 26))
    assert desk.kinds() == ["Receipt"] * 25


@pytest.mark.parametrize("kind", ["address_refused", "message_refused"])
def test_a_refusal_becomes_what_the_outbox_does_about_it(vendor: Vendor, kind: str, tmp_path: Path) -> None:
    desk = RecordingDesk(*letters(1))

    carried(vendor, always(getattr(vendor, kind)), desk, tmp_path)

    is_known = kind == "address_refused" and vendor.knows_addresses  # what is in doubt is not held against an address
    assert desk.kinds() == ["AddressRefused" if is_known else "MessageRefused"]


def test_a_refused_key_or_account_stops_the_provider_and_loses_nothing(vendor: Vendor, tmp_path: Path) -> None:
    for reply in vendor.shut:
        desk = RecordingDesk(*letters(3))

        with pytest.raises(ProviderDown):
            carried(vendor, always(reply), desk, tmp_path, connections=1)

        assert all(isinstance(outcome, TryLater) for outcome in desk.outcomes.values())
        assert not desk.out


@pytest.mark.parametrize(
    ("value", "wait"),
    [("120", timedelta(minutes=2)), ("Thu, 01 Jan 2099 00:00:00 GMT", timedelta(days=1)), ("soon", None), ("", None)],
)
def test_a_limit_is_waited_out_as_long_as_was_asked(
    vendor: Vendor, value: str, wait: timedelta | None, tmp_path: Path
) -> None:
    desk = RecordingDesk(*letters(1))

    carried(vendor, always(Reply(429, {"message": "slow down"}, {"Retry-After": value})), desk, tmp_path)

    (outcome,) = desk.outcomes.values()
    assert isinstance(outcome, TryLater)
    assert outcome.retry_after == wait


@pytest.mark.parametrize("reply", [None, Reply(500, "oops"), Reply(502, "<html>"), Reply(504)])
def test_no_clear_answer_is_uncertain_and_a_key_makes_the_repeat_the_same(
    vendor: Vendor, reply: Reply | None, tmp_path: Path
) -> None:
    desk = RecordingDesk(*letters(1))

    server = carried(vendor, always(reply), desk, tmp_path)

    assert desk.kinds() == ["Unanswered"]
    bodies = {received.body for received in server.received}
    assert len(bodies) == 1
    assert len(server.received) == (3 if vendor.has_keys else 1)


def test_a_repeat_that_is_answered_settles_what_was_uncertain(vendor: Vendor, tmp_path: Path) -> None:
    if not vendor.has_keys:
        return
    desk = RecordingDesk(*letters(1))
    answers = iter([None, vendor.ok])

    def script(received: Received) -> Reply | None:
        answer = next(answers)
        return answer(received) if answer else None

    carried(vendor, script, desk, tmp_path)

    assert desk.kinds() == ["Receipt"]


@pytest.mark.parametrize("name", ["brevo", "resend"])
@pytest.mark.parametrize("refusal", ["later", "down"])
def test_a_repeat_that_is_not_taken_says_nothing_of_the_first(name: str, refusal: str, tmp_path: Path) -> None:
    """The first may have been taken: put off or given to the next provider, it would come twice."""
    vendor = next(vendor for vendor in VENDORS if vendor.name == name)
    desk = RecordingDesk(*letters(3))
    answers = iter([None, Reply(429, {"message": "slow down"}) if refusal == "later" else vendor.shut[0]])

    try:
        carried(vendor, lambda _: next(answers), desk, tmp_path, connections=1)
    except ProviderDown:
        assert refusal == "down"

    assert desk.kinds() == ["Unanswered"] * 3


def test_a_repeat_of_a_half_has_the_key_of_that_half(tmp_path: Path) -> None:
    """A request is refused for one of four; its halves each get no answer once."""
    for name in ("brevo", "resend"):
        vendor = next(vendor for vendor in VENDORS if vendor.name == name)
        seen: dict[tuple[str, ...], list[Received]] = {}

        def script(received: Received, vendor: Vendor = vendor, seen: dict = seen) -> Reply | None:  # type: ignore[type-arg]
            told = tuple(vendor.recipients(received))
            seen.setdefault(told, []).append(received)
            if "m3@example.net" in told:
                return Reply(422, {"name": "validation_error", "code": "invalid_parameter", "message": "no"})
            return None if len(seen[told]) == 1 else vendor.ok(received)

        desk = RecordingDesk(*letters(4))
        carried(vendor, script, desk, tmp_path, connections=1)

        assert desk.kinds() == ["Receipt", "Receipt", "MessageRefused", "Receipt"]
        for told in (("m1@example.net", "m2@example.net"), ("m4@example.net",)):
            first, again = seen[told]
            assert first.body == again.body
            assert first.headers.get("idempotency-key") == again.headers.get("idempotency-key")
        requests = [received for some in seen.values() for received in some]
        keys = {it.headers.get("idempotency-key") or it.tree["headers"]["idempotencyKey"] for it in requests}
        assert len(keys) == len(seen)


def test_where_nobody_listens_all_goes_back_untouched(vendor: Vendor, tmp_path: Path) -> None:
    desk = RecordingDesk(*letters(2))

    async def carry() -> None:
        async with ApiServer(vendor.ok) as server:
            url = server.url
        provider = opened(vendor, url, tmp_path, connections=1)
        try:
            await provider.carry(desk)
        finally:
            await provider.close()

    with pytest.raises(ProviderDown):
        asyncio.run(carry())

    assert not desk.outcomes
    assert len(desk.waiting) == 2


def test_whoever_may_not_be_written_to_any_more_is_left_out_and_the_rest_goes(vendor: Vendor, tmp_path: Path) -> None:
    desk = RecordingDesk(*letters(5), allow=lambda outgoing: outgoing.ticket != 2)
    desk.give_back = lambda outgoing: desk.out.pop(outgoing.ticket)  # type: ignore[assignment]  # it would be handed out again

    server = carried(vendor, vendor.ok, desk, tmp_path)

    told = [address for received in server.received for address in vendor.recipients(received)]
    assert sorted(told) == [f"m{n}@example.net" for n in (1, 3, 4, 5)]
    assert desk.kinds() == ["Receipt"] * 4


def test_whoever_is_stopped_while_waiting_for_an_answer_says_so(vendor: Vendor, tmp_path: Path) -> None:
    desk = RecordingDesk(*letters(1))

    async def stop() -> None:
        async with ApiServer(vendor.ok, delay=30) as server:
            provider = opened(vendor, server, tmp_path)
            task = asyncio.create_task(provider.carry(desk))
            await until(lambda: bool(server.received))
            task.cancel()
            with pytest.raises(asyncio.CancelledError):
                await task
            await provider.close()

    asyncio.run(stop())

    assert desk.kinds() == ["Unanswered"]


def test_items_refused_inside_a_success_are_seen(vendor: Vendor, tmp_path: Path) -> None:
    if vendor.items is None:
        return
    items = vendor.items
    desk = RecordingDesk(*letters(4))

    carried(vendor, lambda received: items(received, (1, 3)), desk, tmp_path, connections=1)

    assert desk.kinds() == ["Receipt", "AddressRefused", "Receipt", "AddressRefused"]


def test_an_answer_that_is_short_of_items_is_uncertain(vendor: Vendor, tmp_path: Path) -> None:
    if vendor.items is None:
        return
    desk = RecordingDesk(*letters(2))

    for short in (Reply(200, []), Reply(200, {"data": []})):
        desk = RecordingDesk(*letters(2))
        carried(vendor, always(short), desk, tmp_path)
        assert desk.kinds() == ["Unanswered"] * 2


def test_an_answer_names_nobody(vendor: Vendor, tmp_path: Path) -> None:
    desk = RecordingDesk(*letters(1))

    carried(vendor, always(Reply(400, {"message": "m1@example.net is not known"})), desk, tmp_path)

    (outcome,) = desk.outcomes.values()
    assert isinstance(outcome, MessageRefused)
    assert "m1@example.net" not in outcome.detail


def test_raw_mail_arrives_byte_for_byte(tmp_path: Path) -> None:
    assert {vendor.name for vendor in VENDORS if vendor.raw} >= {"mailgun", "ses", "postal"}
    for vendor in VENDORS:
        if vendor.raw is not None:
            (received,) = carried(vendor, vendor.ok, RecordingDesk(*letters(1)), tmp_path).received
            assert vendor.raw(received) == CONTENT


def test_from_fields_the_one_click_header_and_the_words_arrive_whole(tmp_path: Path) -> None:
    for vendor in VENDORS:
        assert (vendor.headers is None) is (vendor.raw is not None)
        if vendor.headers is None:
            continue
        (received,) = carried(vendor, vendor.ok, RecordingDesk(*letters(1)), tmp_path).received
        headers = vendor.headers(received)
        assert headers["List-Unsubscribe"] == "<https://post.example.org/u/aBcDeFgHiJkLmNoPqRsTuVw>"
        assert headers["List-Unsubscribe-Post"] == "List-Unsubscribe=One-Click"
        words = received.body.decode("unicode_escape")
        assert "Veckobrevet för dig" in words
        assert "<p>Nyheter från Skärholmen.</p>" in words
        assert "svar@example.org" in words


FILES = {
    "postmark": ("Attachments", "Content"),
    "scaleway": ("attachments", "content"),
    "brevo": ("attachment", "content"),
    "resend": ("attachments", "content"),
}


def invited(ticket: int, address: str) -> Outgoing:
    """A letter with an entry for the calendar of its reader."""
    head = CONTENT.partition(b"MIME-Version")[0]
    entry = Invitation("REQUEST", "BEGIN:VEVENT\r\nATTENDEE:mailto:x\r\nEND:VEVENT\r\n")
    skeleton = with_invitation([head], text=["Du kommer till mötet.\n"], html=["<p>Du kommer.</p>"], invited=entry)
    content = skeleton.compose({"to_address": address})
    return Outgoing(ticket, f"k{ticket}", Message("b@example.org", address, content))


@pytest.mark.parametrize("name", FILES)
def test_from_fields_a_calendar_entry_goes_as_a_file_of_that_letter_alone(name: str, tmp_path: Path) -> None:
    [vendor] = [one for one in VENDORS if one.name == name]
    couple = ("anna@example.net", "bo@example.net", "bo@example.net")  # of whom two share a mailbox
    desk = RecordingDesk(
        *(invited(n, address) for n, address in enumerate(couple)),
        *(one._replace(ticket=one.ticket + 7) for one in letters(1)),
    )

    received = carried(vendor, vendor.ok, desk, tmp_path).received

    trees = [tree for one in received for tree in (one.tree if isinstance(one.tree, list) else [one.tree])]
    where, content = FILES[name]
    files = [b64decode(file[content]).decode() for tree in trees for file in tree.get(where, [])]
    assert sorted(file.split("mailto:")[1].split("\r")[0] for file in files) == list(couple)
    assert [file.count("ATTENDEE") for file in files] == [1, 1, 1]
    assert desk.kinds() == ["Receipt"] * 4


def test_at_resend_only_letters_with_a_file_go_one_by_one_and_each_keeps_its_key(tmp_path: Path) -> None:
    vendor = next(vendor for vendor in VENDORS if vendor.name == "resend")
    desk = RecordingDesk(
        *(one._replace(ticket=one.ticket + 7) for one in letters(3)),
        *(invited(n, f"i{n}@example.net") for n in range(2)),
    )
    lost: set[str] = set()

    def script(received: Received) -> Reply | None:
        """Take each request of one letter, and answer only when it comes again."""
        key = received.headers["idempotency-key"]
        if received.path == "/emails" and key not in lost:
            lost.add(key)
            return DROP
        return vendor.ok(received)

    received = carried(vendor, script, desk, tmp_path).received

    singles = [one for one in received if one.path == "/emails"]
    assert {one.path for one in received} == {"/emails", "/emails/batch"}
    assert [len(one.tree) for one in received if one.path == "/emails/batch"] == [3]
    keys = {one.tree["to"][0]: one.headers["idempotency-key"] for one in singles}
    assert len(singles) == 4  # each came twice,
    assert len({*keys.values()}) == 2  # under a key of its own
    assert {one.headers["idempotency-key"] for one in singles} == {*keys.values()}
    assert all(file["content_type"] == "text/calendar" for one in singles for file in one.tree["attachments"])
    assert desk.kinds() == ["Receipt"] * 5


def test_at_resend_an_address_that_is_none_fails_alone_also_by_the_request_for_one(tmp_path: Path) -> None:
    vendor = next(vendor for vendor in VENDORS if vendor.name == "resend")
    wrong = {
        "statusCode": 422,
        "name": "validation_error",
        "message": "Invalid `to` field. It is no address.",
    }
    desk = RecordingDesk(invited(1, "anna@example.net"), invited(2, "bo@example.net"))

    def script(received: Received) -> Reply | None:
        return Reply(422, wrong) if "anna@example.net" in vendor.recipients(received) else vendor.ok(received)

    carried(vendor, script, desk, tmp_path)

    assert desk.kinds() == ["AddressRefused", "Receipt"]


def test_tracking_is_switched_off_where_a_message_can_say_so(tmp_path: Path) -> None:
    by_name = {vendor.name: vendor for vendor in VENDORS}
    (mailgun,) = carried(by_name["mailgun"], by_name["mailgun"].ok, RecordingDesk(*letters(1)), tmp_path).received
    (postmark,) = carried(by_name["postmark"], by_name["postmark"].ok, RecordingDesk(*letters(1)), tmp_path).received

    assert mailgun.body.count(b"\r\n\r\nno\r\n") == 3
    assert postmark.tree[0]["TrackOpens"] is False
    assert postmark.tree[0]["TrackLinks"] == "None"


def test_requests_run_beside_each_other(vendor: Vendor, tmp_path: Path) -> None:
    """The server answers nobody before it has as many requests as may be under way."""
    expected = 10 if vendor.most == 1 else 1

    async def carry() -> None:
        async with ApiServer(vendor.ok, together=expected) as server:
            provider = opened(vendor, server, tmp_path, connections=10)
            await provider.carry(desk)
            await provider.close()

    desk = RecordingDesk(*own_letters(20))
    asyncio.run(carry())

    assert desk.kinds() == ["Receipt"] * 20


def test_no_more_requests_than_are_its_part_run_beside_each_other(vendor: Vendor, tmp_path: Path) -> None:
    async def carry() -> int:
        async with ApiServer(vendor.ok) as server:
            provider = opened(vendor, server, tmp_path, connections=10)
            assert isinstance(provider, ApiProvider)
            await provider.keep_to(2)
            await provider.carry(RecordingDesk(*own_letters(20)))
            await provider.close()
            return server.most

    assert asyncio.run(carry()) <= 2


def test_a_key_never_goes_over_a_wire_that_can_be_read(vendor: Vendor, tmp_path: Path) -> None:
    with pytest.raises(Mistake, match="https://"):
        opened(vendor, "http://api.example.org", tmp_path)


def test_a_key_is_shown_nowhere(vendor: Vendor, tmp_path: Path) -> None:
    settings = {**vendor.settings, "base_url": "https://api.example.org"}
    provider = open_provider(vendor.name, settings, data=tmp_path)

    assert isinstance(provider, ApiProvider)
    assert "'k'" not in repr(vars(provider))
    asyncio.run(provider.close())


def test_a_mail_that_brevo_cannot_carry_fails_alone(tmp_path: Path) -> None:
    brevo = next(vendor for vendor in VENDORS if vendor.name == "brevo")
    plain = CONTENT.partition(b"MIME-Version")[0] + b"MIME-Version: 1.0\r\nContent-Type: text/plain\r\n\r\nHej.\r\n"
    desk = RecordingDesk(Outgoing(9, "k", Message("b@example.org", "m9@example.net", plain)), *letters(1))

    carried(brevo, brevo.ok, desk, tmp_path)

    assert desk.kinds() == ["Receipt", "MessageRefused"]


def test_letters_go_together_each_with_header_fields_and_reference_of_its_own(tmp_path: Path) -> None:
    brevo = next(vendor for vendor in VENDORS if vendor.name == "brevo")

    (received,) = carried(brevo, brevo.ok, RecordingDesk(*own_letters(10)), tmp_path, connections=1).received

    versions = received.tree["messageVersions"]
    assert [version["headers"]["List-Unsubscribe"][-24:-1] for version in versions] == [
        f"{n:05d}FgHiJkLmNoPqRsTuVw" for n in range(10)
    ]
    assert {version["headers"]["X-Mailin-custom"] for version in versions} == {"aJ3x"}
    outside = {name: value for name, value in received.tree.items() if name != "messageVersions"}
    assert set(outside["headers"]) == {"idempotencyKey"}
    assert "Skärholmen" not in str(outside)  # nothing of one member could reach another


@pytest.mark.parametrize("vendor", [it for it in VENDORS if it.most > 1], ids=lambda vendor: vendor.name)
def test_a_request_holds_as_many_as_config_says_and_the_vendor_takes(vendor: Vendor, tmp_path: Path) -> None:
    for settings, requests in (({}, 3), ({"batch": 50}, 5), ({"batch": 1}, 205)):
        desk = RecordingDesk(*own_letters(205))
        assert len(carried(vendor, vendor.ok, desk, tmp_path, connections=1, **settings).received) == requests
    with pytest.raises(Mistake, match="batch"):
        opened(vendor, "https://api.example.org", tmp_path, batch=vendor.most + 1)


@pytest.mark.parametrize("vendor", [it for it in VENDORS if it.most > 1], ids=lambda vendor: vendor.name)
def test_what_is_too_large_together_goes_in_parts(vendor: Vendor, tmp_path: Path) -> None:
    def script(received: Received) -> Reply | None:
        return Reply(413, "too large") if len(vendor.recipients(received)) > 2 else vendor.ok(received)

    desk = RecordingDesk(*letters(8))
    carried(vendor, script, desk, tmp_path, connections=1)

    assert desk.kinds() == ["Receipt"] * 8


def test_a_key_that_is_no_good_is_not_tried_again_in_halves(tmp_path: Path) -> None:
    """Resend says "validation_error" for it too."""
    vendor = next(vendor for vendor in VENDORS if vendor.name == "resend")
    desk = RecordingDesk(*letters(20))
    received: list[Received] = []

    def script(request: Received) -> Reply:
        received.append(request)
        return Reply(400, {"name": "validation_error", "message": "API key is invalid"})

    with pytest.raises(ProviderDown):
        carried(vendor, script, desk, tmp_path, connections=1)

    assert len(received) == 1


@pytest.mark.parametrize("name", ["brevo", "resend"])
def test_one_that_a_request_is_refused_for_is_found_and_fails_alone(name: str, tmp_path: Path) -> None:
    vendor = next(vendor for vendor in VENDORS if vendor.name == name)
    refused = vendor.address_refused if name == "brevo" else vendor.message_refused

    def script(received: Received) -> Reply | None:
        return refused if "m7@example.net" in vendor.recipients(received) else vendor.ok(received)

    desk = RecordingDesk(*letters(20))
    server = carried(vendor, script, desk, tmp_path, connections=1)

    told = [it for received in server.received for it in vendor.recipients(received) if script(received) != refused]
    assert sorted(told) == sorted(f"m{n}@example.net" for n in range(1, 21) if n != 7)
    assert [kind == "Receipt" for kind in desk.kinds()] == [n != 7 for n in range(1, 21)]
    assert len(server.received) < 12


def test_whoever_is_stopped_between_two_halves_leaves_none_unaccounted_for(tmp_path: Path) -> None:
    vendor = next(vendor for vendor in VENDORS if vendor.name == "brevo")
    desk = RecordingDesk(*letters(8))

    async def stop() -> None:
        server = ApiServer(lambda _: vendor.address_refused)
        async with server:
            provider = opened(vendor, server, tmp_path, connections=1)
            task = asyncio.create_task(provider.carry(desk))
            await until(lambda: len(server.received) >= 2)
            task.cancel()
            with pytest.raises(asyncio.CancelledError):
                await task
            await provider.close()

    asyncio.run(stop())

    assert len(desk.outcomes) == 8
    assert set(desk.kinds()) <= {"AddressRefused", "Unanswered"}


def test_an_address_beyond_ascii_stops_nobody_and_is_carried_where_the_vendor_can(
    vendor: Vendor, tmp_path: Path
) -> None:
    """To is the one field of ours that may be UTF-8."""
    address = "åke@xn--malm-8qa.example.net"
    content = CONTENT.replace(b"m@example.net", address.encode())
    desk = RecordingDesk(Outgoing(9, "k9", Message("b@example.org", address, content)), *letters(1))

    server = carried(vendor, vendor.ok, desk, tmp_path, connections=1)

    loses_it = vendor.name == "scaleway"
    told = [it for received in server.received for it in vendor.recipients(received)]
    assert sorted(told) == ["m1@example.net", *([] if loses_it else [address])]
    assert desk.kinds() == ["Receipt", "AddressRefused" if loses_it else "Receipt"]


def test_what_is_given_back_after_a_trouble_of_ours_is_under_way_no_more() -> None:
    """Letters of two senders go in two requests; leave for the first cannot be written down (a full disk)."""
    vendor = Brevo(BrevoSettings(key=SecretStr("k")))
    other = CONTENT.replace(b"<brev@", b"<andra@")
    first, second = letters(1)[0], Outgoing(2, "k2", Message("b@example.org", "m2@example.net", other))
    connected = asyncio.Event()
    arrived: list[bytes] = []

    class Line(httpx.AsyncBaseTransport):
        """Takes in what comes; the second sender's connection stands later."""

        async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
            if self is lines[1]:
                await connected.wait()
            arrived.append(await request.aread())
            return httpx.Response(201, json={"messageId": "b"})

    def refuse(_: Outgoing) -> bool:
        raise OSError("No space left on device")

    desk = RecordingDesk(first, second, allow=refuse)
    lines = [Line(), Line()]

    async def carry() -> None:
        provider = ApiProvider(vendor, [httpx.AsyncClient(transport=line) for line in lines], system_clock)
        with pytest.raises(OSError, match="No space"):
            await provider.carry(desk)
        connected.set()
        left = asyncio.all_tasks() - {asyncio.current_task()}
        await asyncio.gather(*left, return_exceptions=True)
        await provider.close()

    asyncio.run(carry())

    assert desk.given_back == {1: 1, 2: 1}
    assert arrived == []


def test_every_mail_gives_a_reference_along_that_its_events_bring_back(vendor: Vendor, tmp_path: Path) -> None:
    (received,) = carried(vendor, vendor.ok, RecordingDesk(*letters(1)), tmp_path).received

    assert vendor.reference(received) == "aJ3x"


def test_a_mail_without_a_reference_of_ours_goes_without(vendor: Vendor, tmp_path: Path) -> None:
    """Letters that belong to no mailing."""
    content = CONTENT.replace(b"<aJ3x@", b"<a.proof.of.somebody@")
    desk = RecordingDesk(Outgoing(1, "k", Message("b@example.org", "m1@example.net", content)))

    (received,) = carried(vendor, vendor.ok, desk, tmp_path).received

    assert desk.kinds() == ["Receipt"]
    assert not any(word in received.body for word in (b"EmailTags", b"X-Mailin-custom", b"X-Utskick", b'"tags"'))


@pytest.mark.parametrize("count", [1, 2])
def test_brevo_finds_no_template_in_a_letter_and_keeps_the_senders_name(count: int, tmp_path: Path) -> None:
    """It replaces what stands between braces, and drops a name that has both a comma and a letter beyond ASCII."""
    vendor = next(vendor for vendor in VENDORS if vendor.name == "brevo")
    content = CONTENT.replace(b'"Exempelpartiet"', b"=?utf-8?q?Exempelpartiet=2C_=C3=96ster?=")
    content = content.replace(b"Nyheter", b"{{ contact.EMAIL }} {% if a %} {a}")
    desk = RecordingDesk(
        *(Outgoing(n, f"k{n}", Message("b@example.org", f"m{n}@example.net", content)) for n in range(count))
    )

    (received,) = carried(vendor, vendor.ok, desk, tmp_path).received

    version = received.tree.get("messageVersions", [received.tree])[0]
    assert version["htmlContent"].startswith("<p>&#123;{ contact.EMAIL }} &#123;% if a %} {a} ")
    assert version["textContent"].startswith("{\u2060{ contact.EMAIL }} {\u2060% if a %} {a} ")
    name = received.tree["sender"]["name"]
    assert name.isascii()
    assert str(make_header(decode_header(name))) == "Exempelpartiet, Öster"
