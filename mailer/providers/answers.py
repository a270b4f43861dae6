"""An API's answer, and what its status means where a provider's own table says nothing."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from email.utils import parsedate_to_datetime
from typing import Any

import httpx

from mailer.errors import MessageRefused, ProviderDown, SendError, TryLater, Unanswered
from mailer.message.masking import mask_addresses

MOST = 500  # characters kept of an answer
_LONGEST_WAIT = timedelta(days=1)
_REFUSED = 400
_UNCLEAR = frozenset({500, 502, 504})  # it may have been taken before something broke
_LATER = frozenset({408, 425, 429, 503})
_SHUT = frozenset({401, 402, 403, 404, 405})  # key, credit, permission, or the wrong place: nothing gets through


@dataclass(frozen=True, slots=True)
class Answer:
    """`tree` is the JSON body, an empty mapping when it is none; `retry_after` as the server asked, if it did."""

    status: int
    headers: Mapping[str, str]
    text: str
    tree: Any
    retry_after: timedelta | None

    @staticmethod
    def is_unclear(status: int) -> bool:
        """Whether nobody can know from the status if the messages were taken."""
        return status in _UNCLEAR

    @classmethod
    def of(cls, response: httpx.Response, *, now: datetime) -> "Answer":
        try:
            tree = json.loads(response.content)
        except ValueError:
            tree = {}
        wait = _retry_after(response.headers.get("retry-after", ""), now)
        return cls(response.status_code, response.headers, response.text[:2000], tree, wait)

    def word(self, *names: str) -> str:
        """Return the first of these fields that the body has, as text."""
        fields = self.tree if isinstance(self.tree, dict) else {}
        return next((str(fields[name]) for name in names if fields.get(name)), "")


def said(answer: Answer, words: str = "") -> str:
    """Return the answer's own words as they may be kept: whoever they name is masked."""
    return kept(answer.status, words or answer.word("message", "Message", "error") or answer.text)


def kept(code: int | str, words: object) -> str:
    """Return a code and the words about it as they may be kept."""
    return f"{code} {mask_addresses(str(words)[:2000])}".strip()[:MOST]


def refusal(answer: Answer, vendor: str, *, code: str = "") -> SendError:
    """Name the consequence of a refusal by its HTTP status (RFC 9110 §15).

    A whole request that is refused was not taken. In doubt the message is at fault and the address stays good.

    raises  ProviderDown when nothing gets through
    """
    words, code = said(answer), code or str(answer.status)
    if answer.status in _LATER:
        return TryLater(words, code=code, retry_after=answer.retry_after)
    if answer.status in _SHUT:
        raise ProviderDown("{name} takes nothing from us now: {answer}", code=code, name=vendor, answer=words)
    if answer.is_unclear(answer.status) or answer.status < _REFUSED:
        return Unanswered(words, code=code)  # a success in words that are not understood is none, and no refusal either
    return MessageRefused(words, code=code)


def _retry_after(value: str, now: datetime) -> timedelta | None:
    """Read either form of RFC 9110 §10.2.3, seconds or a date; nothing that lies in the past or beyond a day."""
    try:
        wait = timedelta(seconds=int(value)) if value.strip().isdigit() else parsedate_to_datetime(value) - now
    except (TypeError, ValueError, OverflowError):
        return None
    return min(max(wait, timedelta()), _LONGEST_WAIT)
