"""The pages in a process of their own, as `utskick web` serves them. Prints its port, and ends with its standard input.

python -m benchmarks.rush.serving FOLDER DATABASE
"""

import sys
import threading
from pathlib import Path

from benchmarks.delivery.stage import Installation
from mailer import logs
from mailer.web import create_web, listen, server_of


def main() -> None:
    folder, database = sys.argv[1:]
    app = Installation(Path(folder), database).app()
    logs.configure(debug=False, form="json")
    app.engine.connect().close()  # as the command does
    door = listen("127.0.0.1", 0)
    print(door.getsockname()[1], flush=True)
    server = server_of(create_web(app))
    threading.Thread(target=_end_with_input, args=[server], daemon=True).start()
    server.run(sockets=[door])


def _end_with_input(server: object) -> None:
    sys.stdin.read()
    server.should_exit = True  # type: ignore[attr-defined]  # uvicorn.Server


if __name__ == "__main__":
    main()
