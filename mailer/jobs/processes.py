"""Keeps worker processes running: starts them, starts one again that fell, lets all of them finish when told to."""

import subprocess
import threading
import time
from collections.abc import Sequence
from dataclasses import dataclass

import structlog

log = structlog.get_logger()

REST_AFTER_FALL = 5.0  # seconds, so that a worker that cannot start does not spin
DRAIN_WITHIN = 660.0  # seconds: longer than the final dot may take to be answered (RFC 5321 section 4.5.3.2.6)


@dataclass
class _Slot:
    process: subprocess.Popen[bytes]
    fell_at: float | None = None


class Workers:
    """`size` processes of `command`. Watched from a thread of its own; `stop` sends SIGTERM and waits."""

    def __init__(self, command: Sequence[str], size: int, *, rest: float = REST_AFTER_FALL) -> None:
        self._command = command
        self._rest = rest
        self._stopping = threading.Event()
        self._slots = [_Slot(self._start()) for _ in range(size)]
        self._watcher = threading.Thread(target=self._watch, name="workers", daemon=True)
        self._watcher.start()

    def _start(self) -> subprocess.Popen[bytes]:
        # A session of its own: Ctrl-C at the terminal reaches us alone, and we let the workers drain.
        # The pipe is their tether: when we are killed it closes, and they finish by themselves.
        return subprocess.Popen(self._command, stdin=subprocess.PIPE, start_new_session=True)  # noqa: S603  # our own

    def _watch(self) -> None:
        while not self._stopping.wait(0.5):
            for slot in self._slots:
                self._look_after(slot)

    def _look_after(self, slot: _Slot) -> None:
        if slot.process.poll() is None:
            return
        if slot.fell_at is None:
            slot.fell_at = time.monotonic()
            log.warning("worker fell", pid=slot.process.pid, status=slot.process.returncode)
        elif time.monotonic() - slot.fell_at >= self._rest:
            _untie(slot.process)
            slot.process, slot.fell_at = self._start(), None

    def stop(self) -> None:
        """Tell every worker to finish what it has begun, and wait for that."""
        self._stopping.set()
        self._watcher.join()
        running = [slot.process for slot in self._slots if slot.process.poll() is None]
        for process in running:
            process.terminate()
        until = time.monotonic() + DRAIN_WITHIN
        for process in running:
            try:
                process.wait(max(0.0, until - time.monotonic()))
            except subprocess.TimeoutExpired:
                log.warning("worker did not finish in time", pid=process.pid)
                process.kill()
                process.wait()
        for slot in self._slots:
            _untie(slot.process)


def _untie(process: subprocess.Popen[bytes]) -> None:
    if process.stdin:
        process.stdin.close()
