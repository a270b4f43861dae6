"""Logs: one JSON object a line on stderr, a readable line on a terminal; addresses masked in both.

A delivery is named by its id, which `utskick outbox show` tells of; a member and an address never are.
"""

import logging
import sys
from collections.abc import MutableMapping
from contextlib import suppress
from typing import Any, TextIO, cast

import structlog

from mailer.message.characters import lines
from mailer.message.masking import mask_addresses


def configure(*, debug: bool, form: str = "auto") -> None:
    """Set up logging for this process, the libraries' logging included. `form`: json, text, or auto."""
    level = logging.DEBUG if debug else logging.INFO
    shared: list[structlog.typing.Processor] = [
        structlog.stdlib.add_log_level,
        structlog.processors.TimeStamper(fmt="iso", utc=True),
        structlog.processors.format_exc_info,
        _mask,
    ]
    renderer: structlog.typing.Processor = (
        structlog.dev.ConsoleRenderer(colors=sys.stderr.isatty())
        if form == "text" or (form == "auto" and sys.stderr.isatty())
        else structlog.processors.JSONRenderer()
    )
    structlog.configure(
        processors=[*shared, renderer],
        wrapper_class=structlog.make_filtering_bound_logger(level),
        logger_factory=structlog.PrintLoggerFactory(cast("TextIO", _Stderr())),
    )
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(
        structlog.stdlib.ProcessorFormatter(processors=[*shared, _drop_record, renderer], foreign_pre_chain=[])
    )
    logging.basicConfig(level=logging.WARNING, handlers=[handler], force=True)


class _Stderr:
    """Standard error, where a line that cannot be written is lost: a full disk must not stop whoever tells of it."""

    def write(self, text: str) -> None:
        with suppress(OSError):
            sys.stderr.write(text)

    def flush(self) -> None:
        with suppress(OSError):
            sys.stderr.flush()


def _mask(_logger: object, _method: str, event: MutableMapping[str, Any]) -> MutableMapping[str, Any]:
    for name, value in event.items():
        if isinstance(value, str):
            event[name] = lines(mask_addresses(value))
    return event


def _drop_record(_logger: object, _method: str, event: MutableMapping[str, Any]) -> MutableMapping[str, Any]:
    event.pop("_record", None)
    event.pop("_from_structlog", None)
    return event
