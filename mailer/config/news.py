"""Where news comes from."""

from typing import Annotated, Literal

from pydantic import Field

from mailer.config.slugs import KnownDistrict, KnownTopic
from mailer.config.values import FromCommas, Section
from mailer.durations import Span


class News(Section):
    fetch_every: Span = Field("15 minutes", validate_default=True)
    allow_hosts: Annotated[tuple[str, ...], FromCommas] = ()


class PageSelectors(Section):
    """CSS selectors that find the articles of an HTML page; all but `item` are looked up inside it."""

    item: str
    title: str
    link: str = "a"
    body: str | None = None
    date: str | None = None


class Source(Section):
    url: str
    kind: Literal["feed", "page", "list"] = "feed"
    select: PageSelectors | None = None
    approved: bool = True
    districts: tuple[KnownDistrict, ...] = ()
    topics: tuple[KnownTopic, ...] = ()
