import os
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from pathlib import Path

import pytest
import sqlalchemy as sa

from mailer.app import App, Places
from mailer.cli import main
from mailer.jobs.reminders import keep_reminders
from subscribers.models import District, Topic
from tests.mailer.reminders.conftest import Rally, at


@pytest.fixture
def config(tmp_path: Path, site_database: str) -> Path:
    """The config.toml that `utskick init` writes."""
    del site_database
    file = tmp_path / "config.toml"
    with pytest.raises(SystemExit):
        main(["init", "--config", str(file)])
    return file


@contextmanager
def its_app(config: Path) -> Iterator[App]:
    """Yield the app of a config, in a city without districts and topics: the rally has its own."""
    app = App.load(Places.of(config, None, {}), os.environ)
    try:
        with app.writing() as session:
            session.execute(sa.delete(District))
            session.execute(sa.delete(Topic))
        yield app
    finally:
        app.close()


def test_the_clock_lets_a_digest_tell_what_changed_where_no_publication_is_for_events(config: Path):
    text = config.read_text(encoding="utf-8")
    events = text.index("[events]")
    config.write_text(
        text[:events] + text[events:].replace('publication = "weekly"', 'publication = ""', 1), encoding="utf-8"
    )
    with its_app(config) as app:
        assert app.settings.events.publication == ""
        rally = Rally(app.engine, app.settings)
        anna = rally.member()
        rally.event()
        rally.digest_sent(at("04-22 08:00"))
        rally.edit(at("04-23 12:00"), place="Humlegården")

        keep_reminders(app, at("04-23 12:00") + timedelta(hours=1))

        assert rally.letters("event:1:changed-1:weekly") == {anna: "changed"}


def test_as_it_is_set_up_the_readers_of_the_weekly_letter_are_reminded_of_events_near_them(config: Path):
    with its_app(config) as app:
        rally = Rally(app.engine, app.settings)
        anna = rally.member()
        rally.event()

        keep_reminders(app, at("04-17 18:00"))
        keep_reminders(app, at("04-28 18:00"))

        assert rally.letters("event:1:invitation-14d-before") == {anna: "invitation"}
        assert rally.letters("event:1:reminder-3d-before") == {anna: "reminder"}
