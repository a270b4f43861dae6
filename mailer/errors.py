"""Every way a command or a send can fail, named by its consequence.

UtskickError
├── Mistake            the person can mend it: one sentence, exit status 2
└── Trouble            the world failed (disk, network, database): one sentence, exit status 1
SendError
├── TryLater           put the delivery back, due after `retry_after`
├── AddressRefused     fail the delivery; feedback judges the address
├── MessageRefused     fail the delivery; the address stays good
├── ProviderDown       give the batch back, rest the provider, try the next one
└── Unanswered         nobody knows whether it arrived: uncertain, never repeated by itself
"""

from datetime import timedelta


class UtskickError(Exception):
    """A sentence for the person, kept apart from its values so that the edge can translate it."""

    status = 1

    def __init__(self, sentence: str, /, **values: object) -> None:
        super().__init__(sentence.format(**values) if values else sentence)
        self.sentence = sentence
        self.values = values


class Mistake(UtskickError):
    """The person can mend it; the sentence says how."""

    status = 2


class Trouble(UtskickError):
    """The world failed; the sentence says what and what to look at."""


class SendError(Exception):
    """What a provider could not do. `detail` is masked before it is stored; `code` is the server's own."""

    def __init__(self, detail: str, *, code: str = "") -> None:
        super().__init__(detail)
        self.detail = detail
        self.code = code


class TryLater(SendError):
    """A passing condition: rate limit, full mailbox, greylisting, connection lost before the body."""

    def __init__(self, detail: str, *, code: str = "", retry_after: timedelta | None = None) -> None:
        super().__init__(detail, code=code)
        self.retry_after = retry_after  # None: the outbox's own back-off decides


class AddressRefused(SendError):
    """The server will not take mail for this address."""


class MessageRefused(SendError):
    """The server will not take this content; nothing is said of the address."""


class ProviderDown(SendError):
    """Nothing gets through this provider now: no connection, login refused, account paused.

    Told to the person in charge, so it is a sentence with its values apart, as UtskickError is; or a server's words.
    """

    def __init__(self, sentence: str, /, *, code: str = "", **values: object) -> None:
        super().__init__(sentence.format(**values) if values else sentence, code=code)
        self.sentence = sentence
        self.values = values


class Unanswered(SendError):
    """The whole message was handed over and no answer came (RFC 1047)."""
