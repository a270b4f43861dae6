"""DKIM (RFC 6376): a letter's own domain vouches for its body and for every field that is shown or acted upon.

c=relaxed/simple: header fields are rewrapped by many servers, our bodies (7-bit, short lines) by none. Everything in
a signature follows from the letter, the time too, so a letter that is sent again is the same bytes.
"""

import base64
import hashlib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from email.utils import parsedate_to_datetime
from functools import lru_cache

from cryptography.hazmat.primitives.asymmetric.padding import PKCS1v15
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey
from cryptography.hazmat.primitives.hashes import SHA256

# Named once more in h= than they occur, so that nobody can add a second one (RFC 6376 sections 5.4 and 8.15).
OVERSIGNED = (
    b"from",
    b"to",
    b"cc",
    b"subject",
    b"date",
    b"message-id",
    b"reply-to",
    b"list-unsubscribe",  # RFC 8058 section 4 wants this one and the next
    b"list-unsubscribe-post",
    b"list-id",
    b"mime-version",
    b"content-type",
    b"content-transfer-encoding",
)
# Signed where they are; a service that carries our mail may add one of its own.
SIGNED = (
    b"auto-submitted",
    b"cfbl-address",  # RFC 9477 section 3.1.1: unsigned, no report is sent
    b"cfbl-feedback-id",
    b"content-language",
    b"feedback-id",  # Gmail counts complaints by it when it is signed
    b"list-help",
    b"list-post",
)
NOTHING: frozenset[bytes] = frozenset()
_WIDTH = 72  # octets of a line, without the space it begins with
_SIGNATURE = b"DKIM-Signature: v=1; a=rsa-sha256; c=relaxed/simple;\r\n d=%b;\r\n s=%b;%b\r\n bh=%b;\r\n h=%b;\r\n b="

Fields = Mapping[bytes, Sequence[bytes]]


@dataclass(frozen=True, slots=True)
class Key:
    """What signs for a domain. `domain` and `selector` as they stand in DNS: A-labels, lower case."""

    domain: bytes
    selector: bytes
    private: RSAPrivateKey = field(repr=False)


class Signer:
    """Signs each letter with the key of its From's domain, or of the nearest domain above that."""

    def __init__(self, keys: Sequence[Key]) -> None:
        self._keys = {key.domain: key for key in keys}

    def sign(self, content: bytes, leave_out: frozenset[bytes] = NOTHING) -> bytes:
        """Return the letter with a DKIM-Signature in front, or as it is when no key is there for its From.

        content    as of mailer.message.Message
        leave_out  names, in lower case, of fields that whoever carries the letter rewrites
        """
        end = content.find(b"\r\n\r\n")
        fields = _fields(content[:end])
        key = self._key_of(fields.get(b"from", (b"",))[-1])
        if key is None:
            return content
        names, covered = _cover(fields, leave_out)
        unsigned = _SIGNATURE % (
            key.domain,
            key.selector,
            _time(fields.get(b"date", (b"",))[-1]),
            base64.b64encode(_digest(content, end + 4)),
            _folded(names),
        )
        signed = b"\r\n".join((*covered, _relaxed(_unfolded(unsigned))[1]))
        signature = base64.b64encode(key.private.sign(signed, PKCS1v15(), SHA256()))
        return b"".join((unsigned, *_lines(signature), b"\r\n", content))

    def _key_of(self, sender: bytes) -> Key | None:
        domain = sender.rpartition(b"@")[2].rstrip(b">").lower()
        return next((self._keys[each] for each in at_or_above(domain) if each in self._keys), None)


def at_or_above(domain: bytes) -> Iterator[bytes]:
    """Yield a domain and those above it: a signature of any of them is aligned with it (RFC 9989)."""
    while domain:
        yield domain
        domain = domain.partition(b".")[2]


def _fields(head: bytes) -> Fields:
    """Return the header fields by name in relaxed form (section 3.4.2), the last of a name first."""
    fields: dict[bytes, list[bytes]] = {}
    for line in reversed(_unfolded(head).split(b"\r\n")):
        name, relaxed = _relaxed(line)
        fields.setdefault(name, []).append(relaxed)
    return fields


def _unfolded(head: bytes) -> bytes:
    """Return `head` with each field on one line and each run of white space as one space."""
    head = head.replace(b"\t", b" ").replace(b"\r\n ", b" ")
    while b"  " in head:
        head = head.replace(b"  ", b" ")
    return head


@lru_cache(maxsize=256)  # most fields are the same in every letter of a mailing
def _relaxed(line: bytes) -> tuple[bytes, bytes]:
    """Return the name and the whole of an unfolded field."""
    name, _, value = line.partition(b":")
    name = name.rstrip(b" ").lower()
    return name, name + b":" + value.strip(b" ")


def _cover(fields: Fields, leave_out: frozenset[bytes]) -> tuple[tuple[bytes, ...], list[bytes]]:
    """Return the names for h= and the fields they stand for, in the same order."""
    names: list[bytes] = []
    covered: list[bytes] = []
    for once_more, kinds in ((1, OVERSIGNED), (0, SIGNED)):
        for name in kinds:
            if name not in leave_out:
                present = fields.get(name, ())
                names += [name] * (len(present) + once_more)
                covered += present
    return tuple(names), covered


def _digest(content: bytes, start: int) -> bytes:
    """Hash the body, which begins at `start`, in simple form (section 3.4.3): one CRLF at its end, however many."""
    end = len(content)
    while content.endswith(b"\r\n", start, end):
        end -= 2
    digest = hashlib.sha256(memoryview(content)[start:end])
    digest.update(b"\r\n")
    return digest.digest()


@lru_cache(maxsize=64)
def _time(date: bytes) -> bytes:
    """Write t= from the letter's Date: the clock would make another letter of each attempt."""
    try:
        return b" t=%d;" % parsedate_to_datetime(date.partition(b":")[2].decode("ascii")).timestamp()
    except ValueError:
        return b""


@lru_cache(maxsize=64)
def _folded(names: Sequence[bytes]) -> bytes:
    lines = [b""]
    for name in names:
        if len(lines[-1]) + len(name) >= _WIDTH:
            lines.append(b"")
        lines[-1] += name + b":"
    return b"\r\n ".join(lines).removesuffix(b":")


def _lines(signature: bytes) -> Iterator[bytes]:
    for start in range(0, len(signature), _WIDTH):
        yield b"\r\n " + signature[start : start + _WIDTH]
