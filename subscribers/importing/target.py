"""What a member shall be after an import: the file over the register, under the policy and the member's own will."""

from dataclasses import dataclass, fields

from subscribers.importing.entries import Entry
from subscribers.importing.register import Known, Person
from subscribers.states import Ground, State


@dataclass(frozen=True, slots=True)
class Policy:
    """What config and command line say; `language` is of those for whom the file says none."""

    publications: tuple[str, ...]
    ground: Ground
    language: str
    whole_register: bool = False


def target(entry: Entry, known: Known | None, policy: Policy) -> Person:
    """Lay the file over what is known. What the member chose themself stays; what ended stays ended."""
    before = known.person if known else _NOBODY
    ground = entry.ground or policy.ground
    chosen = known is not None and known.chosen
    publications = () if known is not None and known.withdrew else policy.publications
    return Person(
        number=_said(entry.number, before.number),
        address=before.address if keeps_address(entry, known) else _said(entry.address, before.address),
        given_name=_said(entry.given_name, before.given_name),
        family_name=_said(entry.family_name, before.family_name),
        language=before.language if chosen else entry.language or before.language or policy.language,
        plain_only=before.plain_only if chosen or entry.plain_only is None else entry.plain_only,
        state=_state(entry, known, ground),
        ground=ground,
        districts=before.districts if chosen or entry.districts is None else tuple(sorted(entry.districts)),
        topics=before.topics if chosen or entry.topics is None else tuple(sorted(entry.topics)),
        publications=tuple(sorted({*before.publications, *publications})),
    )


def keeps_address(entry: Entry, known: Known | None) -> bool:
    """Say whether the file has another address than the one a member gave themself: theirs is the later word."""
    return known is not None and known.moved and entry.address is not None and entry.address_key != known.address_key


def evidence_counts(person: Person, known: Known | None) -> bool:
    """Say whether a proof of consent is to be kept: of supporters, once, and never against a later no."""
    return person.ground is Ground.SUPPORTER and (known is None or not (known.consented or known.withdrew))


def differing(after: Person, before: Person) -> tuple[str, ...]:
    """Return the names of the fields that change."""
    names = (field.name for field in fields(Person))
    return tuple(name for name in names if getattr(after, name) != getattr(before, name))


_NOBODY = Person(None, None, None, None, "", False, State.ACTIVE, Ground.MEMBER, (), (), ())


def _said(now: str | None, before: str | None) -> str | None:
    """None: the file does not say. Empty: it says that there is none."""
    return before if now is None else now or None


def _state(entry: Entry, known: Known | None, ground: Ground) -> State:
    if entry.left:
        return State.LEFT
    if ground is Ground.MEMBER:
        return State.ACTIVE
    if known is not None and known.withdrew:
        return State.LEFT
    proven = entry.evidence is not None or (known is not None and known.consented)
    return State.ACTIVE if proven else State.PENDING
