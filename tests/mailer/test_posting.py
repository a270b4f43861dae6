import os
from pathlib import Path

import pytest
import sqlalchemy as sa

from mailer import db
from mailer.app import App, Places
from mailer.cli import main


def test_a_worker_keeps_few_pages_of_the_database_and_its_app_many(tmp_path: Path):
    """https://www.sqlite.org/pragma.html#pragma_cache_size: negative means kB."""
    config = tmp_path / "config.toml"
    with pytest.raises(SystemExit):
        main(["init", "--config", str(config)])
    app = App.load(Places.of(config, None, {}), os.environ)

    def kept(engine: sa.Engine) -> int:
        with db.reading(engine) as reading, db.writing_beside(engine) as writing:
            (pages,) = {session.scalar(sa.text("PRAGMA cache_size")) for session in (reading, writing)}
        return -int(pages)

    of_a_worker, of_others = kept(app.office().engine), kept(app.engine)

    assert 2 * of_a_worker * 1024 < 10 * 2**20  # it has two connections
    assert of_others == 4 * of_a_worker
