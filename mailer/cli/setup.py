"""utskick init: a config, a data folder, keys and a database, without ever overwriting one."""

import shutil

import typer

from mailer import keys
from mailer.cli.frame import Frame, remark
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
    if places.keys.exists():
        remark("Kept the keys {path}.", path=places.keys)
    else:
        places.keys.parent.mkdir(parents=True, exist_ok=True)
        keys.create(places.keys)
        remark("Wrote the keys {path}: keep a copy, apart from the data.", path=places.keys)
    if app.data_folder.absolute() in places.keys.absolute().parents:
        remark("The keys lie in the data folder, so a copy of it can be read by anyone: name a place in UTSKICK_KEYS.")
    app.prepare()
    remark("The database is ready.")
