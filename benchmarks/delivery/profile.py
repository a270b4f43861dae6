"""Where a worker's time goes: one worker sends 20,000 letters under py-spy, and the shares are drawn.

python -m benchmarks.delivery.profile SINK PICTURE.svg
"""

import subprocess
import sys
import tempfile
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from html import escape
from pathlib import Path

from benchmarks.delivery.servers import minimal_sink
from benchmarks.delivery.stores import Sqlite

MESSAGES = 20_000
_RATE = 200  # samples a second

# The first whose mark stands in a sample's stack has it; the rest is waiting, starting and ending.
PARTS: Mapping[str, str] = {
    "Wire.write ": "31 kB into the socket",
    "Journal.": "journal: intents and answers",
    "Permission.": "may it still be sent?",
    "Composer.prepare ": "rendering a content, once for all its readers",
    "compose_ahead ": "composing: what each reader has of their own",
    "Ready.message ": "composing: one join a letter",
    "Message.content ": "composing: one join a letter",
    "Desk.settle ": "judging the answer",
    "Desk.hand_in ": "judging the answer",
    "Clerk.lease ": "database: fetching a batch, opening its names",
    "Clerk.": "database: writing outcomes",
    "Crew._hand_over ": "envelopes and the desk",
    "Wire.data_received ": "replies",
}
_WIDTH, _ROW, _TEXT = 780, 26, 370  # pixels of the picture, a row of it, and the words on the left


def main() -> None:
    program, picture = sys.argv[1:]
    shares = list(weigh(record(Path(program))))
    Path(picture).write_text(draw(shares), encoding="utf-8")
    for part, share in shares:
        print(f"{share:6.1%}  {part}")


def record(program: Path) -> list[str]:
    """Return py-spy's stacks, each with how often it was seen: "frame;frame;frame 12"."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        store = Sqlite(folder)
        store.build(MESSAGES)
        with store.fresh() as installation, minimal_sink(program).running() as port:
            where = [str(installation.folder), installation.database, str(port), "10"]
            spy = [
                str(Path(sys.executable).with_name("py-spy")),
                "record",
                "--format",
                "raw",
                "--rate",
                str(_RATE),
                "--output",
                str(folder / "stacks"),
                "--",
            ]
            worker = [sys.executable, "-m", "benchmarks.delivery.worker", *where]
            subprocess.run([*spy, *worker], input=b"go\n", check=True, capture_output=True)
        return (folder / "stacks").read_text(encoding="utf-8").splitlines()


def weigh(stacks: Iterable[str]) -> Iterator[tuple[str, float]]:
    """Yield each part's share of the samples that belong to any, the largest first."""
    seen: Counter[str] = Counter()
    for line in stacks:
        stack, _, count = line.rpartition(" ")
        part = next((part for mark, part in PARTS.items() if mark in stack), None)
        if part is not None:
            seen[part] += int(count)
    return ((part, count / seen.total()) for part, count in seen.most_common())


def draw(shares: Iterable[tuple[str, float]]) -> str:
    rows = list(shares)
    widest, height = rows[0][1], _ROW * len(rows) + 16
    room = _WIDTH - _TEXT - 70
    drawn = [
        f'<text x="{_TEXT - 12}" y="{at + 18}" text-anchor="end">{escape(part)}</text>'
        f'<rect x="{_TEXT}" y="{at + 4}" width="{max(1, share / widest * room):.0f}" height="18" fill="#0b5a6b"/>'
        f'<text x="{_TEXT + share / widest * room + 8:.0f}" y="{at + 18}">{share:.0%}</text>'
        for at, (part, share) in ((8 + _ROW * number, row) for number, row in enumerate(rows))
    ]
    return "\n".join(
        [
            f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {_WIDTH} {height}" role="img" font-size="14">',
            "<title>Where a worker's time goes</title>",
            "<style>text {font-family: sans-serif; fill: #1c2126}</style>",
            f'<rect width="{_WIDTH}" height="{height}" fill="#ffffff"/>',
            *drawn,
            "</svg>\n",
        ]
    )


if __name__ == "__main__":
    main()
