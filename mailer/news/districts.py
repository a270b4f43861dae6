"""Which districts an article is about. Pure; careful, because a wrong tag is worse than none.

Three steps: find the names (mentions.py), set aside those that say where somebody lives, works or meets
(`_says_of_a_person`, `_in_passing`), and judge by where the rest stands (`districts_of`).
"""

import re
from collections import defaultdict
from itertools import pairwise

from mailer.news.mentions import Mention, find_mentions
from mailer.news.swedish import sentences
from mailer.news.topics import Finding

_LEAD = 2  # sentences that say what an article is about
_TOO_MANY = 4  # districts that only the body names: then it is a list, and the news is for everyone

_FOR_THE_WHOLE_CITY = re.compile(
    r"\bhela (?:staden|stan|Stockholm|länet|regionen)|\b(?:alla|samtliga) (?:stadens )?stadsdel\w+|\bvarje stadsdel"
    r"|\bstadens alla\b|\bstadsövergripande|\bstadsdelsbiblioteken"
    r"|\bstadens (?:grund|gymnasie|för)?(?:skolor|elever|bibliotek|simhallar|badhus|idrottshallar|äldreboenden|parker)",
    re.IGNORECASE,
)
# A rally or a speech is for the whole city, wherever it takes place.
_GATHERING = re.compile(
    r"\b(?:första maj|1 maj|jultal\w*|sommartal\w*|torgtal\w*|torgmöte\w*|valspurt\w*|demonstration\w*|demonstrera\w*"
    r"|manifestation\w*|fackeltåg\w*|tåget avgår|marsch(?:en)?|samling(?:en)? (?:sker|på|vid|kl)|vi samlas|huvudtalare"
    r"|talar på|håller tal|anmäl dig|varmt välkom\w+|välkommen (?:till|att)|plats:|kl\.? ?\d{1,2}[.:]\d\d)",
    re.IGNORECASE,
)

_NEAR = r"(?:i|på|vid|från|ifrån|utanför|nära|mellan)"
# A few words in between ("bor sedan tio år i"), but no new clause ("bor i staden som får ...").
_GAP = r"(?:\s+(?!(?:som|att|där|när|får|ska|kan|är|har|blir)\b)[^\s,.;:()]+){0,5}?\s+"
_ORIGIN = re.compile(
    r"\b(?:född\w*|uppvux\w+|uppväxt|uppfödd|växte upp|växt upp|växer upp|bosatt\w*|bott|bodde|hemmahörande|rötter)"
    rf"{_GAP}{_NEAR}\s+$"
    r"|\b(?:ifrån|från|mot)\s+(?:stadsdelen\s+|förorten\s+|sitt\s+)?$"
    r"|\b(?:från|mellan)\s+\S+(?:\s\S+)?\s+till\s+$",
    re.IGNORECASE,
)
_HOME = re.compile(
    rf"\b(?:bor|boende|lever|hemma|pendlar|jobbar|arbetar|verksam\w*|praktiserar){_GAP}{_NEAR}\s+$", re.IGNORECASE
)
_ROLE = re.compile(
    r"\b(?:\w*ordförande\w*|\w*ledamot\w*|ledamöter\w*|\w*sekreterare\w*|kassör\w*|\w*lärare\w*|rektor\w*|\w*chef\w*"
    r"|\w*läkare|\w*sköterska\w*|\w*råd|kandidat\w*|politiker\w*|talesperson\w*|aktiv\w*|engagerad\w*|medlem\w*|präst\w*"
    r"|imam|student\w*|företagare\w*|Socialdemokrater\w*|S|SSU|\w*förening\w*|\w*parti\w*|moderat\w*|vänsterpart\w*"
    r"|arbetarekommun\w*|\w*kontor|säte"
    r"|expedition\w*|lokal|lokaler|adress\w*|\w*mamma\w*|\w*pappa\w*|\w*förälder|\d\d år)"
    r"(?:\s+\([A-ZÅÄÖ]{1,2}\))?,?\s+(?:i|för|på|från|vid|inom|hos)\s+$",
    re.IGNORECASE,
)
_EXAMPLE = re.compile(
    r"\b(?:bland annat|bl\.? ?a\.?|till exempel|t\.? ?ex\.?|exempelvis|inte minst|såsom|liksom|likt|precis som"
    r"|i likhet med|jämförelse med|till skillnad från|förra året|tidigare|redan|besök\w*|träffade|medan)\b",
    re.IGNORECASE,
)
_COMPARED = re.compile(r"\b(?:jämför\w*|skillnad\w*|klyft\w*|medan|högst i|lägst i)\b", re.IGNORECASE)
_WORSE_THAN = re.compile(r"\b(?:sämre|bättre|högre|lägre|längre|kortare|större|mindre)\b[^.;:]*\bän\b", re.IGNORECASE)
_MOST = re.compile(r"\b(?:flest|färst|störst|bäst|sämst)\b", re.IGNORECASE)
_SPOKEN = re.compile(r"\s*(?:[–-]\s|[\"”»])")  # what somebody tells of is an example
_ELSEWHERE_BEFORE = re.compile(r"\bMitt i\s+$|\btidningen\s+$|\bKarolinska\b[^.,]{0,30}$")
_ELSEWHERE_AFTER = re.compile(
    r"\s+(?:tingsrätt\w*|\w*sjukhus\w*|IF|IK|FF|FC|BK|SK|IS|HF|AIF|AIK|BoIF|DFF|BTK)\b"
    r"|\s+(?:och|eller|samt)\s+\w+\s+\w*sjukhus"
    r"|\s*\((?:S|M|V|C|L|MP|KD|SD|Fi)\)"
)
_OFFICIAL_BEFORE = re.compile(
    r"\b(?:stadsdelen|stadsdelarna|kommunen|förorten|området|stadsdelsområdet)\s+$", re.IGNORECASE
)
_OFFICIAL_AFTER = re.compile(
    r"\s+(?:stadsdelsområde|stadsdelsnämnd|stadsdelsförvaltning|stadsdel|kommun|centrum)\w*", re.IGNORECASE
)
_JOINED = re.compile(r"\s*(?:,|och|samt|eller|till|/|&|–|,\s*och)?\s*(?:i|på)?\s*", re.IGNORECASE)

_LINE = re.compile(
    r"\b(?:\w*tunnelban|spårväg|tvärban|\w*pendeltåg|\w*linje|buss|cykelban|cykelstråk|cykelväg)\w*", re.IGNORECASE
)
_FIRST_END = re.compile(r"(?<!pendlar )(?<!reser )(?<!åker )(?<!flyttar )\b(?:från|mellan)\s+$", re.IGNORECASE)
_TO_THE_OTHER = re.compile(r"\s+(?:till|och)\s+", re.IGNORECASE)

# "Farstabon Ulla": one inhabitant is a person; Farstaborna, all of them, are news about the place.
_ONE_PERSON = re.compile(r"(?<=\w)bons?$")
_LIVES = re.compile(
    r"\b(?<!du som )(?<!ni som )(?<!er som )(?<!alla som )"  # but who is spoken to lives there with the others
    r"(?:bor|bodde|bott|bosatt|boende)(?:\s+\w+){0,3}\s+(?:i|på)\s*$",
    re.IGNORECASE,
)


def districts_of(title: str, body: str) -> list[Finding]:
    """Return the districts that the article is about, with the words that say so; none means "for everyone".

    A district in the title counts. One in the body alone counts when the first two sentences name it, or it is
    named officially ("Farsta stadsdelsområde"), or at least twice; but at a gathering, or beside "hela staden",
    or beside a title that names another district, less of that is enough evidence.
    """
    lines = sentences(body)
    gathering = _GATHERING.search(f"{title}\n{body}") is not None
    for_all = _FOR_THE_WHOLE_CITY.search(f"{title}\n{body}") is not None
    named = {m.slug: m for m in reversed(find_mentions(title)) if _counts_in_title(m, gathering=gathering)}
    found = {slug: mention.word for slug, mention in reversed(named.items())}
    if not gathering:
        found |= {slug: word for slug, word in _ends_of_a_line(title, lines).items() if slug not in found}
        found |= {slug: word for slug, word in _of_body(lines, bool(named), for_all).items() if slug not in found}
    return [Finding(slug, word) for slug, word in found.items()]


def _ends_of_a_line(title: str, lines: list[str]) -> dict[str, str]:
    """Return where a line of traffic begins and ends when both are known: of one alone the others would not hear."""
    found: dict[str, str] = {}
    for line in (title, *lines[:_LEAD]) if _LINE.search(title) else ():
        for one, other in pairwise(find_mentions(line)):
            if _FIRST_END.search(one.before) and _TO_THE_OTHER.fullmatch(line[one.end : other.start]):
                found |= {other.slug: other.word, one.slug: one.word}
    return found


def _of_body(lines: list[str], titled: bool, for_all: bool) -> dict[str, str]:  # noqa: FBT001  # two facts of the article
    seen: defaultdict[str, list[tuple[int, Mention]]] = defaultdict(list)
    for number, line in enumerate(lines):
        for mention in _about_the_place(line):
            seen[mention.slug].append((number, mention))
    found = {}
    for slug, mentions in seen.items():
        apart = len({number for number, _ in mentions})
        official = any(_is_official(mention) for _, mention in mentions)
        leading = mentions[0][0] < _LEAD
        if apart > 1 or (not for_all and (official or (leading and not titled))):
            found[slug] = mentions[0][1].word
    return found if len(found) <= _TOO_MANY else {}


def _counts_in_title(mention: Mention, *, gathering: bool) -> bool:
    if mention.venue:
        return not gathering
    return not (
        _is_person_or_elsewhere(mention)
        or _ONE_PERSON.search(mention.word)
        or _ORIGIN.search(mention.before)
        or _LIVES.search(mention.before)
    )


def _about_the_place(line: str) -> list[Mention]:
    """Leave out what only says where a person belongs, and what is an example, a comparison or a visit."""
    kept: list[Mention] = []
    earlier: Mention | None = None
    set_aside = False
    # Once a line, and not for each of its names: a hostile one has hundreds.
    example = bool(_WORSE_THAN.search(line) or _MOST.search(line) or _SPOKEN.match(line))
    several = len({mention.slug for mention in find_mentions(line)}) > 1
    compared = several and _COMPARED.search(line) is not None
    for mention in find_mentions(line):
        joined = earlier is not None and _JOINED.fullmatch(line[earlier.end : mention.start]) is not None
        one = _ONE_PERSON.search(mention.word) is not None
        set_aside = (joined and set_aside) or example or compared or one or _is_set_aside(mention)
        if not (set_aside or mention.venue):
            kept.append(mention)
        earlier = mention
    return kept


def _is_set_aside(mention: Mention) -> bool:
    before = mention.before
    return bool(
        _is_person_or_elsewhere(mention)
        or _ORIGIN.search(before)
        or _HOME.search(before)
        or _ROLE.search(before)
        or _EXAMPLE.search(before)
    )


def _is_person_or_elsewhere(mention: Mention) -> bool:
    return bool(
        mention.after_given_name or _ELSEWHERE_BEFORE.search(mention.before) or _ELSEWHERE_AFTER.match(mention.after)
    )


def _is_official(mention: Mention) -> bool:
    return bool(_OFFICIAL_BEFORE.search(mention.before) or _OFFICIAL_AFTER.match(mention.after))
