"""What programs ask for again and again, a feed or a calendar: whole, or only that it is the one they have."""

from collections.abc import Mapping
from hashlib import sha256

from fastapi import Request, Response


def answer(request: Request, content: bytes, media_type: str, headers: Mapping[str, str]) -> Response:
    """Answer with `content` and its ETag. A proxy that compresses makes the tag weak: they are compared as such.

    If-None-Match is a list, RFC 9110 §13.1.2.
    """
    mark = f'"{sha256(content).hexdigest()[:32]}"'
    marked = {**headers, "ETag": mark}
    known = request.headers.get("if-none-match", "").split(",")
    if mark in (one.strip().removeprefix("W/") for one in known):
        return Response(status_code=304, headers=marked)
    return Response(content, media_type=media_type, headers=marked)
