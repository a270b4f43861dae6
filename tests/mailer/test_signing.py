"""Key files of DKIM."""

from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.hazmat.primitives.serialization import BestAvailableEncryption, Encoding, NoEncryption, PrivateFormat

from mailer import signing
from mailer.config.outbox import Dkim
from mailer.errors import Mistake

PEM = (Encoding.PEM, PrivateFormat.PKCS8)
SHORT = rsa.generate_private_key(65537, 1024)  # noqa: S505  too short is what it is for


def test_a_new_key_is_its_owners_alone_long_enough_and_never_written_over(tmp_path: Path):
    path = tmp_path / "dkim" / "key.pem"

    signing.create(path)

    assert path.stat().st_mode & 0o777 == 0o600
    assert path.parent.stat().st_mode & 0o777 == 0o700
    assert signing.load(path).key_size == 2048
    with pytest.raises(Mistake, match="never overwritten"):
        signing.create(path)


def test_a_key_that_others_can_read_is_not_used(tmp_path: Path):
    path = tmp_path / "key.pem"
    signing.create(path)
    path.chmod(0o640)

    with pytest.raises(Mistake, match=r"chmod 600 .*key\.pem"):
        signing.load(path)


@pytest.mark.parametrize(
    ("content", "says"),
    [
        (SHORT.private_bytes(*PEM, NoEncryption()), "1024 bits, and 2048"),
        (ec.generate_private_key(ec.SECP256R1()).private_bytes(*PEM, NoEncryption()), "no RSA key"),
        (
            SHORT.private_bytes(*PEM, BestAvailableEncryption(b"x")),
            "without a password",
        ),
        (b"hello", "no private key"),
        (b"", "no private key"),
    ],
)
def test_a_file_that_cannot_sign_is_a_mistake_that_says_why(tmp_path: Path, content: bytes, says: str):
    path = tmp_path / "key.pem"
    path.write_bytes(content)
    path.chmod(0o600)

    with pytest.raises(Mistake, match=says):
        signing.load(path)


def test_a_missing_key_and_a_folder_are_mistakes(tmp_path: Path):
    with pytest.raises(Mistake, match="utskick dkim new"):
        signing.load(tmp_path / "none.pem")
    with pytest.raises(Mistake, match="cannot be read"):
        signing.load(tmp_path)


def test_paths_begin_where_the_config_lies(tmp_path: Path):
    signing.create(tmp_path / "dkim" / "a.pem")

    signer = signing.open_signer({"example.org": Dkim(selector="2026a", key="dkim/a.pem")}, tmp_path)

    assert b"d=example.org" in signer.sign(b"From: brev@example.org\r\n\r\nHej\r\n")
