"""utskick init: a config, a data folder, keys and a database, without ever overwriting one."""

import shutil

import typer

from mailer import db, keys
from mailer.cli.frame import Frame, remark
from mailer.news.reference import load_reference
from mailer.resources import resource


def init(context: typer.Context) -> None:
    """Prepare the config, the data folder, the keys and the database. Keeps what is there."""
    frame: Frame = context.obj
    places = frame.places
    if places.config.exists():
        remark("Kept the config {path}.", path=places.config)
    else:
        places.config.parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(resource("config.toml"), places.config)
        remark("Wrote the config {path}: make it yours.", path=places.config)
    app = frame.app
    app.data_folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    if places.keys.exists():
        remark("Kept the keys {path}.", path=places.keys)
    else:
        places.keys.parent.mkdir(parents=True, exist_ok=True)
        keys.create(places.keys)
        remark("Wrote the keys {path}: keep a copy, apart from the data.", path=places.keys)
    db.upgrade(app.bare_engine)
    with app.writing() as session:
        load_reference(session)
    remark("The database is ready.")
