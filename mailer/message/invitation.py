"""A calendar entry inside a letter: iTIP over mail, RFC 6047. The address of its ATTENDEE is a slot."""

import re
from dataclasses import dataclass
from urllib.parse import quote

from mailer.message import headers, quoted_printable
from mailer.message.slots import Slot

_ATTENDEE = re.compile(r"^(ATTENDEE[;:](?:[^\r\n]*:)?mailto:)[^\r\n]*", re.MULTILINE)
_FIRST, _OTHERS = 20, 70  # octets of an address on its first line and on each other one (RFC 5545 3.1: 75 in all)
_SAFE = "@!$'*+-._~"  # what a mailto URI keeps of an address (RFC 6068 section 2)


@dataclass(frozen=True, slots=True)
class Invitation:
    """method: REQUEST or CANCEL; text: the iCalendar object, with one ATTENDEE whose address is a place holder."""

    method: str
    text: str

    def pieces(self) -> list[str | Slot]:
        """Return the text split where the address goes. raises ValueError unless it has exactly one ATTENDEE"""
        if len(_ATTENDEE.findall(self.text)) != 1:
            raise ValueError("an invitation is for one")
        before, named, after = _ATTENDEE.split(self.text)
        return [before + named, Slot("to_address", calendar_address), after]


def calendar_address(address: str) -> bytes:
    """Encode for the end of an ATTENDEE line, folded; raises Refused."""
    uri = quote(headers.recipient("ATTENDEE", address).decode(), safe=_SAFE)
    rest = uri[_FIRST:]
    lines = [uri[:_FIRST], *(rest[at : at + _OTHERS] for at in range(0, len(rest), _OTHERS))]
    return quoted_printable.encode("\r\n ".join(lines))
