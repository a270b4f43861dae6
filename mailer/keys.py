"""The key file: what opens sealed columns, finds people and makes tokens. TOML, mode 0600, apart from the data."""

import base64
import secrets
import tomllib
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from mailer import private_files
from mailer.errors import Mistake
from mailer.links import Tokens
from subscribers.sealed import Keys

_HEAD = """# Utskick's keys. Whoever has this file and the database can read the register.
# Keep it apart from the data and its backups, and keep a copy: without it nobody can read the register.
"""


@dataclass(frozen=True, slots=True)
class Keyring:
    register: Keys = field(repr=False)
    tokens: Tokens = field(repr=False)


def create(path: Path) -> None:
    """Write a new key file, readable by its owner only. raises Mistake when one is there already."""

    def fresh() -> str:
        return base64.b64encode(secrets.token_bytes(32)).decode()

    text = (
        f'{_HEAD}lookup = "{fresh()}"\n\n[seal]\nuse = 1\nkeys = {{ 1 = "{fresh()}" }}\n'
        f'\n[tokens]\nuse = "a"\nkeys = {{ a = "{fresh()}" }}\n'
    )
    try:
        private_files.create(path, text)
    except FileExistsError:
        raise Mistake("There is a key file {path} already; it is never overwritten.", path=path) from None


def load(path: Path) -> Keyring:
    """Read the key file. raises Mistake when it is missing, open to others or not of this form."""
    try:
        tree = tomllib.loads(private_files.read(path).decode("utf-8"))
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
    try:
        return _keyring(tree)
    except (KeyError, ValueError, TypeError, AttributeError):
        raise Mistake("The key file {path} is not complete: restore it from your copy.", path=path) from None


def _keyring(tree: dict[str, Any]) -> Keyring:
    seal = {int(number): _key(text) for number, text in tree["seal"]["keys"].items()}
    tokens = {name: _key(text) for name, text in tree["tokens"]["keys"].items()}
    register = Keys(seal=seal, seal_with=tree["seal"]["use"], lookup=_key(tree["lookup"]))
    return Keyring(register=register, tokens=Tokens(tokens, tree["tokens"]["use"]))


def _key(text: str) -> bytes:
    key = base64.b64decode(text, validate=True)
    if len(key) != 32:  # noqa: PLR2004  # AES-256
        raise ValueError("a key has 32 bytes")
    return key
