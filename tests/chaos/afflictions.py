"""What comes over an installation: one function each, and how often it is drawn.

Each leaves the siege as it may go on, and adds to the tally what it explains.
"""

import os
import signal
import time
import zlib
from collections.abc import Callable, Sequence
from contextlib import suppress
from datetime import timedelta
from resource import RLIM_INFINITY, RLIMIT_FSIZE, prlimit

import sqlalchemy as sa

from mailer import db
from mailer.errors import Trouble
from mailer.outbox.batches import Terms
from tests.chaos import processes
from tests.chaos.siege import Siege, owner_of
from tests.chaos.site import CONNECTIONS, LEASE, the_time
from tests.waiting import wait_until

Affliction = Callable[[Siege], None]
_RECORD = 32  # bytes of a journal that are certainly inside a record
_TIGHT = 8192  # bytes, which every file of a worker has soon
_TERMS = Terms(timedelta(seconds=LEASE))


def kill_a_worker(siege: Siege) -> None:
    """Kill -9 to one worker."""
    siege.kill([siege.a_worker()])


def kill_every_worker(siege: Siege) -> None:
    """Kill -9 to all workers at once."""
    siege.kill(siege.workers)


def kill_the_program(siege: Siege) -> None:
    """Kill -9 to `utskick run` and to the workers it has started, or to itself alone: then they finish and leave."""
    siege.site.environ["UTSKICK_WEB__PORT"] = str(processes.a_free_port())
    program = siege.start("run")
    wait_until(lambda: len(processes.children(program.pid or 0)) == 2)
    workers = processes.children(program.pid or 0)
    wait_until(lambda: all(list(siege.site.journals.glob(f"*-{pid}-*.journal")) for pid in workers))
    siege.let_work()
    processes.kill(program)
    siege.tally.kills += 1
    if siege.chance.random() < 0.5:
        processes.kill_all(workers)
        siege.tally.killed(len(workers))
    wait_until(lambda: not any(processes.is_running(pid) for pid in workers))


def stop_in_good_order(siege: Siege) -> None:
    """SIGTERM to all workers: they finish, leave no lease and no journal, and uncertain only what was not answered."""
    siege.settle()
    siege.stop_gently()
    uncertain, unanswered = siege.site.uncertain(), siege.site.unanswered()
    siege.fill_up()
    siege.let_work()
    siege.stop_gently()
    uncertain, unanswered = siege.site.uncertain() - uncertain, siege.site.unanswered() - unanswered
    assert uncertain <= unanswered, f"SIGTERM left {uncertain} deliveries uncertain; {unanswered} were not answered."


def stop_past_the_lease(siege: Siege) -> None:
    """SIGSTOP to a worker until its lease is over and others have taken what it held; then SIGCONT."""
    worker = siege.a_worker()
    pid, owner = worker.pid or 0, owner_of(worker)
    os.kill(pid, signal.SIGSTOP)
    if _writes(siege) and siege.site.leased(owner):
        siege.tally.lost += siege.site.unsettled(owner)
        time.sleep((_TERMS.lease + _TERMS.grace).total_seconds())
        heir = siege.start("worker")  # whoever starts looks for what others left
        wait_until(lambda: not siege.site.leased(owner))
        siege.workers.append(heir)
    os.kill(pid, signal.SIGCONT)


def cut_the_power(siege: Siege) -> None:
    """Everything stops; the last outcomes are not on disk, the journals are gone or of another boot."""
    since = the_time() - timedelta(seconds=siege.chance.uniform(0, 2))
    kill_every_worker(siege)
    siege.site.forget_since(since)
    siege.tally.lost += siege.site.unsettled()
    for journal in siege.site.journals.glob("*.journal"):
        if siege.chance.random() < 0.5:
            journal.unlink()
        else:
            octets = bytearray(journal.read_bytes())
            octets[8:44] = b"%036d" % siege.chance.randrange(10**36)
            octets[44:48] = zlib.crc32(octets[:44]).to_bytes(4, "little")
            journal.write_bytes(octets)


def tear_a_journal(siege: Siege) -> None:
    """Kill a worker; its journal then ends inside a record, is damaged in the middle, or is gone."""
    worker = siege.a_worker()
    owner = owner_of(worker)
    siege.kill([worker])
    for journal in siege.site.journals.glob(f"*{owner}*"):
        octets = bytearray(journal.read_bytes())
        match siege.chance.randrange(3):
            case 0:
                journal.write_bytes(octets + siege.chance.randbytes(siege.chance.randint(1, _RECORD - 1)))
                continue
            case 1:
                octets[siege.chance.randrange(len(octets))] ^= 0xFF
                journal.write_bytes(octets)
            case _:
                journal.unlink()
        siege.tally.lost += siege.site.unsettled(owner)


def fill_the_disk(siege: Siege) -> None:
    """No room for another byte, for a moment, on a small disk of its own."""
    siege.tally.unheard += CONNECTIONS  # what is answered meanwhile cannot be written down
    ballast = siege.site.folder / "data" / "ballast"
    with suppress(OSError), ballast.open("wb", buffering=0) as file:
        while True:
            file.write(b"\0" * 65536)
    siege.watch()
    ballast.unlink()
    siege.trouble()


def limit_the_files(siege: Siege) -> None:
    """No file of a worker may grow any more, for a moment: as a full disk, for whoever may not mount one."""
    siege.tally.unheard += CONNECTIONS
    for limit in (_TIGHT, RLIM_INFINITY):
        for worker in siege.workers:
            with suppress(ProcessLookupError):
                prlimit(worker.pid or 0, RLIMIT_FSIZE, (limit, RLIM_INFINITY))
        if limit == _TIGHT:
            siege.watch()
    siege.trouble()


def pause(siege: Siege) -> None:
    """`utskick outbox pause`: when it has returned, nothing of that mailing is accepted until it is resumed."""
    mailing = siege.site.busiest()
    if _stop(siege, mailing, "pause"):
        siege.fill_up()
        _see_nothing_accepted(siege, mailing)
        assert siege.command("outbox", "resume", siege.site.key(mailing)), "A mailing could not be resumed."


def cancel(siege: Siege) -> None:
    """`utskick outbox cancel`: when it has returned, nothing of that mailing is accepted any more."""
    mailing = siege.site.busiest()
    if _stop(siege, mailing, "cancel", "--yes"):
        siege.fill_up()
        _see_nothing_accepted(siege, mailing)


def stop_what_waits(siege: Siege) -> None:
    """Pause and cancel what workers have in hand and wait to send: their pace has no room for most of a minute."""
    siege.set_temper(0.0)
    siege.settle()
    siege.stop_gently()
    siege.fill_up(UTSKICK_PROVIDERS__SMTP__PACE__PER_MINUTE="3")
    for command in (("pause",), ("cancel", "--yes")):
        siege.site.plan()
        siege.let_work()
        wait_until(lambda: bool(siege.site.holders()))
        mailing = siege.site.busiest()
        if _stop(siege, mailing, *command):
            _see_nothing_accepted(siege, mailing)
            if command == ("pause",):
                assert siege.command("outbox", "resume", siege.site.key(mailing)), "A mailing could not be resumed."
    siege.stop_gently()


def _stop(siege: Siege, mailing: int, *command: str) -> bool:
    """Run the command that stops `mailing`; False when its last letter was faster."""
    listening, began = siege.listening, time.monotonic()
    done = siege.command("outbox", command[0], siege.site.key(mailing), *command[1:])
    if listening:
        siege.tally.waits.append(time.monotonic() - began)
        # A batch whose lease has ended stays leased until somebody notices; one that was let go is open.
        assert not siege.site.in_hand(mailing), f"The workers did not let go of a mailing when told to {command[0]}."
    assert done or mailing not in siege.site.unfinished(), f"A mailing could not be stopped by {command[0]}."
    return done


def _see_nothing_accepted(siege: Siege, mailing: int) -> None:
    before = siege.site.accepted(mailing)
    time.sleep(siege.chance.uniform(0.2, 0.8))
    assert siege.site.accepted(mailing) == before, "Something of a mailing was accepted after it had been stopped."


def restart_the_sink(siege: Siege) -> None:
    """The mail server is killed, is away for a moment, and comes back."""
    siege.tally.unheard += CONNECTIONS
    processes.kill(siege.sink)
    siege.let_work()
    siege.start_sink()


def kill_postgresql(siege: Siege) -> None:
    """Kill -9 to the server of the database; it comes back, and until then nothing can be written down."""
    assert siege.cluster is not None
    siege.tally.lost += siege.site.unsettled()  # where it takes longer than a lease
    siege.cluster.kill()
    siege.tally.kills += 1
    time.sleep(siege.chance.uniform(0, 1))
    siege.cluster.start()
    siege.trouble()


def change_the_temper(siege: Siege) -> None:
    """The mail server misbehaves: seldom, often, or not at all."""
    siege.set_temper(siege.chance.choice((0.0, 0.01, 0.05, 0.2)))


AFFLICTIONS: tuple[tuple[Affliction, int], ...] = (
    (kill_a_worker, 10),
    (kill_every_worker, 4),
    (kill_the_program, 1),
    (stop_in_good_order, 2),
    (stop_past_the_lease, 1),
    (cut_the_power, 2),
    (tear_a_journal, 3),
    (fill_the_disk, 1),
    (limit_the_files, 1),
    (pause, 2),
    (cancel, 1),
    (stop_what_waits, 1),
    (restart_the_sink, 2),
    (kill_postgresql, 2),
    (change_the_temper, 4),
)


def afflict(siege: Siege, *, kills: int) -> None:
    """Draw afflictions until `kills` processes were killed; each comes at least once."""
    possible = [each for each in AFFLICTIONS if _can_come(siege, each[0])]
    first = [affliction for affliction, _ in possible]
    siege.chance.shuffle(first)
    while first or siege.tally.kills < kills:
        siege.fill_up()
        siege.let_work()
        affliction = first.pop() if first else _draw(siege, possible)
        siege.tally.afflictions.append(affliction.__name__)
        siege.say(f"{siege.tally.kills:4} kills  {siege.site.accepted():6} accepted  {affliction.__name__}")
        affliction(siege)


def _can_come(siege: Siege, affliction: Affliction) -> bool:
    if affliction is kill_postgresql:
        return siege.cluster is not None
    return affliction is not fill_the_disk or siege.site.small_disk


def _draw(siege: Siege, possible: Sequence[tuple[Affliction, int]]) -> Affliction:
    functions, weights = zip(*possible, strict=True)
    drawn: Affliction = siege.chance.choices(functions, weights)[0]
    return drawn


def _writes(siege: Siege) -> bool:
    """Say whether others can write: a worker stopped inside its transaction holds them up, and no lease is given up."""
    try:
        with db.writing(siege.site.app.engine) as session:
            session.connection().execute(sa.text("SELECT 1"))
    except Trouble:
        return False
    return True
