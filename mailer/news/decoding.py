"""Bytes to text: which encoding a file or an answer is in."""

import codecs
import re

_BOMS = (  # UTF-32 is looked for first: its little-endian mark begins with that of UTF-16
    (codecs.BOM_UTF32_LE, "utf-32"),
    (codecs.BOM_UTF32_BE, "utf-32"),
    (codecs.BOM_UTF8, "utf-8-sig"),
    (codecs.BOM_UTF16_LE, "utf-16"),
    (codecs.BOM_UTF16_BE, "utf-16"),
)
# In the first kilobyte, as HTML wants it: <?xml encoding="..."?> or <meta charset=...>.
_DECLARED = re.compile(
    rb"""(?:<\?xml[^>]{0,200}encoding|<meta[^>]{0,200}charset)\s*=\s*["']?\s*([A-Za-z0-9._-]+)""", re.IGNORECASE
)
# What news is written in. Others (UTF-7, EBCDIC) are mainly used to smuggle markup past a check.
_TRUSTED = re.compile(r"(utf-?8|utf-?16|us-?ascii|iso-?8859-?\d+|latin-?1|windows-?125\d|cp-?125\d)", re.IGNORECASE)


def decode(content: bytes, charset: str | None = None) -> str:
    """Return the text of `content`.

    charset  what the sender said (HTTP), or None; a byte order mark and then the sender are believed, then
             the document's own word, then UTF-8, then Windows-1252, which reads anything
    """
    for mark, name in _BOMS:
        if content.startswith(mark):
            return content.decode(name, errors="replace")
    declared = _DECLARED.search(content[:1024])
    for candidate in (charset, declared[1].decode("ascii") if declared else None, "utf-8"):
        if candidate and _TRUSTED.fullmatch(candidate):
            try:
                return content.decode(candidate)
            except (UnicodeDecodeError, LookupError):
                continue
    return content.decode("cp1252", errors="replace")
