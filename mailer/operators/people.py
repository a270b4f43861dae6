"""The operators of the config, and which of them somebody is."""

import hashlib
from collections.abc import Mapping

from sqlmodel import Session

from mailer.config import Settings
from mailer.errors import Mistake
from mailer.operators.rules import Operator
from subscribers.reference import parents


def operators(session: Session, settings: Settings) -> dict[str, Operator]:
    """Return them by slug, their districts with all that lie inside."""
    inside = _inside(session)
    return {
        slug: Operator(
            slug=slug,
            name=said.name,
            address=said.address,
            language=said.language,
            districts=frozenset().union(*(inside[name] for name in said.districts)) if said.districts else None,
            may_approve=said.may_approve,
        )
        for slug, said in settings.operators.items()
    }


def _inside(session: Session) -> Mapping[str, frozenset[str]]:
    """Return, for each district, itself and those below it."""
    tree = parents(session)
    found: dict[str, set[str]] = {slug: {slug} for slug in tree}
    for slug, parent in tree.items():
        above = parent
        while above is not None:
            found[above].add(slug)
            above = tree[above]
    return {slug: frozenset(below) for slug, below in found.items()}


def by_account(settings: Settings, account: str) -> str:
    """Return the operator whose system account runs this command. raises Mistake"""
    slug = of_account(settings, account)
    if slug is None:
        raise Mistake(
            "The account {account} is no operator of the config: say who you are with --as, and a link is sent to you.",
            account=account,
        )
    return slug


def of_account(settings: Settings, account: str) -> str | None:
    """Return the operator a system account belongs to, None: nobody's of the config."""
    return next((slug for slug, said in settings.operators.items() if account in (said.accounts or (slug,))), None)


def by_name(settings: Settings, name: str) -> str:
    """raises Mistake"""
    if name not in settings.operators:
        raise Mistake(
            "There is no operator {name} in the config: it has {known}.",
            name=name,
            known=", ".join(sorted(settings.operators)),
        )
    return name


def number_of(operator: Operator) -> int:
    """Return what stands for an operator in a token: another address of theirs, and old links are worth nothing."""
    return int.from_bytes(hashlib.sha256(f"{operator.slug}\0{operator.address}".encode()).digest()[:5])
