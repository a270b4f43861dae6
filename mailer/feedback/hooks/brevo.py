"""Brevo, which signs nothing: basic authentication over HTTPS. https://developers.brevo.com/docs/transactional-webhooks"""

from datetime import datetime

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
    left,
)
from mailer.feedback.hooks.proofs import Password
from mailer.feedback.hooks.trees import Tree, epoch, number, text, tree_of

_NO_NEWS = frozenset(
    {
        *("request", "sent", "delivered", "list_addition", "click", "opened", "open"),
        *("unique_opened", "proxy_open", "unique_proxy_open"),
    }
)
_CAUSES = {
    "hard_bounce": Cause.UNKNOWN_USER,
    "invalid_email": Cause.UNKNOWN_USER,
    "soft_bounce": Cause.SYSTEM,
    "deferred": Cause.INFORMATION,  # they try again
    "error": Cause.INFORMATION,  # theirs
    "blocked": Cause.FILTERED,  # on a list of theirs, and they do not say why
}


class Settings(Password):
    pass


class Brevo:
    most_bytes = MOST_BYTES

    def __init__(self, password: Password) -> None:
        self._password = password

    def hear(self, call: Call, *, now: datetime) -> Heard:
        del now
        self._password.require(call)
        tree = tree_of(call.body)
        name, kind = digest(call.body.hex()), text(tree, "event")
        if kind in _NO_NEWS:
            return Heard(name)
        told = _told(kind, tree)
        return Heard(name, (told,)) if told else Heard(name, strange=kind)


def _told(kind: str, tree: Tree) -> Told | None:
    token, receipt = text(tree, "X-Mailin-custom"), text(tree, "message-id")
    at = number(tree, "ts_epoch")  # the only one of their moments that is in UTC; milliseconds
    name = digest(kind, token, receipt, text(tree, "email"), at)
    mail = Mail(token, name, epoch(at / 1000 if at is not None else None), receipt=receipt)
    if kind == "spam":
        return complained(mail)
    if kind in ("unsubscribe", "unsubscribed"):
        return left(mail)
    return bounced(mail, _CAUSES[kind], text(tree, "reason").strip()) if kind in _CAUSES else None


def open_hook(settings: Settings, fetch: Fetch) -> Hook | None:
    del fetch
    return Brevo(settings) if settings.is_set else None
