"""Providers as tellers: requests in the form that each describes, signed with keys made here."""

import base64
import hashlib
import hmac
import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import cache
from typing import Any

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import padding, rsa
from cryptography.x509.oid import NameOID

from mailer.feedback.causes import Cause
from mailer.feedback.hooks.calls import Unreachable
from tests.builders import MOMENT

TOPIC = "arn:aws:sns:eu-north-1:123456789012:utskick"
CERTIFICATE = "https://sns.eu-north-1.amazonaws.com/SimpleNotificationService-60eadc530605d63b8e62a523676ef735.pem"
SUBSCRIBE = f"https://sns.eu-north-1.amazonaws.com/?Action=ConfirmSubscription&TopicArn={TOPIC}&Token=2336412f37fb"
SCALEWAY_TOPIC = "arn:scw:sns:fr-par:project-4d1f0a7e:utskick"
SCALEWAY_CERTIFICATE = "https://messaging.s3.fr-par.scw.cloud/fr-par/sns/sns-cert-1b2c.pem"
SCALEWAY_ISSUERS = "https://messaging.s3.fr-par.scw.cloud/fr-par/sns/sns-trust-chain.pem"
ADDRESS = "hemlig.person@example.net"  # what must be seen nowhere
COMPLAINT, LEFT = "complaint", "left"  # what a case leads to, beside a cause

Event = dict[str, Any]


@dataclass(frozen=True)
class Posting:
    headers: Mapping[str, str]
    body: bytes


@dataclass(frozen=True)
class Case:
    """An event about the mail with a token, and what it leads to: a cause, COMPLAINT, LEFT, or None for nothing."""

    label: str
    event: Callable[[str], Event]
    leads_to: str | None


@dataclass(frozen=True)
class Teller:
    """One provider. `post` proves an event, with the right key or another one; `seal` proves any octets at all.

    within         how long a proof is good; None where a password is all there is
    proof_in_body  it stands in what is posted, and no header has a part in it
    """

    name: str
    settings: Mapping[str, object]
    post: Callable[[Event, datetime, bool], Posting]
    cases: tuple[Case, ...]
    within: timedelta | None = None
    seal: Callable[[bytes, datetime], Posting] | None = None
    proof_in_body: bool = False


@cache
def rsa_key(name: str) -> rsa.RSAPrivateKey:
    del name
    return rsa.generate_private_key(public_exponent=65537, key_size=2048)


def public_base64(key: rsa.RSAPrivateKey) -> str:
    der = key.public_key().public_bytes(serialization.Encoding.DER, serialization.PublicFormat.SubjectPublicKeyInfo)
    return base64.b64encode(der).decode()


def rsa_signature(key: rsa.RSAPrivateKey, signed: bytes, algorithm: hashes.HashAlgorithm) -> str:
    return base64.b64encode(key.sign(signed, padding.PKCS1v15(), algorithm)).decode()


@cache
def certificate(of: str = "sns", by: str = "sns", *, is_authority: bool = False) -> bytes:
    """A certificate of the key `of`, signed with the key `by`; Amazon's, as far as anybody here can tell."""
    built = (
        x509.CertificateBuilder()
        .subject_name(_name(of))
        .issuer_name(_name(by))
        .public_key(rsa_key(of).public_key())
        .serial_number(1)
        .not_valid_before(MOMENT - timedelta(days=30))
        .not_valid_after(MOMENT + timedelta(days=300))
        .add_extension(x509.BasicConstraints(ca=is_authority, path_length=None), critical=True)
        .sign(rsa_key(by), hashes.SHA256())
    )
    return built.public_bytes(serialization.Encoding.PEM)


def _name(key: str) -> x509.Name:
    return x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, f"{key}.example")])


class Shelf:
    """What lies at the addresses that we open; remembers which were opened."""

    def __init__(self) -> None:
        self.opened: list[str] = []
        self.is_away = False
        self.lies = {
            SCALEWAY_CERTIFICATE: certificate("scaleway", by="authority"),
            SCALEWAY_ISSUERS: certificate("other", by="other", is_authority=True)
            + certificate("authority", by="authority", is_authority=True),
        }

    def __call__(self, url: str) -> bytes:
        self.opened.append(url)
        if self.is_away:
            raise Unreachable("away")
        return self.lies.get(url) or (certificate() if url.endswith(".pem") else b"<ConfirmSubscriptionResponse/>")


def as_json(event: object) -> bytes:
    return json.dumps(event).encode()


def stamp(at: datetime) -> str:
    return at.strftime("%Y-%m-%dT%H:%M:%S.%f")[:-3] + "Z"


# --- Mailgun


def mailgun_post(event: Event, at: datetime, right: bool) -> Posting:  # noqa: FBT001  # a table of callables
    moment, token = str(int(at.timestamp())), hashlib.sha256(as_json([event, stamp(at)])).hexdigest()[:50]
    key = b"signing-key" if right else b"another-key"
    signature = hmac.digest(key, (moment + token).encode(), "sha256").hex()
    body = {"signature": {"timestamp": moment, "token": token, "signature": signature}, "event-data": event}
    return Posting({"Content-Type": "application/json"}, as_json(body))


def mailgun(kind: str, leads_to: str | None, **fields: Any) -> Case:
    def event(token: str) -> Event:
        return {
            "event": kind,
            "id": f"id-{kind}-{fields.get('reason', '')}",
            "timestamp": MOMENT.timestamp() - 60,
            "recipient": ADDRESS,
            "message": {"headers": {"message-id": f"{token}@nyhet.example.org", "to": ADDRESS}},
            **fields,
        }

    return Case(f"{kind} {fields.get('reason', '')} {fields.get('severity', '')}", event, leads_to)


def mailgun_failed(reason: str, leads_to: str | None, message: str = "", severity: str = "permanent") -> Case:
    status = {"code": 550, "message": message, "attempt-no": 1}
    return mailgun("failed", leads_to, severity=severity, reason=reason, **{"delivery-status": status})


MAILGUN = Teller(
    name="mailgun",
    settings={"domain": "nyhet.example.org", "key": "k", "webhook_secret": "signing-key"},
    post=mailgun_post,
    proof_in_body=True,
    within=timedelta(hours=12),
    cases=(
        mailgun_failed("bounce", Cause.UNKNOWN_USER, f"5.1.1 <{ADDRESS}>: user unknown"),
        mailgun_failed("bounce", Cause.BLOCKED, "5.7.1 our IP is listed by Spamhaus"),
        mailgun_failed("generic", Cause.INFORMATION, "4.2.2 mailbox full", "temporary"),
        mailgun_failed("old", Cause.EXPIRED, "Too old"),
        mailgun_failed("espblock", Cause.BLOCKED, "ESP block"),
        mailgun_failed("suppress-bounce", Cause.SUPPRESSED, "Not delivering to previously bounced address"),
        mailgun_failed("suppress-complaint", COMPLAINT, "Not delivering to a user who marked your messages as spam"),
        mailgun_failed("suppress-unsubscribe", LEFT, "Not delivering to unsubscribed address"),
        mailgun("rejected", Cause.CONTENT, reject={"reason": "Sandbox subdomains are for test purposes only"}),
        mailgun("complained", COMPLAINT),
        mailgun("unsubscribed", LEFT),
        *(mailgun(kind, None) for kind in ("accepted", "delivered", "opened", "clicked", "stored")),
    ),
)

# --- Amazon SES through SNS


def sns(fields: Event, at: datetime, *, key: str = "sns", version: str = "2") -> Posting:
    whole = {"MessageId": hashlib.sha256(as_json([fields, stamp(at)])).hexdigest()[:36], "Timestamp": stamp(at)}
    whole |= {"TopicArn": TOPIC, "SigningCertURL": CERTIFICATE, "SignatureVersion": version} | fields
    names = ("Message", "MessageId", "SubscribeURL", "Subject", "Timestamp", "Token", "TopicArn", "Type")
    canonical = "".join(f"{name}\n{whole[name]}\n" for name in names if name in whole)
    algorithm = hashes.SHA1() if version == "1" else hashes.SHA256()  # noqa: S303  # theirs
    whole["Signature"] = rsa_signature(rsa_key(key), canonical.encode(), algorithm)
    headers = {"x-amz-sns-message-type": whole["Type"], "x-amz-sns-message-id": whole["MessageId"]}
    return Posting({**headers, "Content-Type": "text/plain; charset=UTF-8"}, as_json(whole))


def ses_post(event: Event, at: datetime, right: bool) -> Posting:  # noqa: FBT001  # a table of callables
    notification = {"Type": "Notification", "Message": json.dumps(event), "Subject": "Amazon SES Email Event"}
    return sns(notification, at, key="sns" if right else "another")


def ses(kind: str, leads_to: str | None, part: str = "", **details: Any) -> Case:
    def event(token: str) -> Event:
        mail = {
            "timestamp": stamp(MOMENT - timedelta(minutes=2)),
            "messageId": "0102",
            "destination": [ADDRESS],
            "tags": {"ses:configuration-set": ["c"], "utskick": [token]},
        }
        inside = {"timestamp": stamp(MOMENT - timedelta(minutes=1)), "feedbackId": f"f-{kind}-{details}", **details}
        return {"eventType": kind, "mail": mail, part or kind.lower(): inside}

    return Case(f"{kind} {details.get('bounceSubType', details.get('complaintFeedbackType', ''))}", event, leads_to)


def ses_bounce(kind: str, sub: str, leads_to: str | None, status: str = "", words: str = "") -> Case:
    recipient = {"emailAddress": ADDRESS, "action": "failed", "status": status, "diagnosticCode": f"smtp; {words}"}
    return ses("Bounce", leads_to, bounceType=kind, bounceSubType=sub, bouncedRecipients=[recipient])


SES = Teller(
    name="ses",
    settings={"key_id": "AKIDEXAMPLE", "key": "k", "webhook_topic": TOPIC},
    post=ses_post,
    within=timedelta(hours=2),
    cases=(
        ses_bounce("Permanent", "General", Cause.UNKNOWN_USER, "5.1.1", f"550 5.1.1 <{ADDRESS}> user unknown"),
        ses_bounce("Permanent", "NoEmail", Cause.UNKNOWN_USER),
        ses_bounce("Permanent", "General", Cause.BLOCKED, "5.7.1", "550 5.7.1 rejected by Spamhaus block list"),
        ses_bounce("Permanent", "Suppressed", Cause.SUPPRESSED),
        ses_bounce("Permanent", "OnAccountSuppressionList", Cause.SUPPRESSED),
        ses_bounce("Transient", "General", Cause.SYSTEM),
        ses_bounce("Transient", "General", Cause.SYSTEM, "5.1.1", "550 5.1.1 user unknown"),  # they know more
        ses_bounce("Transient", "MailboxFull", Cause.FULL),
        ses_bounce("Transient", "MessageTooLarge", Cause.CONTENT),
        ses_bounce("Transient", "ContentRejected", Cause.CONTENT),
        ses_bounce("Transient", "AttachmentRejected", Cause.CONTENT),
        ses_bounce("Transient", "CustomTimeoutExceeded", Cause.EXPIRED),
        ses_bounce("Undetermined", "Undetermined", Cause.SYSTEM),
        ses("Complaint", COMPLAINT, complaintFeedbackType="abuse"),
        ses("Complaint", None, complaintFeedbackType="not-spam"),
        ses("DeliveryDelay", Cause.INFORMATION, "deliveryDelay", delayType="MailboxFull"),
        ses("Reject", Cause.CONTENT, reason="Bad content"),
        ses("Rendering Failure", Cause.CONTENT, "failure", errorMessage="no such attribute"),
        ses("Subscription", LEFT, newTopicPreferences={"unsubscribeAll": True}),
        ses("Subscription", None, newTopicPreferences={"unsubscribeAll": False}),
        *(ses(kind, None) for kind in ("Send", "Delivery", "Open", "Click")),
    ),
)

# --- Resend through Svix

SVIX_KEY, OTHER_SVIX_KEY = b"0123456789abcdef01234567", b"another-key-of-24-octets"


def svix(body: bytes, at: datetime, *keys: bytes) -> Posting:
    name, moment = "msg_" + hashlib.sha256(body + stamp(at).encode()).hexdigest()[:20], str(int(at.timestamp()))
    signed = f"{name}.{moment}.".encode() + body
    signatures = (f"v1,{base64.b64encode(hmac.digest(key, signed, 'sha256')).decode()}" for key in keys)
    headers = {"svix-id": name, "svix-timestamp": moment, "svix-signature": " ".join(signatures)}
    return Posting({**headers, "Content-Type": "application/json"}, body)


def resend_post(event: Event, at: datetime, right: bool) -> Posting:  # noqa: FBT001  # a table of callables
    keys = (OTHER_SVIX_KEY, SVIX_KEY) if right else (OTHER_SVIX_KEY, b"yet-another")  # as while a key is changed
    return svix(as_json(event), at, *keys)


def resend(kind: str, leads_to: str | None, **fields: Any) -> Case:
    def event(token: str) -> Event:
        data = {"email_id": "56761188", "from": "brev@nyhet.example.org", "to": [ADDRESS], "tags": {"utskick": token}}
        return {"type": kind, "created_at": stamp(MOMENT - timedelta(minutes=1)), "data": {**data, **fields}}

    return Case(f"{kind} {fields.get('bounce', {}).get('subType', '')}", event, leads_to)


def resend_bounce(kind: str, sub: str, leads_to: str, words: str = "") -> Case:
    return resend("email.bounced", leads_to, bounce={"type": kind, "subType": sub, "message": words})


RESEND = Teller(
    name="resend",
    settings={"key": "k", "webhook_secret": "whsec_" + base64.b64encode(SVIX_KEY).decode()},
    post=resend_post,
    seal=lambda body, at: svix(body, at, SVIX_KEY),
    within=timedelta(minutes=5),
    cases=(
        resend_bounce("Permanent", "General", Cause.UNKNOWN_USER, "The recipient's server sent a hard bounce message."),
        resend_bounce("Permanent", "NoEmail", Cause.UNKNOWN_USER),
        resend_bounce("Permanent", "Suppressed", Cause.SUPPRESSED, f"Resend has suppressed sending to {ADDRESS}."),
        resend_bounce("Permanent", "OnAccountSuppressionList", Cause.SUPPRESSED),
        resend_bounce("Transient", "General", Cause.SYSTEM),
        resend_bounce("Transient", "MailboxFull", Cause.FULL),
        resend_bounce("Transient", "MessageTooLarge", Cause.CONTENT),
        resend_bounce("Transient", "ContentRejected", Cause.CONTENT),
        resend_bounce("Transient", "AttachmentRejected", Cause.CONTENT),
        resend_bounce("Undetermined", "Undetermined", Cause.SYSTEM),
        resend("email.suppressed", Cause.SUPPRESSED, suppressed={"type": "x", "message": "on the suppression list"}),
        resend("email.failed", Cause.CONTENT, failed={"reason": "reached_daily_quota"}),
        resend("email.delivery_delayed", Cause.INFORMATION),
        resend("email.complained", COMPLAINT),
        *(resend(kind, None) for kind in ("email.sent", "email.delivered", "email.opened", "email.clicked")),
        *(resend(kind, None) for kind in ("email.scheduled", "email.received", "suppression.added", "contact.updated")),
    ),
)

# --- Postal


def postal_sealed(body: bytes, at: datetime, key: str = "postal") -> Posting:
    del at
    signature = rsa_signature(rsa_key(key), body, hashes.SHA256())
    return Posting({"X-Postal-Signature-256": signature, "Content-Type": "application/json"}, body)


def postal_post(event: Event, at: datetime, right: bool) -> Posting:  # noqa: FBT001  # a table of callables
    name = hashlib.sha256(as_json([event, stamp(at)])).hexdigest()[:32]
    return postal_sealed(
        as_json({**event, "timestamp": at.timestamp(), "uuid": name}), at, "postal" if right else "another"
    )


def postal(kind: str, leads_to: str | None, about: str = "message", **fields: Any) -> Case:
    def event(token: str) -> Event:
        message = {"id": 12345, "token": "abc", "to": ADDRESS, "message_id": f"{token}@nyhet.example.org"}
        return {"event": kind, "payload": {about: message, "timestamp": MOMENT.timestamp() - 60, **fields}}

    return Case(f"{kind} {fields.get('output', '')}", event, leads_to)


POSTAL = Teller(
    name="postal",
    settings={"base_url": "https://postal.example.org", "key": "k", "webhook_key": public_base64(rsa_key("postal"))},
    post=postal_post,
    seal=postal_sealed,
    within=timedelta(days=1),
    cases=(
        postal("MessageDelayed", Cause.INFORMATION, status="SoftFail", output="450 4.2.0 greylisted"),
        postal(
            "MessageDeliveryFailed",
            Cause.UNKNOWN_USER,
            status="HardFail",
            output=f"550 5.1.1 <{ADDRESS}>: Recipient address rejected: User unknown",
            details="Permanent SMTP delivery error when sending to mx.example.net",
        ),
        postal("MessageDeliveryFailed", Cause.UNCLEAR, status="HardFail", details="Failed"),
        postal("MessageBounced", Cause.UNCLEAR, about="original_message", bounce={"id": 2, "from": ADDRESS}),
        postal("MessageHeld", Cause.SUPPRESSED, status="Held", details="Recipient is on the suppression list"),
        postal("MessageHeld", Cause.BLOCKED, status="Held", details="Server is in development mode"),
        *(postal(kind, None) for kind in ("MessageSent", "MessageLoaded", "MessageLinkClicked", "DomainDNSError")),
        *(postal(kind, None) for kind in ("SendLimitApproaching", "SendLimitExceeded")),
    ),
)

# --- those that sign nothing

PASSWORD = {"webhook_user": "utskick", "webhook_password": "päron"}


def basic_sealed(body: bytes, at: datetime) -> Posting:
    del at
    return basic(body, "päron")


def basic(body: bytes, password: str) -> Posting:
    credentials = base64.b64encode(f"utskick:{password}".encode()).decode()
    return Posting({"Authorization": f"Basic {credentials}", "Content-Type": "application/json"}, body)


def basic_post(event: Event, at: datetime, right: bool) -> Posting:  # noqa: FBT001  # a table of callables
    del at
    return basic(as_json(event), "päron" if right else "apelsin")


def postmark(kind: str, leads_to: str | None, **fields: Any) -> Case:
    def event(token: str) -> Event:
        said = {"ID": 42, "MessageID": "883953f4", "Email": ADDRESS, "Metadata": {"utskick": token}}
        moment = {"BouncedAt": stamp(MOMENT - timedelta(minutes=1)), "ChangedAt": stamp(MOMENT - timedelta(minutes=1))}
        return {"RecordType": kind, **said, **moment, **fields}

    return Case(f"{kind} {fields.get('Type', fields.get('SuppressionReason', ''))}", event, leads_to)


POSTMARK = Teller(
    name="postmark",
    settings={"token": "k", **PASSWORD},
    post=basic_post,
    seal=basic_sealed,
    cases=(
        postmark("Bounce", Cause.UNKNOWN_USER, Type="HardBounce", Details=f"smtp;550 5.1.1 <{ADDRESS}> user unknown"),
        postmark("Bounce", Cause.UNKNOWN_USER, Type="HardBounce", Details="test bounce"),
        postmark("Bounce", Cause.UNKNOWN_USER, Type="BadEmailAddress"),
        postmark("Bounce", Cause.FULL, Type="SoftBounce", Details="smtp;452 4.2.2 mailbox full"),
        postmark("Bounce", Cause.NETWORK, Type="DnsError"),
        postmark("Bounce", Cause.UNCLEAR, Type="Unknown"),
        *(postmark("Bounce", Cause.BLOCKED, Type=kind) for kind in ("Blocked", "DMARCPolicy")),
        *(postmark("Bounce", Cause.CONTENT, Type=kind) for kind in ("SpamNotification", "VirusNotification")),
        *(postmark("Bounce", Cause.CONTENT, Type=kind) for kind in ("SMTPApiError", "TemplateRenderingFailed")),
        *(postmark("Bounce", Cause.INFORMATION, Type=kind) for kind in ("Transient", "ManuallyDeactivated")),
        postmark("Bounce", Cause.INFORMATION, Type="Unconfirmed"),
        *(postmark("Bounce", None, Type=kind) for kind in ("AutoResponder", "AddressChange", "OpenRelayTest")),
        *(postmark("Bounce", None, Type=kind) for kind in ("ChallengeVerification", "InboundError")),
        *(postmark("Bounce", LEFT, Type=kind) for kind in ("Unsubscribe", "ManualSuppression")),
        postmark("Bounce", COMPLAINT, Type="SpamComplaint"),
        postmark("SpamComplaint", COMPLAINT, Type="SpamComplaint"),
        postmark("SubscriptionChange", Cause.SUPPRESSED, SuppressSending=True, SuppressionReason="HardBounce"),
        postmark("SubscriptionChange", COMPLAINT, SuppressSending=True, SuppressionReason="SpamComplaint"),
        postmark("SubscriptionChange", LEFT, SuppressSending=True, SuppressionReason="ManualSuppression"),
        postmark("SubscriptionChange", None, SuppressSending=False),
        *(postmark(kind, None) for kind in ("Delivery", "Open", "Click", "Inbound")),
    ),
)


def brevo(kind: str, leads_to: str | None, reason: str = "") -> Case:
    def event(token: str) -> Event:
        said = {"email": ADDRESS, "message-id": "<2024@smtp-relay.mailin.fr>", "X-Mailin-custom": token, "id": 26224}
        moment = {"ts": 1604933619, "ts_epoch": int(MOMENT.timestamp() * 1000) - 60_000, "subject": "Veckobrevet"}
        return {"event": kind, **said, **moment, **({"reason": f" {reason}"} if reason else {})}

    return Case(kind, event, leads_to)


BREVO = Teller(
    name="brevo",
    settings={"key": "k", **PASSWORD},
    post=basic_post,
    seal=basic_sealed,
    cases=(
        brevo("hard_bounce", Cause.UNKNOWN_USER, f"550 5.1.1 <{ADDRESS}>: user unknown"),
        brevo("hard_bounce", Cause.BLOCKED, "550 5.7.1 listed by Spamhaus"),
        brevo("invalid_email", Cause.UNKNOWN_USER),
        brevo("soft_bounce", Cause.FULL, "452 4.2.2 mailbox full"),
        brevo("soft_bounce", Cause.SYSTEM),
        brevo("deferred", Cause.INFORMATION, "451 greylisted"),
        brevo("error", Cause.INFORMATION),
        brevo("blocked", Cause.FILTERED),
        brevo("spam", COMPLAINT),
        *(brevo(kind, LEFT) for kind in ("unsubscribe", "unsubscribed")),
        *(brevo(kind, None) for kind in ("request", "sent", "delivered", "click", "opened", "unique_opened")),
        *(brevo(kind, None) for kind in ("proxy_open", "unique_proxy_open", "list_addition")),
    ),
)


def scaleway(kind: str, leads_to: str | None, words: str = "") -> Case:
    def event(token: str) -> Event:
        headers = [{"key": "Subject", "value": "Veckobrevet"}, {"key": "X-Utskick-Reference", "value": token}]
        said = {"id": f"e-{kind}", "email_id": "m1", "email_to": ADDRESS, "email_headers": headers}
        moment = {"created_at": stamp(MOMENT - timedelta(minutes=1))}
        return {"type": kind, **said, **moment, "email_response_code": 550, "email_response_message": words}

    return Case(kind, event, leads_to)


def scaleway_envelope(fields: Event, at: datetime, key: str = "scaleway", version: str = "2") -> Posting:
    """Their envelope has the form of Amazon's; that kind and name stand in the header too is described nowhere."""
    whole = {"TopicArn": SCALEWAY_TOPIC, "SigningCertURL": SCALEWAY_CERTIFICATE, **fields}
    return Posting({"Content-Type": "application/json"}, sns(whole, at, key=key, version=version).body)


def scaleway_post(event: Event, at: datetime, right: bool) -> Posting:  # noqa: FBT001  # a table of callables
    notification = {"Type": "Notification", "Message": json.dumps(event)}
    return scaleway_envelope(notification, at, "scaleway" if right else "another")


SCALEWAY = Teller(
    name="scaleway",
    settings={"project": "0" * 36, "key": "k", "webhook_topic": SCALEWAY_TOPIC},
    post=scaleway_post,
    proof_in_body=True,
    within=timedelta(hours=8),
    cases=(
        scaleway("email_dropped", Cause.BLOCKED, "550 5.7.1 listed by Spamhaus"),
        scaleway("email_mailbox_not_found", Cause.UNKNOWN_USER, f"550 5.1.1 <{ADDRESS}> user unknown"),
        scaleway("email_mailbox_not_found", Cause.UNKNOWN_USER),
        scaleway("email_deferred", Cause.INFORMATION, "450 try later"),
        scaleway("email_spam", Cause.CONTENT),
        scaleway("email_blocklisted", Cause.SUPPRESSED),
        *(scaleway(kind, None) for kind in ("email_queued", "email_delivered", "blocklist_created")),
    ),
)

TELLERS = (MAILGUN, SES, RESEND, POSTAL, POSTMARK, BREVO, SCALEWAY)
