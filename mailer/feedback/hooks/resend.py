"""Resend, which sends through Svix: HMAC-SHA256 over id, moment and body; several signatures while a key is changed.

https://docs.svix.com/receiving/verifying-payloads/how-manual, https://resend.com/docs/webhooks/event-types
"""

from datetime import datetime
from typing import Annotated

from pydantic import AfterValidator, SecretStr

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
)
from mailer.feedback.hooks.proofs import SKEW, ProofSettings, octets, require_fresh, require_hmac
from mailer.feedback.hooks.trees import Tree, branch, epoch, header, moment, number, text, tree_of
from mailer.message.fields import REFERENCE
from mailer.sentences import N_

_PREFIX = "whsec_"
_NO_NEWS = frozenset({"email.sent", "email.delivered", "email.opened", "email.clicked", "email.scheduled"})
_NOT_OURS = ("contact.", "domain.", "suppression.", "email.received")  # of no mail that we sent
_TRANSIENT = {
    "MailboxFull": Cause.FULL,
    "MessageTooLarge": Cause.CONTENT,
    "ContentRejected": Cause.CONTENT,
    "AttachmentRejected": Cause.CONTENT,
}
_ON_THEIR_LIST = frozenset({"Suppressed", "OnAccountSuppressionList"})


def _key(secret: SecretStr) -> SecretStr:
    value = secret.get_secret_value()
    if value and not (value.startswith(_PREFIX) and octets(value.removeprefix(_PREFIX))):
        raise ValueError(N_("write the signing secret that begins with whsec_"))
    return secret


class Settings(ProofSettings):
    webhook_secret: Annotated[SecretStr, AfterValidator(_key)] = SecretStr("")


class Resend:
    most_bytes = MOST_BYTES

    def __init__(self, secret: str) -> None:
        self._key = octets(secret.removeprefix(_PREFIX))

    def hear(self, call: Call, *, now: datetime) -> Heard:
        name, stamp = call.header("svix-id"), call.header("svix-timestamp")
        versions = (each.partition(",") for each in call.header("svix-signature").split(" ")[:10])
        signatures = [octets(signature) for version, _, signature in versions if version == "v1"]
        require_hmac(self._key, f"{name}.{stamp}.".encode() + call.body, *signatures)
        require_fresh(epoch(number({"": stamp}, "")), now=now, within=SKEW)
        tree = tree_of(call.body)
        kind = text(tree, "type")
        if kind in _NO_NEWS or kind.startswith(_NOT_OURS):
            return Heard(digest(name))
        return heard(digest(name), kind, _told(kind, name, tree))


def _told(kind: str, name: str, tree: Tree) -> Told | None:
    data = branch(tree, "data")
    tags = data.get("tags")
    token = header(tags, REFERENCE)  # {"utskick": ...}; as we gave them, a list of names and values
    mail = Mail(token, digest(name), moment(tree, "created_at"), receipt=text(data, "email_id"))
    match kind:
        case "email.bounced":
            return _bounced(mail, branch(data, "bounce"))
        case "email.suppressed":
            return bounced(mail, Cause.SUPPRESSED, text(branch(data, "suppressed"), "message"))
        case "email.failed":  # by them: a domain that is not proved, a quota
            return bounced(mail, Cause.CONTENT, text(branch(data, "failed"), "reason"))
        case "email.delivery_delayed":
            return bounced(mail, Cause.INFORMATION)
        case "email.complained":
            return complained(mail)
    return None


def _bounced(mail: Mail, bounce: Tree) -> Told:
    kind, words = text(bounce, "subType"), text(bounce, "message")
    if kind in _ON_THEIR_LIST:
        return bounced(mail, Cause.SUPPRESSED, words)
    if text(bounce, "type") == "Permanent":
        return bounced(mail, Cause.UNKNOWN_USER, words)
    return bounced(mail, _TRANSIENT.get(kind, Cause.SYSTEM), words)


def open_hook(settings: Settings, fetch: Fetch) -> Hook | None:
    del fetch
    secret = settings.webhook_secret.get_secret_value()
    return Resend(secret) if secret else None
