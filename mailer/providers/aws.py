"""Signature Version 4: how a request to Amazon proves whose it is.

https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_sigv-create-signed-request.html
"""

import hashlib
import hmac
from dataclasses import dataclass, field
from datetime import datetime
from urllib.parse import urlsplit

_ALGORITHM = "AWS4-HMAC-SHA256"


@dataclass(frozen=True, slots=True)
class Credentials:
    key_id: str
    key: str = field(repr=False)
    session_token: str = field(repr=False)
    region: str


def signed(credentials: Credentials, service: str, url: str, body: bytes, *, now: datetime) -> dict[str, str]:
    """Return the header fields that sign a POST of `body` to `url`, which has no query.

    now  aware UTC; they refuse what is more than five minutes off
    """
    parts = urlsplit(url)
    moment = now.strftime("%Y%m%dT%H%M%SZ")
    scope = f"{moment[:8]}/{credentials.region}/{service}/aws4_request"
    digest = hashlib.sha256(body).hexdigest()
    fields = {"host": parts.netloc, "x-amz-content-sha256": digest, "x-amz-date": moment}
    if credentials.session_token:
        fields["x-amz-security-token"] = credentials.session_token
    names = ";".join(sorted(fields))
    lines = "".join(f"{name}:{fields[name]}\n" for name in sorted(fields))
    canonical = f"POST\n{parts.path}\n\n{lines}\n{names}\n{digest}"
    to_sign = f"{_ALGORITHM}\n{moment}\n{scope}\n{hashlib.sha256(canonical.encode()).hexdigest()}"
    signature = hmac.new(_key(credentials, moment[:8], service), to_sign.encode(), hashlib.sha256).hexdigest()
    proof = f"{_ALGORITHM} Credential={credentials.key_id}/{scope}, SignedHeaders={names}, Signature={signature}"
    return {**{name: value for name, value in fields.items() if name != "host"}, "Authorization": proof}


def _key(credentials: Credentials, day: str, service: str) -> bytes:
    key = f"AWS4{credentials.key}".encode()
    for part in (day, credentials.region, service, "aws4_request"):
        key = hmac.new(key, part.encode(), hashlib.sha256).digest()
    return key
