"""From nothing to a server that takes our mail: connect, TLS, EHLO, login.

All that goes wrong here is ProviderDown with a sentence that says what to check.
"""

import asyncio
import ipaddress
import os
import ssl
from collections import deque
from collections.abc import Sequence

from mailer.errors import ProviderDown
from mailer.providers.smtp.envelope import Offers, read_offers
from mailer.providers.smtp.login import log_in
from mailer.providers.smtp.replies import Reply
from mailer.providers.smtp.settings import Settings
from mailer.providers.smtp.tokens import Tokens
from mailer.providers.smtp.wire import Wire
from mailer.sentences import N_
from mailer.validation import is_loopback

_READY, _DONE, _REFUSED = 220, 250, 400


class Interview:
    """Question and answer, one at a time."""

    def __init__(self, settings: Settings, tokens: Tokens) -> None:
        self._settings = settings
        self._tokens = tokens
        self._place = f"{settings.host}:{settings.port}"
        self._wire = Wire(asyncio.get_running_loop(), self)
        self._replies: deque[Reply] = deque()
        self._news: asyncio.Future[None] | None = None
        self._lost = ""

    def heard(self, replies: Sequence[Reply]) -> None:
        self._replies.extend(replies)
        self._wake()

    def lost(self, reason: str) -> None:
        self._lost = reason
        self._wake()

    async def hold(self, tls: ssl.SSLContext | None) -> tuple[Wire, Offers]:
        """Return a wire that is ready for MAIL, and what the server offers.

        raises  ProviderDown; the connection is gone then
        """
        try:
            await self._connect(tls if self._settings.security == "tls" else None)
            await self._greet()
            offers = await self._hello()
            if self._settings.security == "starttls":
                offers = await self._start_tls(offers, tls)
            if self._settings.username:
                await log_in(self.ask, offers, self._settings, self._tokens)
        except BaseException:
            self._wire.hang_up("given up")
            raise
        self._wire.relax()
        return self._wire, offers

    async def ask(self, line: bytes) -> Reply:
        """Send a line and return its reply, whatever it says."""
        self._wire.write(line + b"\r\n")
        return await self._answer(self._settings.patience.command.total_seconds())

    async def _answer(self, seconds: float) -> Reply:
        self._wire.expect(seconds)
        while not self._replies:
            if self._lost:
                raise ProviderDown(
                    "{place} broke off before taking mail: {reason}", place=self._place, reason=self._lost
                )
            self._news = asyncio.get_running_loop().create_future()
            await self._news
        return self._replies.popleft()

    def _wake(self) -> None:
        if self._news is not None and not self._news.done():
            self._news.set_result(None)

    async def _connect(self, tls: ssl.SSLContext | None) -> None:
        settings = self._settings
        loop = asyncio.get_running_loop()
        try:
            async with asyncio.timeout(settings.patience.connect.total_seconds()):
                await loop.create_connection(lambda: self._wire, settings.host, settings.port, ssl=tls)
        except (OSError, TimeoutError, UnicodeError) as error:
            raise unreachable(error, settings) from None
        if settings.security == "none" and not self._is_here():
            # "localhost" is whatever the hosts file says.
            raise ProviderDown("{place} is not this machine, and clear text may not leave it.", place=self._place)

    def _is_here(self) -> bool:
        return is_loopback(str(self._name_of("peername")))

    def _name_of(self, end: str) -> str:
        transport = self._wire.transport
        name = transport.get_extra_info(end) if transport is not None else None
        return str(name[0]) if name else ""

    async def _greet(self) -> None:
        reply = await self._answer(self._settings.patience.greeting.total_seconds())
        if reply.code != _READY:
            raise self._refused("{place} takes no mail now: {answer}", reply)

    def _refused(self, sentence: str, reply: Reply) -> ProviderDown:
        answer = f"{reply.code} {reply.text}"[:400]
        return ProviderDown(sentence, code=str(reply.code), place=self._place, answer=answer)

    async def _hello(self) -> Offers:
        reply = await self.ask(b"EHLO " + (self._settings.hello or self._literal()).encode("ascii"))
        if reply.code != _DONE:
            raise self._refused(
                "{place} does not accept our EHLO ({answer}): "
                "set providers.smtp.hello to the name this machine has in DNS.",
                reply,
            )
        return read_offers(reply.lines)

    def _literal(self) -> str:
        """Write our end's address as RFC 5321 §4.1.3 does; a host's own name would tell more than it must."""
        try:
            address = ipaddress.ip_address(self._name_of("sockname").partition("%")[0])
        except ValueError:
            return "localhost"
        return f"[IPv6:{address}]" if address.version == 6 else f"[{address}]"  # noqa: PLR2004  the IP version

    async def _start_tls(self, offers: Offers, tls: ssl.SSLContext | None) -> Offers:
        if not offers.starttls:
            raise ProviderDown(
                "{place} does not offer STARTTLS, and mail is not sent in clear text: "
                'check the port (587), or set providers.smtp.security to "tls" for port 465.',
                place=self._place,
            )
        reply = await self.ask(b"STARTTLS")
        if reply.code != _READY:
            raise self._refused("{place} refused STARTTLS: {answer}", reply)
        if self._replies or not self._wire.between:
            # Said before TLS, it would be read as if said under it (CVE-2011-0411).
            raise ProviderDown(
                "{place} sent more after STARTTLS than its answer: someone may be on the line.", place=self._place
            )
        await self._encrypt(tls)
        return await self._hello()

    async def _encrypt(self, tls: ssl.SSLContext | None) -> None:
        loop = asyncio.get_running_loop()
        if self._wire.transport is None or tls is None:
            raise ProviderDown("{place} went away.", place=self._place)
        try:
            async with asyncio.timeout(self._settings.patience.connect.total_seconds()):
                transport = await loop.start_tls(
                    self._wire.transport, self._wire, tls, server_hostname=self._settings.host
                )
        except (OSError, TimeoutError, UnicodeError) as error:
            raise unreachable(error, self._settings) from None
        if transport is None:
            raise ProviderDown("{place} went away while TLS began.", place=self._place)
        self._wire.transport = transport


def unreachable(error: Exception, settings: Settings) -> ProviderDown:
    """Say in one sentence why there is no connection and what to check."""
    place = f"{settings.host}:{settings.port}"
    if isinstance(error, ssl.SSLCertVerificationError):
        return ProviderDown(
            "{place} shows a certificate that is not valid for it ({reason}): check "
            "providers.smtp.host, or name its authority with providers.smtp.ca_file.",
            place=place,
            reason=error.verify_message,
        )
    if isinstance(error, ssl.SSLError):
        return ProviderDown(
            "{place} does not speak TLS as expected ({reason}): providers.smtp.security is "
            '"{security}"; "tls" goes with port 465, "starttls" with 587.',
            place=place,
            reason=error.reason or error,
            security=settings.security,
        )
    if isinstance(error, TimeoutError):
        return ProviderDown(
            "{place} does not answer: check providers.smtp.host and port, and whether a firewall is between.",
            place=place,
        )
    return ProviderDown(
        "No mail server answers at {place} ({reason}): check providers.smtp.host and port, and that it runs.",
        place=place,
        reason=_why(error) or N_("no connection"),
    )


def _why(error: Exception) -> str | None:
    """Return the system's words: asyncio writes addresses between them, a failed look-up has numbers of its own."""
    if not isinstance(error, OSError):
        return None
    return os.strerror(error.errno) if error.errno and error.errno > 0 else error.strerror
