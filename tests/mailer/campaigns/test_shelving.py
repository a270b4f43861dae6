"""What the archive shows of campaigns: what went to all who get a publication, and of no other that it was sent."""

from pathlib import Path

import pytest

from mailer import db
from mailer.campaigns.sending import send_now
from mailer.campaigns.shelving import issue_of
from mailer.outbox import archive
from mailer.outbox.archive import Entry, Place
from tests.builders import MOMENT
from tests.fakes import FakeProvider
from tests.mailer.campaigns.conftest import Town
from tests.mailer.campaigns.letters import a_file
from tests.mailer.outbox.posting import send

TWO = """\
+++
publication = "weekly"
subject = ["Följ med, {{ member.given_name | default('vän') }}", "Kom"]
+++
Hej!

+++ en
subject = ["Join us", "Come"]
+++
Hello!
"""


def sent(town: Town, folder: Path, text: str, name: str = "sommar") -> None:
    town.write(name, text)
    town.approve(name)
    send_now(town.post, name, MOMENT)
    send(town.office(folder, FakeProvider()))


def shelf(town: Town, district: str = "", language: str = "sv") -> list[Entry]:
    with db.reading(town.engine) as session:
        return archive.entries(session, Place("weekly", district, language), most=9)


def test_a_letter_to_all_stands_on_every_shelf_in_both_languages(town: Town, tmp_path: Path):
    town.member("bromma")
    sent(town, tmp_path, TWO)

    for district in ("", "bromma", "farsta"):
        [swedish], [english] = shelf(town, district), shelf(town, district, "en")
        assert (swedish.issue, swedish.title) == ("sommar", "Följ med, vän")
        assert (english.issue, english.title) == ("sommar", "Join us")
        assert swedish.variant != english.variant


def test_a_letter_in_one_language_is_what_readers_of_the_other_find_too(town: Town, tmp_path: Path):
    town.member("bromma")
    sent(town, tmp_path, a_file())

    assert [entry.title for entry in shelf(town, language="en")] == ["Följ med"]
    assert shelf(town)[0].variant == shelf(town, language="en")[0].variant


def test_nothing_stands_there_before_the_first_letter_goes(town: Town):
    town.member("bromma")
    town.write()
    town.approve()
    send_now(town.post, "sommar", MOMENT)

    assert shelf(town) == []


@pytest.mark.parametrize(
    "front",
    [
        "[audience]\ndistricts = 'bromma'",
        "[audience]\nlanguages = 'sv'",
        "[audience]\nground = 'member'",
        "[[audience.exclude]]\ndistricts = 'kista'",
        "archive = false",
    ],
)
def test_a_letter_to_fewer_or_that_says_so_stands_nowhere(town: Town, tmp_path: Path, front: str):
    town.member("bromma")
    sent(town, tmp_path, a_file(front=front))

    assert town.record().candidates == 1
    assert town.rows("SELECT count(*) FROM archived") == [(0,)]
    assert town.rows("SELECT count(*) FROM variant") == [(1,)]


def test_long_names_have_addresses_of_their_own():
    one, other = "a" * 64, "a" * 63 + "b"
    assert len(issue_of(one)) == 32
    assert issue_of(one) != issue_of(other)
    assert issue_of("sommar-2027") == "sommar-2027"
