"""What may be written, and that whatever is wrong is named with its line and column."""

from contextlib import suppress

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mailer.campaigns.content import compiled, digest_of, pictures_in
from mailer.campaigns.faults import Place, WrongText
from mailer.campaigns.markup import Json
from mailer.campaigns.plainly import in_plain_words
from mailer.campaigns.written import read
from tests.mailer.campaigns.letters import EVERYTHING, OURS, AnyThere, a_file, a_written, nodes

TWO = """\
+++
subject = ["Sommar", "Följ med"]
publication = "weekly"
+++
Hej!

+++ en
subject = ["Summer", "Join us"]
+++
Hello!
"""


def test_two_languages_stand_in_one_file_or_in_two():
    english = '+++ en\nsubject = ["Summer", "Join us"]\n+++\nHello!\n'
    one = read([("brev.md", TWO)], language="sv")
    two = read([("brev.md", TWO.partition("+++ en")[0]), ("brev.en.md", english)], language="sv")

    assert [text.language for text in one.texts] == ["sv", "en"]
    assert compiled(one, AnyThere(), OURS) == compiled(two, AnyThere(), OURS)


def test_every_block_becomes_a_node_of_its_own():
    kinds = [node["block"] for node in nodes(EVERYTHING)]

    assert kinds == [
        *("heading", "paragraph", "heading", "list", "list", "rule", "quote"),
        *("button", "event", "news", "image", "quote", "columns"),
    ]


def test_a_line_of_a_whole_block_may_be_ended_too():
    assert nodes("::: event maj\n:::\n\n::: columns\n::: event maj\n:::\n|||\nHej\n:::")[1]["columns"][0] == [
        {"block": "event", **AnyThere().event("maj", "sv", a_written().at("subject"))}
    ]


@pytest.mark.parametrize(
    ("body", "line", "column", "words"),
    [
        ("Hej\n{{ member.shoe_size }}", 7, 1, "There is no value member.shoe_size"),
        ("Hej du, {{ member.given_name }}!", 6, 9, "may be empty"),
        ("Hej {{ member.given_name | upper }}", 6, 5, "is written as it is"),
        ("Hej {% if x %}", 6, 5, "Only values stand in braces"),
        ("Hej {{ member.given_name", 6, 5, "Only values stand in braces"),
        ("{{ member.preferences }}", 6, 1, "is where a link leads"),
        ("Hej\n\n::: knapp https://example.org", 8, 5, "There is no block knapp"),
        ("::: button https://example.org\nHej", 6, 5, "does not end"),
        ("Hej\n:::", 7, 1, "none is open"),
        ("::: button nowhere\nHej\n:::", 6, 12, "is no web address"),
        ("::: button javascript:alert(1)\nHej\n:::", 6, 12, "is no web address"),
        ("::: button https://example.org\n:::", 6, 5, "A button needs words"),
        ("::: image torg.jpg\n:::", 6, 5, "A picture needs words"),
        ("::: columns\nett\n:::", 6, 5, "apart by one line"),
        ("::: columns\nett\n|||\n\n:::", 6, 5, "has to say something"),
        ("::: quote\n::: event maj\n:::", 7, 1, "holds no other blocks"),
        ("Hej [länk](ftp://example.org)", 6, 1, "is no web address"),
        ("![bild](https://example.org/x.png)", 6, 1, "A picture is a block"),
        ("- ett\n  - inne", 7, 1, "holds paragraphs"),
        ("[](https://example.org)", 6, 1, "A link needs words"),
        ("+++", 6, 1, "Name the language"),
        ("Hej\n+++ de\nsubject = 'x'\n+++\nHallo", 7, 1, "no language de"),
        ("Hej\n+++ en\nsubject = 'x'", 7, 1, "has to end with"),
        ("Hej\n+++ sv\nsubject = 'x'\n+++\nHej", 7, 1, "twice in one language"),
        ("Hej\n+++ en\nsubject = ['x', 'y']\n+++\nHi", 8, 1, "as many subjects"),
        ("Hej\n+++ en\nsubject = 'x'\nkind = 'call'\n+++\nHi", 9, 1, "no such key"),
        ("", 1, 1, "says nothing"),
    ],
)
def test_what_is_wrong_in_a_text_is_named_with_its_line_and_column(body: str, line: int, column: int, words: str):
    with pytest.raises(WrongText) as error:
        compiled(a_written(body), AnyThere(), OURS)

    assert (error.value.at.line, error.value.at.column) == (line, column), str(error.value)
    assert words in str(error.value)
    assert str(error.value).startswith(f"brev.md, line {line}, column {column}: ")


@pytest.mark.parametrize(
    ("front", "line", "column", "words"),
    [
        ("colour = 'red'", 4, 1, "no such key"),
        ("kind = 'poem'", 4, 1, "kind:"),
        ("send_at = '2027-13-01 08:00'", 4, 1, "write a day and an hour"),
        ("send_at = 2027-06-01", 4, 1, "write a day and an hour"),
        ("send_at = ", 4, 1, "no TOML"),
        ("[audience]\ncolour = 'red'", 5, 1, "audience.colour"),
        ("[audience]\nopened = true", 5, 1, "no such key"),
        ("[[audience.exclude]]\ntopics = 'a'\n[[audience.exclude]]\n  ground = 'friend'", 7, 3, "ground"),
        ("[[audience.exclude]]", 4, 1, "an empty condition would mean everybody"),
    ],
)
def test_what_is_wrong_in_the_front_matter_is_named_with_its_line(front: str, line: int, column: int, words: str):
    with pytest.raises(WrongText) as error:
        a_written(front=front)

    assert words in str(error.value)
    assert (error.value.at.line, error.value.at.column) == (line, column), str(error.value)


def test_an_unknown_name_in_a_subject_is_named_where_it_stands():
    with pytest.raises(WrongText, match=r"brev\.md, line 2, column 27: There is no value who"):
        compiled(a_written(subject='["A", "Hej där, {{ who }}"]'), AnyThere(), OURS)


def test_a_file_without_front_matter_says_how_a_letter_begins():
    with pytest.raises(WrongText, match=r"A letter begins with \+\+\+"):
        read([("brev.md", "Hej!")], language="sv")


class Otherwise(AnyThere):
    """A look that finds events to be otherwise."""

    def __init__(self, said: Json) -> None:
        self.said = said

    def event(self, which: str, language: str, at: Place) -> Json:
        return super().event(which, language, at) | self.said


def test_the_hash_changes_with_whatever_a_reader_sees_and_with_the_audience():
    same = digest_of(compiled(a_written(EVERYTHING), AnyThere(), OURS))

    others = [
        digest_of(compiled(a_written(EVERYTHING + "!"), AnyThere(), OURS)),
        digest_of(compiled(a_written(EVERYTHING, subject='"Annat"'), AnyThere(), OURS)),
        digest_of(compiled(a_written(EVERYTHING, front="[audience]\ntopics = 'a'"), AnyThere(), OURS)),
        digest_of(compiled(a_written(EVERYTHING), Otherwise({"place": "Medborgarplatsen"}), OURS)),
    ]
    assert len({same, *others}) == 5
    assert digest_of(compiled(a_written(EVERYTHING, front="send_at = '2027-06-01 08:00'"), AnyThere(), OURS)) == same
    assert digest_of(compiled(a_written(EVERYTHING), Otherwise({"told": [1, 3]}), OURS)) == same


def test_whoever_approves_reads_the_letter_in_plain_words():
    words = in_plain_words(compiled(a_written(EVERYTHING, subject='["Ett", "Två"]'), AnyThere(), OURS))

    assert words.startswith("Ett / Två\n\nEn rubrik\n\nHej vän! Fet, lutad och en länk.")
    for said in (
        "- ett\n- två",
        "[Anmäl dig] https://example.org/anmal",
        "forsta-maj\nlördag 1 maj",
        "- Nyhet 12 https",
    ):
        assert said in words
    for said in ("(Ett torg i sol)", "”Det vill nästan alla.”\nAmina", "Vänster", "[Ändra]", "Höger", "(Samma torg)"):
        assert said in words


def test_the_pictures_of_a_letter_are_those_it_names_also_in_columns():
    assert [source for source, _at in pictures_in(a_written(EVERYTHING))] == ["torg.jpg", "torg.jpg"]


MARKUP = st.text(alphabet="ab \n#*_[]()<>!{}|:`-+&\\\"'\ue000\ue0010123\ufdd0\ufdd1", max_size=200)


@given(body=st.one_of(MARKUP, st.text(max_size=100)))
def test_no_text_breaks_the_reader_or_smuggles_a_value(body: str):
    try:
        written = a_written(body)
        content = compiled(written, AnyThere(), OURS)
    except WrongText:
        return
    for node in content["versions"]["sv"]["nodes"]:
        for span in node.get("spans", ()):
            assert span["own"] is None or span["own"] in {"preferences", "unsubscribe", "act"}
            for run in span["runs"]:
                assert run["slot"] in {None, "member.given_name"}
                assert "\ue000" not in run["text"]
                assert "\ufdd0" not in run["text"]


@given(text=st.text(max_size=200))
def test_no_file_breaks_the_reader(text: str):
    with suppress(WrongText):
        read([("brev.md", text), ("brev.en.md", a_file())], language="sv")
