"""A real Dovecot on loopback, in a folder of its own, with TLS and one mailbox."""

import os
import pwd
import shutil
import socket
import subprocess
import tempfile
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path

from pydantic import SecretStr

from mailer.config.feedback import Imap
from tests.waiting import PATIENCE

LOGIN, PASSWORD = "studs", "hemligt"
_PROGRAM = "/usr/sbin/dovecot"
_IMAP = Path("/usr/lib/dovecot/imap")
_NOBODY = pwd.getpwnam("nobody")
_CONFIG = """
protocols = imap
base_dir = {folder}/run
log_path = {folder}/log
listen = 127.0.0.1
ssl = required
ssl_cert = <{certificate}
ssl_key = <{certificate}
auth_mechanisms = plain
{capabilities}
mail_location = maildir:{folder}/mail
first_valid_uid = 1
passdb {{
  driver = passwd-file
  args = scheme=PLAIN {folder}/users
}}
userdb {{
  driver = static
  args = uid={uid} gid={gid} home={folder}/mail
}}
namespace inbox {{
  inbox = yes
  separator = {separator}
}}
service imap-login {{
  inet_listener imap {{
    port = {starttls}
  }}
  inet_listener imaps {{
    port = {tls}
  }}
}}
service stats {{
  client_limit = 100
}}
"""


def missing() -> str:
    """Say why there can be no Dovecot here, else nothing."""
    if os.geteuid() != 0:
        return "only root can start Dovecot"
    return "" if Path(_PROGRAM).exists() and _IMAP.exists() else "Debian's package dovecot-imapd is needed"


@dataclass(frozen=True)
class Dovecot:
    """A running server. Mail is put into its Maildir, as a delivery agent does."""

    folder: Path
    tls: int
    starttls: int
    certificate: Path

    def settings(self, **changes: object) -> Imap:
        return Imap.model_validate(
            {
                "host": "127.0.0.1",
                "port": self.tls,
                "ca_file": str(self.certificate),
                "username": LOGIN,
                "password": SecretStr(PASSWORD),
                **changes,
            }
        )

    def put(self, name: str, octets: bytes) -> None:
        """Deliver a mail into the inbox."""
        path = self.folder / "mail" / "tmp" / name
        path.write_bytes(f"X-Name: {name}\n".encode() + octets)
        shutil.chown(path, _NOBODY.pw_uid, _NOBODY.pw_gid)
        path.rename(self.folder / "mail" / "new" / name)

    def names(self, *below: str) -> dict[str, str]:
        """Return the mails of a folder by the names they were put there under, with their flags ("": unread)."""
        folder = self.folder.joinpath("mail", *below)
        found = [path for part in ("new", "cur") for path in folder.joinpath(part).glob("*")]
        return {
            path.read_bytes().partition(b"\n")[0].decode().strip().removeprefix("X-Name: "): path.name.partition(":2,")[
                2
            ]
            for path in found
        }

    def empty(self) -> None:
        """Take every mail away, and what the server knows of them."""
        for path in (self.folder / "mail").iterdir():
            if path.is_dir() and path.name not in ("new", "cur", "tmp"):
                shutil.rmtree(path)
            elif path.is_file():
                path.unlink()
        for part in ("new", "cur"):
            for path in (self.folder / "mail" / part).iterdir():
                path.unlink()


@contextmanager
def a_dovecot(certificate: Path, *, separator: str = "/", capabilities: str = "") -> Iterator[Dovecot]:
    """Run a Dovecot until the block ends. `capabilities`: what it says it can do, when not everything."""
    with ExitStack() as stack:
        folder = Path(tempfile.mkdtemp(prefix="utskick-dovecot-"))
        stack.callback(shutil.rmtree, folder)
        umask = os.umask(0o022)
        stack.callback(os.umask, umask)
        folder.chmod(0o755)  # its processes work under other accounts
        kept = Path(shutil.copy(certificate, folder / "server.pem"))
        for name in ("mail", "mail/new", "mail/cur", "mail/tmp"):
            (folder / name).mkdir(mode=0o700)
            shutil.chown(folder / name, _NOBODY.pw_uid, _NOBODY.pw_gid)
        (folder / "users").write_text(f"{LOGIN}:{PASSWORD}\n", encoding="utf-8")
        tls, starttls = _free_port(), _free_port()
        said = f"imap_capability = {capabilities}\n" if capabilities else ""
        config = _CONFIG.format(
            folder=folder,
            certificate=kept,
            separator=separator,
            uid=_NOBODY.pw_uid,
            gid=_NOBODY.pw_gid,
            tls=tls,
            starttls=starttls,
            capabilities=said,
        )
        (folder / "dovecot.conf").write_text(config, encoding="utf-8")
        process = subprocess.Popen([_PROGRAM, "-F", "-c", folder / "dovecot.conf"])  # noqa: S603  our own
        stack.callback(_end, process)
        _wait_for_greeting(starttls, process)
        yield Dovecot(folder, tls, starttls, kept)


def _free_port() -> int:
    """Dovecot cannot be told to take any: find one that is free."""
    with socket.socket() as each:
        each.bind(("127.0.0.1", 0))
        port: int = each.getsockname()[1]
        return port


def _wait_for_greeting(port: int, process: "subprocess.Popen[bytes]") -> None:
    deadline = time.monotonic() + PATIENCE
    while True:
        assert process.poll() is None
        try:
            with socket.create_connection(("127.0.0.1", port), timeout=5) as connection:
                if connection.recv(4) == b"* OK":
                    return
        except OSError:
            assert time.monotonic() < deadline
            time.sleep(0.05)


def _end(process: "subprocess.Popen[bytes]") -> None:
    process.terminate()
    process.wait(PATIENCE)
