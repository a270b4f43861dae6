"""Who writes, and where the pages are."""

from typing import Annotated
from zoneinfo import ZoneInfo, available_timezones

from pydantic import Field, HttpUrl, IPvAnyNetwork, SecretStr, field_validator, model_validator

from mailer.config.values import FromCommas, Language, Section
from mailer.sentences import N_
from mailer.validation import is_loopback


class Site(Section):
    organisation: str
    postal_address: str
    contact: str
    base_url: str
    language: Language = "sv"
    time_zone: str = "Europe/Stockholm"

    @field_validator("base_url")
    @classmethod
    def _http(cls, value: str) -> str:
        HttpUrl(value)
        return value.rstrip("/")

    @field_validator("time_zone")
    @classmethod
    def _known_zone(cls, value: str) -> str:
        if value not in available_timezones():
            raise ValueError(N_('name a time zone such as "Europe/Stockholm"'))
        return value

    @property
    def zone(self) -> ZoneInfo:
        return ZoneInfo(self.time_zone)


class Web(Section):
    host: str = "127.0.0.1"
    port: int = Field(8080, ge=1, le=65535)
    trusted_proxies: Annotated[tuple[IPvAnyNetwork, ...], FromCommas] = Field(
        ("127.0.0.0/8", "::1"), validate_default=True
    )


class Metrics(Section):
    host: str = "127.0.0.1"
    port: int = Field(0, ge=0, le=65535)
    token: SecretStr = SecretStr("")

    @model_validator(mode="after")
    def _kept_from_strangers(self) -> "Metrics":
        if self.port and not self.token.get_secret_value() and not is_loopback(self.host):
            raise ValueError(N_("another machine can reach that host: set a token too, UTSKICK_METRICS__TOKEN"))
        return self
