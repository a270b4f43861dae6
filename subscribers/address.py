"""Addresses: what is accepted, what goes on the wire, and under what an address is found.

An address is kept as it was written. It is looked up in lower case with its domain in ASCII: RFC 5321 §2.4
lets a server tell `Anna@` from `anna@`, but none that people use does, and two spellings must not become two
members with two mails, or let a suppressed address back in.
"""

from dataclasses import dataclass

from email_validator import EmailNotValidError, validate_email

from subscribers.errors import Refused
from subscribers.sealed import lookup_key

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


def parse(text: str, *, smtputf8: bool = False) -> Address:
    """Read one bare address, without asking the DNS.

    smtputf8  True when the provider carries local parts beyond ASCII (RFC 6531)
    raises    Refused, with a sentence that does not repeat the address
    """
    text = text.strip()
    try:
        valid = validate_email(text, check_deliverability=False, allow_smtputf8=smtputf8)
    except EmailNotValidError:
        raise Refused(_reason(text)) from None
    wire = f"{valid.local_part}@{valid.ascii_domain}"
    if len(wire.encode()) > _LONGEST:
        raise Refused("The address is longer than mail allows.")
    return Address(text=text, wire=wire, lookup=wire.lower())


def wire_address(text: str) -> str:
    """Return a stored address as SMTP wants it: the domain in ASCII. raises Refused when it is none."""
    return parse(text, smtputf8=True).wire


def _reason(text: str) -> str:
    local, at, domain = text.rpartition("@")
    if not at:
        return "The address has no @."
    if any(character.isspace() or not character.isprintable() for character in text):
        return "The address holds a space or an invisible character."
    if not local.isascii() and _reads(f"x@{domain}"):
        return "The address has letters such as å, ä or ö before the @, which the mail service cannot carry."
    if not _reads(f"x@{domain}"):
        return "What follows the @ of the address is not a domain that mail can be sent to."
    return "What stands before the @ of the address is not valid."


def _reads(address: str) -> bool:
    try:
        validate_email(address, check_deliverability=False)
    except EmailNotValidError:
        return False
    return True
