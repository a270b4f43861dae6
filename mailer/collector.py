"""Python's garbage collector, where it only costs."""

import gc
from collections.abc import Iterator
from contextlib import contextmanager


@contextmanager
def uncollected() -> Iterator[None]:
    """Leave the garbage collector off for a while.

    For making many objects that stay: each time they have grown by a fourth it looks at all of them again and finds
    nothing, at a million members for 0.4 s at a stretch, whatever lock is held meanwhile. What is no cycle is freed as
    ever.
    """
    running = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if running:
            gc.enable()
