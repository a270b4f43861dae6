"""Which topics an article is about. Pure; careful, because a wrong tag hides the news from everybody else."""

import re
from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from functools import cache

from mailer.news.shipped import ShippedTopic, shipped_topics
from mailer.news.swedish import forms, sentences

MAX_TOPICS = 3
_LEAD = 2  # sentences that say what an article is about
_ENOUGH = 3  # different words of a topic, when its only sentence is in the lead

# Who acts is not what it is about: "bostadsminister", "trafiknämndens ordförande", "Miljöpartiet".
OFFICES = re.compile(
    r"\w*(?:minister|ministrar|borgarråd|kommunalråd|regionråd|roteln?|nämnd|utskott|förvaltning|departement|bolag|kontor"
    r"|direktör|direktorat|parti|partist|förbund|verket|inspektion)(?:en|et|n|er|erna|arna|ar|na)?s?",
    re.IGNORECASE,
)


@dataclass(frozen=True, slots=True)
class Finding:
    """A tag, and the word of the article that caused it."""

    slug: str
    reason: str


def topics_of(title: str, body: str) -> list[Finding]:
    """Return at most MAX_TOPICS topics, the clearest first.

    A topic is one that the title names; or one that the first sentences name and a later one comes back to;
    or one of which a lead sentence uses several words. A word in passing is none.
    """
    lines = sentences(body)
    weighed = [found for topic in shipped_topics() if (found := _weigh(topic, title, lines))]
    weighed.sort(key=lambda pair: -pair[0])
    return [finding for _, finding in weighed[:MAX_TOPICS]]


def _weigh(topic: ShippedTopic, title: str, lines: list[str]) -> tuple[int, Finding] | None:
    in_title = list(_words(topic, title))
    in_lines = [list(_words(topic, line)) for line in lines]
    hits = sum(1 for words in in_lines if words)
    if in_title:
        return 100 + 10 * len(in_title) + hits, Finding(topic.slug, in_title[0])
    lead = [word for words in in_lines[:_LEAD] for word in words]
    if lead and (hits > 1 or len(_distinct(lead)) >= _ENOUGH):
        return hits, Finding(topic.slug, lead[0])
    return None


def _distinct(words: Iterable[str]) -> Counter[str]:
    return Counter(word.casefold()[:6] for word in words)  # skola and skolans are one word told twice


def _words(topic: ShippedTopic, text: str) -> Iterator[str]:
    """Find the words of a topic; what looks alike but is not, and offices, are taken out first."""
    wanted, unwanted = _patterns(topic)
    cleared = unwanted.sub(lambda match: " " * len(match[0]), text)
    for match in wanted.finditer(cleared):
        if not OFFICES.fullmatch(match[0]):
            yield match[0]


@cache
def _patterns(topic: ShippedTopic) -> tuple[re.Pattern[str], re.Pattern[str]]:
    wanted = "|".join(_pattern(word) for word in topic.words)
    unwanted = "|".join(rf"\w*{forms(word)}" if " " not in word else re.escape(word) for word in topic.not_words)
    return (
        re.compile(rf"(?<![\w-])(?i:{wanted})(?!\w)"),
        re.compile(rf"(?<!\w)(?i:{unwanted or '(?!)'})(?!\w)"),
    )


def _pattern(word: str) -> str:
    """Turn the notation of topics.toml into a regular expression."""
    if word.isupper():
        return rf"(?-i:{re.escape(word)})(?:[:-]\w+)?"
    if " " in word:
        number = r"(?:\d+[ \u00a0])*" if word[0].isdigit() else ""
        return number + re.escape(word)
    if word.startswith("-"):
        return rf"[\w-]*{forms(word[1:])}"
    if word.endswith("-"):
        return rf"{re.escape(word[:-1])}-?\w{{2,}}"
    return forms(word)
