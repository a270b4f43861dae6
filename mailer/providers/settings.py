"""What the table of every API provider in config.toml has."""

import base64
from typing import Annotated
from urllib.parse import urlsplit

from pydantic import AfterValidator, BaseModel, ConfigDict, Field

from mailer.sentences import N_
from mailer.validation import is_loopback


def _safe(url: str) -> str:
    parts = urlsplit(url)
    if parts.scheme != "https" and not (parts.scheme == "http" and is_loopback(parts.hostname or "")):
        raise ValueError(N_("write an address that begins with https://"))
    return url.rstrip("/")


BaseUrl = Annotated[str, AfterValidator(_safe)]


# Messages of one request, unless config says otherwise. A request that nobody answers makes all of them uncertain, and
# at a hundred each, ten requests at a time are faster than what an account is allowed.
BATCH = 100


class ApiSettings(BaseModel):
    """Keys are given in the environment: UTSKICK_PROVIDERS__POSTMARK__TOKEN."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    connections: int = Field(20, ge=1, le=1000)  # requests at a time, of all workers on all hosts together


def basic(user: str, password: str) -> str:
    """Return the Authorization value of RFC 7617."""
    return "Basic " + base64.b64encode(f"{user}:{password}".encode()).decode()


def mailbox(name: str, address: str) -> str:
    """Return a mailbox as APIs read one from a string: the name quoted, not encoded."""
    quoted = name.replace("\\", "\\\\").replace('"', '\\"')
    return f'"{quoted}" <{address}>' if name else address
