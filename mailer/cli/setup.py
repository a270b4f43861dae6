"""utskick init: a config, a data folder, keys and a database, without ever overwriting one."""

import json
from pathlib import Path

import typer

from mailer import keys
from mailer.cli.frame import Frame, remark
from mailer.errors import Mistake
from mailer.resources import resource


def init(context: typer.Context) -> None:
    frame: Frame = context.obj
    places = frame.places
    if places.config.exists():
        remark("Kept the config {path}.", path=places.config)
    else:
        places.config.parent.mkdir(parents=True, exist_ok=True)
        places.config.write_text(_sample(frame.data), encoding="utf-8")
        remark("Wrote the config {path}: make it yours.", path=places.config)
    app = frame.app
    if places.keys.exists():
        remark("Kept the keys {path}.", path=places.keys)
    elif app.has_register():
        raise Mistake(
            "The register in {folder} was sealed with other keys: put your copy of {path} back. With new keys nobody "
            "in it can be read, and no link in a letter already sent works.",
            folder=app.data_folder,
            path=places.keys,
        )
    else:
        places.keys.parent.mkdir(parents=True, exist_ok=True)
        keys.create(places.keys)
        remark("Wrote the keys {path}: keep a copy, apart from the data.", path=places.keys)
    if app.data_folder.absolute() in places.keys.absolute().parents:
        remark("The keys lie in the data folder, so a copy of it can be read by anyone: name a place in UTSKICK_KEYS.")
    app.prepare()
    remark("The database is ready.")


def _sample(data: Path | None) -> str:
    """Return the sample config, with the data folder that was named."""
    text = resource("config.toml").read_text(encoding="utf-8")
    return text if data is None else text.replace('data = "data"', f"data = {json.dumps(str(data.absolute()))}", 1)
