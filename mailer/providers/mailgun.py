"""Mailgun by its EU region: our bytes as they are, one message a request.

What it still does: it signs with its own DKIM key for the domain, and writes a Received line. Opens and clicks are
switched off in every request. https://documentation.mailgun.com/docs/mailgun/api-reference/send/mailgun/messages
"""

import re
from collections.abc import Sequence
from pathlib import Path

import httpx
from pydantic import Field, SecretStr

from mailer.clock import Clock, system_clock
from mailer.errors import AddressRefused
from mailer.message import Message
from mailer.providers import Outcome, Provider, Receipt
from mailer.providers.answers import Answer, refusal, said
from mailer.providers.api import Abilities, Request, Vendor, open_api
from mailer.providers.settings import ApiSettings, BaseUrl, basic

_OK, _BAD = 200, 400
_BAD_ADDRESS = re.compile(r"^'?to'? parameter is not a valid address")  # they say the same of 'from'


class Settings(ApiSettings):
    """[providers.mailgun] in config.toml."""

    domain: str = Field(pattern=r"^[A-Za-z0-9.-]+$")
    key: SecretStr
    base_url: BaseUrl = "https://api.eu.mailgun.net"


class Mailgun(Vendor):
    name = "mailgun"
    abilities = Abilities(raw_mime=True, data="EU (Sinch, Sweden)")

    def __init__(self, settings: Settings) -> None:
        self._headers = {"Authorization": basic("api", settings.key.get_secret_value())}
        self._url = f"{settings.base_url}/v3/{settings.domain}/messages.mime"

    def prepare(self, message: Message) -> httpx.Request:
        fields = {"to": message.recipient, "o:tracking": "no", "o:tracking-clicks": "no", "o:tracking-opens": "no"}
        form = httpx.Request("POST", self._url, data=fields, files={"message": ("message", message.content)})
        form.read()
        return form

    def request(self, prepared: Sequence[httpx.Request], *, key: str) -> Request:
        del key  # they have none
        (form,) = prepared
        return Request(self._url, form.content, {**self._headers, "Content-Type": form.headers["Content-Type"]})

    def outcomes(self, answer: Answer, count: int) -> Sequence[Outcome]:
        if answer.status == _OK:
            return [Receipt(answer.word("id"))] * count
        if answer.status == _BAD and _BAD_ADDRESS.search(answer.word("message")):
            return [AddressRefused(said(answer), code="5.1.3")] * count
        return [refusal(answer, self.name)] * count


def open_provider(settings: Settings, *, data: Path, clock: Clock = system_clock) -> Provider:
    del data
    return open_api(Mailgun(settings), connections=settings.connections, clock=clock)
