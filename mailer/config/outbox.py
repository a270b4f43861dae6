"""How letters go out: the outbox, its providers, and what signs the letters."""

from datetime import timedelta
from typing import Annotated, Any

from pydantic import BaseModel, ConfigDict, Field

from mailer.config.values import FromCommas, Section
from mailer.durations import Span
from mailer.pace import UNLIMITED, Pace


class Outbox(Section):
    providers: Annotated[tuple[str, ...], FromCommas] = ("smtp",)
    workers: int = Field(2, ge=1, le=64)
    give_up_after: Span = Field("2 days", validate_default=True)
    send_within: Span = Field("7 days", validate_default=True)
    lease: Span = Field("5 minutes", validate_default=True, ge=timedelta(seconds=5))


_WEBHOOK = "webhook_"


class ProviderTable(BaseModel):
    """[providers.NAME]: what every provider may have. The rest is judged by the provider's own files.

    own      what it sends with (mailer.providers)
    webhook  what proves the requests in which it tells us something (mailer.feedback.hooks): all that begins so
    """

    model_config = ConfigDict(frozen=True, extra="allow")

    pace: Pace = UNLIMITED

    @property
    def own(self) -> dict[str, Any]:
        return {name: value for name, value in (self.model_extra or {}).items() if not name.startswith(_WEBHOOK)}

    @property
    def webhook(self) -> dict[str, Any]:
        return {name: value for name, value in (self.model_extra or {}).items() if name.startswith(_WEBHOOK)}


class Dkim(Section):
    """[dkim."nyhet.example.org"]: what signs letters from that domain and those below it."""

    selector: str = Field(pattern=r"^[A-Za-z0-9]+([.-][A-Za-z0-9]+)*$", max_length=63)
    key: str  # path of the key file; relative to the config
