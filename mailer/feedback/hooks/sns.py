"""SNS, Amazon's or of its form: events in envelopes, and the proof that one is of our topic.

Everybody can have such a service sign something: what counts is the topic, which is ours alone.
https://docs.aws.amazon.com/sns/latest/dg/sns-verify-signature-of-message.html
"""

import hmac
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from threading import Lock

from cryptography import x509
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPublicKey

from mailer.feedback.hooks.calls import Call, Fetch, Forged, Heard, Unreachable, digest
from mailer.feedback.hooks.proofs import octets, require_fresh, require_rsa
from mailer.feedback.hooks.trees import Tree, moment, text, tree_of

TOPIC = r"arn:aws(?:-cn|-us-gov)?:sns:[a-z0-9-]{5,30}:\d{12}:[A-Za-z0-9_.-]{1,256}"
_CERTIFICATES = 4  # kept: they change theirs about once a year
_NOTIFICATION = ("Message", "MessageId", "Subject", "Timestamp", "TopicArn", "Type")
_CONFIRMATION = ("Message", "MessageId", "SubscribeURL", "Timestamp", "Token", "TopicArn", "Type")
_SIGNED = {
    "Notification": _NOTIFICATION,
    "SubscriptionConfirmation": _CONFIRMATION,
    "UnsubscribeConfirmation": _CONFIRMATION,
}
_HASHES: Mapping[str, type[hashes.HashAlgorithm]] = {"1": hashes.SHA1, "2": hashes.SHA256}


@dataclass(frozen=True, slots=True)
class House:
    """Whose service it is.

    certificate  where the certificates lie that its envelopes are signed with
    subscribe    what it may ask us to open, to say that we want to be told
    within       how old an envelope may be: what is sent again was signed at first
    in_header    kind and name stand in the header of a request too
    issuers      where the certificates lie that have issued those; "": by whoever holds their web server's
    """

    certificate: re.Pattern[str]
    subscribe: re.Pattern[str]
    within: timedelta
    in_header: bool = False
    issuers: str = ""


class Topic:
    """Our topic, and the certificates that its envelopes were signed with lately. `read` reads what lies in one."""

    most_bytes = 512 * 1024  # 256 KiB are passed on, and quoted

    def __init__(self, arn: str, house: House, fetch: Fetch, read: Callable[[str, Tree], Heard]) -> None:
        self._arn = arn
        self._house = house
        self._fetch = fetch
        self._read = read
        self._keys: dict[str, tuple[RSAPublicKey, datetime]] = {}  # by address, with the day they end
        self._turn = Lock()

    def hear(self, call: Call, *, now: datetime) -> Heard:
        envelope = self._open(call, now)
        name, kind, url = digest(envelope["MessageId"]), envelope["Type"], envelope.get("SubscribeURL", "")
        if kind == "Notification":
            return self._read(name, tree_of(envelope.get("Message", "")))
        if kind != "SubscriptionConfirmation":
            return Heard(name, strange=kind)
        if not self._house.subscribe.fullmatch(url):
            raise Forged("its address for confirming is not of its topic")
        return Heard(name, confirm=url)

    def _open(self, call: Call, now: datetime) -> dict[str, str]:
        """Return the fields of an envelope that is proved. raises Forged, Unreadable, Unreachable"""
        tree = tree_of(call.body)
        fields = {name: value for name, value in tree.items() if isinstance(value, str)}
        kind, name = fields.get("Type", ""), fields.get("MessageId", "")
        if kind not in _SIGNED or not hmac.compare_digest(fields.get("TopicArn", "").encode(), self._arn.encode()):
            raise Forged("not of our topic")
        told = (call.header("x-amz-sns-message-type"), call.header("x-amz-sns-message-id"))
        if not name or (self._house.in_header and told != (kind, name)):
            raise Forged("header and body differ")
        require_fresh(moment(fields, "Timestamp"), now=now, within=self._house.within)
        algorithm = _HASHES.get(fields.get("SignatureVersion", ""))
        if algorithm is None:
            raise Forged("a kind of signature that is not known")
        key = self._key(text(fields, "SigningCertURL"), now)
        require_rsa(key, _canonical(fields, _SIGNED[kind]), octets(fields.get("Signature", "")), algorithm())
        return fields

    def _key(self, url: str, now: datetime) -> RSAPublicKey:
        if not self._house.certificate.fullmatch(url):
            raise Forged("its certificate lies elsewhere")
        known = self._keys.get(url)
        if known is None or known[1] < now:
            known = self._read_key(url, now)  # nobody waits for this whose certificate is known
            with self._turn:
                if len(self._keys) >= _CERTIFICATES:
                    self._keys.clear()
                self._keys[url] = known
        return known[0]

    def _read_key(self, url: str, now: datetime) -> tuple[RSAPublicKey, datetime]:
        certificate = _certificates(self._fetch(url))[0]
        issuers = _certificates(self._fetch(self._house.issuers)) if self._house.issuers else []
        key, end = certificate.public_key(), certificate.not_valid_after_utc
        if not isinstance(key, RSAPublicKey) or not _is_valid(certificate, now):
            raise Forged("its certificate is not valid")
        if issuers and not any(_is_valid(issuer, now) and _issued(issuer, certificate) for issuer in issuers):
            raise Forged("its certificate was issued by somebody else")
        return key, end


def amazon_topic(arn: str, fetch: Fetch, read: Callable[[str, Tree], Heard]) -> Topic:
    _, partition, _, region, *_ = arn.split(":")
    host = re.escape(f"sns.{region}.amazonaws.com" + (".cn" if partition == "aws-cn" else ""))
    house = House(
        certificate=re.compile(rf"https://{host}/[A-Za-z0-9._-]{{1,200}}\.pem"),
        subscribe=re.compile(rf"https://{host}/\?Action=ConfirmSubscription&[!-~]{{1,2000}}"),
        within=timedelta(hours=2),  # they ask again for an hour
        in_header=True,
    )
    return Topic(arn, house, fetch, read)


def _certificates(pem: bytes) -> list[x509.Certificate]:
    """Return at least one. raises Unreachable"""
    try:
        return x509.load_pem_x509_certificates(pem)
    except ValueError:
        raise Unreachable("no certificate") from None


def _is_valid(certificate: x509.Certificate, now: datetime) -> bool:
    return certificate.not_valid_before_utc <= now <= certificate.not_valid_after_utc


def _issued(issuer: x509.Certificate, certificate: x509.Certificate) -> bool:
    """Whether an authority issued a certificate (RFC 5280 section 6.1.3 and 6.1.4 for one step, without extensions)."""
    try:
        if not issuer.extensions.get_extension_for_class(x509.BasicConstraints).value.ca:
            return False
        certificate.verify_directly_issued_by(issuer)
    except (x509.ExtensionNotFound, InvalidSignature, ValueError, TypeError):
        return False
    return True


def _canonical(fields: Mapping[str, str], names: tuple[str, ...]) -> bytes:
    return "".join(f"{name}\n{fields[name]}\n" for name in names if name in fields).encode("utf-8", "replace")
