"""A composed mail: its envelope and its bytes."""

from typing import NamedTuple


class Message(NamedTuple):
    """One mail for one recipient, ready for the wire.

    sender     envelope sender, an ASCII addr-spec
    recipient  envelope recipient, an addr-spec with the domain in A-labels; may be beyond ASCII before the @
    content    headers and body: CRLF line ends, ends in CRLF, 7-bit, no line over 998 octets,
               and no line that starts with a dot, so the same bytes serve SMTP's DATA and a file.
               Only To is UTF-8 when the recipient is
    """

    sender: str
    recipient: str
    content: bytes
