"""Whom a rule means, in numbers and in words."""

import pytest

from mailer import db
from mailer.campaigns import audience, segments
from mailer.campaigns.audience import About
from mailer.campaigns.faults import WrongText
from mailer.campaigns.people import unpacked
from mailer.campaigns.rules import Rule
from mailer.errors import Mistake
from mailer.events import answers
from mailer.events.attendance import Answer, Wish
from mailer.events.models import Event
from subscribers.errors import Refused
from subscribers.models import Ground, State
from tests.builders import MOMENT
from tests.mailer.campaigns.conftest import Town
from tests.mailer.campaigns.letters import a_file


def proposal(town: Town, front: str):
    town.write(text=a_file(front=front))
    return town.look()


@pytest.fixture
def people(town: Town) -> dict[str, int]:
    found = {
        "city": town.member("stockholm", "school"),
        "bromma": town.member("bromma", "care"),
        "kista": town.member("kista", language="en"),
        "nowhere": town.member("", "school"),
    }
    town.change_member(found["kista"], ground=Ground.SUPPORTER)
    return found


@pytest.mark.parametrize(
    ("front", "expected"),
    [
        ("", {"city", "bromma", "kista", "nowhere"}),
        ("districts = 'stockholm'", {"city", "bromma", "kista"}),
        ("districts = 'Stockholm'\nsub_districts = false", {"city"}),
        ("topics = 'school'", {"city", "kista", "nowhere"}),
        ("topics = 'Om care'", {"bromma", "kista"}),
        ("languages = 'en'", {"kista"}),
        ("ground = 'supporter'", {"kista"}),
        ("districts = 'bromma'\n[[audience.include]]\nlanguages = 'en'", {"bromma", "kista"}),
        ("[[audience.exclude]]\ndistricts = 'bromma'\n[[audience.exclude]]\nlanguages = 'en'", {"city", "nowhere"}),
        ("[[audience.exclude]]\ndistricts = 'stockholm'\nlanguages = 'en'", {"city", "bromma", "nowhere"}),
    ],
)
def test_a_rule_means_those_whom_it_describes(town: Town, people: dict[str, int], front: str, expected: set[str]):
    town.write(text=a_file(front=f"[audience]\n{front}"))
    town.approve()

    assert set(unpacked(town.campaign().people)) == {people[name] for name in expected}


def test_each_exclusion_says_what_it_removed_and_who_may_not_be_written_to_is_out(town: Town, people: dict[str, int]):
    town.change_member(people["nowhere"], state=State.LEFT)
    town.change_member(people["city"], address=None, address_key=None)
    seen = proposal(
        town, "[[audience.exclude]]\nlanguages = 'en'\n[[audience.exclude]]\ndistricts = ['kista', 'bromma']"
    )

    counted = seen.counted
    assert (counted.matching, counted.excluded, counted.not_allowed) == (3, (1, 1), 1)
    assert (counted.members, counted.mails) == (0, 0)
    assert seen.exclusions("en")[0] == ("who read in English", 1)


def test_a_named_member_is_out_when_they_may_not_be_written_to(town: Town, people: dict[str, int]):
    town.change_member(people["city"], state=State.LEFT)
    town.write(text=a_file(front=f"[audience]\nmembers = ['id:{people['city']}', 'id:{people['kista']}']"))
    town.approve()

    assert set(unpacked(town.campaign().people)) == {people["kista"]}


def test_an_audience_is_said_in_both_languages(town: Town, people: dict[str, int]):
    del people
    with db.writing(town.engine) as session:
        rule = Rule.model_validate({"districts": "kista", "exclude": [{"ground": "supporter"}]})
        segments.add(session, "norr", rule, who="anna", now=MOMENT)
    seen = proposal(
        town,
        "[audience]\ndistricts = ['bromma', 'farsta']\ntopics = 'school'\nground = 'member'\n"
        "[[audience.include]]\nsegment = 'norr'\n[[audience.exclude]]\nmembers = ['1', '2']\nlanguages = ['sv', 'en']",
    )

    assert seen.in_words("en") == (
        "Everyone who gets The weekly letter: who chose Bromma or Farsta, or what lies inside; who follow School, or"
        " all topics; who are members. Also: who are in the segment norr (who chose Kista, or what lies inside."
        " But not: who are supporters). But not: who read in Swedish or English; 2 members who are named."
    )
    assert seen.in_words("sv") == (
        "Alla som får Veckobrevet: som har valt Bromma eller Farsta eller något som ligger däri; som följer Om school,"
        " eller alla ämnen; som är medlemmar. Dessutom: som ingår i segmentet norr (som har valt Kista eller något som"
        " ligger däri. Men inte: som är stödjare). Men inte: som läser på svenska eller engelska; 2 medlemmar som är"
        " namngivna."
    )


def test_a_segment_means_what_it_says_when_the_letter_is_approved(town: Town, people: dict[str, int]):
    with db.writing(town.engine) as session:
        segments.add(session, "norr", Rule.model_validate({"districts": "kista"}), who="anna", now=MOMENT)
    town.write(text=a_file(front="[audience]\nsegment = 'norr'"))
    town.approve()
    with db.writing(town.engine) as session:
        segments.add(session, "norr", Rule.model_validate({"districts": "bromma"}), who="anna", now=MOMENT)

    assert set(unpacked(town.campaign().people)) == {people["kista"]}
    assert town.look().counted.members == 1


@pytest.mark.parametrize(
    ("table", "words"),
    [
        ({"segment": "norr"}, "not of other segments"),
        ({"answers": "yes"}, "no segment holds them"),
        ({}, "Say who is in the segment"),
    ],
)
def test_a_segment_holds_what_every_letter_can_use(town: Town, table: dict[str, str], words: str):
    with db.writing(town.engine) as session, pytest.raises(Mistake, match=words):
        segments.add(session, "syd", Rule.model_validate(table), who="anna", now=MOMENT)


def test_answers_are_for_letters_about_that_event_only(town: Town, people: dict[str, int]):
    number = town.event()
    with db.writing(town.engine) as session:
        event = session.get_one(Event, number)
        for name, answer in (("city", Answer.YES), ("bromma", Answer.NO), ("kista", Answer.MAYBE)):
            answers.give(session, event, people[name], Wish(answer), now=MOMENT)
    about = f"event = '{number}'\n"

    town.write(text=a_file(front=f"{about}[audience]\nanswers = ['yes', 'maybe']"))
    seen = town.approve()
    assert set(unpacked(town.campaign().people)) == {people["city"], people["kista"]}
    assert "who answered yes or maybe to Första maj" in seen.in_words("en")
    town.write("tack", text=a_file(front=f"{about}[[audience.exclude]]\nanswers = 'no'"))
    assert town.look("tack").counted.excluded == (1,)
    with pytest.raises(WrongText, match="by a letter about that event only"):
        town.write("annat", text=a_file(front="[audience]\nanswers = 'yes'"))


@pytest.mark.parametrize(
    ("front", "line", "words"),
    [
        ("[audience]\ndistricts = 'broma'", 5, "Did you mean bromma"),
        ("[audience]\ntopics = 'skool'", 5, "Did you mean school"),
        ("[audience]\nsegment = 'norr'", 5, "There is no segment norr"),
        ("[[audience.exclude]]\nmembers = 'id:999'", 5, "There is no member"),
    ],
)
def test_a_name_that_is_not_there_is_named_with_its_line(town: Town, front: str, line: int, words: str):
    with pytest.raises(WrongText, match=f"brev.md, line {line}, ") as error:
        town.write(text=a_file(front=front))

    assert words in str(error.value)


def test_without_a_file_the_sentence_alone_is_said(town: Town):
    with db.reading(town.engine) as session, pytest.raises(Refused, match=r"^There is no district broma"):
        audience.normalised(session, Rule.model_validate({"districts": "broma"}), About())


def test_what_somebody_opened_or_followed_cannot_be_asked_for():
    offered = set(Rule.model_fields) - {"include", "exclude"}

    assert offered == {
        *("districts", "sub_districts", "topics", "languages", "ground", "segment", "members", "answers"),
    }


@pytest.mark.parametrize(
    ("table", "districts"),
    [
        ({}, None),
        ({"districts": "bromma, kista"}, {"bromma", "kista"}),
        ({"segment": "norr"}, {"kista"}),
        ({"segment": "alla"}, None),
        ({"districts": "bromma", "include": [{"segment": "norr"}]}, {"bromma", "kista"}),
        ({"districts": "bromma", "include": [{"languages": "en"}]}, None),
        ({"topics": "care", "exclude": [{"districts": "bromma"}]}, None),
    ],
)
def test_the_districts_that_hold_everybody_are_known(table: dict[str, object], districts: set[str] | None):
    named = {"norr": Rule.model_validate({"districts": "kista"}), "alla": Rule.model_validate({"ground": "member"})}

    assert Rule.model_validate(table).districts_of_all(named) == districts
