"""Take people out of a server's answer before anyone stores or shows it."""

import re

MASK = "[address]"

# A local part as servers echo it: quoted (RFC 5321 §4.1.2), or any run without spaces and brackets.
# The at sign also comes as %40 (URLs), =40 (quoted-printable) and +40 (xtext, RFC 3461 §4).
_ADDRESS = re.compile(
    r"""(?:"(?:[^"\\]|\\.){1,320}"|[^\s<>"'(),:;\[\]]{1,320})(?:@|%40|=40|\+40)[^\s<>"'(),;]{1,320}""",
    re.IGNORECASE,
)
# Servers that leave the domain out write <anna> or "anna": what stands so in an answer is nearly always a mailbox.
_QUOTED = re.compile(r"""<[^<>\s][^<>]{0,320}>|"(?:[^"\\]|\\.){1,320}\"""")


def mask_addresses(text: str, *known: str) -> str:
    """Return `text` with each address, bracketed or quoted mailbox, and each mention of `known` masked.

    known   addresses or login names that may be echoed in pieces: their local parts go too, in any case of letters
    """
    if "@" in text or "40" in text:  # the search is slow, and most answers name nobody
        text = _ADDRESS.sub(MASK, text)
    text = _QUOTED.sub(MASK, text)
    for name in known:
        for part in (name, name.rpartition("@")[0]):
            if part:
                text = re.sub(rf"(?<!\w){re.escape(part)}(?!\w)", MASK, text, flags=re.IGNORECASE)
    return text
