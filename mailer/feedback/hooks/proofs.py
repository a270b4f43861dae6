"""How a request is proved: signatures and passwords, compared in constant time."""

import base64
import binascii
import hmac
from datetime import datetime, timedelta

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import padding
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPublicKey
from pydantic import BaseModel, ConfigDict, SecretStr

from mailer.feedback.hooks.calls import Call, Forged

SKEW = timedelta(minutes=5)  # how far clocks may be apart


class ProofSettings(BaseModel):
    """The keys of [providers.NAME] that prove its webhook."""

    model_config = ConfigDict(frozen=True, extra="forbid")


class Password(ProofSettings):
    """Basic authentication (RFC 7617), for those who sign nothing."""

    webhook_user: str = ""
    webhook_password: SecretStr = SecretStr("")

    @property
    def is_set(self) -> bool:
        return bool(self.webhook_user and self.webhook_password.get_secret_value())

    def require(self, call: Call) -> None:
        """raises Forged"""
        expected = f"{self.webhook_user}:{self.webhook_password.get_secret_value()}"
        scheme, _, given = call.header("authorization").partition(" ")
        right = hmac.compare_digest(octets(given), expected.encode())
        if scheme.lower() != "basic" or not right:
            raise Forged("wrong user or password")


def octets(text: str) -> bytes:
    """Return what base64 says, b"" for what is none."""
    try:
        return base64.b64decode(text.strip().encode("ascii"), validate=True)
    except (UnicodeEncodeError, binascii.Error):
        return b""


def require_fresh(at: datetime | None, *, now: datetime, within: timedelta) -> None:
    """raises Forged  when a moment is longer ago than `within`, or yet to come, or there is none"""
    if at is None:
        raise Forged("no time")
    if not -SKEW <= now - at <= within:
        raise Forged("too old")


def require_hmac(key: bytes, signed: bytes, *signatures: bytes) -> None:
    """raises Forged  when none of `signatures` is the HMAC-SHA256 of `signed`"""
    expected = hmac.digest(key, signed, "sha256")
    if not any(hmac.compare_digest(expected, given) for given in signatures):
        raise Forged("wrong signature")


def require_rsa(key: RSAPublicKey, signed: bytes, signature: bytes, algorithm: hashes.HashAlgorithm) -> None:
    """raises Forged"""
    try:
        key.verify(signature, signed, padding.PKCS1v15(), algorithm)
    except InvalidSignature:
        raise Forged("wrong signature") from None
