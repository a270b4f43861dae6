"""The benches call the program from behind; these keep them working."""

import sys
from pathlib import Path

import pytest

from benchmarks.delivery.compare import Side, together
from benchmarks.delivery.senders import Signatures
from benchmarks.delivery.servers import smtp_sink
from benchmarks.delivery.stage import build, sample
from benchmarks.delivery.stores import Sqlite

ROOT = Path(__file__).parent.parent


def test_the_letter_of_the_delivery_bench_is_a_digest_of_31_kb(tmp_path: Path, capsys: pytest.CaptureFixture[str]):
    store = Sqlite(tmp_path)
    store.build(3)

    with store.fresh() as installation:
        letter = sample(installation)

    assert capsys.readouterr().out == ""  # the output is the bench's own
    assert 29_000 < len(letter) < 33_000
    assert b"\r\nList-Unsubscribe: <" in letter


def test_the_letters_of_the_delivery_bench_can_be_signed(tmp_path: Path):
    built = build(tmp_path, f"sqlite:///{tmp_path}/data/utskick.db", 1)

    assert b"DKIM-Signature:" in built.signing().signer().sign(sample(built))


@pytest.mark.parametrize("what", ["bare", "letters"])
def test_the_delivery_bench_measures_signatures(tmp_path: Path, what: str):
    store = Sqlite(tmp_path)
    store.build(3)

    run = Signatures(store, what, 100).run(smtp_sink())

    assert run.messages == 100
    assert run.cpu_per_message > 0


def test_the_delivery_bench_compares_two_checkouts(tmp_path: Path):
    sides = {which: Side(ROOT, sys.executable, Sqlite(tmp_path / which)) for which in ("here", "there")}
    for side in sides.values():
        side.store.build(3)

    cost = together(sides, smtp_sink(), 3)

    assert cost.keys() == {"here", "there"}
    assert min(cost.values()) > 0
