"""The wiring of what sends: kinds of letters, the composer, providers and their signatures, the office of a worker.

Apart from `app`, which loads it when somebody sends: it brings templates, their reader and everything that delivers.
"""

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

from mailer import db
from mailer.campaigns.content import expand as expand_campaign
from mailer.digest.contents import expand
from mailer.errors import ProviderDown
from mailer.links import Purpose
from mailer.message import Message
from mailer.outbox.batches import Terms
from mailer.outbox.carriers import Carrier
from mailer.outbox.compose import Composer, LetterKind
from mailer.outbox.office import Office
from mailer.outbox.single import as_written
from mailer.providers import Counted, LetterDesk, Outcome, Provider, open_provider
from mailer.providers.signing import signed
from mailer.reminders.contents import expand as expand_event
from mailer.render.head import Manner
from mailer.render.letters import Letters
from mailer.resources import resource
from mailer.signing import open_signer

if TYPE_CHECKING:
    from mailer.app import App

ABOUT_EVENTS = ("invitation", "reminder", "details", "thanks", "changed", "cancelled")
# Every kind of letter, by its folder in templates/email.
LETTERS: Mapping[str, LetterKind] = {
    "digest": LetterKind(expand, Manner.EDITORIAL),
    "letter": LetterKind(expand_campaign, Manner.EDITORIAL, act=Purpose.RECRUIT),
    "call": LetterKind(expand_campaign, Manner.EDITORIAL, act=Purpose.RECRUIT),
    "campaign": LetterKind(expand_campaign, Manner.EDITORIAL, act=Purpose.RECRUIT),
    "welcome": LetterKind(as_written, Manner.AUTOMATIC),
    "join": LetterKind(as_written, Manner.SINGLE, act=Purpose.CONFIRM),
    "archive": LetterKind(as_written, Manner.SINGLE, act=Purpose.ARCHIVE),
    "own-data": LetterKind(as_written, Manner.SINGLE, act=Purpose.OWN),
    "address-new": LetterKind(as_written, Manner.SINGLE, act=Purpose.ADDRESS_NEW),
    "shift": LetterKind(as_written, Manner.SINGLE, act=Purpose.ANSWER),
    **dict.fromkeys(ABOUT_EVENTS, LetterKind(expand_event, Manner.AUTOMATIC, act=Purpose.ANSWER)),
    "recruited": LetterKind(as_written, Manner.AUTOMATIC, act=Purpose.RECRUIT),
    "place": LetterKind(as_written, Manner.SINGLE, act=Purpose.ANSWER),
    "coming": LetterKind(as_written, Manner.SINGLE, act=Purpose.ANSWER),
    "answered": LetterKind(as_written, Manner.SINGLE, act=Purpose.ANSWER),
    "address-old": LetterKind(as_written, Manner.SINGLE, act=Purpose.ADDRESS_OLD),
}


def letters() -> Letters:
    return Letters(resource("templates") / "email")


def composer_of(app: "App") -> Composer:
    return Composer(app.letters, settings=app.settings, links=app.links, kinds=LETTERS)


def office_of(app: "App") -> Office:
    return Office(
        engine=db.frugal(app.engine),
        journals=app.journals,
        carriers=[_carrier(app, name) for name in app.settings.outbox.providers],
        composer=app.composer,
        give_up_after=app.settings.outbox.give_up_after,
        send_within=app.settings.outbox.send_within,
        now=app.now,
        terms=Terms(app.settings.outbox.lease),
        zone=app.settings.site.zone,
    )


def _carrier(app: "App", name: str) -> Carrier:
    table = app.provider_table(name)
    provider = open_provider(name, table.own, data=app.data)
    return Carrier(name, _signed(app, name, provider), table.pace, _counted(provider))


def _counted(provider: Provider) -> Counted | None:
    return provider if isinstance(provider, Counted) else None


def _signed(app: "App", name: str, provider: Provider) -> Provider:
    if not app.settings.dkim:
        return provider
    return signed(name, provider, open_signer(app.settings.dkim, app.places.config.parent))


async def post(app: "App", messages: Sequence[Message]) -> list[Outcome]:
    down: ProviderDown | None = None
    for name in app.settings.outbox.providers:
        carrier, desk = _carrier(app, name), LetterDesk(messages)
        try:
            if carrier.counted:  # the workers have shared them all out: for a few letters one more will do
                await carrier.counted.keep_to(1)
            await carrier.provider.carry(desk)
        except ProviderDown as error:
            down = error
        else:
            return [desk.outcomes[ticket] for ticket in range(len(messages))]
        finally:
            await carrier.provider.close()
    raise down or ProviderDown("No provider is named in [outbox] providers of the config.")
