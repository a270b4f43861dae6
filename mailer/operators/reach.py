"""Who may say what takes place where. Letters about an event go by themselves to whoever chose its districts."""

from collections.abc import Iterable

from sqlmodel import Session

from mailer.config import Settings
from mailer.errors import Mistake
from mailer.operators.people import of_account, operators


def require_reach(session: Session, settings: Settings, account: str, districts: Iterable[frozenset[str]]) -> None:
    """raises Mistake for somebody whose districts do not hold those of an event, and for no operator at all

    districts  of each event; none: it is for everybody. Where the config has no [operators], anybody may
    """
    if not settings.operators:
        return
    slug = of_account(settings, account)
    if slug is None:
        raise Mistake("The account {account} is no operator of the config, so it changes no event.", account=account)
    operator = operators(session, settings)[slug]
    for those in districts:
        if not operator.covers(those or None):
            raise Mistake(
                "{name} may change events in {own} only: ask an operator whose districts hold this one's.",
                name=operator.name,
                own=", ".join(settings.operators[slug].districts),
            )
