"""Mailgun. HMAC-SHA256 over a moment and a token, which do not cover the event: a token is good for one request.

https://documentation.mailgun.com/docs/mailgun/user-manual/webhooks/securing-webhooks
https://documentation.mailgun.com/docs/mailgun/user-manual/events/event-structure
"""

from datetime import datetime, timedelta

from pydantic import SecretStr

from mailer.feedback.causes import Cause
from mailer.feedback.hooks.calls import (
    MOST_BYTES,
    Call,
    Fetch,
    Heard,
    Hook,
    Mail,
    Told,
    bounced,
    complained,
    digest,
    heard,
    left,
)
from mailer.feedback.hooks.proofs import ProofSettings, require_fresh, require_hmac
from mailer.feedback.hooks.trees import Tree, branch, epoch, number, text, tree_of

# They ask again for eight hours, and do not say that the moment is a new one then. A token is remembered for longer.
_WITHIN = timedelta(hours=12)
_NO_NEWS = frozenset({"accepted", "delivered", "opened", "clicked", "stored", "list_member_uploaded", "list_uploaded"})
_PERMANENT = {"old": Cause.EXPIRED, "espblock": Cause.BLOCKED, "suppress-bounce": Cause.SUPPRESSED}


class Settings(ProofSettings):
    webhook_secret: SecretStr = SecretStr("")  # "HTTP webhook signing key"


class Mailgun:
    most_bytes = MOST_BYTES

    def __init__(self, secret: str) -> None:
        self._key = secret.encode()

    def hear(self, call: Call, *, now: datetime) -> Heard:
        tree = tree_of(call.body)
        proof, event = branch(tree, "signature"), branch(tree, "event-data")
        stamp, token = text(proof, "timestamp"), text(proof, "token")
        require_hmac(self._key, (stamp + token).encode(), _hex(text(proof, "signature")))
        require_fresh(epoch(number(proof, "timestamp")), now=now, within=_WITHIN)
        name, kind = digest("token", token), text(event, "event")
        if kind in _NO_NEWS:
            return Heard(name)
        return heard(name, kind, _told(kind, event))


def _hex(signature: str) -> bytes:
    try:
        return bytes.fromhex(signature)
    except ValueError:
        return b""


def _told(kind: str, event: Tree) -> Told | None:
    at = number(event, "timestamp")
    name = digest(kind, text(event, "id"), at)  # an id is unique within a day
    mail = Mail(text(branch(event, "message", "headers"), "message-id"), name, epoch(at))
    match kind:
        case "failed":
            return _failed(mail, event)
        case "rejected":  # by them: a virus, a sender that is not theirs
            return bounced(mail, Cause.CONTENT, text(branch(event, "reject"), "reason", "description"))
        case "complained":
            return complained(mail)
        case "unsubscribed":
            return left(mail)
    return None


def _failed(mail: Mail, event: Tree) -> Told:
    status, reason = branch(event, "delivery-status"), text(event, "reason")
    words = " ".join(filter(None, (text(status, "message"), text(status, "description"), reason)))
    if text(event, "severity") == "temporary":
        return bounced(mail, Cause.INFORMATION, words)  # they try again
    if reason == "suppress-complaint":
        return complained(mail, reason)
    if reason == "suppress-unsubscribe":
        return left(mail)
    stated = _PERMANENT.get(reason, Cause.UNCLEAR)
    return bounced(mail, stated, words, status=text(status, "enhanced-code"), reply=text(status, "code"))


def open_hook(settings: Settings, fetch: Fetch) -> Hook | None:
    del fetch
    secret = settings.webhook_secret.get_secret_value()
    return Mailgun(secret) if secret else None
