"""AUTH: PLAIN (RFC 4616), LOGIN (as everyone does it), XOAUTH2 (as Google and Microsoft do it)."""

import base64
from collections.abc import Awaitable, Callable

from mailer.errors import ProviderDown
from mailer.message.masking import mask_addresses
from mailer.providers.smtp.envelope import Offers
from mailer.providers.smtp.replies import Reply
from mailer.providers.smtp.settings import Settings
from mailer.providers.smtp.tokens import Tokens
from mailer.sentences import N_

_PASSWORD_REFUSED = N_(
    "{place} refused the login ({answer}): check providers.smtp.username and UTSKICK_PROVIDERS__SMTP__PASSWORD."
)
_TOKEN_REFUSED = N_(
    "{place} refused the OAuth token ({answer}): check providers.smtp.username and where it comes from."
)
Ask = Callable[[bytes], Awaitable[Reply]]
_LET_IN, _GO_ON = 235, 334
_MECHANISMS = {"auto": ("PLAIN", "LOGIN"), "plain": ("PLAIN",), "login": ("LOGIN",), "xoauth2": ("XOAUTH2",)}


async def log_in(ask: Ask, offers: Offers, settings: Settings, tokens: Tokens) -> None:
    """Log in over a wire that is private already.

    raises  ProviderDown, without credentials in its words
    """
    place = f"{settings.host}:{settings.port}"
    wanted = _MECHANISMS[settings.login]
    mechanism = next((name for name in wanted if name in offers.logins), None)
    if mechanism is None:
        raise ProviderDown(
            "{place} does not offer a login by {wanted}: check providers.smtp.login and the port, "
            "or leave providers.smtp.username empty.",
            place=place,
            wanted=", ".join(wanted),
        )
    reply = await (_xoauth2(ask, settings, tokens) if mechanism == "XOAUTH2" else _MEANS[mechanism](ask, settings))
    if reply.code != _LET_IN:
        words = mask_addresses(reply.text, settings.username)
        refusal = _TOKEN_REFUSED if mechanism == "XOAUTH2" else _PASSWORD_REFUSED
        raise ProviderDown(
            refusal,
            place=place,
            answer=f"{reply.code} {words}"[:300],
            code=reply.enhanced or str(reply.code),
        )


def _coded(text: str) -> bytes:
    return base64.b64encode(text.encode())


async def _plain(ask: Ask, settings: Settings) -> Reply:
    return await ask(b"AUTH PLAIN " + _coded(f"\0{settings.username}\0{settings.password.get_secret_value()}"))


async def _login(ask: Ask, settings: Settings) -> Reply:
    reply = await ask(b"AUTH LOGIN")
    for secret in (settings.username, settings.password.get_secret_value()):
        if reply.code != _GO_ON:
            return reply
        reply = await ask(_coded(secret))
    return reply


async def _xoauth2(ask: Ask, settings: Settings, tokens: Tokens) -> Reply:
    """Show the token; a refused one may be too old, so another is asked for, once."""
    token = await tokens.current()
    reply = await _show(ask, settings.username, token)
    if reply.code != _LET_IN and tokens.refused(token):
        token = await tokens.current()
        reply = await _show(ask, settings.username, token)
        if reply.code != _LET_IN:
            tokens.refused(token)
    return reply


async def _show(ask: Ask, username: str, token: str) -> Reply:
    reply = await ask(b"AUTH XOAUTH2 " + _coded(f"user={username}\x01auth=Bearer {token}\x01\x01"))
    # A refusal comes as a challenge first; an empty line asks for the real answer.
    return await ask(b"") if reply.code == _GO_ON else reply


_MEANS = {"PLAIN": _plain, "LOGIN": _login}
