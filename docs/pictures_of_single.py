"""Every letter to one person, as they see it, for `make pictures`."""

from collections.abc import Mapping
from datetime import UTC, datetime

from mailer import config
from mailer.posting import LETTERS
from mailer.render.letterheads import letterhead_of
from mailer.render.letters import Letter, Letters
from mailer.render.recipients import Person, Recipient
from mailer.resources import resource

SITE = "https://medlem.example.org"
_RALLY = {"title": "Första maj i Stockholm", "when": "lördag 1 maj 2027, 13:00–16:00", "place": "Norra Bantorget"}
_SHIFT = {"when": "tisdag 6 juli 2027, 16:00–18:00", "place": "Brommaplan"}

# What each is told beside its reader's own link (mailer/members, mailer/web).
SAID: Mapping[str, dict[str, object]] = {
    "welcome": {"ground": "member"},
    "join": {"days": 7},
    "own-data": {},
    "address-new": {},
    "address-old": {},
    "archive": {},
    "recruited": {},
    "place": _RALLY,
    "coming": _RALLY | {"invited": {"method": "REQUEST"}, "file": f"{SITE}/e/1.ics"},
    "shift": {"title": "Sommarens värvarkampanj", "what": "near", "was": _SHIFT},
    "answered": _RALLY
    | {"what": "changed", "changes": [{"what": "place", "was": "Sergels torg", "now": "Norra Bantorget"}]},
}


def pages() -> dict[str, str]:
    """Return the HTML of each letter by its folder."""
    return {name: letter_to_one(name, said) for name, said in SAID.items()}


def letter_to_one(name: str, said: dict[str, object]) -> str:
    settings = config.load(resource("config.toml"), {})
    letterhead = letterhead_of(settings, "weekly", "sv", None)
    letter = Letter(name, "sv", letterhead, said, manner=LETTERS[name].manner)
    anna = Person("Anna", unsubscribe=f"{SITE}/u/", preferences=f"{SITE}/p/", act=f"{SITE}/j/Rq7dYw2nKx4sV9bTf0aLc1Z")
    reader = Recipient("anna@example.org", (anna,), message_id="1@example.org", date=datetime.now(UTC))
    return Letters(resource("templates") / "email").show(letter, reader).html
