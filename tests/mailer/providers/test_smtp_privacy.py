"""TLS and logins, against aiosmtpd and against servers that lie."""

import asyncio
import ssl
from collections.abc import AsyncIterator, Callable, Coroutine
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest
import uvloop
from aiosmtpd.smtp import SMTP, AuthResult, LoginPassword
from pydantic import SecretStr

from mailer.errors import Mistake, ProviderDown
from mailer.providers import open_provider
from mailer.providers.smtp import Settings
from mailer.providers.smtp.provider import Smtp, trust
from tests.mailer.providers.desks import DROP, RecordingDesk, ScriptedServer, an_outgoing
from tests.waiting import PATIENCE

Run = Callable[[Coroutine[Any, Any, None]], None]


@pytest.fixture(params=["asyncio", "uvloop"])
def run(request: pytest.FixtureRequest) -> Run:
    """TLS differs between the two event loops: commands use the one, workers the other."""

    def run_in_it(act: Coroutine[Any, Any, None]) -> None:
        factory = uvloop.new_event_loop if request.param == "uvloop" else None
        with asyncio.Runner(loop_factory=factory) as runner:
            runner.run(act)

    return run_in_it


class Inbox:
    def __init__(self) -> None:
        self.arrived: list[tuple[str, bytes, bool]] = []

    async def handle_DATA(self, server: Any, session: Any, envelope: Any) -> str:  # noqa: N802  aiosmtpd's name
        assert server
        self.arrived.append((envelope.rcpt_tos[0], envelope.content, session.ssl is not None))
        return "250 2.0.0 kept"


def authenticate(_server: Any, _session: Any, _envelope: Any, _mechanism: str, data: Any) -> AuthResult:
    good = isinstance(data, LoginPassword) and (data.login, data.password) == (b"distriktet", b"hemligt")
    return AuthResult(success=good, handled=good)


@asynccontextmanager
async def a_server(
    certificate: Path, *, implicit: bool = False, login: bool = False, offer_tls: bool = True
) -> AsyncIterator[tuple[int, Inbox]]:
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    context.load_cert_chain(certificate)
    inbox = Inbox()
    loop = asyncio.get_running_loop()
    server = await loop.create_server(
        lambda: SMTP(
            inbox,
            hostname="test",
            tls_context=context if offer_tls and not implicit else None,
            authenticator=authenticate,
            auth_required=login,
            auth_require_tls=not implicit,
        ),
        "127.0.0.1",
        0,
        ssl=context if implicit else None,
    )
    try:
        yield server.sockets[0].getsockname()[1], inbox
    finally:
        server.close()
        await server.wait_closed()


async def send_one(settings: Settings) -> RecordingDesk:
    desk = RecordingDesk(an_outgoing(0))
    provider = Smtp(settings, trust(settings))
    try:
        async with asyncio.timeout(PATIENCE):
            await provider.carry(desk)
    finally:
        await provider.close()
    return desk


@pytest.mark.parametrize("security", ["starttls", "tls"])
def test_mail_goes_under_tls_to_a_server_whose_certificate_is_trusted(
    security: str, certificate: Path, run: Run
) -> None:
    async def act() -> None:
        async with a_server(certificate, implicit=security == "tls") as (port, inbox):
            settings = Settings(host="127.0.0.1", port=port, security=security, ca_file=str(certificate))
            desk = await send_one(settings)
            assert desk.kinds() == ["Receipt"]
            assert [(recipient, encrypted) for recipient, _, encrypted in inbox.arrived] == [
                ("m0@example.net", security == "starttls")  # aiosmtpd notes only its own STARTTLS
            ]

    run(act())


@pytest.mark.parametrize("security", ["starttls", "tls"])
def test_a_certificate_nobody_vouches_for_is_named_and_nothing_is_sent(
    security: str, certificate: Path, run: Run
) -> None:
    async def act() -> None:
        async with a_server(certificate, implicit=security == "tls") as (port, inbox):
            settings = Settings(host="127.0.0.1", port=port, security=security)
            with pytest.raises(ProviderDown, match=rf"127.0.0.1:{port} shows a certificate .*ca_file"):
                await send_one(settings)
            assert not inbox.arrived

    run(act())


def test_a_server_that_offers_no_tls_gets_no_mail(certificate: Path, run: Run) -> None:
    async def act() -> None:
        async with a_server(certificate, offer_tls=False) as (port, inbox):
            with pytest.raises(ProviderDown, match="does not offer STARTTLS"):
                await send_one(Settings(host="127.0.0.1", port=port))
            assert not inbox.arrived

    run(act())


def test_tls_spoken_to_a_plain_port_says_which_setting_goes_with_which_port(certificate: Path, run: Run) -> None:
    async def act() -> None:
        async with a_server(certificate) as (port, _):
            with pytest.raises(ProviderDown, match='"tls" goes with port 465'):
                await send_one(Settings(host="127.0.0.1", port=port, security="tls"))

    run(act())


@pytest.mark.parametrize("login", ["auto", "plain", "login"])
def test_the_right_password_lets_us_in_and_a_wrong_one_is_not_repeated_in_words(
    login: str, certificate: Path, run: Run
) -> None:
    async def act() -> None:
        async with a_server(certificate, login=True) as (port, inbox):
            settings = Settings(
                host="127.0.0.1",
                port=port,
                ca_file=str(certificate),
                username="distriktet",
                password=SecretStr("hemligt"),
                login=login,
            )
            assert (await send_one(settings)).kinds() == ["Receipt"]
            wrong = settings.model_copy(update={"password": SecretStr("gissat")})
            with pytest.raises(ProviderDown, match="refused the login") as caught:
                await send_one(wrong)
            assert "gissat" not in str(caught.value)
            assert "distriktet" not in str(caught.value)
            assert len(inbox.arrived) == 1

    run(act())


def test_a_login_the_server_does_not_offer_is_said_before_any_password(run: Run) -> None:
    server = ScriptedServer(offers=("AUTH CRAM-MD5",))

    async def act() -> None:
        async with server:
            settings = Settings(host="127.0.0.1", port=server.port, security="none", username="a")
            with pytest.raises(ProviderDown, match="does not offer a login by PLAIN, LOGIN"):
                await send_one(settings)

    run(act())

    assert not any(line.startswith("AUTH") for line in server.lines)


def test_what_was_said_before_tls_is_never_taken_as_said_under_it(run: Run) -> None:
    injected = b"220 go\r\n250-evil\r\n250 AUTH PLAIN"  # CVE-2011-0411: the rest waits for the second EHLO
    server = ScriptedServer({"STARTTLS": [injected]}, offers=("STARTTLS",))

    async def act() -> None:
        async with server:
            with pytest.raises(ProviderDown, match="someone may be on the line"):
                await send_one(Settings(host="127.0.0.1", port=server.port, username="a", password=SecretStr("b")))

    run(act())

    assert server.lines[1:] == ["STARTTLS"]


@pytest.mark.parametrize("answer", [b"454 4.7.0 TLS not available", DROP])
def test_a_refused_starttls_is_no_leave_to_go_on_in_clear_text(answer: bytes, run: Run) -> None:
    server = ScriptedServer({"STARTTLS": [answer]}, offers=("STARTTLS",))

    async def act() -> None:
        async with server:
            with pytest.raises(ProviderDown):
                await send_one(Settings(host="127.0.0.1", port=server.port))

    run(act())

    assert not server.accepted
    assert not any(line.startswith("MAIL") for line in server.lines)


@pytest.mark.parametrize("host", ["mail.example.org", "10.0.0.5", "127.0.0.1.example.org", "[::1]"])
def test_clear_text_to_another_machine_is_a_mistake(host: str, tmp_path: Path) -> None:
    with pytest.raises(Mistake, match="clear text"):
        open_provider("smtp", {"host": host, "security": "none"}, data=tmp_path)


@pytest.mark.parametrize("host", ["127.0.0.1", "::1", "localhost"])
def test_clear_text_to_this_machine_is_allowed(host: str, tmp_path: Path) -> None:
    assert open_provider("smtp", {"host": host, "security": "none"}, data=tmp_path)


def test_an_authority_file_that_cannot_be_read_is_a_mistake_that_names_it(tmp_path: Path) -> None:
    with pytest.raises(Mistake, match="ca_file"):
        open_provider("smtp", {"host": "mail.example.org", "ca_file": str(tmp_path / "none.pem")}, data=tmp_path)


def test_tls_before_1_2_is_not_spoken() -> None:
    context = trust(Settings(host="mail.example.org"))

    assert context is not None
    assert context.minimum_version == ssl.TLSVersion.TLSv1_2
    assert context.verify_mode == ssl.CERT_REQUIRED
    assert context.check_hostname
