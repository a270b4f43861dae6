"""The keys of DKIM: one file for each domain that letters are from, readable by its owner only."""

from collections.abc import Mapping
from pathlib import Path

from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    PublicFormat,
    load_pem_private_key,
)

from mailer import private_files
from mailer.config.outbox import Dkim
from mailer.errors import Mistake
from mailer.message.dkim import Key, Signer

SHORTEST = 2048  # bits; RFC 8301 section 3.2


def create(path: Path) -> None:
    """Write a new key. raises Mistake when there is a file already"""
    private = rsa.generate_private_key(public_exponent=65537, key_size=SHORTEST)
    pem = private.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()).decode("ascii")
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    try:
        private_files.create(path, pem)
    except FileExistsError:
        raise Mistake(
            "There is a key {path} already, and it is never overwritten: a new key needs a new selector.", path=path
        ) from None


def load(path: Path) -> rsa.RSAPrivateKey:
    """Read a key. raises Mistake when it is missing, open to others, no RSA key or too short"""
    try:
        private = load_pem_private_key(private_files.read(path), password=None)
    except FileNotFoundError:
        raise Mistake("There is no DKIM key {path}: make it with `utskick dkim new`.", path=path) from None
    except OSError as error:
        raise Mistake("{file} cannot be read: {reason}.", file=path, reason=error.strerror) from None
    except (ValueError, TypeError, UnsupportedAlgorithm):
        raise Mistake("{path} holds no private key in PEM form without a password.", path=path) from None
    if not isinstance(private, rsa.RSAPrivateKey):
        raise Mistake("{path} holds no RSA key: make one with `utskick dkim new`.", path=path)
    if private.key_size < SHORTEST:
        raise Mistake(
            "The DKIM key {path} has {bits} bits, and {least} is the least that is trusted: make a new one with "
            "`utskick dkim new`.",
            path=path,
            bits=private.key_size,
            least=SHORTEST,
        )
    return private


def public_key(private: rsa.RSAPrivateKey) -> bytes:
    """Return what `private` is checked with, in DER form: p= of its record holds it (RFC 6376 section 3.6.1)."""
    return private.public_key().public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)


def open_signer(tables: Mapping[str, Dkim], folder: Path) -> Signer:
    """Load the keys of [dkim]. `folder` is where relative paths begin. raises Mistake as `load`"""
    return Signer(
        [
            Key(domain.encode("ascii"), table.selector.encode("ascii"), load(folder / table.key))
            for domain, table in tables.items()
        ]
    )
