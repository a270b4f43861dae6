"""A progress bar on stderr, where a person is watching."""

import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from rich.console import Console
from rich.progress import Progress, TaskID

from mailer.i18n import _


@contextmanager
def progress_bar() -> Iterator[Callable[[str, int, int | None], None]]:
    """Yield what a long job tells its step, how much is done and of how much; silent where stderr is no terminal."""
    if not sys.stderr.isatty():
        yield lambda _step, _done, _total: None
        return
    with Progress(console=Console(stderr=True), transient=True) as bar:
        tasks: dict[str, TaskID] = {}

        def tell(step: str, done: int, total: int | None) -> None:
            if step not in tasks:
                tasks[step] = bar.add_task(_(step))
            bar.update(tasks[step], completed=done, total=total)

        yield tell
