"""What sections of config.toml must not say against each other. A new rule is a function and a line of RULES."""

from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

from mailer.config.settings import Settings
from mailer.config.values import in_dns
from mailer.errors import Mistake


def subscribable_publications(settings: Settings, path: Path) -> None:
    for key, named in (
        ("events.publication", {settings.events.publication} - {""}),
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


def lists_apart(settings: Settings, path: Path) -> None:
    """Mail programs sort by the List-Id, and who silences one list must not silence the other (RFC 2919)."""
    ids = [publication.list_id.casefold() for publication in settings.publications.values()]
    twice = sorted({one for one in ids if ids.count(one) > 1})
    if twice:
        raise Mistake("{path}: two [publications] have the list_id {id}: give each its own.", path=path, id=twice[0])


def a_key_for_every_sender(settings: Settings, path: Path) -> None:
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


def operators_apart(settings: Settings, path: Path) -> None:
    """Each operator is one person, or approving twice would be easy; and nothing goes out without them."""
    for what, values in (
        ("address", [it.address.casefold() for it in settings.operators.values()]),
        ("accounts", [name for slug, it in settings.operators.items() for name in it.accounts or (slug,)]),
    ):
        twice = sorted({value for value in values if values.count(value) > 1})
        if twice:
            raise Mistake(
                "{path}: [operators]: {value} stands in {key} of two operators.", path=path, value=twice[0], key=what
            )
    if settings.operators and settings.digest.auto_approve:
        raise Mistake("{path}: where there are [operators], digest.auto_approve has to be false.", path=path)


RULES: tuple[Callable[[Settings, Path], None], ...] = (
    subscribable_publications,
    lists_apart,
    a_key_for_every_sender,
    operators_apart,
)
