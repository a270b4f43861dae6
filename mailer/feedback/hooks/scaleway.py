"""Scaleway, by way of its Topics and Events: basic authentication in the address that the topic is told.

It passes an event on in the envelope of Amazon's SNS, or as it is. Its signature is by a certificate of its own
whose place is not described, so it proves nothing to us.
https://www.scaleway.com/en/docs/transactional-email/reference-content/webhook-events-payloads/
"""

import re
from datetime import datetime

from mailer.feedback.causes import Cause
from mailer.feedback.hooks.calls import MOST_BYTES, Call, Fetch, Heard, Hook, Mail, Told, Unreadable, bounced, digest
from mailer.feedback.hooks.proofs import Password
from mailer.feedback.hooks.trees import Tree, header, moment, text, tree_of
from mailer.message.fields import REFERENCE_HEADER

_SUBSCRIBE = re.compile(r"https://sns\.mnq\.[a-z]{2}-[a-z]{3}\.scaleway\.com/[!-~]{0,2000}")
_NO_NEWS = frozenset({"email_queued", "email_delivered", "blocklist_created"})  # the last one is about no mail
_CAUSES = {
    "email_dropped": Cause.UNCLEAR,  # refused for good: the server's words tell why
    "email_mailbox_not_found": Cause.UNKNOWN_USER,
    "email_deferred": Cause.INFORMATION,  # they try again
    "email_spam": Cause.CONTENT,
    "email_blocklisted": Cause.SUPPRESSED,
}


class Settings(Password):
    pass


class Scaleway:
    most_bytes = MOST_BYTES

    def __init__(self, password: Password) -> None:
        self._password = password

    def hear(self, call: Call, *, now: datetime) -> Heard:
        del now
        self._password.require(call)
        tree = tree_of(call.body)
        name = digest(call.body.hex())
        if text(tree, "Type") == "SubscriptionConfirmation":
            return _confirmation(name, tree)
        if text(tree, "Type") == "Notification":
            tree = tree_of(text(tree, "Message") and str(tree["Message"]))
        kind = text(tree, "type")
        if kind in _NO_NEWS:
            return Heard(name)
        told = _told(kind, tree)
        return Heard(name, (told,)) if told else Heard(name, strange=kind)


def _confirmation(name: str, tree: Tree) -> Heard:
    url = text(tree, "SubscribeURL")
    if not _SUBSCRIBE.fullmatch(url):
        raise Unreadable("its address for confirming is not of its provider")
    return Heard(name, confirm=url)


def _told(kind: str, tree: Tree) -> Told | None:
    token = header(tree.get("email_headers"), REFERENCE_HEADER)
    name = digest(text(tree, "id") or (kind, text(tree, "email_id"), text(tree, "created_at")))
    mail = Mail(token, name, moment(tree, "created_at"), receipt=text(tree, "email_id"))
    words = text(tree, "email_response_message", "email_error")
    return bounced(mail, _CAUSES[kind], words, reply=text(tree, "email_response_code")) if kind in _CAUSES else None


def open_hook(settings: Settings, fetch: Fetch) -> Hook | None:
    del fetch
    return Scaleway(settings) if settings.is_set else None
