import time
from datetime import timedelta

import pytest
import sqlalchemy as sa

from mailer import db
from mailer.outbox import control
from mailer.outbox.permission import Permission
from tests.builders import MOMENT
from tests.mailer.outbox.posting import KEY, a_mailing

PATIENCE = timedelta(minutes=1).total_seconds()  # a deadline, never a measure


def test_whatever_anybody_writes_is_noticed_without_asking(engine: sa.Engine, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr("mailer.outbox.permission._ASK_AGAIN", 2 * PATIENCE)
    mailing = a_mailing(engine)
    with Permission(engine, lambda: MOMENT) as permission:
        permission.refresh()
        assert permission.going(mailing)

        with db.writing(engine) as session:
            control.pause(session.connection(), KEY)

        deadline = time.monotonic() + PATIENCE
        while permission.going(mailing):
            assert time.monotonic() < deadline
            permission.refresh()
