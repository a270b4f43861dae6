"""Members as an import sees them: frozen, with names and addresses open, in memory only."""

from collections.abc import Sequence
from dataclasses import dataclass

from subscribers.states import Ground, State


@dataclass(frozen=True, slots=True)
class Person:
    """A member as they shall be. Districts, topics and publications are slugs in order."""

    number: str | None
    address: str | None
    given_name: str | None
    family_name: str | None
    language: str
    plain_only: bool
    state: State
    ground: Ground
    districts: tuple[str, ...]
    topics: tuple[str, ...]
    publications: tuple[str, ...]  # to be subscribed to; one that was ever ended stays ended


@dataclass(frozen=True, slots=True)
class Known:
    """A member as the register has them.

    chosen     language, districts and topics were set by will
    moved      the address was, and both mailboxes agreed
    consented  there is evidence that a supporter said yes
    withdrew   left everything, and has not come back
    former     keys of addresses that they had before they changed it themself
    """

    id: int
    number_key: bytes | None
    address_key: bytes | None
    person: Person
    chosen: bool
    moved: bool
    consented: bool
    withdrew: bool
    former: tuple[bytes, ...] = ()


@dataclass(frozen=True, slots=True)
class Register:
    """The register as an import sees it. `erased` holds hashes of numbers and addresses, `suppressed` of addresses."""

    members: Sequence[Known]
    erased: frozenset[bytes] = frozenset()
    suppressed: frozenset[bytes] = frozenset()
