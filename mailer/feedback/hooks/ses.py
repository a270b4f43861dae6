"""Amazon SES by way of SNS: events of a configuration set, or notifications of an identity.

https://docs.aws.amazon.com/ses/latest/dg/event-publishing-retrieving-sns-contents.html
"""

from typing import Annotated

from pydantic import Field

from mailer.feedback.causes import Cause
from mailer.feedback.hooks.calls import Fetch, Heard, Hook, Mail, Told, bounced, complained, digest, heard, left
from mailer.feedback.hooks.proofs import ProofSettings
from mailer.feedback.hooks.sns import TOPIC, amazon_topic
from mailer.feedback.hooks.trees import Tree, branch, header, items, moment, text
from mailer.message.fields import REFERENCE

_NO_NEWS = frozenset({"Send", "Delivery", "Open", "Click", "AmazonSnsSubscriptionSucceeded"})
_TRANSIENT = {
    "MailboxFull": Cause.FULL,
    "MessageTooLarge": Cause.CONTENT,
    "ContentRejected": Cause.CONTENT,
    "AttachmentRejected": Cause.CONTENT,
    "CustomTimeoutExceeded": Cause.EXPIRED,
}
_ON_THEIR_LIST = frozenset({"Suppressed", "OnAccountSuppressionList"})


class Settings(ProofSettings):
    webhook_topic: Annotated[str, Field(pattern=rf"^(?:{TOPIC})?$")] = ""


def _heard(name: str, tree: Tree) -> Heard:
    kind = text(tree, "eventType", "notificationType")
    subscription = branch(tree, "subscription", "newTopicPreferences")
    stays = kind == "Subscription" and subscription.get("unsubscribeAll") is not True
    if kind in _NO_NEWS or stays or _is_good(branch(tree, "complaint")):
        return Heard(name)
    return heard(name, kind, _told(kind, name, tree))


def _is_good(complaint: Tree) -> bool:
    return text(complaint, "complaintFeedbackType") == "not-spam"


def _token(mail: Tree) -> str:
    """Return our tag; of an identity's notifications, which have none, the Message-ID that we wrote."""
    return (
        header(mail.get("tags"), REFERENCE)
        or header(mail.get("headers"), "Message-ID")
        or text(branch(mail, "commonHeaders"), "messageId")
    )


def _told(kind: str, name: str, tree: Tree) -> Told | None:
    about, details = branch(tree, "mail"), branch(tree, kind.lower())
    name = text(details, "feedbackId") or name
    at = moment(details, "timestamp") or moment(about, "timestamp")
    mail = Mail(_token(about), digest(kind, name), at, receipt=text(about, "messageId"))
    told: Told | None = None
    match kind:
        case "Bounce":
            told = _bounced(mail, details)
        case "Complaint":
            told = complained(mail, text(details, "complaintFeedbackType"))
        case "DeliveryDelay":
            told = bounced(mail, Cause.INFORMATION, text(branch(tree, "deliveryDelay"), "delayType"))
        case "Reject":
            told = bounced(mail, Cause.CONTENT, text(details, "reason"))
        case "Rendering Failure":
            told = bounced(mail, Cause.CONTENT, text(branch(tree, "failure"), "errorMessage"))
        case "Subscription":
            told = left(mail)
    return told


def _bounced(mail: Mail, bounce: Tree) -> Told:
    """A mail of ours has one recipient."""
    recipient = next(iter(items(bounce, "bouncedRecipients")), {})
    kind, words = text(bounce, "bounceSubType"), text(recipient, "diagnosticCode").partition(";")[2].strip()
    if kind in _ON_THEIR_LIST:
        return bounced(mail, Cause.SUPPRESSED, words)
    if text(bounce, "bounceType") == "Permanent":
        return bounced(mail, Cause.UNKNOWN_USER, words, status=text(recipient, "status"))
    return bounced(mail, _TRANSIENT.get(kind, Cause.SYSTEM), words, status=text(recipient, "status"))


def open_hook(settings: Settings, fetch: Fetch) -> Hook | None:
    return amazon_topic(settings.webhook_topic, fetch, _heard) if settings.webhook_topic else None
