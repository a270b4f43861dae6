"""Letters to test with."""

from typing import Any

from mailer.campaigns.content import compiled
from mailer.campaigns.faults import Place
from mailer.campaigns.markup import Json
from mailer.campaigns.written import Written, read

OURS = {language: {"organisation": "Exempelpartiet", "publication": "Veckobrevet"} for language in ("sv", "en")}


class AnyThere:
    """A look that finds whatever it is asked for."""

    def event(self, which: str, language: str, at: Place) -> Json:
        del language, at
        return {
            "told": [1, 2],
            "title": which,
            "when": "lördag 1 maj 2027, 13:00–16:00",
            "changed": True,
            "place": "Norra Bantorget",
            "meeting_point": "Vid scenen",
            "access": "Utan trappor",
            "url": "https://post.example.org/e/1",
        }

    def news(self, which: str, language: str, at: Place) -> Json:
        del language, at
        item = {
            "title": f"Nyhet {which}",
            "language": "sv",
            "teaser": "Den byggs i år.",
            "url": "https://nyheter.example.org/1",
            "source_name": "nyheter.example.org",
            "published": "2026-11-17",
        }
        return {"items": [item]}

    def picture(self, source: str, at: Place) -> Json:
        del source, at
        return {"picture": f"{'5f' * 32}.jpg", "width": 600, "height": 300}


def a_file(body: str = "Hej!", *, front: str = "", subject: str = '"Följ med"') -> str:
    return f'+++\nsubject = {subject}\npublication = "weekly"\n{front}\n+++\n{body}\n'


def a_written(body: str = "Hej!", **values: str) -> Written:
    return read([("brev.md", a_file(body, **values))], language="sv")


def nodes(body: str) -> Any:
    """Return the nodes that a text becomes."""
    return compiled(a_written(body), AnyThere(), OURS)["versions"]["sv"]["nodes"]


EVERYTHING = """\
# En rubrik

Hej {{ member.given_name | default("vän") }}! **Fet**, *lutad* och [en länk](https://example.org/a).\\
En rad till, [dina val]({{ member.preferences }}) och <kansli@example.org>.

### En mindre

- ett
- två

3. tre
4. fyra

---

> Ett citat

::: button https://example.org/anmal
Anmäl dig
:::

::: event forsta-maj

::: news 12

::: image torg.jpg
Ett torg i sol
:::

::: quote Amina
Det vill nästan alla.
:::

::: columns
Vänster
::: button {{ member.preferences }}
Ändra
:::
|||
### Höger
::: image torg.jpg
Samma torg
:::
:::
"""
