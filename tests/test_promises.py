import re
from pathlib import Path

HERE = Path(__file__).parent
PROMISES = (HERE.parent / "docs" / "promises.md").read_text(encoding="utf-8")


def test_every_test_that_a_promise_names_is_there():
    named = re.findall(r"`([\w/]+\.py)(?:::(\w+))?`", PROMISES)

    assert len(named) > 40
    for path, test in named:
        if path.startswith("tests/"):
            continue
        source = (HERE / path).read_text(encoding="utf-8")
        assert f"def {test}(" in source or not test, f"{path}::{test}"


def test_every_promise_is_shown_or_says_not_yet():
    rows = [line.split("|")[1:3] for line in PROMISES.splitlines() if line.startswith("| ") and "**" not in line]

    for promise, shown in rows[1:]:
        assert "test_" in shown or "bench" in shown or "not yet" in shown, promise
