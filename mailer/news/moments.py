"""Dates as sources write them."""

import re
from datetime import UTC, datetime, tzinfo

_MONTHS = ("jan", "feb", "mar", "apr", "maj", "jun", "jul", "aug", "sep", "okt", "nov", "dec")
_SWEDISH = re.compile(
    rf"(\d{{1,2}})\s+({'|'.join(_MONTHS)})[a-zåäö]*\.?\s+(\d{{4}})(?:\D{{1,6}}(\d{{1,2}})[.:](\d{{2}}))?", re.IGNORECASE
)


def parse_moment(text: str | None, zone: tzinfo) -> datetime | None:
    """Read "2024-02-22", "2024-02-22T10:00:00+01:00" or "22 februari 2024 kl 10.00"; None when it is neither.

    A time without an offset is one of `zone`. Returns an aware time in UTC.
    """
    moment = _iso(text or "") or _swedish(text or "")
    if moment is None:
        return None
    try:
        return (moment if moment.tzinfo else moment.replace(tzinfo=zone)).astimezone(UTC)
    except OverflowError:  # the year 1 or 9999, moved over the edge by its offset
        return None


def _iso(text: str) -> datetime | None:
    try:
        return datetime.fromisoformat(text.strip())
    except ValueError:
        return None


def _swedish(text: str) -> datetime | None:
    match = _SWEDISH.search(text)
    if match is None:
        return None
    month = _MONTHS.index(match[2].lower()) + 1
    try:
        return datetime(int(match[3]), month, int(match[1]), int(match[4] or 0), int(match[5] or 0))  # noqa: DTZ001  # the caller knows the zone
    except ValueError:
        return None
