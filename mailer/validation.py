"""What pydantic found wrong with a value, in words for the person who wrote it."""

import ipaddress
from collections.abc import Mapping
from dataclasses import dataclass

from pydantic import ValidationError

from mailer.sentences import N_, Word

# By pydantic's type of the error; what is not here is told in its own English.
_REASONS: Mapping[str, Word] = {
    "missing": N_("it is missing, and has no value of its own"),
    "extra_forbidden": N_("there is no such key; remove it or correct its spelling"),
    "string_type": N_("write a text in quotation marks"),
    "string_too_short": N_("it must not be empty"),
    "string_pattern_mismatch": N_("it holds characters that it may not hold"),
    "int_type": N_("write a whole number"),
    "int_parsing": N_("write a whole number"),
    "int_from_float": N_("write a whole number"),
    "bool_type": N_("write true or false"),
    "bool_parsing": N_("write true or false"),
    "model_type": N_("write it as a table of keys"),
    "dict_type": N_("write it as a table of keys"),
    "tuple_type": N_("write a list in square brackets"),
    "url_parsing": N_("write a whole web address, for example https://nyhet.example.org"),
    "url_scheme": N_("write a web address that begins with https:// or http://"),
    "greater_than_equal": N_("the number is too small"),
    "less_than_equal": N_("the number is too large"),
}


@dataclass(frozen=True, slots=True)
class Fault:
    """The first thing that is wrong: the dotted `key`, and a `reason` to stand after a colon, without a full stop."""

    key: str
    reason: str


def first_fault(error: ValidationError) -> Fault:
    first = error.errors()[0]
    key = ".".join(str(part) for part in first["loc"])
    if first["type"] == "value_error":  # raised by a validator of our own
        return Fault(key, Word(first["ctx"]["error"]))
    return Fault(key, _REASONS.get(first["type"], first["msg"]))


def is_loopback(host: str) -> bool:
    """Say whether `host` is this machine, without asking a name server."""
    if host.lower() == "localhost":
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False
