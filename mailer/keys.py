"""The key file: what opens sealed columns, finds people and makes tokens. TOML, mode 0600, apart from the data."""

import base64
import contextlib
import secrets
import string
import tomllib
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, TypeVar

from mailer import private_files
from mailer.errors import Mistake
from mailer.links import Tokens
from subscribers.sealed import Keys, Renew

Result = TypeVar("Result")

_HEAD = """# Utskick's keys. Whoever has this file and the database can read the register.
# Keep it apart from the data and its backups, and keep a copy: without it nobody can read the register.
"""


_IDS = string.ascii_lowercase + string.ascii_uppercase + string.digits  # of keys of tokens: their first character
_SEALS = 255  # ids of keys that seal: a byte, and not 0
Tree = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Keyring:
    """`renew` reads the register's keys again when the file was changed; None when it was not."""

    register: Keys = field(repr=False)
    tokens: Tokens = field(repr=False)
    renew: Renew


def create(path: Path) -> None:
    """Write a new key file, readable by its owner only. raises Mistake when one is there already."""
    tree = {
        "lookup": _fresh(),
        "seal": {"use": 1, "keys": {"1": _fresh()}},
        "tokens": {"use": "a", "keys": {"a": _fresh()}},
    }
    try:
        private_files.create(path, _written(tree))
    except FileExistsError:
        raise Mistake("There is a key file {path} already; it is never overwritten.", path=path) from None


def rotate(path: Path) -> None:
    """Add a key that seals and one for tokens, and use them from now on; the old ones stay, for what they made.

    The lookup key is never changed: an erased person's address cannot be hashed anew.
    raises  Mistake as `load`, and when there are no ids left
    """
    tree = _read(path)
    _keyring(tree, path)
    seals, tokens = tree["seal"], tree["tokens"]
    number = max(map(int, seals["keys"])) + 1
    name = next((name for name in _IDS if name not in tokens["keys"]), "")
    if number > _SEALS or not name:
        raise Mistake("The key file {path} has all the keys it can hold: take out those of no use any more.", path=path)
    seals["keys"][str(number)], seals["use"] = _fresh(), number
    tokens["keys"][name], tokens["use"] = _fresh(), name
    private_files.replace(path, _written(tree))


def load(path: Path) -> Keyring:
    """Read the key file. raises Mistake when it is missing, open to others or not of this form."""
    return _keyring(_read(path), path)


def _read(path: Path) -> Tree:
    try:
        return tomllib.loads(private_files.read(path).decode("utf-8"))
    except FileNotFoundError:
        raise Mistake(
            "There is no key file {path}: put your copy of it back, or name it in UTSKICK_KEYS; "
            "`utskick init` makes one for a new installation.",
            path=path,
        ) from None
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise Mistake("The key file {path} cannot be read: {reason}.", path=path, reason=error) from None
    except OSError as error:
        raise Mistake("The key file {path} cannot be read: {reason}.", path=path, reason=error.strerror) from None


def _written(tree: Tree) -> str:
    def listed(keys: Mapping[str, str]) -> str:
        return ", ".join(f'{name} = "{key}"' for name, key in keys.items())

    seals, tokens = tree["seal"], tree["tokens"]
    return (
        f'{_HEAD}lookup = "{tree["lookup"]}"\n'
        f"\n[seal]\nuse = {seals['use']}\nkeys = {{ {listed(seals['keys'])} }}\n"
        f'\n[tokens]\nuse = "{tokens["use"]}"\nkeys = {{ {listed(tokens["keys"])} }}\n'
    )


def _fresh() -> str:
    return base64.b64encode(secrets.token_bytes(32)).decode()


class _Watched:
    """A key file that is read again when it has changed: somebody rotated while this process was running."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._seen = self._stamp()

    def again(self) -> Tree | None:
        """Return the file if it changed since the last call. One that cannot be read is none: we have our keys."""
        stamp = self._stamp()
        if stamp == self._seen:
            return None
        self._seen = stamp
        with contextlib.suppress(Mistake):
            return _read(self._path)
        return None

    def _stamp(self) -> tuple[int, int] | None:
        try:
            status = self._path.stat()
        except OSError:
            return None
        return status.st_mtime_ns, status.st_ino


def _keyring(tree: Tree, path: Path) -> Keyring:
    try:
        for_seals, for_tokens = _Watched(path), _Watched(path)
        return Keyring(
            register=_register(tree),
            tokens=Tokens(_token_keys(tree), tree["tokens"]["use"], lambda: _then(_token_keys, for_tokens.again())),
            renew=lambda: _then(_register, for_seals.again()),
        )
    except (KeyError, ValueError, TypeError, AttributeError):
        raise Mistake("The key file {path} is not complete: restore it from your copy.", path=path) from None


def _then(read: Callable[[Tree], Result], tree: Tree | None) -> Result | None:
    return None if tree is None else read(tree)


def _register(tree: Tree) -> Keys:
    seal = {int(number): _key(text) for number, text in tree["seal"]["keys"].items()}
    return Keys(seal=seal, seal_with=tree["seal"]["use"], lookup=_key(tree["lookup"]))


def _token_keys(tree: Tree) -> dict[str, bytes]:
    return {name: _key(text) for name, text in tree["tokens"]["keys"].items()}


def _key(text: str) -> bytes:
    key = base64.b64decode(text, validate=True)
    if len(key) != 32:  # noqa: PLR2004  # AES-256
        raise ValueError("a key has 32 bytes")
    return key
