"""The records to publish, as they stand in a zone."""

import base64
from dataclasses import dataclass

LONGEST = 255  # octets of one string of a TXT record (RFC 1035 section 3.3)


@dataclass(frozen=True, slots=True)
class TextRecord:
    """A TXT record. Its strings are read as one, without anything between them (RFC 6376 section 3.6.2.2)."""

    name: str
    text: str

    @property
    def strings(self) -> tuple[str, ...]:
        return tuple(self.text[start : start + LONGEST] for start in range(0, len(self.text), LONGEST))

    def in_zone(self) -> str:
        """Return the line of a zone file."""
        quoted = " ".join('"' + string.replace("\\", "\\\\").replace('"', '\\"') + '"' for string in self.strings)
        return f"{self.name}. IN TXT {f'( {quoted} )' if len(self.strings) > 1 else quoted}"


def dkim_name(domain: str, selector: str) -> str:
    return f"{selector}._domainkey.{domain}"


def dkim_record(domain: str, selector: str, public_key: bytes) -> TextRecord:
    """Return what lets others check our signatures; `public_key` in DER form."""
    return TextRecord(dkim_name(domain, selector), f"v=DKIM1; k=rsa; p={base64.b64encode(public_key).decode('ascii')}")
