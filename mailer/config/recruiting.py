"""Inviting others: a link of each member's own."""

from pydantic import Field

from mailer.config.values import Section


class Recruiting(Section):
    """least: districts with fewer newcomers are not named on the page of progress."""

    enabled: bool = False
    least: int = Field(5, ge=2)
