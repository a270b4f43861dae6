"""DKIM (RFC 6376): a letter's own domain vouches for its body and for every field that is shown or acted upon.

c=relaxed/simple: header fields are rewrapped by many servers, our bodies (7-bit, short lines) by none. Everything in
a signature follows from the letter, the time too, so a letter that is sent again is the same bytes.
"""

import hashlib
from binascii import b2a_base64
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from email.utils import parsedate_to_datetime
from functools import lru_cache
from typing import NamedTuple

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
# The field around the hash of the body, which is all of it that is another in every letter.
_BEFORE = b"DKIM-Signature: v=1; a=rsa-sha256; c=relaxed/simple;\r\n d=%b;\r\n s=%b;%b\r\n bh="
_AFTER = b";\r\n h=%b;\r\n b="
_PADDING, _HASH = PKCS1v15(), SHA256()


@dataclass(frozen=True, slots=True)
class Key:
    """What signs for a domain. `domain` and `selector` as they stand in DNS: A-labels, lower case."""

    domain: bytes
    selector: bytes
    private: RSAPrivateKey = field(repr=False)


class Cover(NamedTuple):
    """What a signature covers: the value of h=, and the places of those fields in the head, in the same order."""

    names: bytes
    places: Sequence[int]


class Draft(NamedTuple):
    """A signature before RSA: whose it is, the fields it covers with itself among them, and itself up to b=."""

    private: RSAPrivateKey | None = None
    covered: bytes = b""
    field: bytes = b""

    def signature(self) -> bytes:
        """Return what RSA makes of it. Other threads run meanwhile."""
        return self.private.sign(self.covered, _PADDING, _HASH) if self.private else b""

    def signed(self, signature: bytes) -> bytes:
        """Return the field, which stands in front of the letter that it was drafted for."""
        return b"".join((self.field, *_lines(_base64(signature)), b"\r\n")) if self.private else b""


NO_SIGNATURE = Draft()


class Signer:
    """Signs each letter with the key of its From's domain, or of the nearest domain above that."""

    def __init__(self, keys: Sequence[Key]) -> None:
        self._keys = {key.domain: key for key in keys}
        self._key_of = lru_cache(maxsize=64)(self._nearest_key)

    def sign(self, content: bytes, leave_out: frozenset[bytes] = NOTHING) -> bytes:
        """Return the letter with a DKIM-Signature in front, or as it is; arguments as of `draft`."""
        draft = self.draft(content, leave_out)
        return draft.signed(draft.signature()) + content

    def draft(self, content: bytes, leave_out: frozenset[bytes] = NOTHING) -> Draft:
        """Return all of a letter's signature but the RSA; an empty one when no key is there for its From.

        content    as of mailer.message.Message
        leave_out  names, in lower case, of fields that whoever carries the letter rewrites
        """
        end = content.find(b"\r\n\r\n")
        names, fields = zip(*map(_relaxed, _unfolded(content[:end]).split(b"\r\n")), strict=True)
        key = self._key_of(_first(b"from", names, fields))
        if key is None:
            return NO_SIGNATURE
        cover = _cover(names, leave_out)
        written, relaxed = _forms(key.domain, key.selector, _first(b"date", names, fields), cover.names)
        digest = _base64(_digest(content, end + 4))
        covered = b"\r\n".join([*[fields[place] for place in cover.places], digest.join(relaxed)])
        return Draft(key.private, covered, digest.join(written))

    def _nearest_key(self, sender: bytes) -> Key | None:
        domain = sender.rpartition(b"@")[2].rstrip(b">").lower()
        return next((self._keys[each] for each in at_or_above(domain) if each in self._keys), None)


def at_or_above(domain: bytes) -> Iterator[bytes]:
    """Yield a domain and those above it: a signature of any of them is aligned with it (RFC 9989)."""
    while domain:
        yield domain
        domain = domain.partition(b".")[2]


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


def _first(name: bytes, names: Sequence[bytes], fields: Sequence[bytes]) -> bytes:
    return fields[names.index(name)] if name in names else b""


@lru_cache(maxsize=64)  # the letters of a mailing have the same fields
def _cover(names: Sequence[bytes], leave_out: frozenset[bytes]) -> Cover:
    """Return what to cover of a head with fields of these names; of those that have one name the last comes first."""
    covered: list[bytes] = []
    places: list[int] = []
    for once_more, kinds in ((1, OVERSIGNED), (0, SIGNED)):
        for name in kinds:
            if name not in leave_out:
                present = [place for place, each in enumerate(names) if each == name]
                covered += [name] * (len(present) + once_more)
                places += reversed(present)
    return Cover(_folded(covered), places)


@lru_cache(maxsize=64)
def _forms(domain: bytes, selector: bytes, date: bytes, names: bytes) -> tuple[Sequence[bytes], Sequence[bytes]]:
    """Return the field without its signature, as it is written and relaxed, each in two parts: bh= is between them."""
    written = _BEFORE % (domain, selector, _time(date)), _AFTER % names
    return written, (_relaxed(_unfolded(written[0]))[1], _unfolded(written[1]))


def _digest(content: bytes, start: int) -> bytes:
    """Hash the body, which begins at `start`, in simple form (section 3.4.3): one CRLF at its end, however many."""
    end = len(content)
    while content.endswith(b"\r\n", start, end):
        end -= 2
    digest = hashlib.sha256(memoryview(content)[start:end])
    digest.update(b"\r\n")
    return digest.digest()


def _time(date: bytes) -> bytes:
    """Write t= from the letter's Date: the clock would make another letter of each attempt."""
    try:
        return b" t=%d;" % parsedate_to_datetime(date.partition(b":")[2].decode("ascii")).timestamp()
    except ValueError:
        return b""


def _folded(names: Sequence[bytes]) -> bytes:
    lines = [b""]
    for name in names:
        if len(lines[-1]) + len(name) >= _WIDTH:
            lines.append(b"")
        lines[-1] += name + b":"
    return b"\r\n ".join(lines).removesuffix(b":")


def _base64(value: bytes) -> bytes:
    return b2a_base64(value, newline=False)


def _lines(signature: bytes) -> Iterator[bytes]:
    for start in range(0, len(signature), _WIDTH):
        yield b"\r\n " + signature[start : start + _WIDTH]
