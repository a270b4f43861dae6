"""Limits: how often something may be asked from one network. In memory, per process; a valid token is never counted."""

import ipaddress
import math
from collections.abc import Sequence
from enum import Enum
from threading import Lock

Network = ipaddress.IPv4Network | ipaddress.IPv6Network

_KEPT = 20_000  # networks remembered at once: some megabytes
_PREFIX = {4: 24, 6: 56}  # what one household or office is commonly given


class Act(Enum):
    """What is counted: (how many at once, seconds in which that many are granted anew)."""

    FORGED = (60, 600.0)  # a mail gateway may well break a link, and ask for it several times
    MAIL = (20, 600.0)  # letters that somebody asks for
    SIGN_UP = (30, 600.0)  # a stand at a fair shares one network

    @property
    def burst(self) -> int:
        return self.value[0]

    @property
    def seconds(self) -> float:
        """Until one more is granted."""
        burst, period = self.value
        return period / burst


class Limits:
    """A bucket per act and network, filled evenly with time."""

    def __init__(self) -> None:
        self._spent: dict[tuple[Act, str], float] = {}  # -> the moment at which the bucket is full again
        self._turn = Lock()

    def wait(self, act: Act, network: str, *, now: float) -> int:
        """Count one `act`. Returns 0, or the seconds after which it may be asked again: then it was not counted.

        now  monotonic seconds
        """
        with self._turn:
            full = max(self._spent.get((act, network), now), now)
            ahead = full + act.seconds - now - act.burst * act.seconds
            if ahead > 0:
                return math.ceil(ahead)
            self._spent[act, network] = full + act.seconds
            if len(self._spent) > _KEPT:
                self._forget(now)
            return 0

    def _forget(self, now: float) -> None:
        """Drop the full buckets, and if all are in use those that are full soonest: they have asked least."""
        soonest_last = sorted(self._spent.items(), key=lambda entry: -entry[1])
        self._spent = dict(entry for entry in soonest_last[: _KEPT // 2] if entry[1] > now)


def network_of(peer: str | None, forwarded: str, trusted: Sequence[Network]) -> str:
    """Return the network that a request came from, such as "192.0.2.0/24"; "" when nobody can tell.

    peer       who connected to us
    forwarded  X-Forwarded-For. Read from its end, and only as far as `trusted` proxies wrote it: what stands before
               is the caller's own invention
    """
    address = _address(peer or "")
    for hop in reversed(forwarded.split(",")):
        if address is None or not any(address in network for network in trusted):
            break
        address = _address(hop) or address
    if address is None:
        return ""
    return str(ipaddress.ip_network((address, _PREFIX[address.version]), strict=False))


def _address(text: str) -> ipaddress.IPv4Address | ipaddress.IPv6Address | None:
    try:
        address = ipaddress.ip_address(text.strip().removeprefix("[").partition("]")[0])
    except ValueError:
        return None
    return getattr(address, "ipv4_mapped", None) or address
