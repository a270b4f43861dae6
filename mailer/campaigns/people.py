"""To whom a campaign goes, as it was approved: ids, a million of them in little room. Pure.

They are kept as the steps from one to the next: mostly the same small number, so that a million take some kilobytes in
the database, and writing them holds nobody up.
"""

import zlib
from array import array
from bisect import bisect_left
from collections.abc import Collection, Iterable, Iterator
from itertools import accumulate, pairwise

_STEPS = b"\x00"  # before what is kept in this way; what is not begins with zlib's own mark


class People(Collection[int]):
    """Ids of members, in order."""

    def __init__(self, ids: Iterable[int] = ()) -> None:
        self._ids = array("q", sorted(ids))

    def __len__(self) -> int:
        return len(self._ids)

    def __iter__(self) -> Iterator[int]:
        return iter(self._ids)

    def __contains__(self, member: object) -> bool:
        if not isinstance(member, int):
            return False
        at = bisect_left(self._ids, member)
        return at < len(self._ids) and self._ids[at] == member

    def packed(self) -> bytes:
        """Return them as they are kept with a campaign."""
        steps = array("q", (after - before for before, after in pairwise((0, *self._ids))))
        return _STEPS + zlib.compress(steps.tobytes(), level=1)


def unpacked(kept: bytes | None) -> People:
    """Read what `packed` wrote, or the ids themselves as they were kept before."""
    if not kept:
        return People()
    numbers = array("q")
    numbers.frombytes(zlib.decompress(kept.removeprefix(_STEPS)))
    return People(accumulate(numbers) if kept.startswith(_STEPS) else numbers)
