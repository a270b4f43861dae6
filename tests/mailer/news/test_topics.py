import pytest
from hypothesis import given
from hypothesis import strategies as st

from mailer.news.districts import districts_of
from mailer.news.swedish import sentences
from mailer.news.topics import MAX_TOPICS, topics_of


def slugs(title: str, body: str = "") -> set[str]:
    return {cause.slug for cause in topics_of(title, body)}


@pytest.mark.parametrize(
    ("title", "slug", "reason"),
    [
        ("Skolornas nya år", "skola", "Skolornas"),
        ("Mer tid för niondeklassarna", "skola", "niondeklassarna"),
        ("Fortsatt bostadsbyggande", "bostader", "bostadsbyggande"),
        ("Nu markanvisas 700 hyresrätter", "bostader", "markanvisas"),
        ("Trygghetskameror vid torget", "trygghet", "Trygghetskameror"),
        ("Stadens klimatomställning", "klimat", "klimatomställning"),
        ("Arbetsmarknaden ljusnar", "arbete", "Arbetsmarknaden"),
        ("Tusen sommarjobb", "arbete", "sommarjobb"),
        ("Kortare arbetsvecka prövas", "arbete", "arbetsvecka"),
        ("På väg mot 12 000 hem", "bostader", "12 000 hem"),
        ("Äldreomsorgens framtid", "vard-och-omsorg", "Äldreomsorgens"),
        ("Nya regler enligt LSS", "vard-och-omsorg", "LSS"),
        ("Medborgardialogen börjar", "demokrati", "Medborgardialogen"),
        ("Tunnelbanestationen öppnar", "trafik", "Tunnelbanestationen"),
        ("Stadsdelsbiblioteket har söndagsöppet", "kultur-och-idrott", "Stadsdelsbiblioteket"),
        ("Skattesänkningens pris", "ekonomi", "Skattesänkningens"),
    ],
)
def test_a_word_in_the_title_is_found_in_its_forms_and_compounds(title: str, slug: str, reason: str):
    (cause,) = topics_of(title, "")

    assert (cause.slug, cause.reason) == (slug, reason)


@pytest.mark.parametrize(
    "title",
    [
        "Socialdemokraterna har valt styrelse",
        "Bostadsministern besöker Stockholm",
        "Trafiknämndens nya ordförande",
        "Miljöpartiet byter språkrör",
        "Skolborgarrådet svarar",
        "Ekonomisk trygghet för pensionärer",
        "Kom och jobba med oss",
        "Strömavbrott i natt",
        "Den demokratiska kontrollen",
    ],
)
def test_offices_and_words_that_look_alike_are_no_reason(title: str):
    assert slugs(title) == set()


def test_a_word_in_passing_is_no_reason():
    body = "Avhoppare får stöd. Det kräver att alla barn klarar skolan. Därför byggs nätverk."

    assert slugs("Ny insats", body) == set()


def test_what_the_first_sentences_name_and_a_later_one_comes_back_to_is_the_topic():
    body = "Rektorerna får bestämma mer. Det är bra. Eleverna får råd att åka på utflykt."

    assert slugs("Mer frihet", body) == {"skola"}


def test_the_clearest_topics_come_first_and_there_are_few():
    title = "Budget: skolan, klimatet, sjukvården och tunnelbanan"

    causes = topics_of(title, "Skolan får mest. Skolorna växer.")

    assert len(causes) == MAX_TOPICS
    assert causes[0].slug == "skola"


def test_a_sentence_ends_where_a_reader_says_so():
    text = "Första, t.ex. Farsta. Andra kl. 10.30 i Kista!Tredje? ”Fjärde.” Femte\nsjätte"

    assert sentences(text) == [
        "Första, t.ex. Farsta.",
        "Andra kl. 10.30 i Kista!",
        "Tredje?",
        "”Fjärde.",
        "Femte",
        "sjätte",
    ]


@given(st.text(max_size=300), st.text(max_size=300))
def test_no_text_crashes_the_rules_and_every_reason_stands_in_it(title: str, body: str):
    for cause in (*districts_of(title, body), *topics_of(title, body)):
        assert cause.reason in title + "\n" + body
