"""One delivery process, as `utskick worker` runs it, which stops when everything is sent.

python -m benchmarks.delivery.worker FOLDER DATABASE PORT CONNECTIONS [dkim]
"""

import asyncio
import sys
from dataclasses import replace
from pathlib import Path

import uvloop

from benchmarks.delivery.processes import work_when_told
from benchmarks.delivery.stage import Installation
from mailer import logs
from mailer.cli.worker import collect_rarely, give_way
from mailer.outbox import batches, manifest
from mailer.outbox.ahead import compose_ahead
from mailer.outbox.office import Office
from mailer.outbox.running import drain


def rehearse(office: Office) -> None:
    """Compose a batch and leave everything as it was.

    A worker sends for weeks: what it reads and compiles once (templates, the catalogue, statements) is not measured.
    """
    now = office.now()
    with office.engine.connect() as connection:  # which is closed without a commit
        lease = batches.take(connection, owner="rehearsal", terms=office.terms, now=now)
        if lease is not None:
            spans = {"give_up_after": office.give_up_after, "send_within": office.send_within}
            occasion = manifest.begin(connection, lease, **spans, now=now)
            compose_ahead(office.composer, occasion, manifest.letters(connection, lease)[:1])


def main() -> None:
    logs.configure(debug=False)  # as `utskick worker` does; standard output belongs to the bench
    folder, database, port, connections, *dkim = sys.argv[1:]
    app = Installation(Path(folder), database, signs=bool(dkim)).app(port=int(port), connections=int(connections))
    office = app.office()
    # Its part of the connections from the first letter on: workers share out anew when one comes, not for each mailing.
    office = replace(office, carriers=[replace(carrier, counted=None) for carrier in office.carriers])
    rehearse(office)
    collect_rarely()
    give_way()
    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        work_when_told(lambda: runner.run(drain(office)))


if __name__ == "__main__":
    main()
