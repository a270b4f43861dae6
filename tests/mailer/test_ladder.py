from datetime import time

import pytest
from pydantic import ValidationError

from mailer.config.events import Events
from mailer.ladder import Step, read_step


@pytest.mark.parametrize(
    ("line", "step", "name"),
    [
        ("invitation 14 days before at 18:00", Step("invitation", -14, time(18)), "invitation-14d-before"),
        ("reminder 1 day before at 08:30", Step("reminder", -1, time(8, 30)), "reminder-1d-before"),
        ("reminder on the day at 08:00", Step("reminder", 0, time(8)), "reminder-on-the-day"),
        ("reminder 2 hours before", Step("reminder", hours=2), "reminder-2h-before"),
        ("details  1 day before at 18:00", Step("details", -1, time(18)), "details-1d-before"),
        ("thanks on the day at 21:00", Step("thanks", 0, time(21)), "thanks-on-the-day"),
        ("thanks 1 day after at 18:00", Step("thanks", 1, time(18)), "thanks-1d-after"),
    ],
)
def test_a_line_is_a_step(line: str, step: Step, name: str):
    assert read_step(line) == step
    assert step.name == name


@pytest.mark.parametrize(
    "line",
    [
        "",
        "reminder",
        "reminder 3 days before",
        "reminder 3 days before at 24:00",
        "reminder 3 days after at 18:00",
        "reminder 0 hours before",
        "thanks 1 day before at 18:00",
        "thanks 2 hours before",
        "greeting 1 day before at 18:00",
        "Reminder 3 days before at 18:00",
    ],
)
def test_what_is_no_step_is_refused_with_examples_of_what_is(line: str):
    with pytest.raises(ValueError, match=r"before at 18:00|thanks come after"):
        read_step(line)


def test_of_one_letter_there_is_one_step_a_day_because_it_is_known_by_that():
    with pytest.raises(ValidationError, match="twice for one day"):
        Events(ladders={"rally": ("reminder on the day at 08:00", "reminder on the day at 12:00")})


def test_a_kind_without_a_ladder_has_the_usual_one_and_an_empty_ladder_is_none():
    events = Events(publication="events", ladders={"event": ("reminder 1 day before at 18:00",), "meeting": ()})

    assert [step.name for step in events.ladder("rally")] == ["reminder-1d-before"]
    assert events.ladder("meeting") == ()
    usual = Events(publication="events")
    assert usual.ladder("rally") == usual.ladder("event") != ()


def test_without_a_publication_there_is_no_ladder():
    assert Events().ladder("rally") == ()
