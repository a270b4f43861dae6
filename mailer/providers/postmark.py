"""Postmark: a hundred messages a request, from fields.

What it still does: it writes the mail itself and signs it with its own key for the domain. It keeps our Message-ID when
asked to. Opens and links are not tracked, message by message. Mail is kept in the USA.
https://postmarkapp.com/developer/api/email-api#send-batch-emails, codes: https://postmarkapp.com/developer/api/overview
"""

import json
from collections.abc import Sequence
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
_TAKEN = 0
_WRONG = 300
_BAD_ADDRESS = "300 Invalid 'To'"
# 300 is anything wrong with one mail; 406 is an address on their own list. Of the account, so of every mail: key (10),
# sender (400, 401), credit (405), approval (412, 413), a stream that is not there or sends nothing (1226, 1235, 1236).
_BY_CODE: dict[int, type[SendError]] = {
    406: AddressRefused,
    **dict.fromkeys((100, 429), TryLater),  # maintenance, rate
    **dict.fromkeys((10, 400, 401, 405, 412, 413, 1226, 1235, 1236), ProviderDown),
}


SIGNS_ITSELF = True  # the mail is its own: a signature of ours would be of other bytes


class Settings(ApiSettings):
    """[providers.postmark] in config.toml."""

    token: SecretStr
    stream: str = "broadcast"
    base_url: BaseUrl = "https://api.postmarkapp.com"
    batch: int = Field(BATCH, ge=1, le=500)  # messages of one request


class Postmark(Vendor):
    name = "postmark"
    abilities = Abilities(
        raw_mime=False,
        batch=500,
        data="USA",
    )

    def __init__(self, settings: Settings) -> None:
        self.batch = settings.batch
        self._stream = settings.stream
        self._headers = {
            "X-Postmark-Server-Token": settings.token.get_secret_value(),
            "Content-Type": "application/json",
            "Accept": "application/json",
        }
        self._url = f"{settings.base_url}/email/batch"

    def prepare(self, message: Message) -> dict[str, Any]:
        mail, reference = fields_of(message.content), reference_of(message.content)
        headers = [{"Name": name, "Value": value} for name, value in mail.headers]
        return {
            "From": mailbox(*mail.sender),
            "To": message.recipient,
            "Subject": mail.subject,
            "TextBody": mail.text,
            "HtmlBody": mail.html,
            "ReplyTo": mail.reply_to[1] if mail.reply_to else "",
            "Headers": [*headers, {"Name": "X-PM-KeepID", "Value": "true"}],
            **({"Attachments": [_file(mail.entry)]} if mail.entry else {}),
            "Metadata": {REFERENCE: reference} if reference else {},
            "MessageStream": self._stream,
            "TrackOpens": False,
            "TrackLinks": "None",
        }

    def request(self, prepared: Sequence[Any], *, key: str) -> Request:
        del key  # they have none
        return Request(self._url, json.dumps(prepared).encode(), self._headers)

    def outcomes(self, answer: Answer, count: int) -> Sequence[Outcome]:
        """Read each item of a 200 by itself: the whole says nothing of its parts."""
        if answer.status == _OK and isinstance(answer.tree, list):
            return [self._outcome(item) for item in answer.tree]
        code = answer.tree.get("ErrorCode") if isinstance(answer.tree, dict) else None
        if _BY_CODE.get(code or _TAKEN) is ProviderDown:
            raise ProviderDown(
                "{name} takes nothing from us now: {answer}", code=str(code), name=self.name, answer=said(answer)
            )
        return [refusal(answer, self.name)] * count

    def _outcome(self, item: Any) -> Outcome:
        if not isinstance(item, dict) or not isinstance(item.get("ErrorCode"), int):
            return Unanswered("The answer does not say what became of it.")
        code: int = item["ErrorCode"]
        if code == _TAKEN:
            return Receipt(str(item.get("MessageID", "")))
        words = kept(code, item.get("Message", ""))
        if code == _WRONG and words.startswith(_BAD_ADDRESS):
            return AddressRefused(words, code="5.1.3")
        consequence = _BY_CODE.get(code, MessageRefused)
        if consequence is ProviderDown:
            return TryLater(words, code=str(code))  # others of the request were taken: this one waits for its turn
        return consequence(words, code=str(code))


def _file(entry: str) -> dict[str, str]:
    return {"Name": ENTRY_NAME, "Content": entry, "ContentType": CALENDAR}


def open_provider(settings: Settings, *, data: Path, clock: Clock = system_clock) -> Provider:
    """Return the provider; nothing is connected yet."""
    del data
    return open_api(Postmark(settings), connections=settings.connections, clock=clock)
