"""`python -m tests.mailer.outbox.connecting FOLDER URL PORT NAME CONNECTIONS` is a worker that sends over SMTP."""

import sys
from pathlib import Path

from mailer.providers import open_provider
from tests.mailer.outbox.posting import work_until_told


def main(folder: Path, database: str, port: int, name: str, connections: int) -> None:
    table = {"host": "127.0.0.1", "port": port, "security": "none", "hello": name, "connections": connections}
    # Connections are made anew again and again: that too goes one out, one in.
    provider = open_provider("smtp", table | {"messages_per_connection": 3}, data=folder)
    work_until_told(folder, database, provider)


if __name__ == "__main__":
    main(Path(sys.argv[1]), sys.argv[2], int(sys.argv[3]), sys.argv[4], int(sys.argv[5]))
