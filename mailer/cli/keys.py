"""utskick keys: the keys that seal the register and make the tokens of links."""

import typer

import mailer.campaigns.models  # noqa: F401  # what it seals is sealed anew too
from mailer import keys
from mailer.app import App
from mailer.cli.frame import app_of, remark
from mailer.cli.progress import progress_bar
from subscribers import resealing, sealed

commands = typer.Typer(no_args_is_help=True)


@commands.command()
def rotate(context: typer.Context) -> None:
    """Add new keys, use them from now on, and seal everything anew. Links in letters that are out stay good."""
    app = app_of(context)
    app.engine.connect().close()  # with keys that do not fit nothing is begun
    keys.rotate(app.places.keys)
    remark("The key file {path} has new keys: keep a copy of it, apart from the data.", path=app.places.keys)
    sealed.unlock(keys.load(app.places.keys).register)
    _reseal(app)


@commands.command()
def reseal(context: typer.Context) -> None:
    """Seal anew whatever an older key sealed: finishes a rotation that was interrupted."""
    app = app_of(context)
    app.engine.connect().close()
    _reseal(app)


def _reseal(app: App) -> None:
    total = 0
    with progress_bar() as tell:
        for place in resealing.places():
            after: resealing.Key | None = None
            while True:
                with app.writing() as session:
                    after, changed = resealing.reseal_some(session, place, after)
                total += changed
                tell("Sealing anew", total, None)
                if after is None:
                    break
    remark("Rows sealed anew: {count}. The old keys stay: links and backups need them.", count=total)
