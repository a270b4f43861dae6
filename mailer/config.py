"""Settings: config.toml, with UTSKICK_... from the environment laid over it. Read once, in app."""

import re
import tomllib
from collections.abc import Mapping
from contextlib import suppress
from datetime import timedelta
from pathlib import Path
from typing import Annotated, Any, Literal
from zoneinfo import ZoneInfo, available_timezones

from email_validator import EmailNotValidError, validate_email
from pydantic import (
    AfterValidator,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    HttpUrl,
    IPvAnyNetwork,
    SecretStr,
    ValidationError,
    field_validator,
    model_validator,
)

from mailer.durations import Span
from mailer.errors import Mistake
from mailer.pace import UNLIMITED, Pace
from mailer.sentences import N_
from mailer.validation import first_fault, is_loopback

Language = Literal["sv", "en"]
Slug = Annotated[str, Field(pattern=r"^[a-z0-9]+(-[a-z0-9]+)*$", max_length=64)]
WEEKDAYS = ("Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday")


def _split(value: object) -> object:
    """Let the environment, which knows no lists, write one with commas."""
    return [part.strip() for part in value.split(",") if part.strip()] if isinstance(value, str) else value


FromCommas = BeforeValidator(_split)


class Section(BaseModel):
    """A table of config.toml: frozen, and an unknown key is an error."""

    model_config = ConfigDict(frozen=True, extra="forbid")


def _weekly(text: str) -> str:
    if not re.fullmatch(rf"({'|'.join(WEEKDAYS)}) ([01]\d|2[0-3]):[0-5]\d", text):
        raise ValueError(N_('write a weekday in English and a time, for example "Thursday 08:00"'))
    return text


def _place_in_week(text: str) -> tuple[int, str]:
    weekday, hour = text.split()
    return WEEKDAYS.index(weekday), hour


WeeklyTime = Annotated[str, AfterValidator(_weekly)]


class Site(Section):
    organisation: str
    postal_address: str
    contact: str
    base_url: str
    language: Language = "sv"
    time_zone: str = "Europe/Stockholm"

    @field_validator("base_url")
    @classmethod
    def _http(cls, value: str) -> str:
        HttpUrl(value)
        return value.rstrip("/")

    @field_validator("time_zone")
    @classmethod
    def _known_zone(cls, value: str) -> str:
        if value not in available_timezones():
            raise ValueError(N_('name a time zone such as "Europe/Stockholm"'))
        return value

    @property
    def zone(self) -> ZoneInfo:
        return ZoneInfo(self.time_zone)


class Web(Section):
    host: str = "127.0.0.1"
    port: int = Field(8080, ge=1, le=65535)
    trusted_proxies: Annotated[tuple[IPvAnyNetwork, ...], FromCommas] = Field(
        ("127.0.0.0/8", "::1"), validate_default=True
    )


class Metrics(Section):
    host: str = "127.0.0.1"
    port: int = Field(0, ge=0, le=65535)
    token: SecretStr = SecretStr("")

    @model_validator(mode="after")
    def _kept_from_strangers(self) -> "Metrics":
        if self.port and not self.token.get_secret_value() and not is_loopback(self.host):
            raise ValueError(N_("another machine can reach that host: set a token too, UTSKICK_METRICS__TOKEN"))
        return self


class DistrictLetterhead(Section):
    """What a district may set for its own: both fall back to the publication's."""

    from_name: str | None = None
    reply_to: str | None = None


class Publication(Section):
    name: dict[Language, str]
    from_name: str
    from_address: str
    reply_to: str
    list_id: str
    unsubscribe_address: str = ""
    stream: Literal["bulk", "statutory"] = "bulk"
    events_only: bool = False
    districts: dict[Slug, DistrictLetterhead] = {}


class Digest(Section):
    publication: Slug = "weekly"
    draft: WeeklyTime = "Monday 08:00"
    send: WeeklyTime = "Thursday 08:00"
    auto_approve: bool = False
    grace: Span = Field("12 hours", validate_default=True)
    fresh_for: Span = Field("3 weeks", validate_default=True)
    new_member: Span = Field("7 days", validate_default=True)
    at_least: int = Field(1, ge=1)
    per_section: int = Field(6, ge=1)
    at_most: int = Field(14, ge=1)
    same_for_everyone: bool = False

    @model_validator(mode="after")
    def _drafted_before_sent(self) -> "Digest":
        if _place_in_week(self.draft) >= _place_in_week(self.send):
            raise ValueError(N_("draft must come before send in a week from Monday to Sunday"))
        return self


class Outbox(Section):
    providers: Annotated[tuple[str, ...], FromCommas] = ("smtp",)
    workers: int = Field(2, ge=1, le=64)
    give_up_after: Span = Field("2 days", validate_default=True)
    send_within: Span = Field("7 days", validate_default=True)
    lease: Span = Field("5 minutes", validate_default=True, ge=timedelta(seconds=5))


class Dkim(Section):
    """[dkim."nyhet.example.org"]: what signs letters from that domain and those below it."""

    selector: str = Field(pattern=r"^[A-Za-z0-9]+([.-][A-Za-z0-9]+)*$", max_length=63)
    key: str  # path of the key file; relative to the config


def in_dns(domain: str) -> str:
    """Return a domain as it stands in DNS: malmö.se is xn--malm-8qa.se. raises ValueError when it is none"""
    try:
        return validate_email(f"post@{domain}", check_deliverability=False, test_environment=True).ascii_domain
    except EmailNotValidError:
        raise ValueError(N_("write a domain such as nyhet.example.org")) from None


def _optional_domain(domain: str) -> str:
    return in_dns(domain) if domain else ""


def _optional_address(address: str) -> str:
    try:
        wire = validate_email(address, check_deliverability=False, test_environment=True).ascii_email if address else ""
    except EmailNotValidError:
        wire = None
    if wire is None:
        raise ValueError(N_("write an address such as kansli@example.org"))
    return wire


class Imap(Section):
    """[feedback.imap]: a mailbox that is read; the password comes from UTSKICK_FEEDBACK__IMAP__PASSWORD."""

    host: str = ""  # none: no mailbox is read
    port: int = Field(993, ge=1, le=65535)
    security: Literal["tls", "starttls"] = "tls"
    ca_file: str = ""  # the authority of a server whose certificate no public one signed
    username: str = ""
    password: SecretStr = SecretStr("")
    folder: str = Field("INBOX", pattern=r"^[ -~]+$")
    processed: str = Field("Utskick/processed", pattern=r"^[ -~]+$")


class Receive(Section):
    """[feedback.receive]: where `utskick receive` takes mail from a mail server."""

    host: str = "127.0.0.1"
    port: int = Field(8024, ge=0, le=65535)
    protocol: Literal["lmtp", "smtp"] = "lmtp"


class Feedback(Section):
    bounce_domain: Annotated[str, Field(max_length=200), AfterValidator(_optional_domain)] = ""
    addresses: Annotated[tuple[str, ...], FromCommas] = ()
    forward_to: Annotated[str, AfterValidator(_optional_address)] = ""
    imap: Imap = Imap()
    receive: Receive = Receive()


_WEBHOOK = "webhook_"


class ProviderTable(BaseModel):
    """[providers.NAME]: what every provider may have. The rest is judged by the provider's own files.

    own      what it sends with (mailer.providers)
    webhook  what proves the requests in which it tells us something (mailer.feedback.hooks): all that begins so
    """

    model_config = ConfigDict(frozen=True, extra="allow")

    pace: Pace = UNLIMITED

    @property
    def own(self) -> dict[str, Any]:
        return {name: value for name, value in (self.model_extra or {}).items() if not name.startswith(_WEBHOOK)}

    @property
    def webhook(self) -> dict[str, Any]:
        return {name: value for name, value in (self.model_extra or {}).items() if name.startswith(_WEBHOOK)}


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
    districts: tuple[Slug, ...] = ()
    topics: tuple[Slug, ...] = ()


class Members(Section):
    publications: Annotated[tuple[Slug, ...], FromCommas] = ("weekly",)
    ground: Literal["member", "supporter"] = "member"


Origin = Annotated[str, Field(pattern=r"^https?://(\*\.)?[A-Za-z0-9-]+(\.[A-Za-z0-9-]+)*(:\d{1,5})?$")]


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
    leavers: Span = Field("90 days", validate_default=True, ge=timedelta(days=1))
    delivery_details: Span = Field("90 days", validate_default=True, ge=timedelta(days=1))
    feedback: Span = Field("180 days", validate_default=True, ge=timedelta(days=120))  # what judging remembers
    diary: Span = Field("365 days", validate_default=True, ge=timedelta(days=1))


Matter = Literal["draft", "unapproved", "held", "provider", "source", "feedback", "report"]


class Person(Section):
    address: str
    language: Language = "sv"
    tell: tuple[Matter, ...] = ("draft", "unapproved", "held", "provider", "source", "feedback", "report")


class Settings(Section):
    data: str = "data"
    database: str | None = Field(None, repr=False)  # it may hold a password; None: SQLite in the data folder
    site: Site
    web: Web = Web()
    metrics: Metrics = Metrics()
    publications: dict[Slug, Publication]
    digest: Digest = Digest()
    outbox: Outbox = Outbox()
    dkim: dict[Annotated[str, AfterValidator(in_dns)], Dkim] = {}
    feedback: Feedback = Feedback()
    providers: dict[str, ProviderTable] = Field({}, repr=False)  # with passwords; each judged by its own file
    news: News = News()
    sources: dict[Slug, Source] = {}
    members: Members = Members()
    join: Join = Join()
    welcome: Welcome = Welcome()
    retention: Retention = Retention()
    people: dict[str, Person] = {}

    def require_stream(self, publication: str, stream: str) -> None:
        """Refuse a publication of another stream than the one that is meant. raises Mistake

        Whoever writes to many says what they mean: nobody sends a campaign past everyone's "no" by picking the
        wrong name from a list, nor a call to a meeting to some members only.
        """
        if publication not in self.publications:
            raise Mistake(
                "There is no publication {publication} in the config: it has {known}.",
                publication=publication,
                known=", ".join(sorted(self.publications)),
            )
        declared = self.publications[publication].stream
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

    def name_of(self, publication: str, language: str) -> str:
        """Return what members call a publication, in `language` or another; its slug when config has it no longer."""
        known = self.publications.get(publication)
        names: dict[str, str] = {str(code): name for code, name in known.name.items()} if known else {}
        return names.get(language) or names.get(self.site.language) or next(iter(names.values()), publication)


def load(path: Path, environ: Mapping[str, str]) -> Settings:
    """Read `path` and lay the environment over it: UTSKICK_WEB__PORT=81 sets web.port, UTSKICK_DATABASE database.

    raises  Mistake, which names the key and what is wrong with it
    """
    try:
        tree = tomllib.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        raise Mistake(
            "There is no config file {path}: run `utskick init` or name one with --config.", path=path
        ) from None
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise Mistake("{path} is not valid TOML: {reason}.", path=path, reason=error) from None
    except OSError as error:
        raise Mistake("{file} cannot be read: {reason}.", file=path, reason=error.strerror) from None
    _overlay(tree, environ)
    try:
        settings = Settings.model_validate(tree)
    except ValidationError as error:
        fault = first_fault(error)
        raise Mistake("{path}: {key}: {reason}.", path=path, key=fault.key, reason=fault.reason) from None
    _require_publications(settings, path)
    _require_signatures(settings, path)
    return settings


def _require_publications(settings: Settings, path: Path) -> None:
    for key, named in (
        ("digest.publication", {settings.digest.publication}),
        ("members.publications", set(settings.members.publications)),
        ("join.publications", set(settings.join.publications)),
    ):
        if not named <= settings.publications.keys():
            raise Mistake(
                "{path}: {key} names a publication that is not there; there are: {known}.",
                path=path,
                key=key,
                known=", ".join(sorted(settings.publications)),
            )
        if any(settings.publications[slug].stream != "bulk" for slug in named):
            raise Mistake(
                '{path}: {key} names a publication with stream = "statutory": nobody subscribes to that.',
                path=path,
                key=key,
            )


def _require_signatures(settings: Settings, path: Path) -> None:
    """Where there is a key, every letter is signed, by a domain that its From is in (DMARC's alignment, RFC 9989)."""
    if not settings.dkim:
        return
    for slug, publication in settings.publications.items():
        domain = publication.from_address.rpartition("@")[2]
        with suppress(ValueError):
            domain = in_dns(domain)
        if not any(f".{domain}".endswith(f".{signing}") for signing in settings.dkim):
            raise Mistake(
                "{path}: [dkim] has no key for {domain}, which publications.{slug}.from_address is in: add "
                '[dkim."{domain}"] with selector and key, as `utskick dkim new {domain}` prints them.',
                path=path,
                domain=domain,
                slug=slug,
            )


def _overlay(tree: dict[str, Any], environ: Mapping[str, str]) -> None:
    if environ.get("UTSKICK_DATABASE"):  # the one key without a section, as it may hold a password
        tree["database"] = environ["UTSKICK_DATABASE"]
    for name, value in environ.items():
        if not name.startswith("UTSKICK_") or "__" not in name:
            continue
        *parents, key = name.removeprefix("UTSKICK_").lower().split("__")
        table = tree
        for parent in parents:
            table = table.setdefault(parent, {})
            if not isinstance(table, dict):
                raise Mistake(
                    "The environment's {name} does not fit: {key} has no keys below it.", name=name, key=parent
                )
        table[key] = value
