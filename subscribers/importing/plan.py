"""What an import will do, decided: a pure function of the file's entries, the register and the policy."""

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass, field, replace

from subscribers.errors import Refused
from subscribers.importing.entries import Entry, Evidence, Fault
from subscribers.importing.line import Note
from subscribers.importing.register import Known, Person, Register
from subscribers.importing.target import Policy, differing, evidence_counts, keeps_address, target
from subscribers.states import Ground, State

MOST_GONE = 0.05  # of those the file should hold: a larger share looks like a file cut short


@dataclass(frozen=True, slots=True)
class Change:
    """What happens to one member. `line` 0: they are missing from the file; `fields` differ from before."""

    line: int
    member_id: int | None  # None: a new member
    number_key: bytes | None
    address_key: bytes | None
    person: Person
    evidence: Evidence | None = None
    fields: tuple[str, ...] = ()


@dataclass(slots=True)
class Plan:
    """Each line of the file is in one of added, changed, unchanged (line, id) and refused."""

    added: list[Change] = field(default_factory=list)
    changed: list[Change] = field(default_factory=list)
    unchanged: list[tuple[int, int]] = field(default_factory=list)
    gone: list[Change] = field(default_factory=list)
    refused: list[Note] = field(default_factory=list)
    remarks: list[Note] = field(default_factory=list)
    without_address: list[tuple[int, Person]] = field(default_factory=list)
    expected: int = 0  # members the file should hold, when it is the whole register

    @property
    def changes(self) -> list[Change]:
        return [*self.added, *self.changed, *self.gone]


def plan(entries: Iterable[Entry | Fault], register: Register, policy: Policy) -> Plan:
    """Decide line by line; a line that cannot be is refused with its reason and the next ones go on."""
    planner = _Planner(register, policy)
    for entry in entries:
        planner.take(entry)
    if policy.whole_register:
        planner.find_gone()
    return planner.plan


def refuse_too_many_gone(plan: Plan) -> None:
    """Refuse a whole register that lacks more than MOST_GONE of its members: it may be cut short."""
    if len(plan.gone) > MOST_GONE * plan.expected:
        raise Refused(
            "{gone} of {expected} members are missing from the file: if it is whole, repeat with --yes.",
            gone=len(plan.gone),
            expected=plan.expected,
        )


class _Planner:
    """The plan as it grows, and whom the file has named so far."""

    def __init__(self, register: Register, policy: Policy) -> None:
        self.plan = Plan()
        self._register, self._policy = register, policy
        self._by_number = {known.number_key: known for known in register.members if known.number_key}
        self._by_address: defaultdict[bytes, list[Known]] = defaultdict(list)
        self._by_former: defaultdict[bytes, list[Known]] = defaultdict(list)
        for known in register.members:
            if known.address_key:
                self._by_address[known.address_key].append(known)
            for key in {*known.former} - {known.address_key}:
                self._by_former[key].append(known)
        self._lines: dict[bytes | int, int] = {}  # number key, address key of a line without number, or id: its line
        self._refused: set[bytes] = set()  # keys of refused lines: these members are not missing
        self._grounds: set[Ground] = set()

    def take(self, entry: Entry | Fault) -> None:
        if isinstance(entry, Fault):
            self.plan.refused.append(entry.note)
            self._refused |= {entry.number_key} if entry.number_key else set()
            return
        self.plan.remarks.extend(entry.notes)
        self._grounds.add(entry.ground or self._policy.ground)
        try:
            self._refuse_repeated(entry.number_key or entry.address_key or b"", entry.line)
            known = self._match(entry)
            self._refuse_return(entry, known)
        except Refused as refusal:
            self.plan.refused.append(Note(entry.line, refusal.sentence, refusal.values))
            self._refused |= {key for key in (entry.number_key, entry.address_key) if key}
            return
        self._file(entry, known)

    def find_gone(self) -> None:
        """Find who the file should hold and does not: a supporter without number came by themselves."""
        for known in self._register.members:
            person = known.person
            if person.state is State.LEFT or person.ground not in self._grounds:
                continue
            if person.ground is Ground.SUPPORTER and known.number_key is None:
                continue
            self.plan.expected += 1
            if known.id not in self._lines and not {known.number_key, known.address_key} & self._refused:
                self.plan.gone.append(_gone(known))

    def _match(self, entry: Entry) -> Known | None:
        """Find whom the line means: by number, else by address, and by name where an address is shared."""
        same_address = self._at(entry, entry.address_key) if entry.address_key else []
        if entry.number_key is not None:
            known = self._by_number.get(entry.number_key)
            if known is None:  # someone who was known by address alone has got a number
                nameless = [one for one in same_address if one.number_key is None and _may_be(entry, one)]
                known = nameless[0] if len(nameless) == 1 else None
        else:
            found = [one for one in same_address if one.number_key is None] or same_address
            if len(found) > 1:
                found = [one for one in found if _may_be(entry, one)]
                if len(found) != 1:
                    raise Refused("Several members have this address: give the member number.")
            known = found[0] if found else None
        if known is not None:
            self._refuse_repeated(known.id, entry.line)
        return known

    def _at(self, entry: Entry, address_key: bytes) -> list[Known]:
        """Return whom the address of a line may mean: who has it, and who had it until they changed it themself.

        An address may have passed on to somebody else: while anyone has it, it means those before by their names only.
        """
        now, before = self._by_address.get(address_key, []), self._by_former.get(address_key, [])
        if now:
            return now + [known for known in before if _may_be(entry, known, in_doubt=False)]
        return [known for known in before if _may_be(entry, known)]

    def _refuse_repeated(self, key: bytes | int, line: int) -> None:
        if (first := self._lines.setdefault(key, line)) != line:
            raise Refused("This member stands on line {first} already.", first=first)

    def _refuse_return(self, entry: Entry, known: Known | None) -> None:
        if known is not None:
            if known.withdrew and known.person.state is State.LEFT:
                raise Refused("This person left by their own wish: only they can take that back.")
            return
        if {entry.number_key, entry.address_key} & self._register.erased:
            raise Refused("This person was erased: only they can come back, by asking us (`utskick members readmit`).")
        if entry.left:
            raise Refused("The file says that this person has left.")

    def _file(self, entry: Entry, known: Known | None) -> None:
        person = target(entry, known, self._policy)
        evidence = entry.evidence if evidence_counts(person, known) else None
        fields = differing(person, known.person) if known else ()
        if evidence:
            fields = (*fields, "evidence")
        change = Change(
            line=entry.line,
            member_id=known.id if known else None,
            number_key=entry.number_key or (known.number_key if known else None),
            address_key=_address_key(entry, known),
            person=person,
            evidence=evidence,
            fields=fields,
        )
        self._sort(change)
        if keeps_address(entry, known):
            self.plan.remarks.append(
                Note(entry.line, "The member has changed their address themself: theirs is kept, not the file's.")
            )
        if (known is None or "address" in fields) and change.address_key in self._register.suppressed:
            self.plan.remarks.append(Note(entry.line, "Nothing is sent to this address: it is suppressed."))
        if person.address is None and person.state is not State.LEFT:
            self.plan.without_address.append((entry.line, person))

    def _sort(self, change: Change) -> None:
        if change.member_id is None:
            self.plan.added.append(change)
        elif change.fields:
            self.plan.changed.append(change)
        else:
            self.plan.unchanged.append((change.line, change.member_id))


def _gone(known: Known) -> Change:
    return Change(
        line=0,
        member_id=known.id,
        number_key=known.number_key,
        address_key=known.address_key,
        person=replace(known.person, state=State.LEFT),
        fields=("state",),
    )


def _address_key(entry: Entry, known: Known | None) -> bytes | None:
    if known is not None and (entry.address is None or keeps_address(entry, known)):
        return known.address_key
    return entry.address_key


def _may_be(entry: Entry, known: Known, *, in_doubt: bool = True) -> bool:
    """Say whether the given names do not speak against it: half a couple must not become the other.

    in_doubt  what holds when one of the names is not known
    """
    said, held = entry.given_name, known.person.given_name
    return said.casefold() == held.casefold() if said and held else in_doubt
