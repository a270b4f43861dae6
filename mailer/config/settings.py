"""All of config.toml. A new section is one line here and a class in a file of its own, or in one it belongs to."""

from typing import Annotated

from pydantic import AfterValidator, Field

from mailer.config.campaigns import Campaigns
from mailer.config.digest import Digest
from mailer.config.events import Events
from mailer.config.feedback import Feedback
from mailer.config.members import Join, Members, Retention, Welcome
from mailer.config.news import News, Source
from mailer.config.operators import Approval, Operator
from mailer.config.outbox import Dkim, Outbox, ProviderTable
from mailer.config.people import Person
from mailer.config.publications import Publication
from mailer.config.recruiting import Recruiting
from mailer.config.site import Metrics, Site, Web
from mailer.config.values import Section, Slug, in_dns
from mailer.errors import Mistake


class Settings(Section):
    data: str = "data"
    database: str | None = Field(None, repr=False)  # it may hold a password; None: SQLite in the data folder
    site: Site
    web: Web = Web()
    metrics: Metrics = Metrics()
    publications: dict[Slug, Publication]
    digest: Digest = Digest()
    campaigns: Campaigns = Campaigns()
    outbox: Outbox = Outbox()
    dkim: dict[Annotated[str, AfterValidator(in_dns)], Dkim] = Field({})
    feedback: Feedback = Feedback()
    providers: dict[str, ProviderTable] = Field({}, repr=False)  # with passwords; each judged by its own file
    events: Events = Events()
    news: News = News()
    sources: dict[Slug, Source] = Field({})
    members: Members = Members()
    join: Join = Join()
    welcome: Welcome = Welcome()
    recruiting: Recruiting = Recruiting()
    retention: Retention = Retention()
    people: dict[str, Person] = Field({})
    operators: dict[Slug, Operator] = Field({})
    approval: Approval = Approval()

    def published(self, publication: str) -> Publication:
        """raises Mistake when there is none of that name"""
        if publication not in self.publications:
            raise Mistake(
                "There is no publication {publication} in the config: it has {known}.",
                publication=publication,
                known=", ".join(sorted(self.publications)),
            )
        return self.publications[publication]

    def require_stream(self, publication: str, stream: str) -> None:
        """Refuse a publication of another stream than the one that is meant. raises Mistake

        Whoever writes to many says what they mean: nobody sends a campaign past everyone's "no" by picking the
        wrong name from a list, nor a call to a meeting to some members only.
        """
        declared = self.published(publication).stream
        if declared == stream:
            return
        if declared == "statutory":
            raise Mistake(
                "{publication} is for what the statutes oblige you to send, and reaches those who said no too: "
                "choose another publication, or say that the letter is statutory.",
                publication=publication,
            )
        raise Mistake(
            'A statutory letter needs a publication with stream = "statutory" in the config; {publication} is none.',
            publication=publication,
        )

    @property
    def to_subscribe(self) -> tuple[str, ...]:
        """The publications that a member can choose, in the order of the config."""
        return tuple(slug for slug, publication in self.publications.items() if publication.stream == "bulk")

    @property
    def events_only(self) -> str | None:
        """The publication that holds events alone, if there is one."""
        return next((slug for slug in self.to_subscribe if self.publications[slug].events_only), None)

    @property
    def archives(self) -> tuple[str, ...]:
        """The publications that have an archive, in the order of the config."""
        return tuple(slug for slug, publication in self.publications.items() if publication.archive != "none")

    @property
    def invites(self) -> bool:
        """Whether members invite others, which takes a page where those sign up."""
        return self.recruiting.enabled and bool(self.join.publications)

    def name_of(self, publication: str, language: str) -> str:
        """Return what members call a publication, in `language` or another; its slug when config has it no longer."""
        known = self.publications.get(publication)
        names: dict[str, str] = {str(code): name for code, name in known.name.items()} if known else {}
        return names.get(language) or names.get(self.site.language) or next(iter(names.values()), publication)
