"""The benches call the program from behind; these keep them working."""

from pathlib import Path

from benchmarks.delivery.stage import build, sample
from benchmarks.delivery.stores import Sqlite


def test_the_letter_of_the_delivery_bench_is_a_digest_of_31_kb(tmp_path: Path):
    store = Sqlite(tmp_path)
    store.build(3)

    with store.fresh() as installation:
        letter = sample(installation)

    assert 29_000 < len(letter) < 33_000
    assert b"\r\nList-Unsubscribe: <" in letter


def test_the_letters_of_the_delivery_bench_can_be_signed(tmp_path: Path):
    built = build(tmp_path, f"sqlite:///{tmp_path}/data/utskick.db", 1)

    assert b"DKIM-Signature:" in built.signing().app().signer.sign(sample(built))
