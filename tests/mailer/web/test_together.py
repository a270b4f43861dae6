"""Many who ask at once share a transaction, and each gets their own answer."""

import asyncio
import threading
from collections.abc import Sequence

import pytest

from mailer.web import together
from mailer.web.together import Together
from tests.waiting import PATIENCE


class Writer:
    """Carries out numbers; holds the first group back until all have asked."""

    def __init__(self, bad: int | None = None) -> None:
        self.groups: list[list[int]] = []
        self.begun, self.all_asked = threading.Event(), threading.Event()
        self._bad = bad

    def __call__(self, group: Sequence[int]) -> list[str]:
        self.groups.append(list(group))
        self.begun.set()
        assert self.all_asked.wait(PATIENCE)
        if self._bad in group:
            raise ValueError(f"{self._bad} is bad")
        return [f"done {number}" for number in group]


async def ask(writer: Writer, numbers: Sequence[int], hang_up: int | None = None) -> dict[int, object]:
    door: Together[int, str] = Together()
    tasks = {number: asyncio.create_task(door.ask(number, writer)) for number in numbers}
    await asyncio.to_thread(writer.begun.wait, PATIENCE)
    if hang_up is not None:
        tasks[hang_up].cancel()
    writer.all_asked.set()
    answers = await asyncio.gather(*tasks.values(), return_exceptions=True)
    return dict(zip(tasks, answers, strict=True))


def test_who_comes_while_one_is_written_shares_the_next_transaction():
    writer = Writer()

    answers = asyncio.run(ask(writer, range(5)))

    assert answers == {number: f"done {number}" for number in range(5)}
    assert sorted(number for group in writer.groups for number in group) == list(range(5))
    assert len(writer.groups) <= 2


def test_a_group_has_its_limit(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(together, "MOST", 2)
    writer = Writer()

    asyncio.run(ask(writer, range(5)))

    assert max(map(len, writer.groups)) == 2


def test_one_that_fails_fails_alone():
    writer = Writer(bad=3)

    answers = asyncio.run(ask(writer, range(5)))

    failed = answers.pop(3)
    assert isinstance(failed, ValueError)
    assert answers == {number: f"done {number}" for number in (0, 1, 2, 4)}


@pytest.mark.parametrize("gone", [0, 4])
def test_who_hangs_up_stops_nobody(gone: int):
    answers = asyncio.run(ask(Writer(), range(5), hang_up=gone))

    assert isinstance(answers.pop(gone), asyncio.CancelledError)
    assert set(answers.values()) == {f"done {number}" for number in range(5) if number != gone}
