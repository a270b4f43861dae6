"""Amazon SES, API v2: our bytes as they are, one message a request.

What it still does: it writes Date, Message-ID and the envelope sender anew (a MAIL FROM domain of one's own keeps SPF
aligned), and signs a second time as amazonses.com; a DKIM signature of ours must leave Date and Message-ID out.
https://docs.aws.amazon.com/ses/latest/APIReference-V2/API_SendEmail.html, and beside the errors of that page
https://docs.aws.amazon.com/ses/latest/APIReference-V2/CommonErrors.html
"""

import base64
import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from pydantic import Field, SecretStr

from mailer.clock import Clock, system_clock
from mailer.errors import MessageRefused, ProviderDown, TryLater, Unanswered
from mailer.message import Message
from mailer.message.fields import REFERENCE, reference_of
from mailer.providers import Outcome, Provider, Receipt
from mailer.providers.answers import Answer, refusal, said
from mailer.providers.api import Abilities, Request, Vendor, open_api
from mailer.providers.aws import Credentials, signed
from mailer.providers.settings import ApiSettings, BaseUrl

_OK = 200
_PATH = "/v2/email/outbound-emails"
_LATER = frozenset({"TooManyRequestsException", "ThrottlingException", "Throttling", "LimitExceededException"})
_SHUT = frozenset(
    {
        "AccountSuspendedException",
        "SendingPausedException",
        "MailFromDomainNotVerifiedException",
        "AccessDeniedException",
        "ExpiredTokenException",
        "UnrecognizedClientException",
        "InvalidSignatureException",
        "SignatureDoesNotMatch",
        "IncompleteSignature",
        "InvalidClientTokenId",
        "MissingAuthenticationToken",
        "NotAuthorized",
        "OptInRequired",
        "RequestExpired",  # our clock is wrong, so of every mail
        "NotFoundException",
    }
)


REWRITES = frozenset({"date", "message-id"})


class Settings(ApiSettings):
    """[providers.ses] in config.toml."""

    region: str = Field("eu-north-1", pattern=r"^[a-z]{2}-[a-z]+-\d$")  # Stockholm
    key_id: str
    key: SecretStr
    session_token: SecretStr = SecretStr("")
    configuration_set: str = ""
    base_url: BaseUrl = ""


class Ses(Vendor):
    name = "ses"
    abilities = Abilities(raw_mime=True, headers="all but Date and Message-ID", data="the region; owned in the USA")

    def __init__(self, settings: Settings, clock: Clock) -> None:
        self._credentials = Credentials(
            settings.key_id, settings.key.get_secret_value(), settings.session_token.get_secret_value(), settings.region
        )
        self._url = (settings.base_url or f"https://email.{settings.region}.amazonaws.com") + _PATH
        self._set = {"ConfigurationSetName": settings.configuration_set} if settings.configuration_set else {}
        self._now = clock

    def prepare(self, message: Message) -> dict[str, Any]:
        raw = base64.b64encode(message.content).decode()
        reference = reference_of(message.content)
        return {
            "Destination": {"ToAddresses": [message.recipient]},
            "Content": {"Raw": {"Data": raw}},
            **({"EmailTags": [{"Name": REFERENCE, "Value": reference}]} if reference else {}),
            **self._set,
        }

    def request(self, prepared: Sequence[dict[str, Any]], *, key: str) -> Request:
        del key  # they have none
        (mail,) = prepared
        body = json.dumps(mail).encode()
        headers = signed(self._credentials, "ses", self._url, body, now=self._now())
        return Request(self._url, body, {**headers, "Content-Type": "application/json"})

    def outcomes(self, answer: Answer, count: int) -> Sequence[Outcome]:
        if answer.status == _OK:
            return [Receipt(answer.word("MessageId"))] * count
        kind = answer.headers.get("x-amzn-errortype", answer.word("__type")).partition(":")[0].rpartition("#")[2]
        words = said(answer)
        if kind in _SHUT or "Daily message quota exceeded" in words:
            raise ProviderDown(
                "{name} takes nothing from us now: {answer}", code=kind[:16], name=self.name, answer=words
            )
        if kind in _LATER or "Maximum sending rate exceeded" in words:
            return [TryLater(words, code=kind[:16], retry_after=answer.retry_after)] * count
        if kind == "RequestAbortedException":  # a 400, yet no refusal: nobody waited for the answer
            return [Unanswered(words, code=kind[:16])] * count
        if kind == "MessageRejected":
            return [MessageRefused(words, code=kind)] * count
        return [refusal(answer, self.name)] * count


def open_provider(settings: Settings, *, data: Path, clock: Clock = system_clock) -> Provider:
    """Return the provider; nothing is connected yet."""
    del data
    return open_api(Ses(settings, clock), connections=settings.connections, clock=clock)
