"""How well bounces are read: `make bench-bounces CORPUS=FOLDER`.

FOLDER has mail/NAME.eml, expected.json (NAME -> [{"reason", "hard", ...}], one entry per recipient) and
not-bounces/*.eml, of which nothing may be read.
"""

import json
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from time import process_time
from typing import Any

from mailer.feedback.causes import Verdict, verdict_of
from mailer.feedback.reading import Kind, Reading, read

_KINDS = {"feedback": Kind.COMPLAINT, "vacation": Kind.AUTO_REPLY}


@dataclass
class Score:
    mails: int = 0
    recognised: int = 0
    hard: int = 0
    hard_found: int = 0
    false_hard: int = 0
    labelled: int = 0
    changed_by_line_ends: int = 0
    seconds: float = 0.0
    misses: list[str] = field(default_factory=list)

    def add(self, name: str, expected: Sequence[Mapping[str, Any]], reading: Reading) -> None:
        """Compare what was read with what the corpus says, recipient by recipient in their order."""
        self.mails += 1
        kind = _KINDS.get(expected[0]["reason"], Kind.BOUNCE)
        self.recognised += reading.kind is kind
        if reading.kind is not kind:
            self.misses.append(f"{name}: is {kind}, read as {reading.kind}")
        for place, one in enumerate(expected):
            report = reading.reports[place] if place < len(reading.reports) else None
            hard = report is not None and verdict_of(report.cause) is Verdict.HARD
            self.labelled += 1
            self.hard += one["hard"]
            self.hard_found += hard and one["hard"]
            self.false_hard += hard and not one["hard"]
            if hard != one["hard"]:
                said = f"{report.cause}: {report.status} {report.reply} {report.words[:160]}" if report else "nothing"
                self.misses.append(f"{name}: {one['reason']} {one['status']}, read as {said}")


def measure(corpus: Path) -> Score:
    score = Score()
    expected = json.loads((corpus / "expected.json").read_text(encoding="utf-8"))
    for name, entries in expected.items():
        octets = (corpus / "mail" / f"{name}.eml").read_bytes()
        began = process_time()
        reading = read(octets)
        score.seconds += process_time() - began
        score.add(name, entries, reading)
        lines = octets.replace(b"\r\n", b"\n").replace(b"\r", b"\n")
        if not reading == read(lines) == read(lines.replace(b"\n", b"\r\n")) == read(lines.replace(b"\n", b"\r")):
            score.changed_by_line_ends += 1
    for path in sorted((corpus / "not-bounces").glob("*.eml")):
        reading = read(path.read_bytes())
        score.mails += 1
        score.recognised += reading.kind is Kind.OTHER
        if reading.reports:
            score.misses.append(f"{path.name}: no bounce, read as {reading.reports}")
    return score


def main(corpus: Path) -> None:
    score = measure(corpus)
    for miss in score.misses:
        print(f"  {miss}")
    print(f"recognised as what they are   {score.recognised / score.mails:7.1%} of {score.mails}")
    print(f"hard bounces found            {score.hard_found / max(score.hard, 1):7.1%} of {score.hard}")
    print(f"called hard and are not       {score.false_hard / max(score.labelled, 1):7.1%} of {score.labelled}")
    print(f"changed by their line ends    {score.changed_by_line_ends}")
    print(f"CPU per mail                  {score.seconds / max(score.mails, 1) * 1000:7.2f} ms")


if __name__ == "__main__":
    main(Path(sys.argv[1]))
