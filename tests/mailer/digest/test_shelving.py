"""What stands in the archive of an edition: what a reader of each district would have got, issue after issue."""

from collections.abc import Callable
from datetime import timedelta
from functools import partial

import pytest

from mailer import db
from mailer.config import Settings
from mailer.config.members import Retention
from mailer.digest import corrections
from mailer.digest.editions import mailing_of
from mailer.digest.models import Edition
from mailer.digest.sending import Press, plan_edition
from mailer.members import retention
from tests.builders import MOMENT
from tests.mailer.digest.conftest import LINKS, City

WEEK = timedelta(weeks=1)


def shown(city: City, mailing: int, language: str = "sv") -> dict[str, list[str]]:
    """Return the titles that stand there by district."""
    rows = city.rows(
        "SELECT a.district, v.content FROM archived a JOIN variant v ON v.id = a.variant_id"  # noqa: S608  ours
        f" WHERE a.mailing_id = {mailing} AND a.language = '{language}'"
    )
    return {str(district): city.titles(mailing, str(content)) for district, content in rows}


def test_each_district_gets_its_own_news_and_that_for_everyone(city: City):
    city.member("bromma")
    for title, districts in (("Bron", "bromma"), ("Torget", "farsta"), ("Budget", ""), ("Staden", "stockholm")):
        city.news(title, districts)

    city.send()

    for language in ("sv", "en"):
        stands = shown(city, 1, language)
        assert {slug: set(titles) for slug, titles in stands.items()} == {
            "": {"Budget", "Staden"},
            "stockholm": {"Budget", "Staden"},
            "bromma": {"Bron", "Budget", "Staden"},
            "farsta": {"Torget", "Budget", "Staden"},
            "kista": {"Budget", "Staden"},
        }


def test_no_issue_repeats_an_earlier_one_whatever_the_members_had(city: City):
    city.member("bromma", since=MOMENT - timedelta(days=1))
    city.news("Bron", "bromma")
    city.send()
    city.settle()
    city.news("Torget", "bromma", published_at=MOMENT + timedelta(days=1))

    city.send(MOMENT + WEEK)

    assert shown(city, 2) == {"bromma": ["Torget"]}


def test_nobody_in_particular_stands_behind_it_and_all_deliveries_are_members(city: City):
    city.member("bromma", "school")
    city.news("Bron", "bromma")
    city.news("Vården", "bromma", "care")

    planned = city.send()

    assert (planned.candidates, planned.variants) == (1, 1)
    assert city.rows("SELECT DISTINCT member_id FROM delivery") == [(1,)]
    assert set(shown(city, 1)["bromma"]) == {"Bron", "Vården"}


def test_what_is_planned_again_stands_there_once(city: City):
    city.member("bromma")
    city.news("Bron", "bromma")
    number = city.approved()
    with db.writing(city.engine) as session:
        mailing = mailing_of(session, session.get_one(Edition, number))
    plan_edition(Press(city.engine, city.settings, LINKS), number, MOMENT)
    with db.writing(city.engine) as session:
        mailing = mailing_of(session, session.get_one(Edition, number))
        mailing.plan, mailing.state = None, "approved"

    plan_edition(Press(city.engine, city.settings, LINKS), number, MOMENT)

    assert shown(city, 1) == {"bromma": ["Bron"]}


def test_a_corrected_edition_stands_there_with_the_new_words(city: City):
    city.member("bromma")
    city.news("Mötet är på tisdag", "bromma")
    city.news("Torget", "farsta")  # which nobody got
    city.send()
    city.settle()
    city.change(1, title="Mötet är på onsdag")
    city.change(2, hidden=True)

    corrections.correct(city.engine, city.settings, LINKS, city.edition(), note="Fel dag.", now=MOMENT)

    assert shown(city, 1) == {"bromma": ["Mötet är på onsdag"]}
    rows = city.rows("SELECT DISTINCT title, corrected_at IS NOT NULL FROM archived WHERE mailing_id = 1")
    assert [(title, bool(corrected)) for title, corrected in rows] == [("Mötet är på onsdag", True)]


@pytest.mark.parametrize("who", ["none", "members", "public"])
def test_config_says_whether_there_is_one(city: City, who: str):
    weekly = city.settings.publications["weekly"].model_copy(update={"archive": who})
    city.settings = city.settings.model_copy(update={"publications": {"weekly": weekly}})
    city.member("bromma")
    city.news("Bron", "bromma")

    city.send()

    assert bool(city.rows("SELECT * FROM archived")) is (who != "none")


def test_with_one_content_for_all_every_district_shows_it(city: City, with_digest: Callable[..., Settings]):
    city.settings = with_digest(same_for_everyone=True)
    city.member("bromma")
    city.news("Bron", "bromma")

    city.send()

    assert shown(city, 1) == {slug: ["Bron"] for slug in ("", "stockholm", "bromma", "farsta", "kista")}


def test_what_letters_are_put_together_from_goes_when_the_archive_shows_none_of_them_any_more(city: City):
    city.member("bromma")
    city.news("Bron", "bromma")
    city.send()
    city.settle()

    def left_after(days: int) -> list[tuple[object, ...]]:
        later = MOMENT + timedelta(days=days, hours=1)
        retention.run(partial(db.writing, city.engine), Retention(), later)
        return city.rows("SELECT content <> '' FROM piece")

    assert [bool(there) for (there,) in left_after(400)] == [True]
    assert left_after(1095) == []
    assert {content for (content,) in city.rows("SELECT content FROM variant")} == {""}
