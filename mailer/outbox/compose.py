"""From a planned variant and its recipients to the bytes of a mail."""

from collections import OrderedDict
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from mailer.config import Settings
from mailer.links import Links, Purpose
from mailer.message import Message
from mailer.message.headers import addr_spec
from mailer.message.headers import recipient as to_address
from mailer.outbox.manifest import FrozenContent, Occasion
from mailer.outbox.single import NUMBER
from mailer.render.head import Manner
from mailer.render.letterheads import letterhead_of
from mailer.render.letters import Letter, Letters, PreparedLetter
from mailer.render.recipients import Person, Shape
from mailer.render.recipients import Recipient as Addressed
from subscribers.recipient import Recipient
from subscribers.streams import Stream

# What a kind of letter makes of the frozen content: (mailing content, pieces, variant content, language) -> context.
Json = dict[str, Any]
Expand = Callable[[Json, Mapping[int, Json], Json, str], Mapping[str, object]]


@dataclass(frozen=True, slots=True)
class LetterKind:
    """How one kind of letter is made, and how it comes about. `act`: what the link of a letter to one lets one do."""

    expand: Expand
    manner: Manner
    act: Purpose | None = None


_PREPARED = 64  # deliveries come in variant order: a few are enough


class Composer:
    """Composes for any mailing. `kinds` are by the name of the letter, which is its template folder."""

    def __init__(self, letters: Letters, *, settings: Settings, links: Links, kinds: Mapping[str, LetterKind]) -> None:
        self._letters = letters
        self._settings = settings
        self._links = links
        self._kinds = kinds
        self._prepared: OrderedDict[tuple[int, Shape], PreparedLetter] = OrderedDict()

    def prepare(self, occasion: Occasion, content: FrozenContent, persons: int) -> PreparedLetter:
        """Return what all recipients of a variant share, from the cache or rendered: milliseconds.

        raises  Mistake when the letter cannot be rendered for anyone
        """
        key = (content.variant, Shape(persons, view_online=self._has_page(occasion)))
        found = self._prepared.pop(key, None) or self._letters.prepare(self._letter(occasion, content), key[1])
        self._prepared[key] = found
        if len(self._prepared) > _PREPARED:
            self._prepared.popitem(last=False)
        return found

    def message(
        self,
        prepared: PreparedLetter,
        occasion: Occasion,
        recipients: Sequence[Recipient],
        *,
        variant: int,
        addressee: int,
    ) -> Message:
        """Compose the one mail of `recipients`, who share the first one's address. Repeated, it gives the same bytes.

        raises  ValueError when a value of theirs can stand in no mail
        """
        published = self._settings.publications[occasion.publication]
        sender, mailbox = published.from_address, published.unsubscribe_address
        address = recipients[0].address
        persons = tuple(self._person(recipient, occasion) for recipient in recipients)
        content = prepared.compose(
            Addressed(
                address=address,
                persons=persons,
                message_id=f"{self._links.message_id(addressee, occasion.mailing)}@{sender.partition('@')[2]}",
                date=occasion.started_at,
                one_click=persons[0].unsubscribe,
                mailto=self._links.unsubscribe_by_mail(mailbox, recipients[0].member_id, occasion.mailing),
                view_online=self._links.view_online(variant, occasion.mailing) if self._has_page(occasion) else "",
            )
        )
        bounces = self._settings.feedback.bounce_domain
        envelope_sender = (
            self._links.envelope_sender(bounces, addressee, occasion.mailing)
            if bounces
            else addr_spec("the envelope", sender).decode("ascii")
        )
        return Message(envelope_sender, to_address("the envelope", address).decode(), content)

    def page(self, occasion: Occasion, content: FrozenContent) -> str:
        """Return a letter to many as a web page, the greeting without a name and no link of anyone's own.

        raises  Mistake when it cannot be rendered, KeyError when config has its publication no longer
        """
        return self._letters.page(self._letter(occasion, content))

    def _has_page(self, occasion: Occasion) -> bool:
        return self._kinds[occasion.letter].manner is not Manner.SINGLE

    def _person(self, recipient: Recipient, occasion: Occasion) -> Person:
        member, act = recipient.member_id, self._kinds[occasion.letter].act
        return Person(
            name=recipient.given_name,
            unsubscribe=self._links.unsubscribe(member, occasion.mailing),
            preferences=self._links.preferences(member, occasion.mailing),
            act=self._links.act(act, member, occasion.content[NUMBER]) if act else "",
        )

    def _letter(self, occasion: Occasion, content: FrozenContent) -> Letter:
        kind = self._kinds[occasion.letter]
        statutory = occasion.stream is Stream.STATUTORY
        feedback_id = f"{occasion.mailing}:{occasion.publication}:{occasion.letter}:utskick"
        return Letter(
            template=occasion.letter,
            language=content.language,
            letterhead=letterhead_of(
                self._settings, occasion.publication, content.language, content.content.get("letterhead")
            ),
            context=kind.expand(occasion.content, occasion.pieces, content.content, content.language),
            manner=Manner.STATUTORY if statutory else kind.manner,
            plain_only=content.plain_only,
            feedback_id="" if kind.manner is Manner.SINGLE else feedback_id,  # it would number one person
        )
