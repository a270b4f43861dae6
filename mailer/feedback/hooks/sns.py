"""Amazon SNS: who says that an envelope is of our topic. https://docs.aws.amazon.com/sns/latest/dg/sns-verify-signature-of-message.html

Everybody can have Amazon sign something: what counts is the topic, which is ours alone.
"""

import hmac
import re
from collections.abc import Mapping
from datetime import datetime, timedelta
from threading import Lock

from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPublicKey

from mailer.feedback.hooks.calls import Call, Fetch, Forged, Unreachable
from mailer.feedback.hooks.proofs import octets, require_fresh, require_rsa, seconds_of
from mailer.feedback.hooks.trees import moment, text, tree_of

TOPIC = r"arn:aws(?:-cn|-us-gov)?:sns:[a-z0-9-]{5,30}:\d{12}:[A-Za-z0-9_.-]{1,256}"
_WITHIN = timedelta(hours=2)  # they ask again for an hour, with what was signed at first
_CERTIFICATES = 4  # kept: they change theirs about once a year
_NOTIFICATION = ("Message", "MessageId", "Subject", "Timestamp", "TopicArn", "Type")
_CONFIRMATION = ("Message", "MessageId", "SubscribeURL", "Timestamp", "Token", "TopicArn", "Type")
_SIGNED = {
    "Notification": _NOTIFICATION,
    "SubscriptionConfirmation": _CONFIRMATION,
    "UnsubscribeConfirmation": _CONFIRMATION,
}
_HASHES: Mapping[str, type[hashes.HashAlgorithm]] = {"1": hashes.SHA1, "2": hashes.SHA256}


class Topic:
    """Our topic, and the certificates that its envelopes were signed with lately."""

    def __init__(self, arn: str, fetch: Fetch) -> None:
        self._arn = arn
        self._fetch = fetch
        self._keys: dict[str, tuple[RSAPublicKey, datetime]] = {}  # by address, with the day they end
        self._turn = Lock()
        _, partition, _, region, *_ = arn.split(":")
        self.host = f"sns.{region}.amazonaws.com" + (".cn" if partition == "aws-cn" else "")
        self._certificate = re.compile(rf"https://{re.escape(self.host)}/[A-Za-z0-9._-]{{1,200}}\.pem")

        self._subscribe = re.compile(rf"https://{re.escape(self.host)}/\?Action=ConfirmSubscription&[!-~]{{1,2000}}")

    def open(self, call: Call, *, now: datetime) -> dict[str, str]:
        """Return the fields of an envelope that is proved. raises Forged, Unreadable, Unreachable"""
        tree = tree_of(call.body)
        fields = {name: value for name, value in tree.items() if isinstance(value, str)}
        kind = fields.get("Type", "")
        if kind not in _SIGNED or not hmac.compare_digest(fields.get("TopicArn", "").encode(), self._arn.encode()):
            raise Forged("not of our topic")
        told = (call.header("x-amz-sns-message-type"), call.header("x-amz-sns-message-id"))
        if told != (kind, fields.get("MessageId")):
            raise Forged("header and body differ")
        require_fresh(seconds_of(moment(fields, "Timestamp")), now=now, within=_WITHIN)
        algorithm = _HASHES.get(fields.get("SignatureVersion", ""))
        if algorithm is None:
            raise Forged("a kind of signature that is not known")
        key = self._key(text(fields, "SigningCertURL"), now)
        require_rsa(key, _canonical(fields, _SIGNED[kind]), octets(fields.get("Signature", "")), algorithm())
        return fields

    def confirms(self, url: str) -> bool:
        """Whether opening `url` can only mean to subscribe at our topic's own host."""
        return self._subscribe.fullmatch(url) is not None

    def _key(self, url: str, now: datetime) -> RSAPublicKey:
        if not self._certificate.fullmatch(url):
            raise Forged("its certificate lies elsewhere")
        known = self._keys.get(url)
        if known is None or known[1] < now:
            known = _read(self._fetch(url), now)  # nobody waits for this whose certificate is known
            with self._turn:
                if len(self._keys) >= _CERTIFICATES:
                    self._keys.clear()
                self._keys[url] = known
        return known[0]


def _read(pem: bytes, now: datetime) -> tuple[RSAPublicKey, datetime]:
    try:
        certificate = x509.load_pem_x509_certificate(pem)
        key = certificate.public_key()
    except ValueError:
        raise Unreachable("no certificate") from None
    begin, end = certificate.not_valid_before_utc, certificate.not_valid_after_utc
    if not isinstance(key, RSAPublicKey) or not begin <= now <= end:
        raise Forged("its certificate is not valid")
    return key, end


def _canonical(fields: Mapping[str, str], names: tuple[str, ...]) -> bytes:
    return "".join(f"{name}\n{fields[name]}\n" for name in names if name in fields).encode("utf-8", "replace")
