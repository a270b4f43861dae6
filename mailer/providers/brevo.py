"""Brevo, from fields: versions of a mail in one request, with a key that makes a repeat safe for half an hour.

Each version has header fields of its own: the one-click link is the member's. Brevo's page of a request leaves that
out, and two libraries with many users send them so (django-anymail's brevo.py, Swoosh's Brevo adapter). Set `batch = 1`
where a delivered mail has no List-Unsubscribe of ours.

What it still does: it writes the mail itself under a Message-ID of its own, and its relay may add a List-Unsubscribe
of its own: look at a delivered mail before the first mailing, and use its SMTP where that is so. Tracking is a
setting of the account there: switch it off. Braces of its template language stay what we wrote, with an invisible
character between them in plain text. https://developers.brevo.com/reference/sendtransacemail
https://developers.brevo.com/docs/batch-send-transactional-emails
"""

import json
import re
import uuid
from collections.abc import Hashable, Sequence
from datetime import timedelta
from email.header import Header
from pathlib import Path
from typing import Any

from pydantic import Field, SecretStr

from mailer.clock import Clock, system_clock
from mailer.errors import AddressRefused, MessageRefused, ProviderDown
from mailer.message import Message
from mailer.message.fields import ENTRY_NAME, fields_of, reference_of
from mailer.providers import Outcome, Provider, Receipt
from mailer.providers.answers import Answer, refusal, said
from mailer.providers.api import Abilities, Request, Vendor, open_api
from mailer.providers.settings import BATCH, ApiSettings, BaseUrl

_TAKEN = frozenset({200, 201, 202})
_OWN = uuid.UUID("6f1c0f0e-52f6-4d0a-9a55-7c1f6d5a5b11")  # the namespace of our keys
# Fields that the provider writes itself, whatever it is given.
_LOST = frozenset({"message-id", "feedback-id"})
_REFERENCE = "X-Mailin-custom"  # comes back with every event
_INVALID = "invalid_parameter"
_BAD_ADDRESS = re.compile(r"email is not valid in to\b|^to is not valid")  # they say the same of sender and replyTo
_BASE = {"subject": "-", "htmlContent": "<p>-</p>"}  # asked for beside versions, each of which has its own
_TEMPLATE = re.compile(r"\{(?=[{%#])")  # what they read as their own template language, wherever it stands
_SPECIAL = re.compile(r'[()<>@,:;.\\"\[\]]')  # one of these and one beyond ASCII: they drop the name
_SHUT = frozenset({"unauthorized", "not_enough_credits", "permission_denied", "account_under_validation"})


SIGNS_ITSELF = True  # the mail is its own: a signature of ours would be of other bytes


class Settings(ApiSettings):
    """[providers.brevo] in config.toml."""

    key: SecretStr
    base_url: BaseUrl = "https://api.brevo.com"
    batch: int = Field(BATCH, ge=1, le=1000)  # messages of one request


class Brevo(Vendor):
    name = "brevo"
    abilities = Abilities(
        raw_mime=False,
        batch=1000,
        repeat_within=timedelta(minutes=30),
        headers="all but Message-ID and Feedback-ID; ASCII only",
        data="France",
    )

    def __init__(self, settings: Settings) -> None:
        self.batch = settings.batch
        self._headers = {"api-key": settings.key.get_secret_value(), "Content-Type": "application/json"}
        self._url = f"{settings.base_url}/v3/smtp/email"

    def prepare(self, message: Message) -> dict[str, Any]:
        """raises MessageRefused for a plain letter: they ask for HTML."""
        mail, reference = fields_of(message.content), reference_of(message.content)
        if not mail.html:
            raise MessageRefused("It takes no letter without HTML.", code="plain")
        headers = {name: value for name, value in mail.headers if name.lower() not in _LOST and value.isascii()}
        version: dict[str, Any] = {
            "to": [{"email": message.recipient}],
            "subject": _no_template(mail.subject),
            "htmlContent": _TEMPLATE.sub("&#123;", mail.html),
            "textContent": _no_template(mail.text),
            "headers": {**headers, **({_REFERENCE: reference} if reference else {})},
            **({"replyTo": {"email": mail.reply_to[1]}} if mail.reply_to else {}),
            **({"attachment": [{"name": ENTRY_NAME, "content": mail.entry}]} if mail.entry else {}),
        }
        return {"sender": {"name": _kept_name(mail.sender[0]), "email": mail.sender[1]}, "version": version}

    def group(self, prepared: dict[str, Any]) -> Hashable:
        """A file belongs to a whole request of theirs: a letter with one goes alone."""
        return object() if "attachment" in prepared["version"] else json.dumps(prepared["sender"], sort_keys=True)

    def request(self, prepared: Sequence[dict[str, Any]], *, key: str) -> Request:
        versions = [each["version"] for each in prepared]
        once = {"idempotencyKey": str(uuid.uuid5(_OWN, key))}
        if len(versions) == 1:
            content = {**versions[0], "headers": {**versions[0]["headers"], **once}}
        else:
            content = {**_BASE, "headers": once, "messageVersions": versions}
        return Request(self._url, json.dumps({"sender": prepared[0]["sender"], **content}).encode(), self._headers)

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
        if code == _INVALID and _BAD_ADDRESS.search(answer.word("message")):
            return [AddressRefused(said(answer), code="5.1.3")] * count
        return [refusal(answer, self.name)] * count


def _no_template(text: str) -> str:
    """Return a text that reads the same, and in which they find nothing to replace."""
    return _TEMPLATE.sub("{\u2060", text)


def _kept_name(name: str) -> str:
    """Return a sender's name in the form in which they keep it."""
    if name.isascii() or not _SPECIAL.search(name):
        return name
    return Header(name, "utf-8", maxlinelen=75).encode(linesep="")


def open_provider(settings: Settings, *, data: Path, clock: Clock = system_clock) -> Provider:
    """Return the provider; nothing is connected yet."""
    del data
    return open_api(Brevo(settings), connections=settings.connections, clock=clock)
