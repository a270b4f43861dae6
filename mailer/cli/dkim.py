"""utskick dkim: the keys that sign our letters, and what DNS says of them."""

from typing import Annotated

import typer
from pydantic import ValidationError

from mailer import signing
from mailer.app import App
from mailer.cli.frame import Json, app_of, print_json, remark, say
from mailer.config.outbox import Dkim
from mailer.config.values import in_dns
from mailer.dns.records import TextRecord, dkim_record
from mailer.errors import Mistake

commands = typer.Typer(no_args_is_help=True)


@commands.command()
def new(
    context: typer.Context,
    domain: Annotated[str, typer.Argument(help="The domain that letters are from.")],
    selector: Annotated[
        str | None, typer.Option(help="The key's name in DNS; default: this year and a letter, as 2026a.")
    ] = None,
) -> None:
    """Make a key for a domain, and print what to write in the config and in DNS."""
    app = app_of(context)
    domain = _domain(domain)
    table = app.settings.dkim.get(domain)
    if table is None or selector not in (None, table.selector):
        table = _fresh(domain, selector or f"{app.now().year}a")
        say(f'[dkim."{domain}"]\nselector = "{table.selector}"\nkey = "{table.key}"\n')
    path = app.places.config.parent / table.key
    signing.create(path)
    say(_record(app, domain, table).in_zone())
    remark("Wrote the key {path}: keep a copy, apart from the data.", path=path)
    remark("Publish the record first, then name the key in the config: letters are signed from the next start on.")


@commands.command("dns")
def show_records(context: typer.Context, as_json: Json = False) -> None:
    """Print the DNS records of the keys in the config."""
    app = app_of(context)
    records = [_record(app, domain, table) for domain, table in _tables(app).items()]
    if as_json:
        rows = [{"name": record.name, "type": "TXT", "strings": record.strings} for record in records]
        print_json(rows, zone=app.settings.site.zone)
        return
    for record in records:
        say(record.in_zone())


def _fresh(domain: str, selector: str) -> Dkim:
    try:
        return Dkim(selector=selector, key=f"dkim/{domain}.{selector}.pem")
    except ValidationError:
        raise Mistake("{selector} is no selector: write letters and digits, as 2026a.", selector=selector) from None


def _tables(app: App) -> dict[str, Dkim]:
    if not app.settings.dkim:
        raise Mistake("The config has no [dkim]: make a key with `utskick dkim new DOMAIN`, which prints what to add.")
    return app.settings.dkim


def _record(app: App, domain: str, table: Dkim) -> TextRecord:
    private = signing.load(app.places.config.parent / table.key)
    return dkim_record(domain, table.selector, signing.public_key(private))


def _domain(text: str) -> str:
    try:
        return in_dns(text)
    except ValueError:
        raise Mistake("{domain} is no domain: write it as nyhet.example.org.", domain=text) from None
