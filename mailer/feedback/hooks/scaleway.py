"""Scaleway, by way of its Topics and Events, which speaks as Amazon's SNS does and signs with certificates of its own.

https://www.scaleway.com/en/docs/transactional-email/reference-content/webhook-events-payloads/
https://www.scaleway.com/en/docs/topics-and-events/reference-content/verifying-webhooks/
"""

import re
from datetime import timedelta
from typing import Annotated

from pydantic import Field

from mailer.feedback.causes import Cause
from mailer.feedback.hooks.calls import Fetch, Heard, Hook, Mail, Told, bounced, digest, heard
from mailer.feedback.hooks.proofs import ProofSettings
from mailer.feedback.hooks.sns import House, Topic
from mailer.feedback.hooks.trees import Tree, header, moment, text
from mailer.message.fields import REFERENCE_HEADER

_TOPIC = r"arn:scw:sns:[a-z]{2}-[a-z]{3}:[A-Za-z0-9-]{1,64}:[A-Za-z0-9_.-]{1,256}"
_NO_NEWS = frozenset({"email_queued", "email_delivered", "blocklist_created"})  # the last one is about no mail
_CAUSES = {
    "email_dropped": Cause.UNCLEAR,  # refused for good: the server's words tell why
    "email_mailbox_not_found": Cause.UNKNOWN_USER,
    "email_deferred": Cause.INFORMATION,  # they try again
    "email_spam": Cause.CONTENT,
    "email_blocklisted": Cause.SUPPRESSED,
}


class Settings(ProofSettings):
    webhook_topic: Annotated[str, Field(pattern=rf"^(?:{_TOPIC})?$")] = ""


def _house(region: str) -> House:
    """Their certificates lie in a bucket, and what issued them at a place that their page names."""
    return House(
        certificate=re.compile(r"https://messaging\.s3\.[a-z]{2}-[a-z]{3}\.scw\.cloud/[A-Za-z0-9._/-]{1,300}"),
        subscribe=re.compile(rf"https://sns\.mnq\.{region}\.scaleway\.com/[!-~]{{0,2000}}"),
        within=timedelta(hours=8),  # what they send again keeps the moment of the first time
        issuers=f"https://messaging.s3.fr-par.scw.cloud/{region}/sns/sns-trust-chain.pem",
    )


def _heard(name: str, tree: Tree) -> Heard:
    kind = text(tree, "type")
    return Heard(name) if kind in _NO_NEWS else heard(name, kind, _told(kind, tree))


def _told(kind: str, tree: Tree) -> Told | None:
    token = header(tree.get("email_headers"), REFERENCE_HEADER)
    name = digest(text(tree, "id") or (kind, text(tree, "email_id"), text(tree, "created_at")))
    mail = Mail(token, name, moment(tree, "created_at"), receipt=text(tree, "email_id"))
    words = text(tree, "email_response_message", "email_error")
    return bounced(mail, _CAUSES[kind], words, reply=text(tree, "email_response_code")) if kind in _CAUSES else None


def open_hook(settings: Settings, fetch: Fetch) -> Hook | None:
    if not settings.webhook_topic:
        return None
    region = settings.webhook_topic.split(":")[3]
    return Topic(settings.webhook_topic, _house(region), fetch, _heard)
