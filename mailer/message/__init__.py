"""A composed mail: its envelope and its bytes."""


class Message:
    """One mail for one recipient, ready for the wire.

    sender     envelope sender, an ASCII addr-spec
    recipient  envelope recipient, an addr-spec with the domain in A-labels; may be beyond ASCII before the @
    parts      headers and body: CRLF line ends, ends in CRLF, 7-bit, no line over 998 octets,
               and no line that starts with a dot, so the same bytes serve SMTP's DATA and a file.
               Only To is UTF-8 when the recipient is
    """

    __slots__ = ("parts", "recipient", "sender")

    def __init__(self, sender: str, recipient: str, *parts: bytes) -> None:
        self.sender = sender
        self.recipient = recipient
        self.parts = parts

    def __eq__(self, other: object) -> bool:
        """Say whether the same bytes go from and to the same, however they are parted."""
        if not isinstance(other, Message):
            return NotImplemented
        return (self.sender, self.recipient, self.content) == (other.sender, other.recipient, other.content)

    def __hash__(self) -> int:
        return hash((self.sender, self.recipient))

    @property
    def content(self) -> bytes:
        """The parts as one: joined where they are needed, for until then most of them are shared with other letters."""
        return b"".join(self.parts)

    @property
    def size(self) -> int:
        """How many octets that is."""
        return sum(map(len, self.parts))
