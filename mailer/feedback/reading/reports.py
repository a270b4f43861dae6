"""What a bounce says of one recipient: code, words, and what they mean."""

from dataclasses import dataclass

from mailer.feedback.causes import Cause, cause_of
from mailer.message.characters import one_line
from mailer.message.masking import mask_addresses

_MOST_WORDS = 500  # what is kept of a server's words


@dataclass(frozen=True, slots=True)
class Report:
    """status "5.1.1" or "", reply "550" or "", the server's words with every address masked."""

    cause: Cause
    status: str = ""
    reply: str = ""
    words: str = ""


def report(status: str, reply: str, words: str, *, context: str = "", failed: bool = True) -> Report:
    """Judge what a server said. `failed` False: it only tells of a delay, or that the mail arrived."""
    cause = cause_of(status, reply, words, context) if failed else Cause.INFORMATION
    return Report(cause, status, reply, one_line(mask_addresses(words[:2000]))[:_MOST_WORDS])
