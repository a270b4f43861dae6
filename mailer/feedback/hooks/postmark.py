"""Postmark, which signs nothing: basic authentication over HTTPS.

https://postmarkapp.com/developer/webhooks/bounce-webhook, types: https://postmarkapp.com/developer/api/bounce-api
"""

from mailer.feedback.causes import Cause
from mailer.feedback.hooks.calls import Fetch, Heard, Hook, Mail, Told, bounced, complained, digest, heard, left
from mailer.feedback.hooks.proofs import Password
from mailer.feedback.hooks.trees import Tree, branch, moment, text
from mailer.feedback.hooks.unsigned import Unsigned
from mailer.message.fields import REFERENCE

_NO_NEWS = frozenset({"Delivery", "Open", "Click", "Inbound"})
_CAUSES = {
    "HardBounce": Cause.UNKNOWN_USER,
    "BadEmailAddress": Cause.UNKNOWN_USER,
    "SoftBounce": Cause.SYSTEM,
    "DnsError": Cause.NETWORK,  # "a temporary DNS error"
    "Unknown": Cause.UNCLEAR,
    "Blocked": Cause.BLOCKED,
    "DMARCPolicy": Cause.BLOCKED,
    "SpamNotification": Cause.CONTENT,
    "VirusNotification": Cause.CONTENT,
    "SMTPApiError": Cause.CONTENT,
    "TemplateRenderingFailed": Cause.CONTENT,
    "Transient": Cause.INFORMATION,  # they try again
    "ManuallyDeactivated": Cause.INFORMATION,  # by somebody of ours, there
    "Unconfirmed": Cause.INFORMATION,
}
# Answering machines, challenges and new addresses say nothing of the mail.
_NO_BOUNCES = frozenset({"AutoResponder", "AddressChange", "ChallengeVerification", "OpenRelayTest", "InboundError"})


class Settings(Password):
    pass


def _heard(name: str, tree: Tree) -> Heard:
    kind = text(tree, "RecordType")
    bounce = text(tree, "Type") if kind == "Bounce" else ""
    is_back = kind == "SubscriptionChange" and not tree.get("SuppressSending")
    if kind in _NO_NEWS or bounce in _NO_BOUNCES or is_back:
        return Heard(name)
    return heard(name, f"{kind} {bounce}".strip(), _told(kind, bounce, tree))


def _told(kind: str, bounce: str, tree: Tree) -> Told | None:
    token, at = text(branch(tree, "Metadata"), REFERENCE), text(tree, "BouncedAt", "ChangedAt")
    name = digest(kind, text(tree, "ID"), text(tree, "MessageID"), at)
    mail = Mail(token, name, moment(tree, "BouncedAt", "ChangedAt"), receipt=text(tree, "MessageID"))
    if kind == "SubscriptionChange":
        return _changed(mail, text(tree, "SuppressionReason"))
    if kind == "SpamComplaint" or bounce == "SpamComplaint":
        return complained(mail)
    if bounce in ("Unsubscribe", "ManualSuppression"):
        return left(mail)
    if bounce not in _CAUSES:
        return None
    return bounced(mail, _CAUSES[bounce], text(tree, "Details") or text(tree, "Description"))


def _changed(mail: Mail, reason: str) -> Told | None:
    match reason:
        case "HardBounce":
            return bounced(mail, Cause.SUPPRESSED, reason)
        case "SpamComplaint":
            return complained(mail, reason)
        case "ManualSuppression":
            return left(mail)
    return None


def open_hook(settings: Settings, fetch: Fetch) -> Hook | None:
    del fetch
    return Unsigned(settings, _heard) if settings.is_set else None
