"""[providers.smtp] of config.toml."""

from datetime import timedelta
from typing import Literal

from pydantic import BaseModel, ConfigDict, Field, SecretStr

from mailer.durations import Span
from mailer.errors import Mistake
from mailer.validation import is_loopback


class Patience(BaseModel):
    """How long to wait for each answer. RFC 5321 §4.5.3.2 asks for no less than these."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    connect: Span = timedelta(seconds=30)
    greeting: Span = timedelta(minutes=5)
    command: Span = timedelta(minutes=5)  # EHLO, AUTH, MAIL, RCPT, RSET
    data: Span = timedelta(minutes=2)
    # The server may already have the mail and be busy storing it: hanging up too soon makes duplicates (RFC 1047).
    final: Span = timedelta(minutes=10)


class Settings(BaseModel):
    """[providers.smtp]; the password comes from UTSKICK_PROVIDERS__SMTP__PASSWORD."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    host: str = Field(min_length=1)
    port: int = Field(587, ge=1, le=65535)
    security: Literal["tls", "starttls", "none"] = "starttls"
    username: str = ""
    password: SecretStr = SecretStr("")
    token: SecretStr = SecretStr("")  # for login = "xoauth2": UTSKICK_PROVIDERS__SMTP__TOKEN, or one of the next two
    token_file: str = ""  # mode 0600, read again when a server refuses what it held
    token_command: tuple[str, ...] = ()  # prints a token; run again as above
    login: Literal["auto", "plain", "login", "xoauth2"] = "auto"
    ca_file: str | None = None  # the authority of a server whose certificate no public one signed
    hello: str = Field("", pattern=r"^[A-Za-z0-9.:\[\]-]*$")  # the name in EHLO; empty: the address literal of our end
    connections: int = Field(20, ge=1, le=1000)  # at once, of all workers on all hosts together
    messages_per_connection: int = Field(100, ge=1)
    idle: Span = timedelta(seconds=30)  # an unused connection is closed after this
    patience: Patience = Patience()


def check(settings: Settings) -> Settings:
    """Return `settings` when they keep members' data off the open wire and say all that a login needs.

    raises  Mistake
    """
    if settings.security == "none" and not is_loopback(settings.host):
        raise Mistake(
            'providers.smtp.security is "none", but {host} is another machine: members\' data would cross the '
            'network in clear text. Set it to "starttls" (port 587) or "tls" (port 465).',
            host=settings.host,
        )
    sources = [settings.token.get_secret_value(), settings.token_file, settings.token_command]
    if settings.login == "xoauth2" and (not settings.username or sum(map(bool, sources)) != 1):
        raise Mistake(
            'providers.smtp.login is "xoauth2": it needs username, and one of token_file, token_command or '
            "UTSKICK_PROVIDERS__SMTP__TOKEN."
        )
    return settings
