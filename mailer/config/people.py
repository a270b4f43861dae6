"""Who is told what happens."""

from typing import Literal

from mailer.config.values import Language, Section

Matter = Literal["draft", "unapproved", "held", "provider", "source", "feedback", "report"]


class Person(Section):
    address: str
    language: Language = "sv"
    tell: tuple[Matter, ...] = ("draft", "unapproved", "held", "provider", "source", "feedback", "report")
