"""What each provider documents that it may answer, and what follows. The pages are named in the provider's own file."""

from collections.abc import Mapping
from pathlib import Path

import httpx
import pytest

from mailer.errors import ProviderDown
from mailer.providers import Outcome, open_provider
from mailer.providers.answers import Answer
from mailer.providers.api import ApiProvider
from tests.builders import MOMENT
from tests.mailer.providers.vendors import VENDORS

ADDRESS, MESSAGE, LATER, DOWN, UNCLEAR = "AddressRefused", "MessageRefused", "TryLater", "ProviderDown", "Unanswered"
SETTINGS = {vendor.name: {**vendor.settings, "base_url": "https://api.example.org"} for vendor in VENDORS}
Row = tuple[int, object, str]


def ses(kind: str, status: int, leads_to: str, words: str = "") -> Row:
    return status, {"__type": f"com.amazonaws.sesv2#{kind}", "message": words}, leads_to


def postmark(code: int, leads_to: str, words: str = "words") -> Row:
    """Return an item's fate inside a 200."""
    return 200, [{"ErrorCode": code, "Message": words}], leads_to


def named(status: int, name: str, leads_to: str, words: str = "words") -> Row:
    return status, {"statusCode": status, "name": name, "message": words}, leads_to


def coded(status: int, code: str, leads_to: str, words: str = "words") -> Row:
    return status, {"code": code, "message": words}, leads_to


def typed(status: int, kind: str, leads_to: str) -> Row:
    return status, {"type": kind, "message": "words"}, leads_to


def postal(code: str, leads_to: str) -> Row:
    return 200, {"status": "error", "data": {"code": code, "message": "words"}}, leads_to


DOCUMENTED: Mapping[str, tuple[Row, ...]] = {
    "mailgun": (
        (400, {"message": "'to' parameter is not a valid address. please check documentation"}, ADDRESS),
        (400, {"message": "'from' parameter is missing"}, MESSAGE),
        (400, {"message": "'from' parameter is not a valid address. please check documentation"}, MESSAGE),
        (401, "Forbidden", DOWN),
        (402, {"message": "payment required"}, DOWN),
        (403, {"message": "the domain is disabled"}, DOWN),
        (404, {"message": "Domain not found"}, DOWN),
        (413, {"message": "attachment size is too big"}, MESSAGE),
        (429, {"message": "limit exceeded"}, LATER),
        (500, "oops", UNCLEAR),
        (502, "", UNCLEAR),
        (503, "", LATER),
        (504, "", UNCLEAR),
    ),
    "ses": (
        ses("AccountSuspendedException", 400, DOWN),
        ses("BadRequestException", 400, MESSAGE),
        ses("LimitExceededException", 400, LATER),
        ses("MailFromDomainNotVerifiedException", 400, DOWN),
        ses("MessageRejected", 400, MESSAGE),
        ses("NotFoundException", 404, DOWN),
        ses("SendingPausedException", 400, DOWN),
        ses("TooManyRequestsException", 429, LATER),
        ses("AccessDeniedException", 400, DOWN),
        ses("ExpiredTokenException", 403, DOWN),
        ses("IncompleteSignature", 400, DOWN),
        ses("InternalFailure", 500, UNCLEAR),
        ses("InvalidClientTokenId", 403, DOWN),
        ses("InvalidSignatureException", 403, DOWN),
        ses("MissingAuthenticationToken", 403, DOWN),
        ses("NotAuthorized", 400, DOWN),
        ses("OptInRequired", 403, DOWN),
        ses("RequestAbortedException", 400, UNCLEAR),
        ses("RequestEntityTooLargeException", 413, MESSAGE),
        ses("RequestExpired", 400, DOWN),
        ses("RequestTimeoutException", 408, LATER),
        ses("ServiceUnavailable", 503, LATER),
        ses("ThrottlingException", 400, LATER, "Maximum sending rate exceeded."),
        ses("ThrottlingException", 400, DOWN, "Daily message quota exceeded."),
        ses("UnrecognizedClientException", 403, DOWN),
        ses("UnknownOperationException", 404, DOWN),
        ses("ValidationError", 400, MESSAGE),
    ),
    "brevo": (
        coded(400, "invalid_parameter", ADDRESS, "email is not valid in to"),
        coded(400, "invalid_parameter", MESSAGE, "subject is not valid"),
        coded(400, "invalid_parameter", MESSAGE, "email is not valid in sender"),
        coded(400, "missing_parameter", MESSAGE),
        coded(400, "out_of_range", MESSAGE),
        coded(400, "bad_request", MESSAGE),
        coded(400, "not_enough_credits", DOWN),
        coded(402, "not_enough_credits", DOWN),
        coded(400, "duplicate_parameter", "Receipt"),  # of our key
        coded(400, "duplicate_request", "Receipt"),
        coded(401, "unauthorized", DOWN),
        coded(403, "permission_denied", DOWN),
        coded(403, "account_under_validation", DOWN),
        coded(404, "document_not_found", DOWN),
        coded(405, "method_not_allowed", DOWN),
        coded(406, "not_acceptable", MESSAGE),
        coded(429, "too_many_requests", LATER),
        coded(500, "internal_error", UNCLEAR),
    ),
    "scaleway": (
        (400, {"type": "invalid_arguments", "details": [{"argument_name": "to", "reason": "constraint"}]}, ADDRESS),
        (400, {"type": "invalid_arguments", "details": [{"argument_name": "from", "reason": "to"}]}, MESSAGE),
        typed(401, "denied_authentication", DOWN),
        typed(403, "permissions_denied", DOWN),
        typed(403, "quotas_exceeded", DOWN),
        typed(404, "not_found", DOWN),
        typed(409, "transient_state", LATER),
        typed(410, "resource_expired", DOWN),
        typed(410, "expired", DOWN),
        typed(412, "precondition_failed", DOWN),
        typed(423, "locked", DOWN),
        typed(429, "too_many_requests", LATER),
        typed(500, "internal_error", UNCLEAR),
        typed(503, "unavailable", LATER),
    ),
    "postmark": (
        postmark(0, "Receipt"),
        postmark(100, LATER),
        postmark(300, MESSAGE, "Invalid 'From' address: 'x'."),
        postmark(300, ADDRESS, "Invalid 'To' address: 'x'."),
        postmark(400, LATER),  # others of the same request were taken
        postmark(405, LATER),
        postmark(406, ADDRESS, "Recipients that are marked as inactive: for a bounce, spam or by you."),
        postmark(411, MESSAGE),
        postmark(413, LATER),
        postmark(429, LATER),
        (401, {"ErrorCode": 10, "Message": "words"}, DOWN),
        *((422, {"ErrorCode": code, "Message": "words"}, DOWN) for code in (400, 401, 405, 412, 413, 1226, 1235, 1236)),
        *((422, {"ErrorCode": code, "Message": "words"}, MESSAGE) for code in (300, 402, 403, 409, 410, 411)),
        (403, "<html>", DOWN),
        (404, "", DOWN),
        (413, "", MESSAGE),
        (429, {"ErrorCode": 429, "Message": "words"}, LATER),
        (500, "", UNCLEAR),
        (503, {"ErrorCode": 100, "Message": "words"}, LATER),
    ),
    "resend": (
        named(400, "invalid_idempotency_key", MESSAGE),
        named(400, "validation_error", MESSAGE),
        named(400, "validation_error", DOWN, "API key is invalid"),
        named(401, "validation_error", DOWN, "API key is invalid"),
        named(401, "missing_api_key", DOWN),
        named(401, "restricted_api_key", DOWN),
        named(403, "invalid_api_key", DOWN),
        named(403, "validation_error", DOWN, "The example.org domain is not verified."),
        named(404, "not_found", DOWN),
        named(405, "method_not_allowed", DOWN),
        named(409, "invalid_idempotent_request", UNCLEAR),
        named(409, "concurrent_idempotent_requests", UNCLEAR),
        named(422, "invalid_attachment", MESSAGE),
        named(422, "invalid_from_address", DOWN),
        named(422, "invalid_access", MESSAGE),
        named(422, "invalid_parameter", MESSAGE),
        named(422, "missing_required_field", MESSAGE),
        named(429, "monthly_quota_exceeded", DOWN),
        named(429, "daily_quota_exceeded", DOWN),
        named(429, "rate_limit_exceeded", LATER),
        named(451, "security_error", MESSAGE),
        named(500, "application_error", UNCLEAR),
        named(500, "internal_server_error", UNCLEAR),
    ),
    "postal": (
        *(postal(code, DOWN) for code in ("AccessDenied", "InvalidServerAPIKey", "ServerSuspended")),
        postal("UnauthenticatedFromAddress", DOWN),
        postal("FromAddressMissing", DOWN),
        postal("NoRecipients", ADDRESS),
        postal("NoContent", MESSAGE),
        postal("ValidationError", MESSAGE),
        postal("TooManyToAddresses", MESSAGE),
        postal("AttachmentMissingName", MESSAGE),
        (200, {"status": "parameter-error", "data": {"message": "`data` parameter is required"}}, MESSAGE),
        (500, "", UNCLEAR),
        (503, "", LATER),
    ),
}


def outcome(name: str, status: int, body: object, data: Path) -> Outcome:
    """Return what became of one message. raises ProviderDown"""
    provider = open_provider(name, SETTINGS[name], data=data)
    assert isinstance(provider, ApiProvider)
    response = httpx.Response(status, text=body) if isinstance(body, str) else httpx.Response(status, json=body)
    (found,) = provider.vendor.outcomes(Answer.of(response, now=MOMENT), 1)
    return found


def test_every_provider_has_its_errors_here() -> None:
    assert set(DOCUMENTED) == set(SETTINGS)


@pytest.mark.parametrize(
    ("name", "row"),
    [pytest.param(name, row, id=f"{name} {row[0]} {row[1]!s:.60}") for name in DOCUMENTED for row in DOCUMENTED[name]],
)
def test_every_documented_error_leads_to_its_consequence(name: str, row: Row, tmp_path: Path) -> None:
    status, body, leads_to = row

    try:
        found = type(outcome(name, status, body, tmp_path)).__name__
    except ProviderDown:
        found = DOWN
    assert found == leads_to
