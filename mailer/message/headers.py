"""The header writer: strict and short.

The standard library's folds a long List-Unsubscribe into encoded-words, which breaks one-click (RFC 2047
section 5 forbids them there), and lets NUL through. Here structured fields are ASCII, never encoded, and
folded at spaces only; Subject and display names are plain ASCII where that says the same, else encoded-words.
"""

import re
from base64 import b64encode
from collections.abc import Callable, Iterator
from functools import lru_cache

from email_validator import EmailNotValidError, validate_email

from mailer.message.characters import one_line
from mailer.sentences import N_

LINE = 76  # a line with an encoded-word may be no longer (RFC 2047 section 2)
LONGEST = 998  # of any line, without its CRLF (RFC 5322 section 2.1.1)
NAME = 200  # characters of a display name; a longer one is cut
_WORD = LINE - len("Subject: ")  # no field that takes encoded-words has a longer name
_ATOM = r"[A-Za-z0-9!#$%&'*+/=?^_`{|}~-]+"
_DOT_ATOM = rf"{_ATOM}(?:\.{_ATOM})*"
_LABEL = r"[A-Za-z0-9](?:[A-Za-z0-9-]*[A-Za-z0-9])?"
_ADDR_SPEC = re.compile(rf"{_DOT_ATOM}@{_LABEL}(?:\.{_LABEL})*")
_LIST_ID = re.compile(rf"{_LABEL}(?:\.{_LABEL})+")
_MESSAGE_ID = re.compile(rf"{_DOT_ATOM}@{_DOT_ATOM}")
_URL = re.compile(r"https?://[!#-;=?-\[\]-~]+")  # printable ASCII without space, ", <, > and \
_VISIBLE = re.compile(r"[\x20-\x7e]*")
_ATOMS = re.compile(rf"{_ATOM}(?: {_ATOM})*")
_AT = re.compile(r" ?[@\uff20\ufe6b] ?")  # the sign and its fullwidth and small look-alikes
_NOT_Q = re.compile(rb"[^A-Za-z0-9!*+/-]")


class Refused(ValueError):
    """A value that no header may carry. Says where and why, never the value: it may be somebody's address."""

    def __init__(self, where: str, reason: str) -> None:
        super().__init__(f"{where}: {reason}")
        self.where = where
        self.reason = reason


def structured(name: str, value: str) -> bytes:
    """Write a field whose value is ASCII tokens; they stay whole, and only spaces between them are folded.

    raises  Refused for anything but printable ASCII, and for a token that fills a line by itself
    """
    lines = [f"{name}:"]
    for token in printable(name, value).split(" "):
        if len(lines[-1]) + 1 + len(token) > LINE and lines[-1] != f"{name}:":
            lines.append("")
        lines[-1] += f" {token}"
    if max(map(len, lines)) > LONGEST:
        raise Refused(name, N_("has a part that does not fit on a line"))
    return "\r\n".join(lines).encode("ascii") + b"\r\n"


def subject(text: str) -> bytes:
    """Write the Subject; what cannot be read in it (controls, line ends, bidi overrides) is left out."""
    text = one_line(text)
    if _plain(text) and all(len(word) < LINE for word in text.split(" ")):
        return structured("Subject", text)
    return b"Subject: " + encoded_words(text) + b"\r\n"


def mailbox(name: str, display: str, address: str) -> bytes:
    """Write From or Reply-To from our own settings.

    raises  Refused when the address is none, or the display name holds an @: a name that shows another
            sender's address is how a letter is forged
    """
    if _AT.search(display):
        raise Refused(name, N_("has an address inside its display name"))
    return f"{name}: ".encode("ascii") + phrase(display) + b"<" + addr_spec(name, address) + b">\r\n"


def phrase(display: str) -> bytes:
    """Return a display name ready to stand before `<address>`, with the space between; b"" for none.

    Neutralised, since members' names come from anywhere: unreadable characters are left out, any white space
    is one space, an @ becomes "(at)" so that it cannot pass for an address, and NAME characters are enough.
    """
    text = " ".join(_AT.sub(" (at) ", one_line(display)).split())[:NAME].rstrip()
    if not text:
        return b""
    if not _plain(text):
        return encoded_words(text) + b"\r\n "
    if not _ATOMS.fullmatch(text):
        text = '"' + re.sub(r'(["\\])', r"\\\1", text) + '"'
    return text.encode("ascii") + (b" " if len(text) < LINE // 2 else b"\r\n ")


def list_id(name: str, identifier: str) -> bytes:
    """Write List-Id (RFC 2919), with the name of the list where it is ASCII: this field is never encoded."""
    if not _LIST_ID.fullmatch(identifier) or len(identifier) > 255:  # noqa: PLR2004 - RFC 2919 section 2
        raise Refused("List-Id", N_("is not of the form letters.example.org"))
    shown = phrase(name) if _plain(one_line(name)) and len(name) <= _WORD else b""
    return b"List-Id: " + shown + f"<{identifier}>\r\n".encode("ascii")


def addr_spec(where: str, address: str) -> bytes:
    """Return an address of ours as it stands on the wire, the domain in A-labels (malmö.se is xn--malm-8qa.se).

    raises  Refused for anything but local@domain, and for a local part that is not ASCII: few servers take it
    """
    wire = recipient(where, address)
    if not wire.isascii():
        raise Refused(where, N_("has letters before the @ that most mail servers do not take"))
    return wire


@lru_cache(maxsize=16)  # To and the envelope ask one after the other
def recipient(where: str, address: str) -> bytes:
    """Return the address of somebody we write to, as `addr_spec` does; a local part beyond ASCII stays UTF-8.

    A server has to offer SMTPUTF8 for that one (RFC 6531, RFC 6532), which only whoever talks to it can know.
    raises  Refused for anything but local@domain
    """
    if _ADDR_SPEC.fullmatch(address) and len(address) <= 254:  # noqa: PLR2004 - RFC 5321 section 4.5.3.1.3
        return address.encode("ascii")
    if address.isascii():
        raise Refused(where, N_("is not an address of the form name@example.org"))
    try:
        checked = validate_email(address, check_deliverability=False, allow_smtputf8=True)
    except EmailNotValidError:
        raise Refused(where, N_("is not an address of the form name@example.org")) from None
    return f"{checked.local_part}@{checked.ascii_domain}".encode()


def message_id(where: str, value: str) -> bytes:
    """Return `unique@domain`, which the writer puts in angle brackets."""
    if not _MESSAGE_ID.fullmatch(value) or len(value) > 250:  # noqa: PLR2004 - Message-ID stays one short line
        raise Refused(where, N_("is not of the form unique@example.org"))
    return value.encode("ascii")


def url(where: str, value: str) -> bytes:
    """Return a web address that can stand in angle brackets: http or https, ASCII, no space or quote."""
    if not _URL.fullmatch(value) or len(value) > 900:  # noqa: PLR2004 - with its field name within LONGEST
        raise Refused(where, N_("is not a web address"))
    return value.encode("ascii")


def printable(where: str, value: str) -> str:
    """Return `value` when it is printable ASCII without a space at either end.

    raises  Refused otherwise; a value that is not ours to change is never mended
    """
    if not value or not _VISIBLE.fullmatch(value) or value != value.strip(" "):
        raise Refused(where, N_("is empty or not printable ASCII"))
    return value


def encoded_words(text: str) -> bytes:
    """Write `text` as folded encoded-words, none over 75 octets and no character split over two of them."""
    octets = text.encode("utf-8")
    in_q = _q(text)
    if len(in_q) <= _WORD - 12:  # most names
        return b"=?utf-8?q?" + in_q + b"?="
    if len(in_q) <= 2 * len(octets):
        parts = _parts(text, lambda char: len(_q(char)), _WORD - 12)
        return b"\r\n ".join(b"=?utf-8?q?" + _q(part) + b"?=" for part in parts)
    parts = _parts(text, lambda char: len(char.encode("utf-8")), (_WORD - 12) // 4 * 3)
    return b"\r\n ".join(b"=?utf-8?b?" + b64encode(part.encode("utf-8")) + b"?=" for part in parts)


def _parts(text: str, weigh: Callable[[str], int], room: int) -> Iterator[str]:
    part, weight = "", 0
    for char in text:
        more = weigh(char)
        if weight + more > room:
            yield part
            part, weight = "", 0
        part, weight = part + char, weight + more
    yield part


def _q(text: str) -> bytes:
    """Write as RFC 2047 section 5 (3) allows in a phrase, which is the narrowest place."""
    return _NOT_Q.sub(lambda octet: b"_" if octet[0] == b" " else b"=%02X" % octet[0][0], text.encode("utf-8"))


def _plain(text: str) -> bool:
    return _VISIBLE.fullmatch(text) is not None and "=?" not in text
