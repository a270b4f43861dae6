import json
from collections.abc import Callable
from datetime import date, timedelta

import pytest
import sqlalchemy as sa

from mailer import db
from mailer.config import Settings
from mailer.digest.contents import expand
from mailer.digest.sending import Press, plan_edition
from mailer.outbox.models import DeliveryState, MailingState
from subscribers.models import Cadence
from tests.builders import MOMENT
from tests.mailer.digest.conftest import LINKS, City

KEY = "weekly:2024-W10"
WEEK = timedelta(weeks=1)


def test_each_gets_what_concerns_them_and_the_rest_no_mail(city: City):
    anna, bo, cia = city.member("bromma"), city.member("farsta", "school"), city.member("kista", "care")
    local = city.news("Bron", "bromma")
    school = city.news("Skolan", "stockholm", "school")

    planned = city.send()

    assert city.told(KEY) == {anna: {local, school}, bo: {school}}
    assert (planned.readers, planned.silent, planned.candidates, planned.variants) == (3, 1, 2, 2)
    assert cia not in city.told(KEY)
    assert city.rows("SELECT state, candidates FROM mailing") == [("planned", 2)]


def test_members_with_the_same_content_share_a_variant_whatever_they_chose(city: City):
    for chosen in ("kista", "farsta", "kista stockholm"):
        city.member(chosen)
    city.news("Budget")

    assert city.send().variants == 1


def test_language_and_plain_text_and_letterhead_set_variants_apart(city: City):
    city.member("farsta")
    city.member("farsta", language="en")
    city.member("farsta", plain_only=True)
    city.member("bromma")
    city.member("farsta", language="fi")
    city.news("Budget")

    city.send()

    rows = city.rows(
        "SELECT language, plain_only, content FROM variant WHERE id IN (SELECT variant_id FROM delivery) ORDER BY id"
    )
    assert [(language, plain, json.loads(content)["letterhead"]) for language, plain, content in rows] == [
        ("sv", 0, None),
        ("en", 0, None),
        ("sv", 1, None),
        ("sv", 0, "bromma"),
    ]


def test_over_editions_nobody_gets_a_story_twice_also_as_another_telling(city: City):
    anna = city.member("bromma")
    first = city.news("Bron")
    city.send()
    city.settle()
    city.news("Bron igen", story_id=first, published_at=MOMENT + timedelta(days=1))
    new = city.news("Nytt", published_at=MOMENT + timedelta(days=2))

    city.send(MOMENT + WEEK)

    assert city.told("weekly:2024-W11") == {anna: {new}}


def test_tellings_found_to_be_one_story_after_the_first_was_sent_count_as_had(city: City):
    city.member()
    earlier = city.news("Beslut", published_at=MOMENT - timedelta(days=2), expires_at=MOMENT - timedelta(days=1))
    told = city.news("Beslutet")
    city.send()
    city.settle()
    city.change(told, story_id=earlier)
    city.news("Om beslutet", story_id=earlier)

    assert city.send(MOMENT + WEEK).candidates == 0


@pytest.mark.parametrize(
    ("state", "again"),
    [
        (DeliveryState.QUEUED, False),
        (DeliveryState.SENT, False),
        (DeliveryState.UNCERTAIN, False),
        (DeliveryState.FAILED, True),
        (DeliveryState.CANCELLED, True),
    ],
)
def test_what_did_not_arrive_may_be_told_again(city: City, state: DeliveryState, again: bool):  # noqa: FBT001  a row of the table
    city.member()
    city.news("Bron")
    city.send()
    city.settle(state)

    assert city.send(MOMENT + WEEK).candidates == again


def test_what_did_not_fit_comes_in_the_next_edition(city: City, with_digest: Callable[..., Settings]):
    city.settings = with_digest(at_most=1)
    anna = city.member()
    older, newer = city.news("Ett", published_at=MOMENT - timedelta(days=3)), city.news("Två")
    city.send()
    city.settle()
    city.send(MOMENT + WEEK)

    assert [city.told(key) for key in (KEY, "weekly:2024-W11")] == [{anna: {newer}}, {anna: {older}}]


def test_a_household_gets_one_mail_side_by_side_with_what_neither_has_had(city: City):
    anna = city.member("bromma", address="home@example.org")
    city.member("farsta")
    first = city.news("Bron", "bromma")
    city.send()
    city.settle()
    bo = city.member("farsta", address="home@example.org")
    second = city.news("Torget", "farsta", published_at=MOMENT + timedelta(days=1))

    city.send(MOMENT + WEEK)

    assert first not in city.told("weekly:2024-W11")[bo]
    assert city.told("weekly:2024-W11")[anna] == {second}
    rows = city.rows("SELECT member_id, household FROM delivery WHERE mailing_id = 2 ORDER BY id")
    at = rows.index((anna, anna))
    assert rows[at + 1] == (bo, anna)


def test_a_monthly_reader_is_written_to_once_in_a_calendar_month(city: City):
    anna = city.member(cadence=Cadence.MONTHLY)
    for week in range(5):  # sent on 7, 14, 21, 28 March and 4 April
        now = MOMENT + week * WEEK
        city.news(f"Nyhet {week}", published_at=now - timedelta(days=1))
        city.send(now)
        city.settle()

    told = [sorted(city.told(f"weekly:2024-W{week}").get(anna, ())) for week in range(10, 15)]
    assert told == [[1], [], [], [], [2, 3, 4, 5]]


def test_a_paused_member_hears_nothing_until_the_pause_is_over(city: City):
    anna = city.member(paused_until=date(2024, 3, 8))
    item = city.news("Bron")

    assert city.send().candidates == 0
    city.send(MOMENT + WEEK)
    assert city.told("weekly:2024-W11") == {anna: {item}}


def test_one_content_for_all_goes_to_everybody_alike(city: City, with_digest: Callable[..., Settings]):
    city.member("bromma", "school")
    city.member("farsta")
    city.news("Bron", "bromma")
    city.news("Vården", "", "care")
    city.settings = with_digest(same_for_everyone=True)

    planned = city.send()

    assert (planned.candidates, planned.variants) == (2, 1)


def test_the_same_input_gives_the_same_variants_in_the_same_order(city: City):
    for number in range(30):
        city.member(("bromma", "farsta kista", "")[number % 3], ("school", "")[number % 2])
    for number in range(12):
        city.news(f"Nyhet {number}", ("bromma", "kista", "")[number % 3], ("care", "school", "")[number % 3])
    look = (
        "SELECT v.content, v.language, d.member_id, d.household FROM delivery d"
        " JOIN variant v ON v.id = d.variant_id ORDER BY d.id"
    )
    city.send()
    first = city.rows(look)

    with db.writing(city.engine) as session:
        for table in ("batch", "delivery", "archived", "variant_story", "variant", "piece", "edition", "mailing"):
            session.execute(sa.text(f"DELETE FROM {table}"))  # noqa: S608  names of our own
    city.send()

    assert city.rows(look) == first


def test_the_frozen_edition_reads_as_the_letter_expects(city: City):
    city.member("bromma", "school", language="en")
    city.news("Bron", "bromma", body="Ett stycke.\n\nEtt till.", url="https://www.example.org/bron")
    city.news("Skolan", "", "school", important=True, image="a.png", image_alt="En skola", image_width=600)
    city.send()
    content = json.loads(city.rows("SELECT content FROM mailing")[0][0])
    pieces = {ref: json.loads(piece) for ref, piece in city.rows("SELECT ref, content FROM piece")}
    variant = json.loads(city.rows("SELECT content FROM variant")[0][0])

    letter = expand(content, pieces, variant, "en")

    assert letter == {
        "edition": "2024-W10",
        "subject": None,
        "intro": None,
        "correction": None,
        "events": [],
        "newcomers": [],
        "sections": [
            {
                "heading_kind": "lead",
                "name": None,
                "items": [
                    {
                        "item": 2,
                        "title": "Skolan",
                        "language": "sv",
                        "paragraphs": ["Den byggs i år."],
                        "teaser": "Den byggs i år.",
                        "url": "https://news.example.org/n/2",
                        "source_name": "Exempelpartiet i Stockholm",
                        "published": date(2024, 3, 3),
                        "image": {
                            "url": "https://news.example.org/i/a.png",
                            "alt": "En skola",
                            "width": 600,
                            "height": None,
                        },
                        "reason": {"kind": "topic", "name": "School"},
                        "important": True,
                    }
                ],
            },
            {
                "heading_kind": "district",
                "name": "Bromma",
                "items": [
                    {
                        "item": 1,
                        "title": "Bron",
                        "language": "sv",
                        "paragraphs": ["Ett stycke.", "Ett till."],
                        "teaser": "Ett stycke.",
                        "url": "https://www.example.org/bron",
                        "source_name": "example.org",
                        "published": date(2024, 3, 3),
                        "image": None,
                        "reason": {"kind": "district", "name": "Bromma"},
                        "important": False,
                    }
                ],
            },
        ],
    }


def test_planning_asks_as_many_questions_for_many_members_as_for_few(city: City):
    for number in range(60):
        city.member("bromma" if number % 2 else "farsta")
    city.news("Bron", "bromma")
    city.send()
    city.settle()
    city.news("Torget", "farsta", published_at=MOMENT + timedelta(days=1))
    number = city.approved(MOMENT + WEEK)
    asked: list[str] = []
    sa.event.listen(city.engine, "before_cursor_execute", lambda *given: asked.append(given[2]))

    plan_edition(Press(city.engine, city.settings, LINKS), number, MOMENT + WEEK)

    assert len(asked) <= 68


def test_an_edition_with_nothing_for_anyone_is_done_at_once(city: City):
    city.member()
    city.send()

    assert city.rows("SELECT state, candidates FROM mailing") == [(MailingState.DONE.value, 0)]
