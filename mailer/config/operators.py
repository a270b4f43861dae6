"""Who may send, and what nobody may send alone."""

from typing import Annotated

from pydantic import Field

from mailer.config.slugs import KnownDistrict
from mailer.config.values import FromCommas, Language, OptionalAddress, Section
from mailer.durations import Span


class Operator(Section):
    """[operators.NAME]. `districts`, with those inside them, are theirs to write to; none: the whole organisation is.

    accounts  system accounts that are this person; none: the one with the operator's name
    """

    name: str = Field(min_length=1, max_length=100)
    address: Annotated[OptionalAddress, Field(min_length=1)]
    language: Language = "sv"
    districts: Annotated[tuple[KnownDistrict, ...], FromCommas] = ()
    may_approve: bool = False
    accounts: Annotated[tuple[str, ...], FromCommas] = ()


class Approval(Section):
    """second_above: to more people than that, two operators approve. undo: how long they may change their minds."""

    second_above: int = Field(500, ge=0)
    undo: Span = Field("5 minutes", validate_default=True)
