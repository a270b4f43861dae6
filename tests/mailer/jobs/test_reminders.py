import os
from datetime import timedelta
from pathlib import Path

import pytest
import sqlalchemy as sa

from mailer.app import App, Places
from mailer.cli import main
from mailer.jobs.reminders import keep_reminders
from subscribers.models import District, Topic
from tests.mailer.reminders.conftest import Rally, at


def test_the_clock_lets_a_digest_tell_what_changed_where_no_publication_is_for_events(
    tmp_path: Path, site_database: str
):
    del site_database
    config = tmp_path / "config.toml"
    with pytest.raises(SystemExit):
        main(["init", "--config", str(config)])
    text = config.read_text(encoding="utf-8")
    events = text.index("[events]")
    config.write_text(
        text[:events] + text[events:].replace('publication = "weekly"', 'publication = ""', 1), encoding="utf-8"
    )
    app = App.load(Places.of(config, None, {}), os.environ)
    assert app.settings.events.publication == ""
    with app.writing() as session:  # the city has its own
        session.execute(sa.delete(District))
        session.execute(sa.delete(Topic))
    rally = Rally(app.engine, app.settings)
    anna = rally.member()
    rally.event()
    rally.digest_sent(at("04-22 08:00"))
    rally.edit(at("04-23 12:00"), place="Humlegården")

    keep_reminders(app, at("04-23 12:00") + timedelta(hours=1))

    assert rally.letters("event:1:changed-1:weekly") == {anna: "changed"}
    app.close()


def test_as_it_is_set_up_the_readers_of_the_weekly_letter_are_reminded_of_events_near_them(
    tmp_path: Path, site_database: str
):
    del site_database
    config = tmp_path / "config.toml"
    with pytest.raises(SystemExit):
        main(["init", "--config", str(config)])
    app = App.load(Places.of(config, None, {}), os.environ)
    with app.writing() as session:  # the city has its own
        session.execute(sa.delete(District))
        session.execute(sa.delete(Topic))
    rally = Rally(app.engine, app.settings)
    anna = rally.member()
    rally.event()

    keep_reminders(app, at("04-17 18:00"))
    keep_reminders(app, at("04-28 18:00"))

    assert rally.letters("event:1:invitation-14d-before") == {anna: "invitation"}
    assert rally.letters("event:1:reminder-3d-before") == {anna: "reminder"}
    app.close()
