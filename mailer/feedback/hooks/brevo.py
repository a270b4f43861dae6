"""Brevo, which signs nothing: basic authentication over HTTPS. https://developers.brevo.com/docs/transactional-webhooks"""

from mailer.feedback.causes import Cause
from mailer.feedback.hooks.calls import Fetch, Heard, Hook, Mail, Told, bounced, complained, digest, heard, left
from mailer.feedback.hooks.proofs import Password
from mailer.feedback.hooks.trees import Tree, epoch, number, text
from mailer.feedback.hooks.unsigned import Unsigned

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


def _heard(name: str, tree: Tree) -> Heard:
    kind = text(tree, "event")
    return Heard(name) if kind in _NO_NEWS else heard(name, kind, _told(kind, tree))


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
    return Unsigned(settings, _heard) if settings.is_set else None
