"""Postal, which one runs oneself: our bytes as they are, one message a request.

What it still does: it adds its own DKIM signature when the domain has a key there, and rewrites links and adds a pixel
where click and open tracking is switched on for the server: leave it off. https://docs.postalserver.io/developer/api
"""

import base64
import json
from collections.abc import Sequence
from pathlib import Path

from pydantic import SecretStr

from mailer.clock import Clock, system_clock
from mailer.errors import AddressRefused, MessageRefused, ProviderDown, Unanswered
from mailer.message import Message
from mailer.providers import Outcome, Provider, Receipt
from mailer.providers.answers import Answer, refusal, said
from mailer.providers.api import Abilities, Request, Vendor, open_api
from mailer.providers.settings import ApiSettings, BaseUrl

_OK = 200
# Postal answers 200 to nearly everything; these are the codes of a body that says "error".
_SHUT = frozenset(
    {"AccessDenied", "InvalidServerAPIKey", "ServerSuspended", "UnauthenticatedFromAddress", "FromAddressMissing"}
)


class Settings(ApiSettings):
    """[providers.postal] in config.toml."""

    base_url: BaseUrl
    key: SecretStr


class Postal(Vendor):
    name = "postal"
    abilities = Abilities(raw_mime=True, data="where you run it")

    def __init__(self, settings: Settings) -> None:
        self._headers = {
            "X-Server-API-Key": settings.key.get_secret_value(),
            "Content-Type": "application/json",
        }
        self._url = f"{settings.base_url}/api/v1/send/raw"

    def prepare(self, message: Message) -> dict[str, object]:
        data = base64.b64encode(message.content).decode()
        return {"mail_from": message.sender, "rcpt_to": [message.recipient], "data": data}

    def request(self, prepared: Sequence[dict[str, object]], *, key: str) -> Request:
        del key  # they have none
        (body,) = prepared
        return Request(self._url, json.dumps(body).encode(), self._headers)

    def outcomes(self, answer: Answer, count: int) -> Sequence[Outcome]:
        return [self._outcome(answer)] * count

    def _outcome(self, answer: Answer) -> Outcome:
        status = answer.word("status")
        if answer.status != _OK:
            return refusal(answer, self.name)
        data = answer.tree.get("data") if isinstance(answer.tree, dict) else None
        data = data if isinstance(data, dict) else {}
        if status == "success":
            return Receipt(str(data.get("message_id", "")))
        code = str(data.get("code", status))[:16]
        words = said(answer, str(data.get("message", status)))
        if data.get("code") in _SHUT:
            raise ProviderDown("{name} takes nothing from us now: {answer}", code=code, name=self.name, answer=words)
        if data.get("code") == "NoRecipients":
            return AddressRefused(words, code="5.1.3")
        if status in ("error", "parameter-error"):
            return MessageRefused(words, code=code)
        return Unanswered(words)


def open_provider(settings: Settings, *, data: Path, clock: Clock = system_clock) -> Provider:
    """Return the provider; nothing is connected yet."""
    del data
    return open_api(Postal(settings), connections=settings.connections, clock=clock)
