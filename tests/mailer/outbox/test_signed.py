"""Mailings whose letters are signed on their way out."""

from datetime import timedelta
from pathlib import Path

import sqlalchemy as sa

from mailer import db
from mailer.errors import TryLater
from mailer.message import Message
from mailer.outbox import control
from mailer.outbox.models import DeliveryState, MailingState
from mailer.providers import Outcome
from mailer.providers.signing import AHEAD, Signing
from tests.fakes import FakeProvider, accept
from tests.mailer.outbox.posting import KEY, Clock, a_mailing, an_office, send, states, the_mailing
from tests.signatures import a_signer, is_signed

MANY = 3 * AHEAD


def test_a_signed_letter_is_sent_again_as_the_same_bytes(engine: sa.Engine, tmp_path: Path, clock: Clock):
    a_mailing(engine, MANY)
    tried: list[Message] = []

    def later(message: Message) -> Outcome:
        tried.append(message)
        return TryLater("451 try again", code="451")

    provider = FakeProvider(later)
    send(an_office(engine, tmp_path / "journal", Signing(provider, a_signer("example.org").draft), now=clock))
    clock.forward(timedelta(hours=1))
    provider.script = accept
    send(an_office(engine, tmp_path / "journal", Signing(provider, a_signer("example.org").draft), now=clock))

    assert provider.accepted == tried
    assert len(tried) == MANY
    assert all(is_signed(message.content, "example.org") for message in tried)
    assert the_mailing(engine).state is MailingState.DONE


def test_letters_signed_ahead_are_not_sent_once_their_mailing_is_paused(
    engine: sa.Engine, tmp_path: Path, clock: Clock
):
    a_mailing(engine, MANY)

    def pause() -> None:
        if len(provider.accepted) == 2:
            with db.writing(engine) as session:
                control.pause(session.connection(), KEY)

    provider = FakeProvider(between=pause)
    send(an_office(engine, tmp_path / "journal", Signing(provider, a_signer("example.org").draft), now=clock))

    assert len(provider.accepted) == 2
    assert list(states(engine).values()).count(DeliveryState.QUEUED) == MANY - 2
