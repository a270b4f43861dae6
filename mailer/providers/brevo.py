"""Brevo, from fields, with a key that makes a repeat safe for half an hour.

A request takes a thousand versions of a mail, but header fields belong to the request and not to a version. So a
letter with a one-click header of its own goes alone; letters that share their header fields go together.

What it still does: it writes the mail itself under a Message-ID of its own, and its relay may add a List-Unsubscribe
of its own: look at a delivered mail before the first mailing, and use its SMTP where that is so. Tracking is a
setting of the account there: switch it off. https://developers.brevo.com/reference/sendtransacemail
"""

import json
import uuid
from collections.abc import Hashable, Sequence
from datetime import timedelta
from pathlib import Path
from typing import Any

from pydantic import SecretStr

from mailer.clock import Clock, system_clock
from mailer.errors import AddressRefused, MessageRefused, ProviderDown
from mailer.message import Message
from mailer.message.fields import fields_of, reference_of
from mailer.providers import Outcome, Provider, Receipt
from mailer.providers.answers import Answer, refusal, said
from mailer.providers.api import Abilities, Request, Vendor, open_api
from mailer.providers.settings import ApiSettings, BaseUrl

_TAKEN = frozenset({200, 201, 202})
_OWN = uuid.UUID("6f1c0f0e-52f6-4d0a-9a55-7c1f6d5a5b11")  # the namespace of our keys
# Fields that the provider writes itself, whatever it is given.
_LOST = frozenset({"message-id", "feedback-id"})
_REFERENCE = "X-Mailin-custom"  # comes back with every event
_SHUT = frozenset({"unauthorized", "not_enough_credits", "permission_denied", "account_under_validation"})


SIGNS_ITSELF = True  # the mail is its own: a signature of ours would be of other bytes


class Settings(ApiSettings):
    """[providers.brevo] in config.toml."""

    key: SecretStr
    base_url: BaseUrl = "https://api.brevo.com"


class Brevo(Vendor):
    name = "brevo"
    abilities = Abilities(
        raw_mime=False,
        batch=50,  # they allow 1,000; more than this only makes more uncertain when one goes unanswered
        repeat_within=timedelta(minutes=30),
        headers="all but Message-ID and Feedback-ID; ASCII only",
        data="France",
    )

    def __init__(self, settings: Settings) -> None:
        self._headers = {"api-key": settings.key.get_secret_value(), "Content-Type": "application/json"}
        self._url = f"{settings.base_url}/v3/smtp/email"

    def prepare(self, message: Message) -> dict[str, Any]:
        """raises MessageRefused for a plain letter: they ask for HTML."""
        mail = fields_of(message.content)
        if not mail.html:
            raise MessageRefused("It takes no letter without HTML.", code="plain")
        shared = {
            "sender": {"name": mail.sender[0], "email": mail.sender[1]},
            "headers": {name: value for name, value in mail.headers if name.lower() not in _LOST and value.isascii()},
            **({"replyTo": {"email": mail.reply_to[1]}} if mail.reply_to else {}),
        }
        version = {
            "to": [{"email": message.recipient}],
            "subject": mail.subject,
            "htmlContent": mail.html,
            "textContent": mail.text,
        }
        return {"shared": shared, "version": version, "reference": reference_of(message.content)}

    def group(self, prepared: dict[str, Any]) -> Hashable:
        return json.dumps(prepared["shared"], sort_keys=True)

    def request(self, prepared: Sequence[dict[str, Any]], *, key: str) -> Request:
        shared, versions = prepared[0]["shared"], [each["version"] for each in prepared]
        headers = {**shared["headers"], "idempotencyKey": str(uuid.uuid5(_OWN, key))}
        if len(versions) == 1 and prepared[0]["reference"]:  # letters that go together are known by their receipts
            headers[_REFERENCE] = prepared[0]["reference"]
        content = (
            versions[0] if len(versions) == 1 else {**_without_recipient(versions[0]), "messageVersions": versions}
        )
        return Request(self._url, json.dumps({**shared, "headers": headers, **content}).encode(), self._headers)

    def outcomes(self, answer: Answer, count: int) -> Sequence[Outcome]:
        code = answer.word("code")
        if answer.status in _TAKEN:
            names = answer.tree.get("messageIds") if isinstance(answer.tree, dict) else None
            return [Receipt(str(name)) for name in names] if names else [Receipt(answer.word("messageId"))] * count
        if code.startswith("duplicate"):  # our key: the request was taken when its answer was lost
            return [Receipt(said(answer))] * count
        if code in _SHUT:
            raise ProviderDown(
                "{name} takes nothing from us now: {answer}", code=code[:16], name=self.name, answer=said(answer)
            )
        if count == 1 and code == "invalid_parameter" and "email is not valid" in answer.word("message"):
            return [AddressRefused(said(answer), code="400")]
        return [refusal(answer, self.name)] * count


def _without_recipient(version: dict[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in version.items() if name != "to"}


def open_provider(settings: Settings, *, data: Path, clock: Clock = system_clock) -> Provider:
    """Return the provider; nothing is connected yet."""
    del data
    return open_api(Brevo(settings), connections=settings.connections, clock=clock)
