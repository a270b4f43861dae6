"""One delivery process, as `utskick worker` runs it, which stops when everything is sent.

python -m benchmarks.delivery.worker FOLDER DATABASE PORT CONNECTIONS [dkim]
"""

import asyncio
import sys
from pathlib import Path

import uvloop

from benchmarks.delivery.processes import work_when_told
from benchmarks.delivery.stage import Installation
from mailer import logs
from mailer.cli.worker import collect_rarely
from mailer.outbox.worker import drain


def main() -> None:
    logs.configure(debug=False)  # as `utskick worker` does; standard output belongs to the bench
    folder, database, port, connections, *dkim = sys.argv[1:]
    app = Installation(Path(folder), database, signs=bool(dkim)).app(port=int(port), connections=int(connections))
    office = app.office()
    collect_rarely()
    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        work_when_told(lambda: runner.run(drain(office)))


if __name__ == "__main__":
    main()
