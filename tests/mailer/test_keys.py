import stat
from pathlib import Path

import pytest

from mailer import keys
from mailer.errors import Mistake
from mailer.links import Purpose


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
