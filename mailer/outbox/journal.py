"""A worker's own diary on disk: what it was about to do, and what came of it.

The database learns of outcomes in groups, some hundred at a time. What happened since the last group is here, so
that after `kill -9` the three kinds can be told apart: never started, answered, started but unanswered. It is
written without fsync: the page cache outlives the process. It does not outlive the power, so the file says which
boot it belongs to, and after another boot it proves nothing.

The file is HEADER, then records of SIZE bytes, each with a checksum. Its name is the worker's; whoever holds the
lock on it is that worker, or its heir.
"""

import contextlib
import fcntl
import os
import re
import secrets
import socket
import struct
import threading
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from enum import Enum
from pathlib import Path
from zlib import crc32

FULL = 4 << 20  # bytes: a worker lets its desk run dry and starts the file anew, so recovery reads little
_MAGIC = b"UTSKICK1"
_HEADER = struct.Struct("<8s36sI")  # magic, boot id, checksum of both
_RECORD = struct.Struct("<IcxHqq8s")  # checksum, kind, fence modulo 2**16, batch, delivery, code
_BODY = struct.Struct("<cxHqq8s")  # the same without its checksum
SIZE = _RECORD.size
_BOOT_ID = Path("/proc/sys/kernel/random/boot_id")


class Mark(bytes, Enum):
    """What a record says of a delivery, or (LEASE) of a batch."""

    LEASE = b"L"
    STARTED = b"I"  # the irrevocable line follows
    SENT = b"S"
    LATER = b"D"
    FAILED = b"F"
    UNANSWERED = b"U"


@dataclass(frozen=True, slots=True)
class Note:
    """One record. `code` is the server's own, cut to eight characters."""

    mark: Mark
    batch: int
    fence: int
    delivery: int = 0
    code: str = ""

    def packed(self) -> bytes:
        return record(self.mark, self.batch, self.fence, self.delivery, self.code)


def record(mark: Mark, batch: int, fence: int, delivery: int, code: str = "") -> bytes:
    """Return a Note as it stands in the file, without making one: a letter has two."""
    body = _BODY.pack(mark, fence & 0xFFFF, batch, delivery, code.encode("ascii", "replace")[:8] if code else b"")
    return crc32(body).to_bytes(4, "little") + body


def records(mark: Mark, batch: int, fence: int, deliveries: Iterable[int]) -> list[bytes]:
    """As `record`, for the deliveries of a batch."""
    pack, fence = _BODY.pack, fence & 0xFFFF
    bodies = [pack(mark, fence, batch, delivery, b"") for delivery in deliveries]
    return [crc32(body).to_bytes(4, "little") + body for body in bodies]


@dataclass(frozen=True, slots=True)
class Remains:
    """What a dead worker's journal proves. `leases` are the (batch, fence) it can speak of."""

    owner: str
    leases: frozenset[tuple[int, int]] = frozenset()
    last: dict[tuple[int, int], dict[int, Note]] = field(default_factory=dict)  # lease -> delivery -> last note

    def knows(self, batch: int, fence: int) -> bool:
        return (batch, fence & 0xFFFF) in self.leases

    def note(self, batch: int, fence: int, delivery: int) -> Note | None:
        return self.last.get((batch, fence & 0xFFFF), {}).get(delivery)


def _call_at_once(call: Callable[[], None]) -> None:
    """Stands for the end of a pass where no event loop runs."""
    call()


class Journal:
    """The living worker's side: append only.

    after_pass  runs a call when the event loop begins its next pass (`call_soon`)
    """

    def __init__(
        self, folder: Path, *, boot_id: str, after_pass: Callable[[Callable[[], None]], object] = _call_at_once
    ) -> None:
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        self.folder = folder
        self.owner = _name()
        self._path = folder / f"{self.owner}.journal"
        # Locked before it gets its name: an heir never meets a living worker's journal unlocked.
        beginning = folder / f"{self.owner}.new"
        self._file = os.open(beginning, os.O_RDWR | os.O_CREAT | os.O_EXCL | os.O_APPEND | os.O_CLOEXEC, 0o600)
        fcntl.flock(self._file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        self.size = 0
        self._kept: list[bytes] = []
        self._turn = threading.Lock()  # leases are noted by another thread than letters
        self._after_pass = after_pass
        try:
            self._write(_header(boot_id))
            beginning.rename(self._path)
        except OSError:
            beginning.unlink()
            os.close(self._file)
            raise

    @property
    def full(self) -> bool:
        return self.size >= FULL

    def write(self, notes: Iterable[Note]) -> None:
        """Append by themselves; from any thread, and raises as `append`."""
        self._write(b"".join(note.packed() for note in notes))

    def append(self, octets: bytes) -> None:
        """Append records, behind those that were kept; all of it stands when this returns.

        raises  OSError when the disk refuses; the file then ends as before, and nothing may be started on its word
        """
        if octets or self._kept:
            self._write(b"".join([*self._kept, octets]))
            self._kept.clear()

    def keep(self, octets: bytes) -> None:
        """Keep the record of an answer until this pass of the event loop ends, or the next letters are started.

        A disk that refuses it changes nothing: without the record a crash leaves its letter uncertain, never wrong.
        """
        self._kept.append(octets)
        if len(self._kept) == 1:
            self._after_pass(self._catch_up)

    def _catch_up(self) -> None:
        with contextlib.suppress(OSError):
            self.append(b"")

    def _write(self, octets: bytes) -> None:
        with self._turn:  # whoever cuts off half a record must not cut off what another thread wrote behind it
            written = 0
            try:
                written = os.write(self._file, octets)
            finally:
                if written != len(octets):
                    os.ftruncate(self._file, self.size)
            if written != len(octets):
                raise OSError("the journal could not be written whole")
            self.size += written

    def clear(self) -> None:
        """Start anew. Only when the database has everything the journal says."""
        self._kept.clear()
        with self._turn:
            os.ftruncate(self._file, _HEADER.size)
            self.size = _HEADER.size

    def close(self) -> None:
        """Let go. A journal with nothing in it is removed; another one is left for an heir."""
        self._catch_up()
        if self.size == _HEADER.size:
            self._path.unlink(missing_ok=True)
        os.close(self._file)
        self._file = -1  # never what the number is given to next


@contextmanager
def estates(folder: Path, *, boot_id: str) -> Iterator[list[Remains]]:
    """Yield what dead workers on this machine left; their journals are removed when the block ends well.

    A journal is a dead worker's when its lock can be had: the kernel lets go of it with the process, and not before.
    """
    inherited = [(path, file) for path in sorted(folder.glob("*.journal")) if (file := _inherit(path)) is not None]
    try:
        yield [read(path.stem, path.read_bytes(), boot_id=boot_id) for path, _ in inherited]
        for path, _ in inherited:
            path.unlink(missing_ok=True)
    finally:
        for _, file in inherited:
            os.close(file)


def _inherit(path: Path) -> int | None:
    try:
        file = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
    except FileNotFoundError:
        return None
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        os.close(file)
        return None
    return file


def read(owner: str, octets: bytes, *, boot_id: str) -> Remains:
    """Say what a journal proves: nothing when it is of another boot, or a record of it is damaged.

    A last record that is short was torn: whoever wrote it had not yet acted on it. One of full length was acted on.
    """
    if octets[: _HEADER.size] != _header(boot_id):
        return Remains(owner)
    body = octets[_HEADER.size :]
    last: dict[tuple[int, int], dict[int, Note]] = {}
    for start in range(0, len(body) - len(body) % SIZE, SIZE):
        note = _unpack(body[start : start + SIZE])
        if note is None:
            return Remains(owner)
        lease = last.setdefault((note.batch, note.fence), {})
        if note.mark is not Mark.LEASE:
            lease[note.delivery] = note
    return Remains(owner, frozenset(last), last)


def _unpack(octets: bytes) -> Note | None:
    checksum, kind, fence, batch, delivery, code = _RECORD.unpack(octets)
    if checksum != crc32(octets[4:]):
        return None
    return Note(Mark(kind), batch, fence, delivery, code.rstrip(b"\0").decode("ascii"))


def _header(boot_id: str) -> bytes:
    start = _MAGIC + boot_id.encode("ascii")[:36].ljust(36)
    return start + crc32(start).to_bytes(4, "little")


def _name() -> str:
    """Name a worker so that a person finds its process, and no other worker ever had the name."""
    host = re.sub(r"[^A-Za-z0-9-]+", "-", socket.gethostname().partition(".")[0])[:32]
    return f"{host}-{os.getpid()}-{secrets.token_hex(6)}"


def this_boot() -> str:
    """Name this run of the kernel. Where that cannot be known every call differs, so that no journal is believed."""
    try:
        return _BOOT_ID.read_text(encoding="ascii").strip()
    except OSError:
        return secrets.token_hex(18)
