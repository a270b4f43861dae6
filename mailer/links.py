"""Tokens: what a link carries instead of a number. One key-id character and one AES block, 23 characters.

The block holds (purpose 8 bits, member 40, mailing 24, zeros 56): whoever cannot make a block whose last seven
bytes decrypt to zero cannot make a token, and a token shows none of its numbers. Checked before any database
access; only the canonical base64url spelling is accepted.

The address that a letter comes back to (VERP) carries the same in small letters, because mail servers fold case: the
key id and a block of (member 40 bits, mailing 24, zeros 64) in base32, made with a key of its own.
"""

import base64
import re
import struct
from binascii import b2a_base64
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import IntEnum
from typing import NamedTuple

from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDFExpand

_FORM = re.compile(r"[A-Za-z0-9][A-Za-z0-9_-]{22}")
_ZEROS = bytes(7)
_RETURN_FORM = re.compile(r"[bB]-([A-Za-z2-7]{28})")
_RETURN_ZEROS = bytes(8)
_RETURN_KEY = b"utskick: the address that a letter comes back to"
_BLOCK = struct.Struct(">QB7x")  # purpose, member and the mailing's upper bytes; its lowest; zeros
_URL_SAFE = bytes.maketrans(b"+/", b"-_")


class Purpose(IntEnum):
    """What a token lets its holder do; a token of one purpose is worth nothing for another."""

    UNSUBSCRIBE = 1
    PREFERENCES = 2
    FORM = 3  # goes into a page's form, never into a mail; the hour it was issued stands where the mailing would
    MESSAGE = 4  # in no link: it is the Message-ID, and says which letter came back
    OWN = 5  # see and change what is stored: in a letter that was just asked for, good for a few hours
    CONFIRM = 6  # the address of a sign-up is its owner's
    ADDRESS_NEW = 7  # a changed address is its owner's; the number of the change stands where the mailing would
    ADDRESS_OLD = 8  # the owner of the address until now agrees; as above
    SIGN_UP = 9  # goes into the form of a page that anybody may open; its second stands where the member would
    ANSWER = 11  # to an event, whose number stands where the mailing would
    APPROVE = 13  # by an operator, whose number stands where the member would; the request where the mailing would
    RECRUIT = 14  # the member invites whoever opens it
    VIEW = 10  # a letter as a web page: the variant stands where the member would, so it names nobody
    ARCHIVE = 12  # read the archive that is for members: the hour it was asked for stands where the mailing would


@dataclass(frozen=True, slots=True)
class Claim:
    """What a token says. `mailing` is 0 when it belongs to none; some purposes keep another number there."""

    purpose: Purpose
    member: int
    mailing: int


_Step = Callable[[bytes], bytes]


class _Key:
    """What one key of the key file does. The one for addresses is derived, so that neither's blocks fit the other."""

    __slots__ = ("decrypt", "decrypt_return", "encrypt", "encrypt_return")

    def __init__(self, key: bytes) -> None:
        self.encrypt, self.decrypt = _steps(key)
        self.encrypt_return, self.decrypt_return = _steps(HKDFExpand(SHA256(), 32, _RETURN_KEY).derive(key))


def _steps(key: bytes) -> tuple[_Step, _Step]:
    cipher = Cipher(algorithms.AES(key), modes.ECB())  # noqa: S305  # one block: the bare permutation
    return cipher.encryptor().update, cipher.decryptor().update


class Tokens:
    """Makes and reads tokens. `keys` are 32-byte keys by one-character id; new tokens use `make_with`.

    renew  asked when a token bears an id that we do not know: the keys as another process left them, None: no others
    """

    def __init__(
        self, keys: Mapping[str, bytes], make_with: str, renew: Callable[[], Mapping[str, bytes] | None] = dict
    ) -> None:
        self._renew = renew
        self._keys = {name: _Key(key) for name, key in keys.items()}
        self._id = make_with
        self._current = self._keys[make_with]

    def make(self, purpose: Purpose, member: int, mailing: int = 0) -> str:
        """Return the 23 characters. raises OverflowError beyond 40 and 24 bits."""
        return self.make_all(purpose, [member], mailing)[0]

    def make_all(self, purpose: Purpose, members: Sequence[int], mailing: int = 0) -> list[str]:
        """Return a token for each member, as `make` does: what costs most is done once for all."""
        if members and (max(members) >> 40 or mailing >> 24):
            raise OverflowError("a token holds members of 40 bits and mailings of 24")
        upper, lowest = purpose << 56 | mailing >> 8, mailing & 0xFF
        blocks = self._current.encrypt(b"".join([_BLOCK.pack(upper | member << 16, lowest) for member in members]))
        # Two octets more, and each block fills its 24 characters, of which the first 22 are as without them.
        filled = b"\0\0".join([blocks[start : start + 16] for start in range(0, len(blocks), 16)]) + b"\0\0"
        text, name = b2a_base64(filled, newline=False).translate(_URL_SAFE).decode(), self._id
        return [name + text[start : start + 22] for start in range(0, 24 * len(members), 24)]

    def read(self, token: str, purpose: Purpose) -> Claim | None:
        """Return what `token` says, None when it is not one of ours, not canonical or of another purpose."""
        if not _FORM.fullmatch(token) or (key := self._key(token[0])) is None:
            return None
        sealed = base64.urlsafe_b64decode(token[1:] + "==")
        if base64.urlsafe_b64encode(sealed)[:22].decode() != token[1:]:
            return None  # the last character has four spare bits: only zeros are canonical
        block = key.decrypt(sealed)
        if block[9:] != _ZEROS or block[0] != purpose:
            return None
        return Claim(purpose, int.from_bytes(block[1:6]), int.from_bytes(block[6:9]))

    def make_return(self, member: int, mailing: int) -> str:
        """Return the 30 characters before the @ of a letter's envelope sender. raises OverflowError as `make`"""
        block = member.to_bytes(5) + mailing.to_bytes(3) + _RETURN_ZEROS
        return "b-" + base64.b32encode(self._id.encode() + self._current.encrypt_return(block))[:28].decode().lower()

    def read_return(self, local_part: str) -> Claim | None:
        """Return whose letter came back, None when we never wrote from there. Servers may have changed the case."""
        found = _RETURN_FORM.fullmatch(local_part)
        if found is None:
            return None
        spelt = found[1].upper().encode()
        octets = base64.b32decode(spelt + b"====")
        if base64.b32encode(octets)[:28] != spelt or (key := self._key(chr(octets[0]))) is None:
            return None  # the last character has four spare bits
        block = key.decrypt_return(octets[1:])
        if block[8:] != _RETURN_ZEROS:
            return None
        return Claim(Purpose.MESSAGE, int.from_bytes(block[:5]), int.from_bytes(block[5:8]))

    def _key(self, name: str) -> _Key | None:
        if name not in self._keys and (keys := self._renew()):
            self._keys |= {new: _Key(key) for new, key in keys.items() if new not in self._keys}
        return self._keys.get(name)


def hour_of(moment: datetime) -> int:
    """Return the hours since 1970: they fill the 24 bits of a mailing in the year 3883."""
    return int(moment.timestamp()) // 3600


# Where the link of a letter to one leads, by what it lets its reader do.
_ACTS = {
    Purpose.OWN: "m",
    Purpose.CONFIRM: "c",
    Purpose.ADDRESS_NEW: "a",
    Purpose.ADDRESS_OLD: "b",
    Purpose.ANSWER: "r",
    Purpose.ARCHIVE: "l",
    Purpose.APPROVE: "o",
    Purpose.RECRUIT: "j",
}


class OfLetters(NamedTuple):
    """What many letters of a mailing say of their readers, in columns."""

    unsubscribe: list[str]
    preferences: list[str]
    by_mail: list[str]
    message_id: list[str]


@dataclass(frozen=True, slots=True)
class Links:
    """The addresses of the member's pages."""

    base_url: str
    tokens: Tokens

    def unsubscribe(self, member: int, mailing: int) -> str:
        return f"{self.base_url}/u/{self.tokens.make(Purpose.UNSUBSCRIBE, member, mailing)}"

    def unsubscribe_by_mail(self, mailbox: str, member: int, mailing: int) -> str:
        """Return a URI that writes a mail to `mailbox`, as feedback.reading.wishes reads it; "" when there is none."""
        return f"mailto:{mailbox}?subject={self.tokens.make(Purpose.UNSUBSCRIBE, member, mailing)}" if mailbox else ""

    def preferences(self, member: int, mailing: int) -> str:
        return f"{self.base_url}/p/{self.tokens.make(Purpose.PREFERENCES, member, mailing)}"

    def view_online(self, variant: int, mailing: int) -> str:
        """The page of a letter as it was sent, the same for all who got that variant."""
        return f"{self.base_url}/v/{self.tokens.make(Purpose.VIEW, variant, mailing)}"

    def act(self, purpose: Purpose, member: int, number: int) -> str:
        """The page that a letter to one asks its reader to open."""
        return f"{self.base_url}/{_ACTS[purpose]}/{self.tokens.make(purpose, member, number)}"

    def message_id(self, member: int, mailing: int) -> str:
        """The left half of a Message-ID: the same in every attempt, and only we can read it."""
        return self.tokens.make(Purpose.MESSAGE, member, mailing)

    def of_letters(self, members: Sequence[int], mailing: int, *, mailbox: str) -> "OfLetters":
        """Return what `unsubscribe`, `preferences`, `unsubscribe_by_mail` and `message_id` say of each member."""
        leaving, choosing, names = (
            self.tokens.make_all(purpose, members, mailing)
            for purpose in (Purpose.UNSUBSCRIBE, Purpose.PREFERENCES, Purpose.MESSAGE)
        )
        leave, choose, by_mail = f"{self.base_url}/u/", f"{self.base_url}/p/", f"mailto:{mailbox}?subject="
        return OfLetters(
            unsubscribe=[leave + token for token in leaving],
            preferences=[choose + token for token in choosing],
            by_mail=[by_mail + token for token in leaving] if mailbox else [""] * len(leaving),
            message_id=names,
        )

    def envelope_sender(self, domain: str, member: int, mailing: int) -> str:
        """The address that a letter comes back to: no other letter has it, and every attempt has the same."""
        return f"{self.tokens.make_return(member, mailing)}@{domain}"

    def news_item(self, item: int) -> str:
        """The page of a news item that has no link of its own."""
        return f"{self.base_url}/n/{item}"

    def event(self, event: int) -> str:
        """The public page of an event."""
        return f"{self.base_url}/e/{event}"

    def calendar(self, district: str | None) -> str:
        """The events of a district, or all, for a calendar program to follow."""
        return f"{self.base_url}/calendar/{district}.ics" if district else f"{self.base_url}/calendar.ics"

    def image(self, name: str) -> str:
        return f"{self.base_url}/i/{name}"
