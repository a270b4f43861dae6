"""What a POST carries: read within limits of size and time, as urlencoded or multipart, never as a file."""

import asyncio
from collections.abc import AsyncGenerator
from dataclasses import dataclass
from typing import Annotated

from fastapi import Depends, Request
from python_multipart.multipart import parse_options_header
from starlette.exceptions import HTTPException
from starlette.formparsers import FormParser, MultiPartException, MultiPartParser

MAX_BYTES = 64 * 1024
MAX_FIELDS = 500  # every district and topic ticked, several times over
SECONDS = 15  # for a whole body; a phone in a tunnel needs some, a slow-loris wants more

_ONE_CLICK = (("List-Unsubscribe", "One-Click"),)


@dataclass(frozen=True, slots=True)
class Fields:
    """Name and value as sent, in their order; a name may come several times."""

    pairs: tuple[tuple[str, str], ...]

    @property
    def is_one_click(self) -> bool:
        """Whether a mail program sent exactly what RFC 8058 §3.2 prescribes, and nothing beside it."""
        return self.pairs == _ONE_CLICK

    def one(self, name: str) -> str:
        """Return the first value of `name`, "" when it was not sent."""
        return next((value for key, value in self.pairs if key == name), "")

    def every(self, name: str) -> frozenset[str]:
        return frozenset(value for key, value in self.pairs if key == name)


async def read_fields(request: Request) -> Fields:
    """raises HTTPException: 408 too slow, 413 too large, 415 another type, 400 not readable."""
    body = await read_body(request, SECONDS)
    kind, _ = parse_options_header(request.headers.get("content-type"))
    parser: FormParser | MultiPartParser
    if kind == b"application/x-www-form-urlencoded":
        parser = FormParser(request.headers, _once(body), max_fields=MAX_FIELDS)
    elif kind == b"multipart/form-data":
        parser = MultiPartParser(request.headers, _once(body), max_fields=MAX_FIELDS, max_files=0)
    else:
        raise HTTPException(415)
    try:
        form = await parser.parse()
    except (MultiPartException, ValueError):  # ValueError: a charset or boundary that means nothing
        raise HTTPException(400) from None
    sent = ((name, value) for name, value in form.multi_items() if isinstance(value, str))
    # No form sends a NUL, and PostgreSQL takes none.
    return Fields(tuple((name, value.replace("\0", "\N{REPLACEMENT CHARACTER}")) for name, value in sent))


async def read_body(request: Request, seconds: float, most: int = MAX_BYTES) -> bytes:
    """raises HTTPException: 408 when it takes longer than `seconds`, 413 beyond `most` bytes."""
    body = bytearray()
    try:
        async with asyncio.timeout(seconds):
            async for chunk in request.stream():
                body += chunk
                if len(body) > most:
                    raise HTTPException(413)
    except TimeoutError:
        raise HTTPException(408) from None
    return bytes(body)


async def _once(body: bytes) -> AsyncGenerator[bytes, None]:
    yield body


Posted = Annotated[Fields, Depends(read_fields)]
