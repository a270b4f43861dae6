"""A hook whose requests are signed by nobody: a password proves them."""

from collections.abc import Callable
from datetime import datetime

from mailer.feedback.hooks.calls import MOST_BYTES, Call, Heard, digest
from mailer.feedback.hooks.proofs import Password
from mailer.feedback.hooks.trees import Tree, tree_of


class Unsigned:
    """`read` is given a name for the request, made of its octets, and what it says."""

    most_bytes = MOST_BYTES

    def __init__(self, password: Password, read: Callable[[str, Tree], Heard]) -> None:
        self._password = password
        self._read = read

    def hear(self, call: Call, *, now: datetime) -> Heard:
        del now
        self._password.require(call)
        return self._read(digest(call.body.hex()), tree_of(call.body))
