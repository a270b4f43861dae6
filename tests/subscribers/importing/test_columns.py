import pytest

from subscribers.errors import Refused
from subscribers.importing import columns
from subscribers.importing.identity import is_identity_number
from subscribers.importing.line import Line

SWEDISH = ("Medlemsnr.", "Förnamn", "Efternamn", "E-postadress", "Stadsdel", "Telefon")


@pytest.mark.parametrize(
    "header",
    [
        SWEDISH,
        ("Member number", "First name", "Last name", "E-mail", "District", "Phone"),
        tuple(map(str.upper, SWEDISH)),
    ],
)
def test_swedish_and_english_headings_are_recognised_and_others_not_read(header: tuple[str, ...]):
    assert columns.choose(header, {}) == {
        "number": 0,
        "given_name": 1,
        "family_name": 2,
        "address": 3,
        "districts": 4,
    }


def test_what_is_said_goes_before_what_is_recognised():
    header = ("Nr", "E-post", "E-post arbete", "Status")

    assert columns.choose(header, {"number": "nr", "address": "E-post arbete", "state": ""}) == {
        "number": 0,
        "address": 2,
    }


@pytest.mark.parametrize(
    ("said", "sentence"),
    [
        ({"shoe": "Nr"}, "no field shoe; there are: number, address"),
        ({"number": "Skostorlek"}, "no column Skostorlek; there are: Medlemsnr., Förnamn"),
        ({"number": "", "address": ""}, "--map address=HEADING"),
    ],
)
def test_a_mapping_that_cannot_be_says_what_can(said: dict[str, str], sentence: str):
    with pytest.raises(Refused, match=sentence):
        columns.choose(SWEDISH, said)


@pytest.mark.parametrize(
    "heading", ["Personnummer", "PNR", "Person-nr", "Personal ID number", "SSN", "Medlemmens personnr"]
)
def test_a_column_of_identity_numbers_is_refused_by_its_heading(heading: str):
    with pytest.raises(Refused, match="never read"):
        columns.choose((heading, "E-post"), {"number": heading})


def test_a_column_of_identity_numbers_is_refused_by_what_it_holds():
    rows = [Line(2, ("850101-1236",)), Line(3, ("19640823-3234",)), Line(4, ("77",))]

    with pytest.raises(Refused, match="Nummer holds personal identity"):
        columns.refuse_identity_numbers(("Nummer",), {"number": 0}, rows)
    columns.refuse_identity_numbers(("Nummer",), {"number": 0}, [Line(2, ("8501011236",)), *[Line(3, ("4711",))] * 2])


@pytest.mark.parametrize(
    ("text", "is_one"),
    [
        ("640823-3234", True),
        ("196408233234", True),
        ("640883-3231", True),  # a coordination number: the day and 60
        ("640823-3235", False),
        ("641323-3233", False),
        ("4711", False),
    ],
)
def test_an_identity_number_has_a_date_and_a_check_digit(text: str, is_one: bool):  # noqa: FBT001  # the verdict
    assert is_identity_number(text) is is_one


def test_headings_are_found_below_a_title():
    first = [Line(1, ("Medlemslista 2024",)), Line(3, ("Nr", "E-post")), Line(4, ("1", "a@example.org"))]

    assert columns.find_header(first) == 1


def test_a_file_without_headings_or_lines_is_refused():
    with pytest.raises(Refused, match="line of headings"):
        columns.find_header([Line(1, ("1", "a@example.org"))])
    with pytest.raises(Refused, match="no lines"):
        columns.find_header([])


def test_a_mapping_is_remembered_by_the_headings_in_their_order():
    assert columns.header_key(("Nr", "E-post")) == columns.header_key(("NR.", "e post"))
    assert columns.header_key(("Nr", "E-post")) != columns.header_key(("E-post", "Nr"))


def test_a_sentence_names_so_many_headings_as_a_person_reads():
    with pytest.raises(Refused) as refused:
        columns.choose([f"k{number}" for number in range(5000)] + ["x" * 5000], {})

    assert str(refused.value).endswith("k28, k29, ….")
