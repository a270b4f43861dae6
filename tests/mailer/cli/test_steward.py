"""The list for whoever stands at the door: on the terminal, as a file, on paper."""

import csv
import io
import json
import os
import stat
from datetime import timedelta
from pathlib import Path

import pytest

from mailer.app import App, Places
from mailer.clock import system_clock
from mailer.events import answers, book, shifts
from mailer.events.attendance import Answer, Wish
from tests.mailer.cli.conftest import Run

REGISTER = """Medlemsnummer;E-post;Förnamn;Efternamn
1;anna@example.org;Anna;Öberg
2;bo@example.org;Bo;Ahl
3;cilla@example.org;=HYPERLINK("x");Ek
4;dan@example.org;<b>Dan</b>;Dahl
"""


@pytest.fixture
def event(run: Run, tmp_path: Path) -> str:
    (tmp_path / "members.csv").write_text(REGISTER, encoding="utf-8")
    run("members", "import", tmp_path / "members.csv")
    day = f"{system_clock() + timedelta(days=30):%Y-%m-%d}"
    run("events", "add", "title=Fika & flygblad", f"starts={day} 13:00", f"ends={day} 16:00", "capacity=3",
        f"shifts={day} 14:00-16:00 @ Torget: 2")  # fmt: skip
    app = App.load(Places.of(tmp_path / "config.toml", None, {}), os.environ)
    with app.writing() as session:
        found = book.find_event(session, "1")
        for member, wish in (
            (1, Wish(Answer.YES, 2)),
            (2, Wish(Answer.YES)),
            (3, Wish(Answer.MAYBE)),
        ):
            answers.give(session, found, member, wish, now=app.now())
        number = shifts.posts(session, 1)[0].id
        for member in (2, 4):
            shifts.take(session, found, number, member, now=app.now())
    app.close()
    return "1"


def test_the_list_says_who_comes_who_waits_and_who_has_which_shift(run: Run, event: str):
    status, out, _ = run("events", "people", event, "--json")

    assert status == 0
    rows = json.loads(out)
    assert [(row["id"], row["answer"], row["companions"]) for row in rows] == [
        (1, "yes", 2),
        (4, "has a shift", 0),
        (2, "waiting", 0),
        (3, "maybe", 0),
    ]
    assert [len(row["shifts"]) for row in rows] == [0, 1, 1, 0]
    assert "Torget" in rows[2]["shifts"][0]
    assert "example.org" not in out
    assert "Öberg" in run("events", "people", event)[1]


def test_the_event_is_shown_with_how_many_come(run: Run, event: str):
    assert "coming 3, waiting 1, maybe 1, no 0" in run("events", "show", event)[1]
    [whole] = json.loads(run("events", "show", event, "--json")[1])
    assert whole["answers"] == {"coming": 3, "waiting": 1, "maybe": 1, "no": 0}


def test_reading_it_is_noted_in_the_diary(run: Run, event: str):
    run("events", "people", event)

    entry = json.loads(run("members", "diary", "--json")[1])[0]
    assert (entry["what"], entry["count"]) == ("event", 4)


def test_a_file_for_a_spreadsheet_carries_nothing_out_and_is_for_this_account_alone(
    run: Run, event: str, tmp_path: Path
):
    file = tmp_path / "people.csv"

    assert run("events", "people", event, "--csv", file)[:2] == (0, "")

    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    rows = list(csv.reader(io.StringIO(file.read_text(encoding="utf-8-sig")), delimiter=";"))
    assert len(rows) == 5
    assert rows[1][:5] == ["1", "Anna", "Öberg", "yes", "2"]
    assert [row[1] for row in rows if row[0] == "3"] == ['\'=HYPERLINK("x")']
    status, _, err = run("events", "people", event, "--csv", file)
    assert status == 2
    assert "name another" in err


def test_a_page_to_print_has_every_name_once_per_list_and_a_box_to_tick(run: Run, event: str, tmp_path: Path):
    page = tmp_path / "people.html"

    assert run("events", "people", event, "--page", page)[0] == 0

    text = page.read_text(encoding="utf-8")
    assert "<h1>Fika &amp; flygblad</h1>" in text
    assert "Torget (2/2)" in text
    assert "Coming (3)" in text
    assert "On the waiting list (1)" in text
    assert "&lt;b&gt;Dan&lt;/b&gt; Dahl" in text
    assert "<script" not in text
    assert "http" not in text
    assert "example.org" not in text


def test_an_event_that_is_not_there_is_a_mistake(run: Run):
    assert run("events", "people", "99")[0] == 2
