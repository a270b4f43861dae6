"""Resend: up to 100 messages a request, from fields, with a key that makes a repeat safe for a day.

Their requests for many take no file, so a letter with an entry for its reader's calendar goes by the one for one.
What it still does: it writes the mail itself, under a Message-ID of its own, and its envelope sender is its own too.
Tracking is a setting of the domain there: leave it off. Mail is kept in the USA, whatever the region.
https://resend.com/docs/api-reference/emails/send-batch-emails, https://resend.com/docs/api-reference/emails/send-email,
https://resend.com/docs/dashboard/emails/attachments, https://resend.com/docs/api-reference/errors
"""

import hashlib
import json
from collections.abc import Hashable, Sequence
from datetime import timedelta
from pathlib import Path
from typing import Any

from pydantic import Field, SecretStr

from mailer.clock import Clock, system_clock
from mailer.errors import AddressRefused, MessageRefused, ProviderDown, SendError, TryLater, Unanswered
from mailer.message import Message
from mailer.message.fields import CALENDAR, ENTRY_NAME, REFERENCE, fields_of, reference_of
from mailer.providers import Outcome, Provider, Receipt
from mailer.providers.answers import Answer, kept, refusal, said
from mailer.providers.api import Abilities, Request, Vendor, open_api
from mailer.providers.settings import BATCH, ApiSettings, BaseUrl, mailbox

_OK = 200
_BAD = frozenset({400, 422})
_QUOTA = frozenset({"daily_quota_exceeded", "monthly_quota_exceeded"})  # a 429 that no waiting of seconds helps
_SHUT = frozenset({"missing_api_key", "invalid_api_key", "restricted_api_key", "invalid_from_address", *_QUOTA})
# Something went, or is still under way, under the key of this request: how it ended is not known here.
_UNDER_OUR_KEY = frozenset({"concurrent_idempotent_requests", "invalid_idempotent_request"})


SIGNS_ITSELF = True  # the mail is its own: a signature of ours would be of other bytes


class Settings(ApiSettings):
    """[providers.resend] in config.toml."""

    key: SecretStr
    base_url: BaseUrl = "https://api.resend.com"
    batch: int = Field(BATCH, ge=1, le=100)  # messages of one request


class Resend(Vendor):
    name = "resend"
    abilities = Abilities(
        raw_mime=False,
        batch=100,
        repeat_within=timedelta(hours=24),
        headers="all but Message-ID",
        data="USA",
    )

    def __init__(self, settings: Settings) -> None:
        self.batch = settings.batch
        self._headers = {
            "Authorization": f"Bearer {settings.key.get_secret_value()}",
            "Content-Type": "application/json",
        }
        self._url = f"{settings.base_url}/emails"

    def prepare(self, message: Message) -> dict[str, Any]:
        mail, reference = fields_of(message.content), reference_of(message.content)
        return {
            "from": mailbox(*mail.sender),
            "to": [message.recipient],
            "subject": mail.subject,
            "text": mail.text,
            **({"html": mail.html} if mail.html else {}),
            **({"reply_to": mail.reply_to[1]} if mail.reply_to else {}),
            "headers": {name: value for name, value in mail.headers if name.lower() != "message-id"},
            **({"tags": [{"name": REFERENCE, "value": reference}]} if reference else {}),
            **({"attachments": [_file(mail.entry)]} if mail.entry else {}),
        }

    def group(self, prepared: dict[str, Any]) -> Hashable:
        """A letter with a file goes alone."""
        return object() if "attachments" in prepared else None

    def request(self, prepared: Sequence[dict[str, Any]], *, key: str) -> Request:
        short = hashlib.sha256(key.encode()).hexdigest()  # they take up to 256 characters
        headers = {**self._headers, "Idempotency-Key": short}
        if "attachments" in prepared[0]:
            (alone,) = prepared
            return Request(self._url, json.dumps(alone).encode(), headers)
        permissive = {"x-batch-validation": "permissive"}  # one bad mail does not stop the others
        return Request(f"{self._url}/batch", json.dumps(prepared).encode(), headers | permissive)

    def outcomes(self, answer: Answer, count: int) -> Sequence[Outcome]:
        """Read each item of a 200 by itself: what went wrong stands apart, by its place in the request.

        To a request for one they answer with its id, and name the field that is wrong in the words of a refusal.
        """
        if answer.status == _OK:
            return [Receipt(number)] if (number := answer.word("id")) else self._items(answer, count)
        name = answer.word("name")
        if name in _SHUT or answer.word("message").startswith("API key"):  # a "validation_error" too, they write
            raise ProviderDown(
                "{name} takes nothing from us now: {answer}", code=name[:16], name=self.name, answer=said(answer)
            )
        if name in _UNDER_OUR_KEY:
            return [Unanswered(said(answer), code="409")] * count
        if count == 1 and answer.status in _BAD and "`to`" in answer.word("message"):
            return [AddressRefused(said(answer), code="5.1.3")]
        return [refusal(answer, self.name)] * count

    def _items(self, answer: Answer, count: int) -> list[Outcome]:
        tree = answer.tree if isinstance(answer.tree, dict) else {}
        wrong = {item.get("index"): item for item in tree.get("errors") or () if isinstance(item, dict)}
        taken = iter(tree.get("data") or ())
        outcomes: list[Outcome] = []
        for place in range(count):
            if place in wrong:
                outcomes.append(_refused(str(wrong[place].get("message", ""))))
            else:
                item = next(taken, None)
                outcomes.append(
                    Receipt(str(item["id"]))
                    if isinstance(item, dict) and "id" in item
                    else Unanswered("The answer does not say what became of it.")
                )
        return outcomes


def _file(entry: str) -> dict[str, str]:
    return {"filename": ENTRY_NAME, "content": entry, "content_type": CALENDAR}


def _refused(words: str) -> SendError:
    detail = kept(422, words)
    if "`to`" in words:
        return AddressRefused(detail, code="5.1.3")
    return TryLater(detail, code="429") if "rate limit" in words.lower() else MessageRefused(detail, code="422")


def open_provider(settings: Settings, *, data: Path, clock: Clock = system_clock) -> Provider:
    """Return the provider; nothing is connected yet."""
    del data
    return open_api(Resend(settings), connections=settings.connections, clock=clock)
