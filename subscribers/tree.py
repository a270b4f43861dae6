"""The tree of districts: what reaches somebody who chose some of them. Pure."""

from collections.abc import Iterable, Mapping


def steps_up(own: Iterable[str], parents: Mapping[str, str | None]) -> Mapping[str, int]:
    """Return the chosen districts and all above them, each with how far above it is; the roots when none is chosen."""
    steps: dict[str, int] = {}
    for slug in own:
        place: str | None = slug
        distance = 0
        while place is not None and distance < steps.get(place, len(parents) + 1):
            steps[place] = distance
            place, distance = parents.get(place), distance + 1
    return steps or {slug: 0 for slug, parent in parents.items() if parent is None}
