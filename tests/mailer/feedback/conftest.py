from collections.abc import Iterator
from datetime import timedelta

import pytest
import sqlalchemy as sa
from sqlmodel import Session

from mailer import db
from tests.builders import MOMENT
from tests.mailer.outbox.posting import a_mailing


@pytest.fixture
def mailing(engine: sa.Engine) -> int:
    """A mailing to members 1, 2 and 3 (m1@example.org, ...)."""
    return a_mailing(engine, 3, created_at=MOMENT - timedelta(days=1))


@pytest.fixture
def session(engine: sa.Engine, mailing: int) -> Iterator[Session]:
    """One transaction, begun when the mailing stands."""
    del mailing
    with db.writing(engine) as session:
        yield session
