"""An audience in words, Swedish or English: what is shown before approval and kept for years. Pure."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from mailer.campaigns.rules import Condition, Rule
from mailer.i18n import translations
from mailer.sentences import N_

_LANGUAGES = {"sv": N_("Swedish"), "en": N_("English")}
_GROUNDS = {"member": N_("who are members"), "supporter": N_("who are supporters")}
_ANSWERS = {"yes": N_("yes"), "maybe": N_("maybe"), "no": N_("no")}


@dataclass(frozen=True, slots=True)
class Names:
    """What things are called: publication and topics by language, districts by slug; the rules of segments by name."""

    publication: Mapping[str, str]
    districts: Mapping[str, str]
    topics: Mapping[str, Mapping[str, str]]
    segments: Mapping[str, Rule]
    event: str = ""


def in_words(rule: Rule, names: Names, language: str, *, statutory: bool = False) -> str:
    """Return a normalised rule as some sentences."""
    gettext = translations(language).gettext
    everyone = gettext("Every member") if statutory else gettext("Everyone who gets {publication}")
    first = everyone.format(publication=names.publication[language])
    sentences = [_listed([first, *_conditions(rule, names, language)], ": ") + "."]
    for said, conditions in ((gettext("Also"), rule.include), (gettext("But not"), rule.exclude)):
        sentences += [f"{said}: {condition_in_words(condition, names, language)}." for condition in conditions]
    return " ".join(sentences)


def condition_in_words(condition: Condition, names: Names, language: str) -> str:
    return "; ".join(_conditions(condition, names, language))


def _conditions(condition: Condition, names: Names, language: str) -> list[str]:
    gettext, ngettext = translations(language).gettext, translations(language).ngettext
    found = []
    if condition.districts:
        inside = gettext("who chose {districts}, or what lies inside")
        near = inside if condition.sub_districts else gettext("who chose {districts} itself")
        found.append(near.format(districts=_either([names.districts[slug] for slug in condition.districts], language)))
    if condition.topics:
        topics = _either([names.topics[slug][language] for slug in condition.topics], language)
        found.append(gettext("who follow {topics}, or all topics").format(topics=topics))
    if condition.languages:
        spoken = _either([gettext(_LANGUAGES[code]) for code in condition.languages], language)
        found.append(gettext("who read in {languages}").format(languages=spoken))
    if condition.ground:
        found.append(gettext(_GROUNDS[condition.ground]))
    if condition.segment:
        inner = _segment(names.segments[condition.segment], names, language)
        found.append(gettext("who are in the segment {segment} ({rule})").format(segment=condition.segment, rule=inner))
    if condition.members:
        named = ngettext("{number} member who is named", "{number} members who are named", len(condition.members))
        found.append(named.format(number=len(condition.members)))
    if condition.answers:
        answers = _either([gettext(_ANSWERS[answer]) for answer in condition.answers], language)
        found.append(gettext("who answered {answers} to {event}").format(answers=answers, event=names.event))
    return found


def _segment(rule: Rule, names: Names, language: str) -> str:
    gettext = translations(language).gettext
    parts = [condition_in_words(rule, names, language) or gettext("everyone")]
    for said, conditions in ((gettext("Also"), rule.include), (gettext("But not"), rule.exclude)):
        parts += [f"{said}: {condition_in_words(condition, names, language)}" for condition in conditions]
    return ". ".join(parts)


def _listed(parts: Sequence[str], after_first: str) -> str:
    return parts[0] + (after_first + "; ".join(parts[1:]) if parts[1:] else "")


def _either(words: Sequence[str], language: str) -> str:
    gettext = translations(language).gettext
    either = gettext("or")
    return f" {either} ".join(filter(None, (", ".join(words[:-1]), words[-1])))
