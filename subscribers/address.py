"""Addresses: what is accepted, what goes on the wire, and under what an address is found.

An address is kept as it was written. It is looked up in lower case with its domain in ASCII: RFC 5321 §2.4
lets a server tell `Anna@` from `anna@`, but none that people use does, and two spellings must not become two
members with two mails, or let a suppressed address back in.
"""

import re
from dataclasses import dataclass
from functools import lru_cache

from email_validator import EmailNotValidError, validate_email

from subscribers.errors import Refused
from subscribers.sealed import lookup_key

# A local part that needs no closer look; nearly all are like this, and a register has many.
_PLAIN = re.compile(r"[A-Za-z0-9_+-]+(?:\.[A-Za-z0-9_+-]+)*")
_LONGEST_LOCAL = 64  # RFC 5321 §4.5.3.1.1
_LONGEST = 254  # RFC 5321 §4.5.3.1.3: a path of 256 octets, less its angle brackets


@dataclass(frozen=True, slots=True)
class Address:
    """`text` as written, `wire` with the domain in A-labels, `lookup` the form that is hashed."""

    text: str
    wire: str
    lookup: str

    @property
    def key(self) -> bytes:
        return lookup_key("address", self.lookup)


def parse(text: str) -> Address:
    """Read one bare address, without asking the DNS. What stands before the @ may be beyond ASCII (RFC 6531).

    raises  Refused, with a sentence that does not repeat the address
    """
    text = text.strip()
    local, _, domain = text.rpartition("@")
    if not _PLAIN.fullmatch(local):
        local = _local_part(text)
    ascii_domain = _ascii_domain(domain)
    if ascii_domain is None:
        raise _refusal(text)
    wire = f"{local}@{ascii_domain}"
    if len(local.encode()) > _LONGEST_LOCAL or len(wire.encode()) > _LONGEST:
        raise Refused("The address is longer than mail allows.")
    return Address(text=text, wire=wire, lookup=wire.lower())


def _refusal(text: str) -> Refused:
    _, at, domain = text.rpartition("@")
    if not at:
        return Refused("The address has no @.")
    if any(character.isspace() or not character.isprintable() for character in text):
        return Refused("The address holds a space or an invisible character.")
    if _ascii_domain(domain) is None:
        return Refused("What follows the @ of the address is not a domain that mail can be sent to.")
    return Refused("What stands before the @ of the address is not valid.")


@lru_cache(maxsize=10_000)
def _ascii_domain(domain: str) -> str | None:
    """Return the domain in A-labels, None when no mail can go there. A register has few domains."""
    try:
        return validate_email(f"x@{domain}", check_deliverability=False).ascii_domain
    except EmailNotValidError:
        return None


def _local_part(text: str) -> str:
    try:
        return validate_email(text, check_deliverability=False, allow_smtputf8=True).local_part
    except EmailNotValidError:
        raise _refusal(text) from None
