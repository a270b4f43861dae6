"""What a misspelled name may have meant. Pure."""

from collections.abc import Mapping
from difflib import get_close_matches

_ALIKE = 0.6  # difflib's ratio


def nearest(said: str, names: Mapping[str, str]) -> tuple[str, ...]:
    """Return the slugs that a misspelled name may mean, the likeliest first. `names`: plain form -> slug"""
    alike = get_close_matches(" ".join(said.casefold().split()), names, n=6, cutoff=_ALIKE)
    return tuple(dict.fromkeys(names[name] for name in alike))
