"""Tells the people in charge what they should know."""

import asyncio
from datetime import datetime

from sqlmodel import Session

from mailer.app import App
from mailer.digest import previews, proofs
from mailer.digest.models import Edition
from mailer.digest.plan import prepare
from mailer.members import recruiting
from mailer.message import Message
from mailer.notices import tell
from mailer.notices.causes import Cause
from mailer.notices.letters import NOTHING, Enclosure
from mailer.operators import book
from mailer.operators import letters as operators


def tell_people(app: App, now: datetime) -> None:
    """Send every notice that is due; safe to run twice at once."""
    with app.writing() as session:
        causes = tell.claim(session, app.settings, now)
    if not causes:
        return
    with app.reading() as session:
        letters = tell.write(session, causes, app.settings, enclose=lambda s, c: enclose(app, s, c, now), now=now)
    for cause in causes:
        letters[cause.key] += links_to_sign(app, cause, now)
    told = asyncio.run(tell.send(letters, app.post))
    with app.writing() as session:
        tell.settle(session, told)


def links_to_sign(app: App, cause: Cause, now: datetime) -> list[Message]:
    """Return a letter to each operator who may sign what a notice says is not approved."""
    if cause.request is None:
        return []
    return operators.letters(app.approving, book.look(app.approving, cause.request), now=now)


def enclose(app: App, session: Session, cause: Cause, now: datetime) -> Enclosure:
    """Return the preview of the edition that a notice is about, and where it has nothing to offer."""
    if cause.edition_id is None:
        return NOTHING
    edition = session.get_one(Edition, cause.edition_id)
    newcomers = recruiting.progress(session, app.settings)
    basis = prepare(session, app.settings, edition, app.links, now, newcomers)
    sheets, _counts = previews.sheets(session, basis, now)
    covers = previews.coverage(session, basis, now)
    pages = [proofs.show(app.letters, basis, sheet, app.links, now).html for sheet in sheets[:1]]
    name = f"{edition.publication}-{edition.period}.html"
    return Enclosure(
        districts_without_news=tuple(cover.name for cover in covers if cover.read and not cover.local),
        topics_without_news=tuple(basis.names["topic"][topic] for topic in previews.topics_without_news(basis)),
        pages=tuple((name, page) for page in pages),
    )
