"""JSON that many letters share, such as a news item: what is made of it for one of them is kept for the others."""

from collections.abc import Callable, Hashable
from typing import Any, TypeVar

Result = TypeVar("Result")


class Lasting(dict[str, Any]):
    """A dict that nobody changes. What was made of it lives as long as it does."""

    __slots__ = ("_made",)

    def __init__(self, content: dict[str, Any]) -> None:
        super().__init__(content)
        self._made: dict[Hashable, Any] = {}

    def once(self, key: Hashable, make: Callable[[], Result]) -> Result:
        """Return what `make` returns, asked the first time only. `key`: of what is made; whose it is comes first."""
        try:
            found: Result = self._made[key]
        except KeyError:
            found = self._made.setdefault(key, make())  # of two threads that make it both get the same
        return found


def once(content: dict[str, Any], key: Hashable, make: Callable[[], dict[str, Any]]) -> dict[str, Any]:
    """Return what `make` makes of `content`, Lasting and made once where `content` is Lasting itself."""
    return content.once(key, lambda: Lasting(make())) if isinstance(content, Lasting) else make()
