"""A campaign as people look at it: a page for the browser, its text, or a mail to named addresses, marked as a test."""

from collections.abc import Iterator
from datetime import datetime

from mailer.campaigns.content import expand, variant_of
from mailer.campaigns.letter import Standing
from mailer.campaigns.markup import Json
from mailer.config import Settings
from mailer.links import Links
from mailer.message import Message
from mailer.render.head import Manner
from mailer.render.letterheads import letterhead_of
from mailer.render.letters import Letter, Letters, Shown
from mailer.render.samples import mail, sample
from subscribers.streams import Stream

_SAMPLE_NAME = "Kim"


def show(
    letters: Letters, standing: Standing, settings: Settings, links: Links, language: str, now: datetime
) -> Iterator[Shown]:
    """Yield the letter in a language as somebody called Kim gets it, once for each subject. raises Mistake"""
    for content in _variants(standing, language, links):
        letter = _letter(standing, content, settings, language)
        sender = letter.letterhead.from_address
        yield letters.show(letter, sample(sender, sender, links, now, name=_SAMPLE_NAME))


def tests(
    letters: Letters, standing: Standing, settings: Settings, links: Links, *, address: str, now: datetime
) -> Iterator[Message]:
    """Yield a mail for each language and subject, to an address that is nobody's in the register. raises Mistake"""
    for language in standing.content["versions"]:
        for content in _variants(standing, language, links):
            letter = _letter(standing, content | {"test": True}, settings, language)
            yield mail(letters, letter, links, address=address, now=now)


def require_renderable(letters: Letters, standing: Standing, settings: Settings, links: Links, now: datetime) -> None:
    """raises Mistake for a letter that is too large, or that the site's templates cannot lay out"""
    for language in standing.content["versions"]:
        for _ in show(letters, standing, settings, links, language, now):
            pass


def _variants(standing: Standing, language: str, links: Links) -> Iterator[Json]:
    version = standing.content["versions"][language]
    for number in range(len(version["subjects"])):
        yield variant_of(version, number, standing.front.sender, links.image(""))


def _letter(standing: Standing, content: Json, settings: Settings, language: str) -> Letter:
    """Return the letter as one to one: what is looked at unsubscribes nobody."""
    front = standing.front
    manner = Manner.STATUTORY if standing.stream is Stream.STATUTORY else Manner.SINGLE
    return Letter(
        template=front.kind,
        language=language,
        letterhead=letterhead_of(settings, front.publication, language, front.sender),
        context=expand({}, {}, content, language),
        manner=manner,
    )
