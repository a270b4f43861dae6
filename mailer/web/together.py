"""What many ask for at once, done in one transaction: each is answered after its commit, and waits for one disk write.

Whoever comes while a group is being written joins the next one. So nobody waits for company, and a rush makes the
groups larger instead of the queue longer.
"""

import asyncio
from collections.abc import Callable, Sequence
from typing import Generic, TypeVar

from starlette.concurrency import run_in_threadpool

Asked = TypeVar("Asked")
Answer = TypeVar("Answer")

MOST = 200  # in one transaction: some milliseconds for whoever writes beside us


class Together(Generic[Asked, Answer]):
    """Belongs to one event loop; what it gathers is carried out in a thread, one group at a time."""

    def __init__(self) -> None:
        self._waiting: list[tuple[Asked, asyncio.Future[Answer]]] = []
        self._task: asyncio.Task[None] | None = None

    async def ask(self, asked: Asked, carry_out: Callable[[Sequence[Asked]], Sequence[Answer]]) -> Answer:
        """Return the answer to `asked` when it is committed. raises what `carry_out` does for it alone

        carry_out  does all that it is given or nothing, and returns the answers in their order
        """
        answer: asyncio.Future[Answer] = asyncio.get_running_loop().create_future()
        self._waiting.append((asked, answer))
        if self._task is None:
            # A task of its own: one who hangs up must not end it for the others.
            self._task = asyncio.create_task(self._work(carry_out))
        return await answer

    async def _work(self, carry_out: Callable[[Sequence[Asked]], Sequence[Answer]]) -> None:
        while self._waiting:
            group, self._waiting = self._waiting[:MOST], self._waiting[MOST:]
            if not await _done(group, carry_out) and len(group) > 1:
                for one in group:  # one of them is to blame: the others must not suffer for it
                    await _done([one], carry_out)
        self._task = None


async def _done(
    group: Sequence[tuple[Asked, asyncio.Future[Answer]]], carry_out: Callable[[Sequence[Asked]], Sequence[Answer]]
) -> bool:
    """Carry out a group and answer it. Returns whether that went well; of one that is alone the error is its answer."""
    try:
        answers = await run_in_threadpool(carry_out, [asked for asked, _ in group])
    except Exception as error:  # noqa: BLE001  whoever asked gets it
        if len(group) == 1 and not group[0][1].done():
            group[0][1].set_exception(error)
        return False
    for (_, future), answer in zip(group, answers, strict=True):
        if not future.done():  # whoever asked may have hung up
            future.set_result(answer)
    return True
