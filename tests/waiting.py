"""Waiting for what another process or thread does."""

import time
from collections.abc import Callable

PATIENCE = 240.0  # seconds: a deadline, never a measure
TICK = 0.01


def wait_until(what: Callable[[], bool], *, patience: float = PATIENCE) -> None:
    """raises AssertionError when it does not come to pass"""
    until = time.monotonic() + patience
    while not what():
        assert time.monotonic() < until, "Waited in vain."
        time.sleep(TICK)
