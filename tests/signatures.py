"""A key that signs, and an independent verifier (dkimpy) that finds its record in no DNS but here."""

import base64
from functools import lru_cache

import dkim
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey

from mailer.message.dkim import Key, Signer
from mailer.signing import public_key


@lru_cache(maxsize=4)
def a_private_key(number: int = 0) -> RSAPrivateKey:
    """Return one of a few keys, made at first use."""
    del number
    return rsa.generate_private_key(public_exponent=65537, key_size=2048)


def a_signer(*domains: str) -> Signer:
    """Return a signer with one key for all of `domains`."""
    return Signer([Key(domain.encode(), b"2026a", a_private_key()) for domain in domains or ("nyhet.example.org",)])


def is_signed(content: bytes, domain: str = "nyhet.example.org") -> bool:
    """Ask dkimpy whether the first signature of a letter is valid and of `domain`."""
    record = b"v=DKIM1; k=rsa; p=" + base64.b64encode(public_key(a_private_key()))
    published = {f"2026a._domainkey.{domain}.".encode(): record}
    return bool(dkim.verify(content, dnsfunc=lambda name, timeout: published.get(name, b"") if timeout else b""))
