"""The first words of an item, where the whole of it has no room. Pure."""

from collections.abc import Sequence

_LONGEST = 280


def teaser(paragraphs: Sequence[str]) -> str:
    """Return the first paragraph on one line, cut between words at 280 characters with an ellipsis."""
    text = " ".join(paragraphs[0].split()) if paragraphs else ""
    if len(text) <= _LONGEST:
        return text
    return text[: _LONGEST + 1].rsplit(" ", 1)[0][:_LONGEST].rstrip(" ,.;:–-") + "…"
