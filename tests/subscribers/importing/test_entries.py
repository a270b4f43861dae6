from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from subscribers.importing.entries import Entry, Evidence, Fault, parse, reference
from subscribers.importing.line import Line
from subscribers.models import Ground

KNOWN = reference([("bromma", "Bromma"), ("hagersten-alvsjo", "Hägersten-Älvsjö")], [("skola", "Skola", "School")])


def read(**cells: str) -> Entry | Fault:
    """Read one line that has these fields; without a number it is number 1's."""
    cells = {"number": "1"} | cells
    return parse(Line(7, tuple(cells.values())), {field: at for at, field in enumerate(cells)}, len(cells), KNOWN)


def entry(**cells: str) -> Entry:
    found = read(**cells)
    assert isinstance(found, Entry)
    return found


def reason(**cells: str) -> str:
    found = read(**cells)
    assert isinstance(found, Fault)
    assert found.note.line == 7
    return found.note.sentence.format(**found.note.values)


def remarks(found: Entry) -> list[str]:
    return [note.sentence.format(**note.values) for note in found.notes]


@pytest.mark.parametrize("whole", ["Anna Maria Berg", "Berg, Anna Maria", "  Berg ,  Anna  Maria "])
def test_a_whole_name_is_parted_into_given_and_family_name(whole: str):
    assert (entry(name=whole).given_name, entry(name=whole).family_name) == ("Anna Maria", "Berg")


def test_one_word_is_a_given_name():
    assert (entry(name="Anna").given_name, entry(name="Anna").family_name) == ("Anna", "")


def test_what_no_column_says_is_not_said_and_an_empty_cell_says_none():
    assert entry().address is None
    assert entry(address="").address == ""
    assert entry().districts is None
    assert entry(districts="").districts == frozenset()


@pytest.mark.parametrize("said", ["Bromma, Hägersten-Älvsjö", "bromma|HÄGERSTEN-ÄLVSJÖ", "hagersten-alvsjo; Bromma;"])
def test_districts_are_known_by_name_or_slug(said: str):
    assert entry(districts=said).districts == {"bromma", "hagersten-alvsjo"}


def test_an_unknown_district_is_remarked_and_the_rest_of_the_line_counts():
    found = entry(districts="Bromma, Brommma", topics="School")

    assert (found.districts, found.topics) == ({"bromma"}, {"skola"})
    assert remarks(found) == ["There is no district Brommma. Did you mean bromma?"]


def test_what_is_like_no_district_and_no_topic_gets_no_guess():
    found = entry(districts="Kiruna", topics="Fotboll, Skolan")

    assert remarks(found) == [
        "There is no district Kiruna.",
        "There is no topic Fotboll.",
        "There is no topic Skolan. Did you mean skola?",
    ]


def test_a_cell_of_nothing_but_unknown_names_takes_nothing_away():
    assert entry(districts="Brommma").districts is None


@pytest.mark.parametrize(("said", "language"), [("Svenska", "sv"), ("EN", "en"), ("", None)])
def test_a_language_is_known_by_code_or_name(said: str, language: str | None):
    assert entry(language=said).language == language


def test_a_language_we_do_not_write_is_remarked():
    assert remarks(entry(language="suomi")) == ["The language suomi is not one we write in."]


def test_supporters_bring_their_proof():
    found = entry(ground="Supporter", evidence="Blankett 14", evidence_at="2023-05-01")

    assert found.ground is Ground.SUPPORTER
    assert found.evidence == Evidence("Blankett 14", datetime(2023, 5, 1, tzinfo=UTC))


@pytest.mark.parametrize("cells", [{"evidence": "Nej"}, {"evidence": ""}, {"evidence_at": ""}, {}])
def test_a_no_is_no_proof(cells: dict[str, str]):
    assert entry(**cells).evidence is None


@pytest.mark.parametrize(("said", "left"), [("Aktiv", False), ("", False), ("Utträdd", True), ("left", True)])
def test_a_state_says_who_left(said: str, left: bool):  # noqa: FBT001  # the verdict
    assert entry(state=said).left is left


@pytest.mark.parametrize(
    ("cells", "sentence"),
    [
        ({"number": "", "address": ""}, "neither a member number nor an address"),
        ({"address": "anna"}, "no @"),
        ({"number": "850101-1236"}, "personal identity number"),
        ({"given_name": "An\x1bna"}, "character that cannot be read"),
        ({"given_name": "An\N{REPLACEMENT CHARACTER}na"}, "character that cannot be read"),
        ({"given_name": "x" * 201}, "longer than 200"),
        ({"ground": "hedersmedlem"}, "The ground hedersmedlem is unknown"),
        ({"state": "betald"}, "The state betald is unknown"),
    ],
)
def test_a_line_that_cannot_be_a_member_says_why(cells: dict[str, str], sentence: str):
    assert sentence in reason(**cells)


def test_a_refused_line_still_says_whose_it_is():
    found = read(number="1", address="anna")

    assert isinstance(found, Fault)
    assert found.number_key == entry(number="1").number_key


def test_cells_beyond_the_headings_mean_that_the_columns_slipped():
    slipped = parse(Line(7, ("1", "Berg", "Anna")), {"number": 0, "family_name": 1}, 2, KNOWN)

    assert isinstance(slipped, Fault)
    assert "slipped" in slipped.note.sentence


def test_a_short_line_has_empty_cells_at_its_end():
    found = parse(Line(7, ("1",)), {"number": 0, "address": 1}, 2, KNOWN)

    assert isinstance(found, Entry)
    assert found.address == ""


FIELDS = ["number", "address", "name", "language", "districts", "plain_only", "ground", "evidence_at", "state"]


@given(st.fixed_dictionaries({field: st.text(max_size=30) for field in FIELDS}))
def test_any_cells_are_an_entry_or_refused(cells: dict[str, str]):
    found = read(**cells)

    if isinstance(found, Fault):
        assert found.note.sentence.format(**found.note.values)
    else:
        assert found.number_key or found.address_key
