"""What the values of config.toml may look like."""

import re
from typing import Annotated, Literal

from email_validator import EmailNotValidError, validate_email
from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, Field

from mailer.sentences import N_

Language = Literal["sv", "en"]
Slug = Annotated[str, Field(pattern=r"^[a-z0-9]+(-[a-z0-9]+)*$", max_length=64)]
Origin = Annotated[str, Field(pattern=r"^https?://(\*\.)?[A-Za-z0-9-]+(\.[A-Za-z0-9-]+)*(:\d{1,5})?$")]
WEEKDAYS = ("Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday")


class Section(BaseModel):
    """A table of config.toml: frozen, and an unknown key is an error."""

    model_config = ConfigDict(frozen=True, extra="forbid")


def _split(value: object) -> object:
    """Let the environment, which knows no lists, write one with commas."""
    return [part.strip() for part in value.split(",") if part.strip()] if isinstance(value, str) else value


FromCommas = BeforeValidator(_split)


def _weekly(text: str) -> str:
    if not re.fullmatch(rf"({'|'.join(WEEKDAYS)}) ([01]\d|2[0-3]):[0-5]\d", text):
        raise ValueError(N_('write a weekday in English and a time, for example "Thursday 08:00"'))
    return text


WeeklyTime = Annotated[str, AfterValidator(_weekly)]


def in_dns(domain: str) -> str:
    """Return a domain as it stands in DNS: malmö.se is xn--malm-8qa.se. raises ValueError when it is none"""
    try:
        return validate_email(f"post@{domain}", check_deliverability=False, test_environment=True).ascii_domain
    except EmailNotValidError:
        raise ValueError(N_("write a domain such as nyhet.example.org")) from None


def _optional_domain(domain: str) -> str:
    return in_dns(domain) if domain else ""


def _optional_address(address: str) -> str:
    try:
        wire = validate_email(address, check_deliverability=False, test_environment=True).ascii_email if address else ""
    except EmailNotValidError:
        wire = None
    if wire is None:
        raise ValueError(N_("write an address such as kansli@example.org"))
    return wire


OptionalDomain = Annotated[str, Field(max_length=200), AfterValidator(_optional_domain)]
OptionalAddress = Annotated[str, AfterValidator(_optional_address)]
