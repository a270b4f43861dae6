"""Tokens: what a link carries instead of a number. One key-id character and one AES block, 23 characters.

The block holds (purpose 8 bits, member 40, mailing 24, zeros 56): whoever cannot make a block whose last seven
bytes decrypt to zero cannot make a token, and a token shows none of its numbers. Checked before any database
access; only the canonical base64url spelling is accepted.
"""

import base64
import re
from binascii import b2a_base64
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from enum import IntEnum

from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes

_FORM = re.compile(r"[A-Za-z0-9][A-Za-z0-9_-]{22}")
_ZEROS = bytes(7)
_URL_SAFE = bytes.maketrans(b"+/", b"-_")


class Purpose(IntEnum):
    """What a token lets its holder do; a token of one purpose is worth nothing for another."""

    UNSUBSCRIBE = 1
    PREFERENCES = 2
    FORM = 3  # goes into a page's form, never into a mail; the hour it was issued stands where the mailing would
    MESSAGE = 4  # in no link: it is the Message-ID
    OWN = 5  # see and change what is stored: in a letter that was just asked for, good for a few hours
    CONFIRM = 6  # the address of a sign-up is its owner's
    ADDRESS_NEW = 7  # a changed address is its owner's; the number of the change stands where the mailing would
    ADDRESS_OLD = 8  # the owner of the address until now agrees; as above
    SIGN_UP = 9  # goes into the form of a page that anybody may open; its second stands where the member would


@dataclass(frozen=True, slots=True)
class Claim:
    """What a token says. `mailing` is 0 when it belongs to none; some purposes keep another number there."""

    purpose: Purpose
    member: int
    mailing: int


_Step = Callable[[bytes], bytes]


def _cipher(key: bytes) -> Cipher[modes.ECB]:
    return Cipher(algorithms.AES(key), modes.ECB())  # noqa: S305  # one block: the bare permutation


class Tokens:
    """Makes and reads tokens. `keys` are 32-byte keys by one-character id; new tokens use `make_with`.

    renew  asked when a token bears an id that we do not know: the keys as another process left them, None: no others
    """

    def __init__(
        self, keys: Mapping[str, bytes], make_with: str, renew: Callable[[], Mapping[str, bytes] | None] = dict
    ) -> None:
        self._renew = renew
        self._encrypt: _Step = _cipher(keys[make_with]).encryptor().update
        self._decrypt: dict[str, _Step] = {name: _cipher(key).decryptor().update for name, key in keys.items()}
        self._id = make_with

    def make(self, purpose: Purpose, member: int, mailing: int = 0) -> str:
        """Return the 23 characters. raises OverflowError beyond 40 and 24 bits."""
        block = b"%c%b%b%b" % (purpose, member.to_bytes(5), mailing.to_bytes(3), _ZEROS)
        # base64.urlsafe_b64encode says the same in three times the steps, and a letter has three tokens.
        return self._id + b2a_base64(self._encrypt(block)).translate(_URL_SAFE)[:22].decode()

    def read(self, token: str, purpose: Purpose) -> Claim | None:
        """Return what `token` says, None when it is not one of ours, not canonical or of another purpose."""
        if not _FORM.fullmatch(token) or (decrypt := self._decryptor(token[0])) is None:
            return None
        sealed = base64.urlsafe_b64decode(token[1:] + "==")
        if base64.urlsafe_b64encode(sealed)[:22].decode() != token[1:]:
            return None  # the last character has four spare bits: only zeros are canonical
        block = decrypt(sealed)
        if block[9:] != _ZEROS or block[0] != purpose:
            return None
        return Claim(purpose, int.from_bytes(block[1:6]), int.from_bytes(block[6:9]))

    def _decryptor(self, name: str) -> _Step | None:
        if name not in self._decrypt and (keys := self._renew()):
            self._decrypt |= {new: _cipher(key).decryptor().update for new, key in keys.items()}
        return self._decrypt.get(name)


def hour_of(moment: datetime) -> int:
    """Return the hours since 1970: they fill the 24 bits of a mailing in the year 3883."""
    return int(moment.timestamp()) // 3600


# Where the link of a letter to one leads, by what it lets its reader do.
_ACTS = {Purpose.OWN: "m", Purpose.CONFIRM: "c", Purpose.ADDRESS_NEW: "a", Purpose.ADDRESS_OLD: "b"}


@dataclass(frozen=True, slots=True)
class Links:
    """The addresses of the member's pages."""

    base_url: str
    tokens: Tokens

    def unsubscribe(self, member: int, mailing: int) -> str:
        return f"{self.base_url}/u/{self.tokens.make(Purpose.UNSUBSCRIBE, member, mailing)}"

    def unsubscribe_by_mail(self, mailbox: str, member: int, mailing: int) -> str:
        """Return a URI that writes a mail to `mailbox`, as mailer.leaving reads it; "" when there is no mailbox."""
        return f"mailto:{mailbox}?subject={self.tokens.make(Purpose.UNSUBSCRIBE, member, mailing)}" if mailbox else ""

    def preferences(self, member: int, mailing: int) -> str:
        return f"{self.base_url}/p/{self.tokens.make(Purpose.PREFERENCES, member, mailing)}"

    def act(self, purpose: Purpose, member: int, number: int) -> str:
        """The page that a letter to one asks its reader to open."""
        return f"{self.base_url}/{_ACTS[purpose]}/{self.tokens.make(purpose, member, number)}"

    def message_id(self, member: int, mailing: int) -> str:
        """The left half of a Message-ID: the same in every attempt, and only we can read it."""
        return self.tokens.make(Purpose.MESSAGE, member, mailing)

    def news_item(self, item: int) -> str:
        """The page of a news item that has no link of its own."""
        return f"{self.base_url}/n/{item}"

    def image(self, name: str) -> str:
        return f"{self.base_url}/i/{name}"
