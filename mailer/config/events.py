"""Letters about events: through which publication, when, and how they keep out of each other's way."""

from datetime import timedelta

from pydantic import Field

from mailer.config.values import Section, Slug
from mailer.durations import Span
from mailer.ladder import ANY_KIND, USUAL, Ladder, Step


class Events(Section):
    publication: str = ""  # none: no ladder, only what changed after a digest told it
    quiet: Span = Field("10 minutes", validate_default=True, le=timedelta(hours=12))
    apart: Span = Field("20 hours", validate_default=True, le=timedelta(days=7))
    per_week: int = Field(3, ge=1)
    ladders: dict[Slug, Ladder] = Field({})

    def ladder(self, kind: str) -> tuple[Step, ...]:
        """Return the steps for a kind of event: its own, else those of any kind, else the usual ones.

        Without a publication there is none to climb.
        """
        if not self.publication:
            return ()
        for known in (kind, ANY_KIND):
            if known in self.ladders:
                return self.ladders[known]
        return USUAL
