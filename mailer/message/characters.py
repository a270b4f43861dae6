"""Which characters may stand in a letter. Every text is hostile until it has been through here."""

import re

# C0 and C1 controls, DEL, bidi embeddings, overrides and isolates (an open one turns the rest of the page
# round), and U+FDD0..FDEF: not for interchange (Unicode 23.7), so render marks its slots with them.
_UNWANTED = re.compile(r"[\x00-\x09\x0b-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069\ufdd0-\ufdef]")
_LINE_END = re.compile(r"\r\n|[\r\n\x0b\x0c\x85\u2028\u2029]")
_SPACES = re.compile(r" {2,}")
_LONE_SURROGATE = re.compile(r"[\ud800-\udfff]")


def lines(text: str) -> str:
    r"""Return `text` with every line end as \n, tabs as spaces and nothing that is not meant to be read.

    No-break spaces stay; half of a surrogate pair becomes U+FFFD.
    """
    if text.isprintable():  # none of what is changed below is
        return text
    text = _LINE_END.sub("\n", text).replace("\t", " ")
    return _LONE_SURROGATE.sub("\ufffd", _UNWANTED.sub("", text))


def one_line(text: str) -> str:
    """Return `text` as `lines` does, on one line: line ends and runs of spaces become one space."""
    if text.isprintable() and "  " not in text:  # nearly always: nothing above is printable
        return text.strip()
    return _SPACES.sub(" ", lines(text).replace("\n", " ")).strip()
