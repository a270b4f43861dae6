"""From a planned variant and its recipients to the bytes of a mail."""

from collections import OrderedDict
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import partial
from typing import Any, NamedTuple

from mailer.config import Settings
from mailer.links import Links, Purpose
from mailer.message import Message
from mailer.message.headers import addr_spec
from mailer.message.headers import recipient as to_address
from mailer.message.invitation import Invitation
from mailer.outbox.manifest import FrozenContent, Occasion
from mailer.outbox.manifest import Letter as InHand
from mailer.outbox.single import INVITED, NUMBER
from mailer.render.head import Manner
from mailer.render.letterheads import letterhead_of
from mailer.render.letters import Letter, Letters, PreparedLetter
from mailer.render.recipients import Person, Recipient, Shape
from subscribers.recipient import Recipient as Named
from subscribers.streams import Stream

# What a kind of letter makes of the frozen content: (mailing content, pieces, variant content, language) -> context.
Json = dict[str, Any]
Expand = Callable[[Json, Mapping[int, Json], Json, str], Mapping[str, object]]


@dataclass(frozen=True, slots=True)
class LetterKind:
    """How one kind of letter is made, and how it comes about. `act`: what a link of the reader's own lets one do."""

    expand: Expand
    manner: Manner
    act: Purpose | None = None


@dataclass(frozen=True, slots=True)
class Shared:
    """What all letters of an occasion share. `sender` is empty where each has one of its own, at `bounces`."""

    occasion: Occasion
    act: Purpose | None
    domain: str
    mailbox: str
    bounces: str
    sender: str
    page: Callable[[int], str]  # variant -> the address of its web page, empty for none


class _Prepared(NamedTuple):
    """The letter that was asked for last."""

    content: FrozenContent
    persons: int
    letter: PreparedLetter


_PREPARED = 64  # deliveries come in variant order: a few are enough


def invited(content: Json) -> Invitation | None:
    """Return the calendar entry that a letter to one carries, see mailer.members.entries."""
    entry = content.get(INVITED)
    return Invitation(entry["method"], entry["text"]) if entry else None


class Composer:
    """Composes for any mailing. `kinds` are by the name of the letter, which is its template folder."""

    def __init__(self, letters: Letters, *, settings: Settings, links: Links, kinds: Mapping[str, LetterKind]) -> None:
        self._letters = letters
        self._settings = settings
        self.links = links
        self._kinds = kinds
        self._prepared: OrderedDict[tuple[int, Shape], PreparedLetter] = OrderedDict()
        self._last: _Prepared | None = None

    def prepare(self, occasion: Occasion, content: FrozenContent, persons: int) -> PreparedLetter:
        """Return what all recipients of a variant share, from the cache or rendered: milliseconds.

        raises  Mistake when the letter cannot be rendered for anyone
        """
        last = self._last
        if last is not None and last.content is content and last.persons == persons:
            return last.letter  # nearly always: deliveries come in the order of their variants
        key = (content.variant, Shape(persons, view_online=self._has_page(occasion)))
        found = self._prepared.pop(key, None) or self._letters.prepare(self._letter(occasion, content), key[1])
        self._prepared[key] = found
        if len(self._prepared) > _PREPARED:
            self._prepared.popitem(last=False)
        self._last = _Prepared(content, persons, found)
        return found

    def message(self, prepared: PreparedLetter, occasion: Occasion, letter: InHand) -> Message:
        """Compose the one mail of a letter's recipients, who share the first one's address. The same bytes each time.

        raises  ValueError when a value of theirs can stand in no mail
        """
        shared, links, mailing = self.shared_by(occasion), self.links, occasion.mailing
        people = [held.recipient for held in letter.held if held.recipient is not None]
        address, persons = people[0].address, tuple([self._person(person, shared) for person in people])
        content = prepared.compose(
            Recipient(
                address=address,
                persons=persons,
                message_id=f"{links.message_id(letter.addressee, mailing)}@{shared.domain}",
                date=occasion.started_at,
                one_click=persons[0].unsubscribe,
                mailto=links.unsubscribe_by_mail(shared.mailbox, people[0].member_id, mailing),
                view_online=shared.page(letter.content.variant),
            )
        )
        sender = shared.sender or links.envelope_sender(shared.bounces, letter.addressee, mailing)
        return Message(sender, to_address("To", address).decode(), content)

    def act(self, shared: Shared, member: int) -> str:
        """Return the link by which a reader can do what this kind of letter is about, "" where there is nothing."""
        return self.links.act(shared.act, member, shared.occasion.content[NUMBER]) if shared.act else ""

    def page(self, occasion: Occasion, content: FrozenContent, archive: str = "") -> str:
        """Return a letter to many as a web page, the greeting without a name and no link of anyone's own.

        archive  where earlier letters are, to link to
        raises  Mistake when it cannot be rendered, or config has its publication no longer
        """
        return self._letters.page(self._letter(occasion, content), archive)

    def _has_page(self, occasion: Occasion) -> bool:
        return self._kinds[occasion.letter].manner is not Manner.SINGLE

    def shared_by(self, occasion: Occasion) -> Shared:
        """Return what all letters of a mailing share. raises Mistake when config has its publication no longer"""
        published, bounces = self._settings.published(occasion.publication), self._settings.feedback.bounce_domain
        sender = published.from_address
        return Shared(
            occasion=occasion,
            act=self._kinds[occasion.letter].act,
            domain=sender.partition("@")[2],
            mailbox=published.unsubscribe_address,
            bounces=bounces,
            sender="" if bounces else addr_spec("the envelope", sender).decode("ascii"),
            page=partial(self._page_of, occasion),
        )

    def _page_of(self, occasion: Occasion, variant: int) -> str:
        return self.links.view_online(variant, occasion.mailing) if self._has_page(occasion) else ""

    def _person(self, person: Named, shared: Shared) -> Person:
        member, links, mailing = person.member_id, self.links, shared.occasion.mailing
        return Person(
            person.given_name,
            links.unsubscribe(member, mailing),
            links.preferences(member, mailing),
            self.act(shared, member),
        )

    def _letter(self, occasion: Occasion, content: FrozenContent) -> Letter:
        kind = self._kinds[occasion.letter]
        statutory = occasion.stream is Stream.STATUTORY
        feedback_id = f"{occasion.mailing}:{occasion.publication}:{occasion.letter}:utskick"
        return Letter(
            template=content.content.get("template") or occasion.letter,
            language=content.language,
            letterhead=letterhead_of(
                self._settings, occasion.publication, content.language, content.content.get("letterhead")
            ),
            context=kind.expand(occasion.content, occasion.pieces, content.content, content.language),
            manner=Manner.STATUTORY if statutory else kind.manner,
            plain_only=content.plain_only,
            invited=invited(content.content),
            feedback_id="" if kind.manner is Manner.SINGLE else feedback_id,  # it would number one person
        )
