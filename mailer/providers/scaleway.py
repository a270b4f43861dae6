"""Scaleway Transactional Email: one message a request, from fields; for answers and confirmations.

Its terms are about transactional mail, so send the weekly letter by another provider. What it still does: it writes the
mail itself, and its Message-ID is its own. https://www.scaleway.com/en/developers/api/transactional-email/
"""

import json
import re
from collections.abc import Sequence
from pathlib import Path

from pydantic import Field, SecretStr

from mailer.clock import Clock, system_clock
from mailer.errors import AddressRefused, MessageRefused, ProviderDown, TryLater
from mailer.message import Message
from mailer.message.fields import CALENDAR, ENTRY_NAME, REFERENCE_HEADER, fields_of, reference_of
from mailer.providers import Outcome, Provider, Receipt
from mailer.providers.answers import Answer, refusal, said
from mailer.providers.api import Abilities, Request, Vendor, open_api
from mailer.providers.settings import ApiSettings, BaseUrl

_OK, _BAD = 200, 400
_BAD_ADDRESS = re.compile(r'"argument_name":\s*"to\b')
# Their domain or project is not ready for us; other kinds are said by the status.
_SHUT = frozenset({"precondition_failed", "resource_expired", "expired", "locked", "quotas_exceeded"})
_SHORTEST = 10  # characters that subject and text must have


SIGNS_ITSELF = True  # the mail is its own: a signature of ours would be of other bytes


class Settings(ApiSettings):
    """[providers.scaleway] in config.toml."""

    project: str = Field(pattern=r"^[0-9a-f-]{36}$")
    key: SecretStr
    region: str = Field("fr-par", pattern=r"^[a-z]{2}-[a-z]{3}$")
    base_url: BaseUrl = "https://api.scaleway.com"


class Scaleway(Vendor):
    name = "scaleway"
    abilities = Abilities(raw_mime=False, headers="all but Message-ID", data="France")

    def __init__(self, settings: Settings) -> None:
        self._project = settings.project
        self._headers = {"X-Auth-Token": settings.key.get_secret_value(), "Content-Type": "application/json"}
        self._url = f"{settings.base_url}/transactional-email/v1alpha1/regions/{settings.region}/emails"

    def prepare(self, message: Message) -> dict[str, object]:
        """raises MessageRefused when it is shorter than they take, AddressRefused for letters they lose."""
        if not message.recipient.isascii():
            raise AddressRefused("It loses letters before the @ that are not ASCII.", code="5.6.7")
        mail = fields_of(message.content)
        if min(len(mail.subject), len(mail.text)) < _SHORTEST:
            raise MessageRefused("It takes no subject and no text of fewer than ten characters.", code="short")
        extra = [{"key": name, "value": value} for name, value in mail.headers if name.lower() != "message-id"]
        if reference := reference_of(message.content):
            extra.append({"key": REFERENCE_HEADER, "value": reference})
        if mail.reply_to:
            extra.append({"key": "Reply-To", "value": mail.reply_to[1]})
        return {
            "project_id": self._project,
            "from": {"name": mail.sender[0], "email": mail.sender[1]},
            "to": [{"email": message.recipient}],
            "subject": mail.subject,
            "text": mail.text,
            "html": mail.html,
            "additional_headers": extra,
            **({"attachments": [_file(mail.entry)]} if mail.entry else {}),
        }

    def request(self, prepared: Sequence[dict[str, object]], *, key: str) -> Request:
        del key  # they have none
        (body,) = prepared
        return Request(self._url, json.dumps(body).encode(), self._headers)

    def outcomes(self, answer: Answer, count: int) -> Sequence[Outcome]:
        if answer.status == _OK:
            mails = answer.tree.get("emails") if isinstance(answer.tree, dict) else None
            name = mails[0].get("id", "") if isinstance(mails, list) and mails and isinstance(mails[0], dict) else ""
            return [Receipt(str(name))] * count
        if answer.status == _BAD and _BAD_ADDRESS.search(answer.text):  # {"details": [{"argument_name": "to", ...}]}
            return [AddressRefused(said(answer), code="5.1.3")] * count
        if answer.word("type") in _SHUT:
            raise ProviderDown("{name} takes nothing from us now: {answer}", name=self.name, answer=said(answer))
        if answer.word("type") == "transient_state":
            return [TryLater(said(answer), code=str(answer.status), retry_after=answer.retry_after)] * count
        return [refusal(answer, self.name)] * count


def _file(entry: str) -> dict[str, str]:
    return {"name": ENTRY_NAME, "content": entry, "type": CALENDAR}


def open_provider(settings: Settings, *, data: Path, clock: Clock = system_clock) -> Provider:
    """Return the provider; nothing is connected yet."""
    del data
    return open_api(Scaleway(settings), connections=settings.connections, clock=clock)
