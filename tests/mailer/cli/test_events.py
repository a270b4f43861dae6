import json
from pathlib import Path

import pytest

from mailer.cli.frame import account
from mailer.resources import resource
from tests.mailer.cli.conftest import Run

EXAMPLE = resource("examples") / "evenemang.toml"
MEETING = ("title=Möte", "starts=2099-05-01 13:00", "ends=2099-05-01 14:00", "place=Torget")


def shown(run: Run, *arguments: object) -> list[dict[str, object]]:
    status, out, _ = run("events", *arguments, "--json")
    assert status == 0
    rows: list[dict[str, object]] = json.loads(out)
    return rows


def test_the_examples_are_brought_in_once_and_listed_by_their_time(run: Run):
    assert "evenemang: 3 new, 0 changed, 0 unchanged." in run("events", "import", EXAMPLE)[2]
    assert "0 new, 0 changed, 3 unchanged." in run("events", "import", EXAMPLE)[2]

    rows = shown(run, "list", "--all")

    assert [row["key"] for row in rows] == ["forsta-maj-fika-bromma-2027", "forsta-maj-2027", "sommarkampanj-2027"]
    assert rows[1]["starts_at"] == "2027-05-01T13:00:00+02:00"
    assert [row["districts"] for row in shown(run, "list", "--all", "--district", "Bromma")] == [["bromma"]]
    out = run("events", "show", "sommarkampanj-2027")[1]
    assert "2027-07-03 14:00-16:00 @ Skärholmstorget: 4" in out


def test_a_change_of_place_is_a_revision_that_a_later_import_leaves_alone(run: Run):
    run("events", "import", EXAMPLE)

    assert run("events", "edit", "forsta-maj-2027", "place=Humlegården", "text=Nytt")[0] == 0
    assert "0 new, 0 changed, 3 unchanged." in run("events", "import", EXAMPLE)[2]

    [whole] = shown(run, "show", "forsta-maj-2027")
    assert whole["entry"]["state"] == "changed"  # type: ignore[index]  # a JSON object
    history = whole["history"]
    assert [(one["sequence"], one["place"]) for one in history] == [(0, "Norra Bantorget"), (1, "Humlegården")]  # type: ignore[attr-defined]  # a JSON array
    assert whole["locked"] == ["place", "text"]


def test_an_event_is_written_cancelled_and_taken_up_again(run: Run):
    status, out, _ = run("events", "add", *MEETING)
    assert (status, out) == (0, "1 2099-05-01-mote\n")
    assert run("events", "add", *MEETING)[0] == 2

    assert "called off" in run("events", "cancel", "1")[2]
    assert "as it was" in run("events", "cancel", "1")[2]
    assert "[called off]" in run("events", "list")[1]
    assert "planned" in run("events", "cancel", "1", "--off")[2]
    assert [row["sequence"] for row in shown(run, "list")] == [2]


def test_an_edit_that_says_nothing_new_is_no_revision(run: Run):
    run("events", "add", *MEETING)

    assert "as it was" in run("events", "edit", "1", "place=Torget")[2]
    assert [row["sequence"] for row in shown(run, "list")] == [0]


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (("add", "title=Möte"), "starts"),
        (("add", *MEETING, "districts=brooma"), "Did you mean bromma"),
        (("edit", "7", "place=x"), "no event 7"),
        (("edit", "9" * 30, "place=x"), "no event"),
        (("import", "nowhere.toml"), "no file"),
        (("import", str(EXAMPLE), "--source", "own"), "choose another"),
    ],
)
def test_a_mistake_is_one_sentence_and_nothing_is_done(run: Run, arguments: tuple[str, ...], words: str):
    status, _, told = run("events", *arguments)

    assert status == 2
    assert words in told
    assert told.count("\n") == 1
    assert shown(run, "list", "--all") == []


def test_a_calendar_is_brought_in_and_what_it_cannot_take_is_named(run: Run, tmp_path: Path):
    lines = [
        "BEGIN:VCALENDAR", "VERSION:2.0", "PRODID:-//x//y",
        "BEGIN:VEVENT", "UID:a@x", "DTSTAMP:20270101T000000Z", "DTSTART:20990501T130000", "SUMMARY:Ett", "END:VEVENT",
        "BEGIN:VEVENT", "UID:b@x", "DTSTAMP:20270101T000000Z", "DTSTART:20990501T130000", "SUMMARY:Varje vecka",
        "RRULE:FREQ=WEEKLY", "END:VEVENT",
        "END:VCALENDAR", "",
    ]  # fmt: skip
    path = tmp_path / "granne.ics"
    path.write_text("\r\n".join(lines), encoding="utf-8")

    status, _, told = run("events", "import", path)

    assert status == 1
    assert "Varje vecka was not taken: it recurs" in told
    assert [(row["key"], row["title"]) for row in shown(run, "list")] == [("a@x", "Ett")]
    assert run("events", "edit", "a@x", "place=Här")[0] == 0

    # Whoever knows a UID does not take over what another source brought.
    assert "event 1 of granne" in run("events", "import", path, "--source", "annan")[2]
    assert [row["source"] for row in shown(run, "list")] == ["granne"]


def test_a_file_changes_only_what_it_says_otherwise_and_can_cancel(run: Run, tmp_path: Path):
    path = tmp_path / "moten.toml"
    text = '[mote]\ntitle = "Möte"\nstarts = "2099-05-01 13:00"\nends = "2099-05-01 14:00"\n'
    path.write_text(text + 'shifts = ["13:00-14:00 @ A: 1"]\n', encoding="utf-8")
    run("events", "import", path)

    path.write_text(text + 'shifts = ["13:00-14:00 @ A: 2"]\ncancelled = true\n', encoding="utf-8")

    assert "1 changed" in run("events", "import", path)[2]
    [whole] = shown(run, "show", "mote")
    assert whole["entry"]["state"] == "cancelled"  # type: ignore[index]  # a JSON object
    assert whole["history"][1]["changed"] == ["shifts", "state"]  # type: ignore[index]  # a JSON array
    assert whole["said"]["shifts"] == ["2099-05-01 13:00-14:00 @ A: 2"]  # type: ignore[index]  # a JSON object


def test_a_ladder_shows_what_will_go_when_and_a_step_can_be_sent_before_its_time(
    run: Run, monkeypatch: pytest.MonkeyPatch
):
    run("events", "add", *MEETING)
    monkeypatch.setenv("UTSKICK_EVENTS__PUBLICATION", "")
    assert "name a publication in [events]" in run("events", "ladder", "1")[2]
    monkeypatch.setenv("UTSKICK_EVENTS__PUBLICATION", "weekly")

    rungs = shown(run, "ladder", "1")

    assert [(rung["step"], rung["at"], rung["state"]) for rung in rungs] == [
        ("invitation-14d-before", "2099-04-17T18:00:00+02:00", "to come"),
        ("reminder-3d-before", "2099-04-28T18:00:00+02:00", "to come"),
        ("reminder-on-the-day", "2099-05-01T08:00:00+02:00", "to come"),
        ("thanks-1d-after", "2099-05-02T18:00:00+02:00", "to come"),
    ]
    assert "goes to 0 members" in run("events", "ladder", "1", "--send", "reminder-3d-before")[2]
    assert "has been sent" in run("events", "ladder", "1", "--send", "reminder-3d-before")[2]
    assert "has no step" in run("events", "ladder", "1", "--send", "reminder")[2]
    assert "2099-04-17 18:00  invitation-14d-before         0  to come" in run("events", "ladder", "1")[1]


OPERATOR = """
[operators.siv]
name = "Siv Lind"
address = "siv@kansli.example.org"
districts = ["bromma"]
accounts = ["%s"]
"""


def test_an_operator_changes_events_of_their_districts_only(run: Run, tmp_path: Path):
    config = tmp_path / "config.toml"
    before = config.read_text(encoding="utf-8")
    assert run("events", "add", *MEETING)[0] == 0
    config.write_text(before + OPERATOR % account(), encoding="utf-8")

    assert run("events", "add", "title=Eget", *MEETING[1:], "districts=bromma")[0] == 0
    assert run("events", "edit", "2", "place=Parken")[0] == 0
    for refused in (
        ("add", "title=Nytt", *MEETING[1:]),
        ("add", "title=Nytt", *MEETING[1:], "districts=solna"),
        ("edit", "2", "districts=solna"),
        ("edit", "1", "districts=bromma"),
        ("cancel", "1"),
        ("import", EXAMPLE),
    ):
        status, _, told = run("events", *refused)
        assert (status, "Siv Lind may change events in bromma only" in told) == (2, True), refused
    listed = {row["title"]: (row["districts"], row["state"]) for row in shown(run, "list", "--all")}
    assert listed == {"Möte": ([], "planned"), "Eget": (["bromma"], "changed")}

    config.write_text(before + OPERATOR % "somebody-else", encoding="utf-8")
    assert "is no operator" in run("events", "cancel", "2")[2]
