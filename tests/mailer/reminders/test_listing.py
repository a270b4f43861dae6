from mailer import db
from mailer.events.attendance import Answer
from mailer.reminders.listing import Rung, ladder
from mailer.reminders.plan import Planner
from tests.mailer.digest.conftest import LINKS
from tests.mailer.reminders.conftest import Rally, at


def test_a_ladder_says_what_went_to_how_many_and_what_will_as_of_now(rally: Rally):
    yes, no, late = rally.reader(), rally.reader(), rally.reader(since=at("04-18 12:00"))
    rally.event()
    rally.answer(yes, Answer.YES)
    rally.answer(no, Answer.NO)
    rally.ring(at("04-17 18:00"))
    rally.edit(at("04-29 12:00"), starts="2027-05-01 07:00")  # the morning's reminder comes too late now

    now = at("04-28 12:00")
    with db.reading(rally.engine) as session:
        rungs = ladder(session, Planner(rally.engine, rally.settings, LINKS, now), 1, lambda _: [])

    assert late
    assert rungs == [
        Rung(
            "invitation-14d-before",
            "event:1:invitation-14d-before",
            at("04-17 18:00"),
            "done",
            0,
            0,
            {"said yes": 1, "said no": 1, "joined since": 1},
        ),
        Rung("reminder-3d-before", None, at("04-28 18:00"), "to come", 2, 0, {"said no": 1}),
        Rung("reminder-on-the-day", None, at("05-01 08:00"), "skipped", 0, 0, {}),
        Rung("thanks-1d-after", None, at("05-02 18:00"), "to come", 1, 0, {"said no": 1, "did not say yes": 1}),
    ]
