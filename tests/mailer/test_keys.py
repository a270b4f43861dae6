import stat
from pathlib import Path

import pytest

from mailer import keys
from mailer.errors import Mistake
from mailer.links import Purpose
from subscribers import sealed


def test_a_new_key_file_is_for_its_owner_only_and_can_be_read_back(tmp_path: Path):
    path = tmp_path / "keys.toml"
    keys.create(path)

    ring = keys.load(path)

    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert ring.tokens.read(ring.tokens.make(Purpose.UNSUBSCRIBE, 1), Purpose.UNSUBSCRIBE) is not None
    assert len(ring.register.lookup) == 32


def test_a_key_file_is_never_overwritten(tmp_path: Path):
    path = tmp_path / "keys.toml"
    keys.create(path)
    before = path.read_bytes()

    with pytest.raises(Mistake, match="never overwritten"):
        keys.create(path)
    assert path.read_bytes() == before


def test_a_key_file_open_to_others_is_refused(tmp_path: Path):
    path = tmp_path / "keys.toml"
    keys.create(path)
    path.chmod(0o640)

    with pytest.raises(Mistake, match="chmod 600"):
        keys.load(path)


@pytest.mark.parametrize("text", ["", 'lookup = "x"', "[", 'lookup = "AAAA"\n[seal]\nuse = 1\nkeys = { 1 = "AAAA" }'])
def test_a_broken_key_file_is_refused(tmp_path: Path, text: str):
    path = tmp_path / "keys.toml"
    path.write_text(text)
    path.chmod(0o600)

    with pytest.raises(Mistake, match="key file"):
        keys.load(path)


def test_keys_never_show_in_a_printed_keyring(tmp_path: Path):
    path = tmp_path / "keys.toml"
    keys.create(path)

    assert "lookup" not in repr(keys.load(path))


def test_rotating_uses_new_keys_keeps_the_old_ones_and_never_touches_the_lookup_key(tmp_path: Path):
    path = tmp_path / "keys.toml"
    keys.create(path)
    before = keys.load(path)
    letter = before.tokens.make(Purpose.UNSUBSCRIBE, 7, 3)

    for _ in range(3):
        keys.rotate(path)

    after = keys.load(path)
    assert after.register.lookup == before.register.lookup
    assert (after.register.seal_with, set(after.register.seal)) == (4, {1, 2, 3, 4})
    assert after.tokens.make(Purpose.UNSUBSCRIBE, 7, 3)[0] == "d"
    assert after.tokens.read(letter, Purpose.UNSUBSCRIBE) is not None
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert sorted(tmp_path.iterdir()) == [path]


def test_a_process_that_runs_meanwhile_reads_what_the_new_keys_made(tmp_path: Path):
    path = tmp_path / "keys.toml"
    keys.create(path)
    running = keys.load(path)
    keys.rotate(path)
    rotated = keys.load(path)

    sealed.unlock(rotated.register)
    value = sealed.seal("Anna", "member.given_name")
    sealed.unlock(running.register, running.renew)

    assert sealed.open_sealed(value, "member.given_name") == "Anna"
    assert running.tokens.read(rotated.tokens.make(Purpose.UNSUBSCRIBE, 7), Purpose.UNSUBSCRIBE) is not None
    assert running.tokens.read("z" + "A" * 22, Purpose.UNSUBSCRIBE) is None


def test_what_comes_back_to_an_envelope_sender_is_known_after_a_rotation_and_before(tmp_path: Path):
    path = tmp_path / "keys.toml"
    keys.create(path)
    running = keys.load(path)
    letter = running.tokens.make_return(7, 3)
    keys.rotate(path)
    rotated = keys.load(path)

    assert rotated.tokens.read_return(letter) == running.tokens.read_return(letter) is not None
    assert rotated.tokens.make_return(7, 3) != letter
    assert running.tokens.read_return(rotated.tokens.make_return(7, 3)) is not None
