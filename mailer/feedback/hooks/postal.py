"""Postal: RSA over the body (X-Postal-Signature-256), by the key that its installation signs everything with.

https://docs.postalserver.io/developer/webhooks
"""

from datetime import datetime, timedelta
from typing import Annotated

from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPublicKey
from cryptography.hazmat.primitives.serialization import load_der_public_key
from pydantic import AfterValidator

from mailer.feedback.causes import Cause
from mailer.feedback.hooks.calls import MOST_BYTES, Call, Fetch, Heard, Hook, Mail, Told, bounced, digest, heard
from mailer.feedback.hooks.proofs import ProofSettings, octets, require_fresh, require_rsa
from mailer.feedback.hooks.trees import Tree, branch, epoch, number, text, tree_of
from mailer.sentences import N_

_WITHIN = timedelta(days=1)  # it asks again ten times, ever more slowly, with what was signed at first
_NO_NEWS = frozenset(
    {
        *("MessageSent", "MessageLoaded", "MessageLinkClicked"),
        *("DomainDNSError", "SendLimitApproaching", "SendLimitExceeded"),
    }
)


def _is_rsa(key: str) -> str:
    if key and _public_key(key) is None:
        raise ValueError(N_("write the public key of the server's RSA key, in base64"))
    return key


def _public_key(key: str) -> RSAPublicKey | None:
    try:
        public = load_der_public_key(octets("".join(key.split())))
    except ValueError:
        return None
    return public if isinstance(public, RSAPublicKey) else None


class Settings(ProofSettings):
    webhook_key: Annotated[str, AfterValidator(_is_rsa)] = ""  # public: what p= of its DKIM record says


class Postal:
    most_bytes = MOST_BYTES

    def __init__(self, key: RSAPublicKey) -> None:
        self._key = key

    def hear(self, call: Call, *, now: datetime) -> Heard:
        require_rsa(self._key, call.body, octets(call.header("x-postal-signature-256")), hashes.SHA256())
        tree = tree_of(call.body)
        sent = epoch(number(tree, "timestamp"))
        require_fresh(sent, now=now, within=_WITHIN)
        name, kind = digest(text(tree, "uuid") or call.body), text(tree, "event")
        if kind in _NO_NEWS:
            return Heard(name)
        return heard(name, kind, _told(kind, name, branch(tree, "payload"), sent))


def _told(kind: str, name: str, payload: Tree, sent: datetime | None) -> Told | None:
    original = branch(payload, "original_message") or branch(payload, "message")
    mail = Mail(text(original, "message_id"), name, epoch(number(payload, "timestamp") or None) or sent)
    words = " ".join(filter(None, (text(payload, "output"), text(payload, "details"))))
    match kind:
        case "MessageDelayed":
            return bounced(mail, Cause.INFORMATION, words)
        case "MessageDeliveryFailed" | "MessageBounced":  # of the latter they tell no reason
            return bounced(mail, Cause.UNCLEAR, words)
        case "MessageHeld":
            listed = "suppression list" in words.lower()
            return bounced(mail, Cause.SUPPRESSED if listed else Cause.BLOCKED, words)
    return None


def open_hook(settings: Settings, fetch: Fetch) -> Hook | None:
    del fetch
    key = _public_key(settings.webhook_key)
    return Postal(key) if key else None
