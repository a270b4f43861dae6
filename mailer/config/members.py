"""How members come in, what they are greeted with, and how long it is kept."""

from datetime import timedelta
from typing import Annotated, Literal

from pydantic import Field

from mailer.config.values import FromCommas, Origin, Section, Slug
from mailer.durations import Span


class Members(Section):
    publications: Annotated[tuple[Slug, ...], FromCommas] = ("weekly",)
    ground: Literal["member", "supporter"] = "member"


class Join(Section):
    publications: Annotated[tuple[Slug, ...], FromCommas] = ("weekly",)
    embed_in: Annotated[tuple[Origin, ...], FromCommas] = ()


class Welcome(Section):
    enabled: bool = True
    imported: bool = False
    at_most: int = Field(200, ge=1)


class Retention(Section):
    sign_ups: Span = Field("7 days", validate_default=True, ge=timedelta(hours=1))
    letters: Span = Field("400 days", validate_default=True, ge=timedelta(days=30))
    archive: Span = Field("1095 days", validate_default=True, ge=timedelta(days=30))
    leavers: Span = Field("90 days", validate_default=True, ge=timedelta(days=1))
    delivery_details: Span = Field("90 days", validate_default=True, ge=timedelta(days=1))
    feedback: Span = Field("180 days", validate_default=True, ge=timedelta(days=120))  # what judging remembers
    answers: Span = Field("30 days", validate_default=True, ge=timedelta(days=1))
    records: Span = Field("3650 days", validate_default=True, ge=timedelta(days=365))
    diary: Span = Field("365 days", validate_default=True, ge=timedelta(days=1))
