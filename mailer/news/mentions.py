"""Names of places in a Swedish text, in all the forms a name takes: Järvas, Järvabor, Ekensbergsskolans."""

import re
from dataclasses import dataclass
from functools import cache

from mailer.news.shipped import ShippedPlace, shipped_places
from mailer.news.swedish import is_shouted

# What a place can have of its own. Not streets (Farstavägen is long), not fairs, clubs and papers.
_OWN = (
    r"(?:för|grund|sär|hög)?skol(?:a|an|or|orna)|gymnasi(?:et|um)|simhall(?:en)?|idrottshall(?:en)?|sporthall(?:en)?"
    r"|bad(?:et)?|bibliotek(?:et)?|park(?:en)?|parklek(?:en)?|torg(?:et)?|centrum|plan(?:en)?|galleria(?:n)?|bro(?:n)?"
    r"|fält(?:et)?|skog(?:en)?|stråk(?:et)?|områd(?:e|et|en|ena)|kyrka(?:n)?|hamn(?:en)?|strand(?:en)?|vall(?:en)?"
    r"|gård(?:en)?|kaj(?:en)?|rinken|hall(?:en)?|depå(?:n)?|tunnel(?:n)?|station(?:en)?|backen|ängen|höjden"
    r"|terrassen|satsning(?:en)?"
)
_PEOPLE = r"bo|bon|bor|borna|boende"

# Given names before a place name make it a family name: "Anna Gröndal", "Sven Tumba". The commonest of the country.
_GIVEN_NAMES = frozenset(
    """
    Adam Agneta Ahmed Albin Alexander Ali Alice Amanda Amir Anders Andreas Anette Anita Ann Anna Anne Annika
    Anton Arvid Axel Barbro Bengt Berit Birgitta Björn Bo Britt Bruno Camilla Carin Carina Carl Carolina Cecilia
    Charlotte Christer Christian Christina Claes Daniel David Ebba Elias Elin Elisabeth Ella Elsa Emil Emilia
    Emma Erik Ester Eva Fatima Felix Filip Fredrik Frida Gabriel Gerd Gun Gunilla Gustav Göran Hans Hassan Helen
    Helena Helene Henrik Hugo Håkan Ida Inga Inger Ingrid Isabella Jakob Jan Jenny Jens Jesper Jessica Joakim
    Johan Johanna Johannes John Jonas Josefin Julia Kajsa Karin Karl Katarina Kent Kerstin Kim Kjell Klara
    Kristina Lars Leif Lena Lennart Leo Lina Linda Linnea Lisa Lotta Louise Lucas Lukas Magdalena Magnus Maja
    Malin Margareta Maria Marianne Marie Markus Martin Mats Mattias Max Mehmet Mia Mikael Moa Mohamed Mona
    Monica Nils Nora Ola Olle Olof Oscar Oskar Patrik Per Peter Petra Pia Pontus Rasmus Rebecka Rickard Robert
    Robin Roger Roland Rolf Samuel Sandra Sara Sebastian Simon Sofia Stefan Sten Stig Stina Susanne Sven Sverker
    Therese Thomas Tobias Tommy Torbjörn Ulf Ulla Ulrika Urban Veronica Viktor Vilma Wilma Yvonne Åke Åsa Örjan
    """.split()  # noqa: SIM905  # a paragraph of names is easier to read and to mend than a list of quoted ones
)
_AROUND = 200  # characters on each side; also keeps a hostile text from costing more than its length
_LAST_WORD = re.compile(r"([A-ZÅÄÖÉ]\w+)\s+$")


@dataclass(frozen=True, slots=True)
class Mention:
    """A name of a district found in a sentence: the word as it stands there, and some of the text around it."""

    slug: str
    word: str
    start: int
    end: int
    before: str
    after: str
    venue: bool

    @property
    def after_given_name(self) -> bool:
        """Tell whether the name before makes this one a family name."""
        previous = _LAST_WORD.search(self.before)
        return previous is not None and previous[1] in _GIVEN_NAMES


@dataclass(frozen=True, slots=True)
class _Names:
    """What to look for, by the name in lower case."""

    slugs: dict[str, str]
    words: frozenset[str]
    venues: frozenset[str]
    pattern: re.Pattern[str]
    shouted: re.Pattern[str]


def find_mentions(sentence: str) -> list[Mention]:
    """Find the names in a sentence or a title, in their order; the longest name wins ("Järva krog" is in Solna)."""
    names = _names()
    shouted = is_shouted(sentence)
    found = []
    for match in (names.shouted if shouted else names.pattern).finditer(sentence):
        name = _plain(match["name"] or match["people"] or match["stem"])
        if name in names.words and (shouted or not sentence[: match.start()].strip(' –-"”’»(')):
            continue
        found.append(
            Mention(
                slug=names.slugs[name],
                word=match[0],
                start=match.start(),
                end=match.end(),
                before=sentence[max(0, match.start() - _AROUND) : match.start()],
                after=sentence[match.end() : match.end() + _AROUND],
                venue=name in names.venues,
            )
        )
    return found


@cache
def _names() -> _Names:
    slugs: dict[str, str] = {}
    words: set[str] = set()
    venues: set[str] = set()
    spelled: set[str] = set()
    for place in shipped_places():
        for name in (*place.places, *place.words, *place.venues):
            slugs[_plain(name)] = place.slug
            spelled.add(name)
        words |= {_plain(name) for name in place.words}
        venues |= {_plain(name) for name in place.venues}
    stems = {stem: place for place in shipped_places() for stem in _stems(place)}
    slugs |= {_plain(stem): place.slug for stem, place in stems.items() if _plain(stem) not in slugs}
    pattern = _pattern(spelled, set(stems))
    return _Names(slugs, frozenset(words), frozenset(venues), re.compile(pattern), re.compile(pattern, re.IGNORECASE))


def _stems(place: ShippedPlace) -> list[str]:
    """Take the article off a name: Skärholmen gives Skärholms-skolan, Kungsholmen kungsholms-bor."""
    return [name[:-2] for name in place.places if name.endswith("en") and " " not in name]


def _pattern(names: set[str], stems: set[str]) -> str:
    """Build one expression for all names: genitive, inhabitants, what is the place's own, and X-granskningen."""
    all_names = _either(names)
    lower = _either({name[0].lower() + name[1:] for name in names if " " not in name})
    all_stems = _either(stems | {stem[0].lower() + stem[1:] for stem in stems})
    return (
        rf"(?<!\w)(?:(?P<name>{all_names})(?:s?(?:{_PEOPLE}|{_OWN})s?|-[a-zåäö]\w*|s)?"
        rf"|(?P<people>{lower})s?(?:{_PEOPLE})s?"
        rf"|(?P<stem>{all_stems})s(?:{_PEOPLE}|{_OWN})s?)(?!\w)"
    )


def _either(names: set[str]) -> str:
    longest_first = sorted(names, key=lambda name: (-len(name), name))
    return "|".join(re.escape(name).replace(r"\ ", r"[ \u00a0]+") for name in longest_first)


def _plain(name: str) -> str:
    return re.sub(r"\s+", " ", name).casefold()
