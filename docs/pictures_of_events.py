"""Every letter about the sample rally, as its readers see them, for `make pictures`."""

import json
from dataclasses import replace
from datetime import UTC, datetime, timedelta

from mailer import config
from mailer.events.frozen import frozen
from mailer.events.written import read_file
from mailer.reminders.choose import Reason
from mailer.reminders.contents import expand, variant_content
from mailer.render.head import Manner
from mailer.render.letterheads import letterhead_of
from mailer.render.letters import Letter, Letters
from mailer.render.recipients import Person, Recipient
from mailer.resources import resource

LETTERS = ("invitation", "reminder", "details", "thanks", "changed", "cancelled")
SITE = "https://medlem.example.org"


def pages() -> dict[str, str]:
    """Return the HTML of each letter by its folder."""
    return {name: letter_about(name) for name in LETTERS}


def letter_about(name: str) -> str:
    """Return a letter about the sample rally, which was an hour earlier and elsewhere before, to one reader."""
    settings = config.load(resource("config.toml"), {})
    [rally, *_], _faults = read_file((resource("examples") / "evenemang.toml").read_bytes(), settings.site.time_zone)
    before = replace(rally.details, starts_at=rally.details.starts_at - timedelta(hours=1), place="Sergels torg")
    pieces = {
        ref: frozen(1, 0, said, page=f"{SITE}/e/1", calendar=f"{SITE}/e/1.ics", cancelled=name == "cancelled")
        for ref, said in ((1, rally.details), (2, before))
    }
    told = name in {"changed", "cancelled"}
    reason = Reason("told") if told else Reason("coming" if name in {"details", "thanks"} else "everyone")
    variant = json.loads(variant_content(name, 2 if told else None, reason, None))
    letterhead = replace(letterhead_of(settings, "weekly", "sv", None), publication_name="Kalendern")
    context = expand({"names": {}}, pieces, variant, "sv")
    letter = Letter(name, "sv", letterhead, context, manner=Manner.AUTOMATIC)
    anna = Person("Anna", unsubscribe=f"{SITE}/u/", preferences=f"{SITE}/p/", act=f"{SITE}/r/")
    now = datetime.now(UTC)
    reader = Recipient("anna@example.org", (anna,), message_id="1@example.org", date=now, view_online=f"{SITE}/v/")
    return Letters(resource("templates") / "email").show(letter, reader).html
