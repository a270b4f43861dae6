"""One run: workers send to a sink while one affliction after another, drawn by a seed, comes over them."""

import random
import signal
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from multiprocessing.context import ForkServerProcess
from pathlib import Path

from mailer.outbox.pauses import LONGEST
from tests.chaos import processes
from tests.chaos.ledger import Account, faults
from tests.chaos.site import CONNECTIONS, Site
from tests.postgres import Cluster
from tests.waiting import wait_until

WORKERS = 3
PATIENCE = 240.0  # seconds: a deadline, never a measure
ROUND = 1.0  # seconds after which the next affliction comes although little was sent
AGAIN = 0.25  # seconds after which what was put off is brought forward again: a bad-tempered sink puts off most
TICK = 0.02


@dataclass
class Tally:
    """What was done, and how many uncertain deliveries it explains.

    unheard  requests whose answer nobody may have heard: one per connection, whoever had them
    lost     what leases had not settled whose journal cannot tell: lost, torn inside, of another boot, or not asked
    busy     of the kills, workers that had letters in hand
    waits    seconds that each `outbox pause` and `cancel` took while all workers were alive and at work, start included
    """

    kills: int = 0
    busy: int = 0
    unheard: int = 0
    lost: int = 0
    waits: list[float] = field(default_factory=list, repr=False)
    afflictions: list[str] = field(default_factory=list, repr=False)

    def killed(self, workers: int) -> None:
        self.kills += workers
        self.unheard += CONNECTIONS if workers else 0

    @property
    def bound(self) -> int:
        return self.unheard + self.lost


class Siege:
    """What afflictions work on. `cluster` is the PostgreSQL it runs on, if it does."""

    def __init__(self, site: Site, seed: str, cluster: Cluster | None, say: Callable[[str], None]) -> None:
        self.site = site
        self.cluster = cluster
        self.chance = random.Random(seed)  # noqa: S311  replayable
        self.tally = Tally()
        self.say = say
        self.workers: list[ForkServerProcess] = []
        self.troubled_until = 0.0  # on the monotonic clock: workers wait out a trouble, and acknowledge nothing yet
        self._seed = seed
        self._sinks = 0
        self.log = site.folder / "log"
        self.set_temper(0.0)
        self.start_sink()
        wait_until((site.post / "port").exists)
        port = (site.post / "port").read_text()
        site.environ |= {"UTSKICK_PROVIDERS__SMTP__HOST": "127.0.0.1", "UTSKICK_PROVIDERS__SMTP__PORT": port}

    def set_temper(self, wickedness: float) -> None:
        beginning = self.site.post / "temper.new"
        beginning.write_text(str(wickedness))
        beginning.rename(self.site.post / "temper")

    def start_sink(self) -> None:
        self._sinks += 1
        self.sink = processes.start_sink(self.site.post, f"{self._seed}:{self._sinks}")

    def start(self, *arguments: str, **environ: str) -> ForkServerProcess:
        """Run `utskick ARGUMENTS`, with `environ` on top of the site's."""
        return processes.start([*arguments, *self.site.arguments], self.site.environ | environ, self.log)

    def command(self, *arguments: str) -> bool:
        """Run `utskick ARGUMENTS` to its end; return whether it did what it was told."""
        process = self.start(*arguments)
        process.join(PATIENCE)
        assert process.exitcode is not None, f"This did not end: {arguments}"
        return process.exitcode == 0

    def fill_up(self, **environ: str) -> None:
        """Let WORKERS be at work, those that ended or were killed replaced."""
        self.workers = [worker for worker in self.workers if worker.is_alive()]
        self.workers += [self.start("worker", **environ) for _ in range(WORKERS - len(self.workers))]
        wait_until(lambda: all(map(self.at_work, self.workers)))

    def at_work(self, worker: ForkServerProcess) -> bool:
        assert worker.is_alive(), "A worker fell that nobody had pushed."
        return any(self.site.journals.glob(f"*{owner_of(worker)}*.journal"))

    def let_work(self) -> None:
        """Let some letters be sent; with a bad-tempered sink it may be none."""
        if self.site.waiting() < len(self.site.members) // 3:
            self.site.plan()
        goal = self.site.accepted() + self.chance.randint(1, 40)
        until = time.monotonic() + ROUND
        while time.monotonic() < until:
            self.site.bring_forward()
            if self._reach(goal, min(until, time.monotonic() + AGAIN)):
                return

    def watch(self) -> None:
        """Wait for some letters to be accepted, and touch nothing meanwhile."""
        self._reach(self.site.accepted() + self.chance.randint(1, 40), time.monotonic() + ROUND)

    def _reach(self, goal: int, until: float) -> bool:
        while self.site.accepted() < goal:
            if time.monotonic() >= until:
                return False
            time.sleep(TICK)
        return True

    def trouble(self) -> None:
        """Note that the workers have just met a trouble that they wait out."""
        self.troubled_until = time.monotonic() + LONGEST + ROUND

    @property
    def listening(self) -> bool:
        """Whether all who hold letters are alive and at work."""
        return self.settled and time.monotonic() > self.troubled_until

    @property
    def settled(self) -> bool:
        """Whether nothing is left of workers that are gone: no journal, and no batch in their name."""
        left = [*self.site.holders(), *(path.name for path in self.journals())]
        return all(any(owner_of(worker) in name for worker in self.workers) for name in left)

    def settle(self) -> None:
        wait_until(lambda: self.settled, patience=PATIENCE)

    def journals(self) -> list[Path]:
        return list(self.site.journals.glob("*.journal"))

    def a_worker(self) -> ForkServerProcess:
        return self.chance.choice(self.workers)

    def kill(self, workers: Sequence[ForkServerProcess]) -> None:
        """Kill -9 to some workers at once."""
        holders = self.site.holders()
        self.tally.busy += sum(any(owner_of(worker) in holder for holder in holders) for worker in workers)
        for worker in workers:
            worker.kill()
        for worker in workers:
            worker.join()
        self.workers = [worker for worker in self.workers if worker not in workers]
        self.tally.killed(len(workers))

    def finish(self) -> None:
        """Let everything that is left be sent to a friendly sink, and every worker end in good order."""
        self.set_temper(0.0)
        until = time.monotonic() + PATIENCE
        while self.site.unfinished() and time.monotonic() < until:
            self.stop_gently()
            self.site.bring_forward()
            self.fill_up()
            wait_until(lambda: not self.site.waiting())
        self.stop_gently()

    def stop_gently(self) -> None:
        for worker in self.workers:
            worker.terminate()
        for worker in self.workers:
            self.see_off(worker)
        self.workers = []

    def see_off(self, worker: ForkServerProcess) -> None:
        """Wait for a worker that was told to stop, and see what it leaves: nothing."""
        worker.join(PATIENCE)
        # One that is told before it listens to signals is ended by this one: it has done nothing yet.
        assert worker.exitcode in {0, -signal.SIGTERM}, f"A worker that was told to stop ended with {worker.exitcode}."
        owner = owner_of(worker)
        assert not self.site.leased(owner), "A worker that was told to stop left a batch leased."
        assert not list(self.site.journals.glob(f"*{owner}*")), "A worker that was told to stop left a journal."

    def faults(self) -> list[str]:
        found = faults(self.account())
        return found + [f"The journal {path.name} was left behind." for path in self.journals()]

    def account(self) -> Account:
        return self.site.account(bound=self.tally.bound)

    def close(self) -> None:
        for process in (*self.workers, self.sink):
            processes.kill(process)


def owner_of(worker: ForkServerProcess) -> str:
    """Return the part of a worker's name that is its process."""
    return f"-{worker.pid}-"


@contextmanager
def besieged(
    folder: Path, seed: str, *, members: int, cluster: Cluster | None, say: Callable[[str], None]
) -> Iterator[Siege]:
    """An installation in `folder`, ready to work; `say` is told what happens, a line at a time.

    Everything that was started is gone afterwards.
    """
    site = Site(folder, members=members, cluster=cluster)
    try:
        siege = Siege(site, seed, cluster, say)
        try:
            yield siege
        finally:
            siege.close()
    finally:
        site.close()
