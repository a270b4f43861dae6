"""utskick districts, utskick topics: what members choose among and news is tagged with.

They look at the database alone, so that they help to mend a config that names what is not there.
"""

from collections.abc import Callable, Sequence
from dataclasses import asdict

import typer
from sqlmodel import Session

from mailer import db
from mailer.cli.frame import Json, app_of
from mailer.cli.tables import print_listing
from subscribers import reference
from subscribers.reference import ListedDistrict, ListedTopic


def districts(context: typer.Context, as_json: Json = False) -> None:
    _show(context, reference.districts, ("slug", "name", "kind", "parent", "members"), as_json=as_json)


def topics(context: typer.Context, as_json: Json = False) -> None:
    _show(context, reference.topics, ("slug", "name", "name_en", "members"), as_json=as_json)


def _show(
    context: typer.Context,
    listed: Callable[[Session], Sequence[ListedDistrict | ListedTopic]],
    columns: Sequence[str],
    *,
    as_json: bool,
) -> None:
    app = app_of(context)
    db.require_current(app.bare_engine)
    with db.reading(app.bare_engine) as session:
        rows = [asdict(entry) for entry in listed(session)]
    print_listing(rows, columns, zone=app.settings.site.zone, as_json=as_json)
