"""A real Postfix on loopback, in a folder of its own, with TLS, a login through Dovecot and mailboxes to read back."""

import os
import pwd
import shutil
import signal
import socket
import subprocess
import tempfile
import time
from collections.abc import Iterable, Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path

from tests.waiting import PATIENCE

LOGIN, PASSWORD = "distriktet", "hemligt"
DOMAINS = "example.net", "xn--malm-8qa.se"
BUSY = "busy@example.net"
LARGEST = 60_000  # octets, its SIZE
_SBIN = "/usr/sbin"
_NEEDED = ("postfix", "dovecot")
_NOBODY = pwd.getpwnam("nobody")

_MAIN = """
compatibility_level = 3.6
queue_directory = {folder}/queue
data_directory = {folder}/data
maillog_file = {folder}/log
maillog_file_prefixes = {folder}
myhostname = relay.example.net
mydestination =
alias_maps =
inet_interfaces = 127.0.0.1
inet_protocols = ipv4
mynetworks =
message_size_limit = {largest}
smtputf8_enable = yes
smtpd_peername_lookup = no
smtpd_tls_security_level = encrypt
smtpd_tls_auth_only = yes
smtpd_tls_cert_file = {certificate}
smtpd_tls_key_file = {certificate}
smtpd_sasl_auth_enable = yes
smtpd_sasl_type = dovecot
smtpd_sasl_path = private/auth
smtpd_relay_restrictions = permit_sasl_authenticated, reject
smtpd_recipient_restrictions = check_recipient_access inline:{{ {{ {busy} = 450 4.2.0 Greylisted, try again }} }}
virtual_mailbox_domains = {domains}
virtual_mailbox_maps = texthash:{folder}/etc/mailboxes
virtual_mailbox_base = {folder}/mail
virtual_minimum_uid = 1
virtual_uid_maps = static:{uid}
virtual_gid_maps = static:{gid}
relay_domains = {handed_over}
transport_maps = inline:{{ {transports} }}
lmtp_destination_recipient_limit = 1
"""
_MASTER = """
127.0.0.1:{starttls} inet n - n - - smtpd
127.0.0.1:{tls} inet n - n - - smtpd
  -o smtpd_tls_wrappermode=yes
127.0.0.1:{bare} inet n - n - - smtpd
  -o smtpd_discard_ehlo_keywords=pipelining,dsn,smtputf8,8bitmime
cleanup unix n - n - 0 cleanup
qmgr unix n - n 300 1 qmgr
tlsmgr unix - - n 1000? 1 tlsmgr
rewrite unix - - n - - trivial-rewrite
bounce unix - - n - 0 bounce
defer unix - - n - 0 bounce
trace unix - - n - 0 bounce
proxymap unix - - n - - proxymap
error unix - - n - - error
retry unix - - n - - error
virtual unix - n n - - virtual
lmtp unix - - n - - lmtp
anvil unix - - n - 1 anvil
postlog unix-dgram n - n - 1 postlogd
"""
_DOVECOT = """
protocols =
base_dir = {folder}/dovecot
log_path = {folder}/dovecot.log
ssl = no
auth_mechanisms = plain login
passdb {{
  driver = passwd-file
  args = scheme=PLAIN {folder}/etc/users
}}
userdb {{
  driver = static
  args = uid={uid} gid={gid} home=/nonexistent
}}
service auth {{
  unix_listener {folder}/queue/private/auth {{
    mode = 0660
    user = postfix
  }}
}}
service stats {{
  client_limit = 100
}}
"""


def missing() -> str:
    """Say why there can be no Postfix here, else nothing."""
    if os.geteuid() != 0:
        return "only root can start Postfix"
    absent = [name for name in _NEEDED if shutil.which(name, path=_SBIN) is None]
    return f"Debian's packages postfix and dovecot-core are needed: no {', '.join(absent)}" if absent else ""


@dataclass(frozen=True)
class Postfix:
    """A running server. `bare` is a port that offers neither PIPELINING nor DSN, SMTPUTF8 and 8BITMIME."""

    folder: Path
    ports: Mapping[str, int]

    def mailbox(self, address: str) -> list[bytes]:
        """Return what lies in a mailbox."""
        return [path.read_bytes() for path in sorted((self.folder / "mail" / address / "new").glob("*"))]

    def wait_for_mail(self, *addresses: str) -> None:
        """Return when each of the mailboxes holds something."""
        deadline = time.monotonic() + PATIENCE
        while not all(self.mailbox(address) for address in addresses):
            assert time.monotonic() < deadline, self.log()
            time.sleep(0.05)

    def log(self) -> str:
        return (self.folder / "log").read_text(encoding="utf-8", errors="replace")


@contextmanager
def a_postfix(certificate: Path, *mailboxes: str, lmtp: Mapping[str, int] | None = None) -> Iterator[Postfix]:
    """Run a Postfix with these addresses until the block ends. `certificate` holds its key too.

    lmtp  domains whose mail is handed over by LMTP, each to a port of this machine
    """
    with ExitStack() as stack:
        folder = Path(tempfile.mkdtemp(prefix="utskick-postfix-"))
        stack.callback(shutil.rmtree, folder)
        ports = _free_ports("starttls", "tls", "bare")
        with _open_to_their_accounts():
            _lay_out(folder, certificate, ports, (*mailboxes, BUSY), lmtp or {})
            etc = folder / "etc"
            _run("postfix", "-c", etc, "start")
            stack.callback(_stop, folder / "queue" / "pid" / "master.pid")
            dovecot = subprocess.Popen([f"{_SBIN}/dovecot", "-F", "-c", etc / "dovecot.conf"])  # noqa: S603  our own
        stack.callback(_end, dovecot)
        _wait_for(folder / "queue" / "private" / "auth")
        yield Postfix(folder, ports)


@contextmanager
def _open_to_their_accounts() -> Iterator[None]:
    """Let what is made be read by others: a command that ran before in this process has seen to it that none can."""
    before = os.umask(0o022)
    try:
        yield
    finally:
        os.umask(before)


def _lay_out(
    folder: Path, certificate: Path, ports: Mapping[str, int], mailboxes: Iterable[str], lmtp: Mapping[str, int]
) -> None:
    folder.chmod(0o755)  # its daemons work under other accounts
    for name in ("etc", "queue", "data", "mail", "dovecot"):
        (folder / name).mkdir(mode=0o755)
    shutil.chown(folder / "data", "postfix")
    shutil.chown(folder / "mail", _NOBODY.pw_uid, _NOBODY.pw_gid)
    kept = shutil.copy(certificate, folder / "etc" / "server.pem")
    values = {"folder": folder, "certificate": kept, "uid": _NOBODY.pw_uid, "gid": _NOBODY.pw_gid, **ports}
    transports = ", ".join(f"{{ {domain} = lmtp:inet:127.0.0.1:{port} }}" for domain, port in lmtp.items())
    main = _MAIN.format(
        **values,
        largest=LARGEST,
        busy=BUSY,
        domains=", ".join(DOMAINS),
        handed_over=", ".join(lmtp),
        transports=transports or "{ example.invalid = error: }",
    )
    (folder / "etc" / "main.cf").write_text(main, encoding="utf-8")
    (folder / "etc" / "master.cf").write_text(_MASTER.format(**values), encoding="utf-8")
    (folder / "etc" / "dovecot.conf").write_text(_DOVECOT.format(**values), encoding="utf-8")
    (folder / "etc" / "users").write_text(f"{LOGIN}:{PASSWORD}\n", encoding="utf-8")
    lines = "".join(f"{address} {address}/\n" for address in mailboxes)
    (folder / "etc" / "mailboxes").write_text(lines, encoding="utf-8")


def _free_ports(*names: str) -> dict[str, int]:
    """Postfix cannot be told to take any: find some that are free."""
    with ExitStack() as stack:
        sockets = [stack.enter_context(socket.socket()) for _ in names]
        for each in sockets:
            each.bind(("127.0.0.1", 0))
        return {name: each.getsockname()[1] for name, each in zip(names, sockets, strict=True)}


def _run(program: str, *arguments: object) -> None:
    command = [f"{_SBIN}/{program}", *map(str, arguments)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)  # noqa: S603  our own
    assert done.returncode == 0, done.stderr


def _wait_for(path: Path) -> None:
    deadline = time.monotonic() + PATIENCE
    while not path.exists():
        assert time.monotonic() < deadline, path
        time.sleep(0.02)


def _end(process: subprocess.Popen[bytes]) -> None:
    process.terminate()
    process.wait(PATIENCE)


def _stop(pid_file: Path) -> None:
    """End the master, which ends its own children."""
    master = int(pid_file.read_text(encoding="ascii"))
    os.kill(master, signal.SIGTERM)
    deadline = time.monotonic() + PATIENCE
    while _is_alive(master):
        assert time.monotonic() < deadline, "Postfix does not stop"
        time.sleep(0.02)


def _is_alive(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    return Path(f"/proc/{pid}/stat").read_text(encoding="utf-8").rpartition(")")[2].split()[0] != "Z"
