"""One-off letters."""

from pydantic import Field

from mailer.config.values import Section
from mailer.durations import Span


class Campaigns(Section):
    grace: Span = Field("12 hours", validate_default=True)
