"""Letters to test with: a digest of fourteen items, a letterhead and a household."""

from dataclasses import replace
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

from mailer.render.head import Letterhead
from mailer.render.letters import Letter, Letters
from mailer.render.recipients import Person, Recipient
from mailer.resources import resource

TOKEN = "0123456789abcdefghijklm"
NOW = datetime(2026, 11, 19, 7, 0, tzinfo=UTC)
LETTERHEAD = Letterhead(
    organisation="Exempelpartiet i Stockholm",
    postal_address="Exempelgatan 1, 111 11 Stockholm",
    contact="kontakt@nyhet.example.org",
    from_name="Exempelpartiet i Bromma",
    from_address="veckobrev@nyhet.example.org",
    reply_to="bromma@nyhet.example.org",
    list_id="veckobrev.nyhet.example.org",
    publication_name="Veckobrevet",
)


def the_letters() -> Letters:
    return Letters(resource("templates") / "email")


def a_folder_of_letters(folder: Path, **files: str) -> Letters:
    """Lay a letter `test` into `folder`: its subject_txt, body_mjml and body_txt, and what these include."""
    parts = {"subject_txt": "Hello", "body_txt": "Hello\n", "body_mjml": a_body("Hello"), **files}
    (folder / "test").mkdir()
    for name, text in parts.items():
        (folder / "test" / name.replace("_", ".")).write_text(text, encoding="utf-8")
    return Letters(folder)


def a_body(text: str) -> str:
    return f"<mjml><mj-body><mj-section><mj-column><mj-text>{text}</mj-text></mj-column></mj-section></mj-body></mjml>"


def an_item(number: int = 1, **changes: object) -> dict[str, object]:
    return {
        "title": f"Ny skola med plats för {number * 30} barn i Mariehäll",
        "paragraphs": [
            "Nämnden beslutade på tisdagen att skolan ska stå klar till hösten 2027.",
            "Skolgården blir\nöppen på kvällarna.",
        ],
        "teaser": "Nämnden beslutade på tisdagen att skolan ska stå klar till hösten 2027. Bygget börjar i vår, och "
        "gården blir öppen för alla på kvällar och helger.",
        "url": f"https://nyheter.example.org/bromma/{number}",
        "source_name": "Distriktets nyheter",
        "published": date(2026, 11, 17),
        "image": None,
        "reason": {"kind": "district", "name": "Bromma"},
        "important": False,
        **changes,
    }


def a_section(*items: dict[str, object], kind: str = "district", name: str | None = "Bromma") -> dict[str, object]:
    return {"heading_kind": kind, "name": name, "items": list(items)}


def an_event(**changes: object) -> dict[str, object]:
    """Return an event as templates read it."""
    return {
        "title": "Första maj i Stockholm",
        "when": "lördag 1 maj 2027, 13:00–16:00",
        "short": "lördag 1 maj",
        "day": "1",
        "month": "maj",
        "place": "Norra Bantorget",
        "map_url": "https://www.openstreetmap.org/?mlat=59.3347",
        "meeting_point": "Vid scenen",
        "route": [
            {"hour": "13:00", "what": "Samling", "place": "Norra Bantorget"},
            {"hour": "14:00", "what": "Marsch", "place": ""},
        ],
        "text": "Ta med grannar.\n\nFika finns.",
        "access": "Asfalterat hela vägen.",
        "rain_plan": "Vi går i alla väder.",
        "contact": "1maj@nyhet.example.org",
        "url": "https://example.org/forsta-maj",
        "page": "https://m.distrikt.example.org/e/1",
        "calendar": "https://m.distrikt.example.org/e/1.ics",
        "cancelled": False,
        "reason": {"kind": "everyone", "name": None},
        **changes,
    }


def a_digest(**changes: object) -> dict[str, object]:
    """Return the content of a digest with 14 items in three sections."""
    near = [an_item(number, important=number == 1) for number in range(1, 7)]
    topic = [an_item(number, reason={"kind": "topic", "name": "Skola"}) for number in range(7, 12)]
    everyone = [an_item(number, url=None, reason={"kind": "everyone", "name": None}) for number in range(12, 15)]
    return {
        "edition": "2026-W47",
        "subject": None,
        "intro": "Här är veckans nyheter från Bromma.\n\nVi ses på torgmötet på lördag.",
        "sections": [
            a_section(*near),
            a_section(*topic, kind="topic", name="Skola"),
            a_section(*everyone, kind="everyone", name=None),
        ],
        "correction": None,
        "events": [an_event()],
        "newcomers": [{"name": "Bromma", "number": 15}, {"name": "Stockholm", "number": 5}],
        **changes,
    }


def a_letter(**changes: Any) -> Letter:
    return replace(Letter("digest", language="sv", letterhead=LETTERHEAD, context=a_digest()), **changes)


def a_person(name: str = "Anna Åström", number: int = 1) -> Person:
    return Person(
        name,
        unsubscribe=f"https://m.distrikt.example.org/u/{number}{TOKEN}",
        preferences=f"https://m.distrikt.example.org/p/{number}{TOKEN}",
    )


def a_recipient(*persons: Person, **changes: Any) -> Recipient:
    recipient = Recipient(
        address="anna@example.org",
        persons=persons or (a_person(),),
        message_id="m17.d42@nyhet.example.org",
        date=NOW,
        one_click=f"https://m.distrikt.example.org/u/1{TOKEN}",
    )
    return recipient._replace(**changes)
