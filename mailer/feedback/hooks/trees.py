"""JSON that anybody may have written: fields are looked for, never trusted to be there or to be of a type."""

import json
import math
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

from mailer.feedback.hooks.calls import Unreadable

_MOST = 4000  # characters of one field
_LAST_SECOND = 253402300799  # of the year 9999

Tree = Mapping[str, Any]


def tree_of(body: bytes | str) -> dict[str, Any]:
    """Return a JSON object. raises Unreadable for anything else."""
    try:
        tree = json.loads(body)
    except (ValueError, RecursionError):
        raise Unreadable("no JSON") from None
    if not isinstance(tree, dict):
        raise Unreadable("no JSON object")
    return tree


def branch(tree: Tree, *path: str) -> dict[str, Any]:
    """Return the object at the end of `path`, an empty one when there is none."""
    found: Any = tree
    for name in path:
        found = found.get(name) if isinstance(found, dict) else None
    return found if isinstance(found, dict) else {}


def text(tree: Tree, *names: str) -> str:
    """Return the first of these fields that is a text or a number, as text; "" when none is."""
    for name in names:
        value = tree.get(name)
        if isinstance(value, str | int | float) and not isinstance(value, bool) and value != "":
            return _sound(str(value)[:_MOST])
    return ""


def _sound(value: str) -> str:
    """Return a text that a database takes: without NUL and half characters."""
    return value.replace("\0", "").encode("utf-8", "replace").decode()


def items(tree: Tree, name: str) -> list[dict[str, Any]]:
    """Return the objects of a list, an empty one when it is none."""
    value = tree.get(name)
    return [item for item in value if isinstance(item, dict)] if isinstance(value, list) else []


def number(tree: Tree, name: str) -> float | None:
    """Return a number, also one that is written as a text; None when it is none or no moment could be made of it."""
    value = tree.get(name)
    try:
        found = float(value) if isinstance(value, str | int | float) and not isinstance(value, bool) else math.nan
    except (ValueError, OverflowError):
        return None
    return found if 0 <= found <= _LAST_SECOND * 1000 else None


def moment(tree: Tree, *names: str) -> datetime | None:
    """Return an ISO 8601 moment; one without an offset is UTC. None when it is none."""
    for name in names:
        try:
            found = datetime.fromisoformat(text(tree, name).strip())
            return found.replace(tzinfo=found.tzinfo or UTC).astimezone(UTC)
        except (ValueError, OverflowError):
            continue
    return None


def epoch(seconds: float | None) -> datetime | None:
    """Return the moment so many seconds after 1970."""
    return None if seconds is None or seconds > _LAST_SECOND else datetime.fromtimestamp(seconds, UTC)


def header(headers: object, name: str) -> str:
    """Return a header field from a mapping or from a list of pairs, however its provider names the two halves."""
    if isinstance(headers, dict):
        pairs = [(str(key), value) for key, value in headers.items()]
    elif isinstance(headers, list):
        pairs = [(text(pair, "name", "key"), pair.get("value")) for pair in headers if isinstance(pair, dict)]
    else:
        return ""
    for key, value in pairs:
        if key.lower() == name.lower():
            return text({"": value[0] if isinstance(value, list) and value else value}, "")
    return ""
