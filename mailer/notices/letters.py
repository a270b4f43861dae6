"""A notice as a mail: short plain text, the preview of an edition attached."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime

from mailer.config.people import Person
from mailer.config.publications import Publication
from mailer.i18n import translations
from mailer.message import Message
from mailer.message.note import write_note
from mailer.notices.causes import Cause
from mailer.sentences import N_, filled


@dataclass(frozen=True, slots=True)
class Enclosure:
    """What goes with a notice about an edition.

    districts_without_news  names of districts that have readers
    topics_without_news     names of topics, each by language
    pages                   (file name, HTML)
    """

    districts_without_news: tuple[str, ...] = ()
    topics_without_news: tuple[Mapping[str, str], ...] = ()
    pages: tuple[tuple[str, str], ...] = ()


NOTHING = Enclosure()


def compose(cause: Cause, person: Person, sender: Publication, *, enclosure: Enclosure, now: datetime) -> Message:
    """Write `cause` to `person`."""
    say = translations(person.language).gettext
    lines = [filled(line, cause.values, say) for line in cause.lines]
    holes = [filled(line, values, say) for line, values in _holes(enclosure, person.language)]
    if holes:
        lines += ["", *holes]
    mail = write_note(
        (sender.from_name, sender.from_address),
        person.address,
        language=person.language,
        subject=filled(cause.subject, cause.values, say),
        lines=lines,
        now=now,
    )
    for name, html in enclosure.pages:
        mail.add_attachment(html, subtype="html", filename=name, cte="base64")
    return Message(sender.from_address, person.address, bytes(mail))


def _holes(enclosure: Enclosure, language: str) -> Iterator[tuple[str, dict[str, str]]]:
    if enclosure.districts_without_news:
        districts = ", ".join(enclosure.districts_without_news)
        yield N_("No local news this week for: {districts}"), {"districts": districts}
    if enclosure.topics_without_news:
        topics = ", ".join(names[language] for names in enclosure.topics_without_news)
        yield N_("No news this week on: {topics}"), {"topics": topics}
