import os
import threading
from collections.abc import Callable
from pathlib import Path
from resource import RLIMIT_FSIZE, getrlimit, setrlimit

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mailer.outbox.journal import FULL, SIZE, Journal, Mark, Note, _header, estates, read, this_boot

BOOT = "0f0e0d0c-0b0a-0908-0706-050403020100"
HEAD = 48
OTHER_BOOT = BOOT.replace("0", "1")

notes = st.builds(
    Note,
    mark=st.sampled_from([mark for mark in Mark if mark is not Mark.LEASE]),
    batch=st.integers(1, 2**62),
    fence=st.integers(0, 0xFFFF),
    delivery=st.integers(1, 2**62),
    code=st.text("0123456789.", max_size=8),
)


def a_journal(folder: Path, *written: Note) -> Path:
    journal = Journal(folder, boot_id=BOOT)
    journal.write(written)
    os.close(journal._file)  # as a killed worker leaves it
    return folder / f"{journal.owner}.journal"


@given(st.lists(notes))
def test_what_was_written_last_of_a_delivery_is_read_back(
    tmp_path_factory: pytest.TempPathFactory, written: list[Note]
):
    path = a_journal(tmp_path_factory.mktemp("journal"), *written)

    remains = read("owner", path.read_bytes(), boot_id=BOOT)

    last = {(note.batch, note.fence, note.delivery): note for note in written}
    assert all(remains.note(*key) == note for key, note in last.items())
    assert sum(len(lease) for lease in remains.last.values()) == len(last)


@given(st.lists(notes, min_size=2, max_size=5), st.data())
def test_a_journal_torn_anywhere_proves_its_whole_records_only(written: list[Note], data: st.DataObject):
    whole = b"".join(note.packed() for note in written)
    kept = data.draw(st.integers(0, len(whole)))

    remains = read("owner", _header(BOOT) + whole[:kept], boot_id=BOOT)

    known = {(note.batch, note.fence, note.delivery) for note in written[: kept // SIZE]}
    assert {(*lease, delivery) for lease, found in remains.last.items() for delivery in found} == known


def test_damage_before_the_last_record_means_nothing_is_believed(tmp_path: Path):
    path = a_journal(tmp_path, *(Note(Mark.LEASE, 1, 1), Note(Mark.STARTED, 1, 1, 5), Note(Mark.SENT, 1, 1, 5)))
    octets = bytearray(path.read_bytes())
    octets[HEAD + SIZE + 9] ^= 1

    assert not read("owner", bytes(octets), boot_id=BOOT).knows(1, 1)


def test_damage_in_the_last_record_means_nothing_is_believed(tmp_path: Path):
    """It was whole when it was written, and what it said was done: torn records are short."""
    path = a_journal(tmp_path, Note(Mark.LEASE, 1, 1), Note(Mark.STARTED, 1, 1, 5))
    octets = bytearray(path.read_bytes())
    for place in range(HEAD + SIZE, len(octets)):
        damaged = octets.copy()
        damaged[place] ^= 0xFF
        assert not read("owner", bytes(damaged), boot_id=BOOT).leases


def test_another_boots_journal_is_not_believed(tmp_path: Path):
    path = a_journal(tmp_path, Note(Mark.LEASE, 1, 1))

    assert read("owner", path.read_bytes(), boot_id=BOOT).knows(1, 1)
    assert not read("owner", path.read_bytes(), boot_id=OTHER_BOOT).knows(1, 1)


def test_an_empty_file_proves_nothing():
    assert not read("owner", b"", boot_id=BOOT).leases


def test_a_living_workers_journal_is_inherited_by_nobody(tmp_path: Path):
    journal = Journal(tmp_path, boot_id=BOOT)
    journal.write([Note(Mark.LEASE, 1, 1)])

    with estates(tmp_path, boot_id=BOOT) as inherited:
        assert inherited == []
    journal.close()
    with estates(tmp_path, boot_id=BOOT) as inherited:
        assert [remains.owner for remains in inherited] == [journal.owner]
    assert list(tmp_path.iterdir()) == []


def test_an_estate_stays_when_it_could_not_be_settled(tmp_path: Path):
    path = a_journal(tmp_path, Note(Mark.LEASE, 1, 1))

    with pytest.raises(OSError, match="no database"), estates(tmp_path, boot_id=BOOT):
        raise OSError("no database")

    assert path.exists()


def test_a_record_that_does_not_fit_on_the_disk_leaves_the_file_as_it_was(tmp_path: Path):
    journal = Journal(tmp_path, boot_id=BOOT)
    journal.write([Note(Mark.LEASE, 1, 1)])
    path = tmp_path / f"{journal.owner}.journal"
    before = path.read_bytes()
    real, journal._file = journal._file, os.open("/dev/full", os.O_WRONLY)

    with pytest.raises(OSError, match=r"No space|Invalid"):
        journal.write([Note(Mark.STARTED, 1, 1, 5)])

    os.close(journal._file)
    journal._file = real
    assert path.read_bytes() == before
    journal.write([Note(Mark.STARTED, 1, 1, 6)])
    journal.close()
    assert read("owner", path.read_bytes(), boot_id=BOOT).note(1, 1, 6) is not None


def test_a_journal_that_cannot_be_begun_leaves_no_file(tmp_path: Path):
    soft, hard = getrlimit(RLIMIT_FSIZE)
    setrlimit(RLIMIT_FSIZE, (0, hard))
    try:
        with pytest.raises(OSError, match="File too large"):
            Journal(tmp_path, boot_id=BOOT)
    finally:
        setrlimit(RLIMIT_FSIZE, (soft, hard))

    assert list(tmp_path.iterdir()) == []


def test_a_journal_begun_anew_is_empty_and_goes_with_its_worker(tmp_path: Path):
    journal = Journal(tmp_path, boot_id=BOOT)
    journal.write([Note(Mark.STARTED, 1, 1, 5)] * (FULL // SIZE))
    assert journal.full

    journal.clear()

    assert not journal.full
    journal.close()
    assert list(tmp_path.iterdir()) == []


def test_this_machines_boot_has_one_name():
    assert this_boot() == this_boot()


class Passes:
    """Collects what is to be done when a pass of the event loop ends."""

    def __init__(self) -> None:
        self.calls: list[Callable[[], None]] = []

    def __call__(self, call: Callable[[], None]) -> None:
        self.calls.append(call)

    def end(self) -> None:
        for call in self.calls:
            call()


def test_what_is_kept_is_written_when_the_pass_ends_or_before_the_next_letter_is_started(tmp_path: Path):
    passes = Passes()
    journal = Journal(tmp_path, boot_id=BOOT, after_pass=passes)
    path = tmp_path / f"{journal.owner}.journal"
    one, two, three = (Note(Mark.SENT, 1, 1, delivery).packed() for delivery in (1, 2, 3))

    journal.keep(one)
    journal.keep(two)
    assert path.read_bytes()[HEAD:] == b""
    passes.end()
    assert path.read_bytes()[HEAD:] == one + two

    journal.keep(three)
    journal.append(one)
    assert path.read_bytes()[HEAD:] == one + two + three + one
    passes.end()
    assert path.read_bytes()[HEAD:] == one + two + three + one


def test_a_journal_that_is_let_go_of_has_what_was_kept_and_writes_nothing_more(tmp_path: Path):
    passes = Passes()
    journal = Journal(tmp_path, boot_id=BOOT, after_pass=passes)
    journal.keep(Note(Mark.SENT, 1, 1, 1).packed())
    journal.close()
    other = os.open(tmp_path / "other", os.O_WRONLY | os.O_CREAT)  # gets the number that the journal had

    journal.keep(Note(Mark.SENT, 1, 1, 2).packed())
    passes.end()

    os.close(other)
    assert (tmp_path / "other").read_bytes() == b""
    assert len((tmp_path / f"{journal.owner}.journal").read_bytes()) == HEAD + SIZE


def test_whoever_cuts_off_half_a_record_leaves_what_another_thread_wrote(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    journal = Journal(tmp_path, boot_id=BOOT)
    lease, letter = Note(Mark.LEASE, 7, 1), Note(Mark.STARTED, 7, 1, 5)
    other = threading.Thread(target=journal.write, args=([lease],))
    write = os.write

    def half(file: int, octets: bytes) -> int:  # a disk that is full for a moment, while the other thread writes too
        monkeypatch.setattr(os, "write", write)
        written = write(file, octets[:20])
        other.start()
        other.join(timeout=0.2)
        return written

    monkeypatch.setattr(os, "write", half)
    with pytest.raises(OSError, match="whole"):
        journal.write([letter])
    other.join()

    octets = (tmp_path / f"{journal.owner}.journal").read_bytes()
    assert octets[HEAD:] == lease.packed()
    journal.close()
