"""Signature Version 4, against an implementation that is not ours: botocore's."""

from datetime import UTC, datetime

import pytest
from botocore.auth import SigV4Auth
from botocore.awsrequest import AWSRequest
from botocore.credentials import Credentials as TheirCredentials

from mailer.providers.aws import Credentials, signed

URL = "https://email.eu-north-1.amazonaws.com/v2/email/outbound-emails"
BODY = b'{"Content": {"Raw": {"Data": "SGVqIQ=="}}}'
NOW = datetime(2024, 3, 7, 7, 0, tzinfo=UTC)


@pytest.mark.parametrize("session_token", ["", "AQoDYXdzEJr"])
def test_a_request_is_signed_as_amazon_reads_it(session_token: str) -> None:
    ours = signed(Credentials("AKIDEXAMPLE", "wJalr/XUtn", session_token, "eu-north-1"), "ses", URL, BODY, now=NOW)

    request = AWSRequest("POST", URL, {name: value for name, value in ours.items() if name != "Authorization"}, BODY)
    request.context["timestamp"] = ours["x-amz-date"]
    theirs = SigV4Auth(TheirCredentials("AKIDEXAMPLE", "wJalr/XUtn", session_token or None), "ses", "eu-north-1")
    canonical = theirs.canonical_request(request)
    signature = theirs.signature(theirs.string_to_sign(request, canonical), request)
    assert ours["Authorization"].endswith(f"Signature={signature}")
    assert "AKIDEXAMPLE/20240307/eu-north-1/ses/aws4_request" in ours["Authorization"]


def test_the_secret_is_shown_nowhere() -> None:
    assert "wJalr" not in repr(Credentials("AKIDEXAMPLE", "wJalr/XUtn", "", "eu-north-1"))
