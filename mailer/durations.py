"""Spans of time as a person writes them in config.toml: "3 weeks", "90 seconds"."""

import re
from datetime import timedelta
from typing import Annotated

from pydantic import BeforeValidator

from mailer.sentences import N_

_UNITS = {"second": 1, "minute": 60, "hour": 3600, "day": 86400, "week": 604800}
_FORM = re.compile(r"(\d+)\s+(second|minute|hour|day|week)s?")


def parse_span(value: object) -> object:
    """Turn "3 weeks" into a timedelta; anything but text is left for pydantic to judge."""
    if not isinstance(value, str):
        return value
    match = _FORM.fullmatch(value.strip())
    if match is None:
        raise ValueError(N_('write a number and a unit, for example "15 minutes", "12 hours" or "3 weeks"'))
    return timedelta(seconds=int(match[1]) * _UNITS[match[2]])


Span = Annotated[timedelta, BeforeValidator(parse_span)]
