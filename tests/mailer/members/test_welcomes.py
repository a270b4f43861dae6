"""A first letter, once per member ever; an import of a whole register sends none by itself."""

import email
import email.policy
import re
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path

import pytest
from fastapi.testclient import TestClient
from sqlmodel import select

from mailer import db, keys
from mailer.app import App, Places
from mailer.config.members import Welcome
from mailer.jobs.welcomes import send_welcomes
from mailer.members import welcomes
from mailer.outbox.carriers import Carrier
from mailer.outbox.models import Delivery, DeliveryState, Mailing
from mailer.outbox.office import Office
from mailer.web import create_web
from subscribers import consent
from subscribers.models import Ground, Subscription
from tests.builders import MOMENT, a_district, a_member, some_settings
from tests.fakes import FakeProvider
from tests.mailer.outbox.posting import send

Furnished = Callable[[int], App]


@pytest.fixture
def furnished(database: str, tmp_path: Path) -> Furnished:
    """Make an installation with so many imported members."""
    keys.create(tmp_path / "keys.toml")
    settings = some_settings().model_copy(update={"database": database})
    app = App(settings, Places(tmp_path / "config.toml", tmp_path, tmp_path / "keys.toml"), lambda: MOMENT)
    with db.writing(app.bare_engine) as session:
        session.add(a_district())  # that config names

    def furnish(count: int) -> App:
        with app.writing() as session:
            session.add_all(
                a_member(
                    f"m{n}@example.org",
                    id=n,
                    language="en" if n % 3 == 0 else "sv",
                    ground=Ground.SUPPORTER if n % 2 else Ground.MEMBER,
                )
                for n in range(1, count + 1)
            )
            session.flush()
            session.add_all(Subscription(member_id=n, publication="weekly", since=MOMENT) for n in range(1, count + 1))
        return app

    return furnish


def imported(app: App, **values: object) -> App:
    app.settings = app.settings.model_copy(update={"welcome": Welcome(imported=True, **values)})  # type: ignore[arg-type]  # values are the test's own
    return app


def letters(app: App) -> list[tuple[str, int]]:
    with app.reading() as session:
        found = session.exec(select(Mailing).where(Mailing.letter == "welcome").order_by(Mailing.id))  # type: ignore[arg-type]  # SQL
        return [(mailing.state, mailing.candidates) for mailing in found]


def sent(app: App, tmp_path: Path) -> dict[str, email.message.Message]:
    provider = FakeProvider()
    office = app.office()
    send(
        Office(
            app.engine,
            tmp_path / "journal",
            [Carrier("fake", provider)],
            office.composer,
            timedelta(days=2),
            app.now,
            office.terms,
        )
    )
    mails = [email.message_from_bytes(message.content, policy=email.policy.default) for message in provider.accepted]
    return {message.recipient: mail for message, mail in zip(provider.accepted, mails, strict=True)}


def test_an_import_welcomes_nobody_by_itself(furnished: Furnished):
    app = furnished(3)

    send_welcomes(app, MOMENT)

    assert letters(app) == []


def test_config_lets_a_few_be_welcomed_and_holds_many_for_a_person(furnished: Furnished):
    app = imported(furnished(5), at_most=4)
    send_welcomes(app, MOMENT)
    assert letters(app) == []

    imported(app, at_most=5)
    send_welcomes(app, MOMENT + welcomes.RECENTLY + timedelta(days=1))  # they know us by now
    assert letters(app) == []
    for _ in range(2):
        send_welcomes(app, MOMENT)
    assert letters(app) == [("planned", 5)]


def test_a_whole_register_goes_in_batches_each_member_once(furnished: Furnished, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(welcomes, "AT_ONCE", 10)
    app = furnished(25)
    with app.writing() as session:
        while welcomes.want_all(session, "weekly", now=MOMENT) == 10:
            pass
        assert welcomes.unwelcomed(session, "weekly") == 0
        assert not welcomes.want(session, 7, publication="weekly", now=MOMENT)

    send_welcomes(app, MOMENT)
    send_welcomes(app, MOMENT)

    assert letters(app) == [("planned", 10), ("planned", 10), ("planned", 5)]
    with app.reading() as session:
        assert sorted(session.exec(select(Delivery.member_id))) == list(range(1, 26))


def test_each_letter_says_from_whom_why_and_how_to_choose_and_leave(furnished: Furnished, tmp_path: Path):
    app = furnished(3)
    with app.writing() as session:
        welcomes.want_all(session, "weekly", now=MOMENT)
        consent.withdraw(session, 1, publication="weekly", source="link", now=MOMENT)  # after it was asked for
    send_welcomes(app, MOMENT)

    mails = sent(app, tmp_path)

    assert mails.keys() == {"m2@example.org", "m3@example.org"}
    swedish, english = (mails[f"m{n}@example.org"].get_body(("plain",)).get_content() for n in (2, 3))  # type: ignore[attr-defined]  # a mail of ours
    assert "eftersom du är medlem" in swedish
    assert "because you have asked for it" in english
    for text in (swedish, english):
        assert "Exempelpartiet i Stockholm" in text
        assert "/p/" in text
        assert "/u/" in text
    found = re.search(r"(/v/[\w-]+)", mails["m3@example.org"].get_body(("html",)).get_content())  # type: ignore[attr-defined]  # a mail of ours
    assert found
    page = TestClient(create_web(app)).get(found[1])
    assert "because you have asked for it" in page.text
    assert "/p/" not in page.text
    assert mails["m2@example.org"]["List-Unsubscribe-Post"] == "List-Unsubscribe=One-Click"
    with app.reading() as session:
        states = dict(session.exec(select(Delivery.member_id, Delivery.state)).all())
    assert states[1] is DeliveryState.CANCELLED
