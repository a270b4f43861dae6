"""Sealed values: what names a person is stored encrypted, and found by a keyed hash.

A sealed value is one version byte, one key-id byte, a 12-byte nonce and the AES-256-GCM ciphertext; the name of
the column is authenticated with it, so a value cannot be moved to another column. Lookup hashes are
HMAC-SHA256 under a key that is kept for ever: an erased person's address cannot be hashed anew.
"""

import hmac
import os
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from subscribers.errors import Locked

_VERSION = 1
_NONCE = 12


@dataclass(frozen=True, slots=True)
class Keys:
    """Raw 32-byte keys by one-byte id. `seal_with` is the id that new values are sealed under."""

    seal: Mapping[int, bytes] = field(repr=False)
    seal_with: int
    lookup: bytes = field(repr=False)


Renew = Callable[[], Keys | None]  # the keys as they are now; None: as they were


class _Lock:
    def __init__(self) -> None:
        self.lookup: bytes | None = None
        self.boxes: dict[int, AESGCM] = {}
        self.seal_with = 0
        self.renew: Renew = _no_others


def _no_others() -> Keys | None:
    return None


_lock = _Lock()


def unlock(keys: Keys, renew: Renew = _no_others) -> None:
    """Open the sealed columns for this process. Called once, where the program is wired.

    renew  asked when a value bears a key that we do not know: another process may have changed the keys meanwhile
    """
    _lock.renew = renew
    _lock.boxes = {number: AESGCM(key) for number, key in keys.seal.items()}
    _lock.seal_with = keys.seal_with
    _lock.lookup = keys.lookup


def seal(text: str, column: str) -> bytes:
    """Encrypt `text` for `column` ("member.address")."""
    box = _lock.boxes.get(_lock.seal_with)
    if box is None:
        raise Locked("The register is locked: no key file was given.")
    nonce = os.urandom(_NONCE)
    return bytes((_VERSION, _lock.seal_with)) + nonce + box.encrypt(nonce, text.encode(), column.encode())


def open_sealed(value: bytes, column: str) -> str:
    """Decrypt what `seal` made.

    raises  Locked  when the key is missing, or the value was altered or belongs to another column
    """
    box = _box(value[1]) if value[:1] == bytes((_VERSION,)) else None
    if box is None:
        raise Locked("The key file does not fit this database: it lacks the key that sealed {column}.", column=column)
    try:
        return box.decrypt(value[2 : 2 + _NONCE], value[2 + _NONCE :], column.encode()).decode()
    except InvalidTag:
        raise Locked("The key file does not fit this database, or {column} was altered in it.", column=column) from None


def open_all(values: Sequence[bytes | None], column: str) -> list[str | None]:
    """Decrypt a whole column of rows, None where there is nothing; raises as `open_sealed`."""
    boxes, name, start = _lock.boxes, column.encode(), 2 + _NONCE
    try:
        return [value and boxes[value[1]].decrypt(value[2:start], value[start:], name).decode() for value in values]  # type: ignore[misc]  # no sealed value is empty
    except (InvalidTag, KeyError, IndexError):
        return [None if value is None else open_sealed(value, column) for value in values]  # names what is wrong


def _box(number: int) -> AESGCM | None:
    if number not in _lock.boxes and (keys := _lock.renew()) is not None:
        unlock(keys, _lock.renew)
    return _lock.boxes.get(number)


def is_current(value: bytes) -> bool:
    """Say whether `value` was sealed under the key that new values are."""
    return value[:2] == bytes((_VERSION, _lock.seal_with))


def lookup_key(kind: str, text: str) -> bytes:
    """Return the 32-byte keyed hash under which a sealed value is found; `kind` keeps number and address apart."""
    if _lock.lookup is None:
        raise Locked("The register is locked: no key file was given.")
    return hmac.digest(_lock.lookup, f"{kind}\0{text}".encode(), "sha256")
