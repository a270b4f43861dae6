"""A member number, and under what it is found."""

from subscribers.sealed import lookup_key


def number_key(number: str) -> bytes:
    """Return the keyed hash a member number is found by; spaces and case do not count."""
    return lookup_key("number", "".join(number.split()).casefold())
