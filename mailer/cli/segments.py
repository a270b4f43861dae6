"""utskick segments: audiences with a name of their own."""

from typing import Annotated, Any

import typer
from pydantic import ValidationError
from sqlmodel import Session

from mailer.app import App
from mailer.campaigns import audience, segments
from mailer.campaigns.audience import About
from mailer.campaigns.rules import Rule
from mailer.campaigns.words import in_words
from mailer.cli.frame import Json, account, app_of, insist, print_json, remark, say
from mailer.errors import Mistake
from mailer.i18n import _, speaking
from mailer.validation import first_fault
from subscribers.selection import count
from subscribers.streams import Stream

commands = typer.Typer(no_args_is_help=True)

Name = Annotated[str, typer.Argument(help="The segment's name.")]
Pairs = Annotated[
    list[str],
    typer.Argument(
        metavar="KEY=VALUE...",
        help="Who is in it: districts=, sub_districts=false, topics=, languages=, ground=, members=, several apart by"
        " commas; exclude.districts= and the like take away, include. adds. The keys stand in docs/campaigns.md.",
    ),
]
_GROUPS = ("include", "exclude")


@commands.command()
def add(context: typer.Context, name: Name, pairs: Pairs) -> None:
    """Give an audience a name, or another meaning to one. Letters that are approved stay as they were."""
    app = app_of(context)
    rule = _rule(pairs)
    with app.writing() as session:
        rule = audience.normalised(session, rule, About())
        is_new = segments.add(session, name, rule, who=account(), now=app.now())
        row = _row(app, session, name, rule)
    say(f"{row['words']}", err=True)
    if is_new:
        remark("{name} is a segment now.", name=name)
    else:
        remark("{name} means that now.", name=name)


@commands.command("list")
def list_(context: typer.Context, json: Json = False) -> None:
    """List the segments, each in words."""
    app = app_of(context)
    with app.reading() as session:
        rows = [_row(app, session, name, rule) for name, rule in segments.rules(session).items()]
    if json:
        print_json(rows, zone=app.settings.site.zone)
        return
    for row in rows:
        say(f"{row['name']}  {row['words']}")


@commands.command()
def show(context: typer.Context, name: Name, json: Json = False) -> None:
    """Show a segment in words, and how many of the members who subscribe to something are in it."""
    app = app_of(context)
    now = app.now().astimezone(app.settings.site.zone)
    with app.reading() as session:
        rule = segments.find(session, name)
        row = _row(app, session, name, rule)
        selection = audience.selection_of(session, rule)
        for publication in app.settings.to_subscribe:
            counted = count(session, selection, publication=publication, stream=Stream.BULK, now=now)
            row[publication] = counted.members
    if json:
        print_json([row], zone=app.settings.site.zone)
        return
    say(f"{row['name']}  {row['words']}")
    for publication in app.settings.to_subscribe:
        say(f"{row[publication]:>9}  {app.settings.name_of(publication, speaking.get())}")


@commands.command()
def remove(
    context: typer.Context,
    name: Name,
    yes: Annotated[bool, typer.Option("--yes", help="Do it without asking.")] = False,
) -> None:
    """Take a segment away. A letter that names it says so the next time it is looked at."""
    app = app_of(context)
    if not yes:
        insist(_("Take it away?"))
    with app.writing() as session:
        segments.remove(session, name)
    remark("{name} is a segment no longer.", name=name)


def _rule(pairs: list[str]) -> Rule:
    table: dict[str, Any] = {}
    for pair in pairs:
        key, equals, value = pair.partition("=")
        group, dot, inner = key.strip().partition(".")
        if not equals or (dot and group not in _GROUPS):
            raise Mistake("Write KEY=VALUE, as districts=bromma or exclude.topics=skola, and not {said}.", said=pair)
        # Each exclusion is a condition of its own, so that its number can be shown.
        if dot:
            table.setdefault(group, []).append({inner: value.strip()})
        else:
            table[key.strip()] = value.strip()
    try:
        return Rule.model_validate(table)
    except ValidationError as error:
        fault = first_fault(error)
        raise Mistake("{key}: {reason}.", key=fault.key, reason=fault.reason) from None


def _row(app: App, session: Session, name: str, rule: Rule) -> dict[str, object]:
    publication = {language: _everything(app, language) for language in ("sv", "en")}
    words = in_words(rule, audience.names(session, publication, ""), speaking.get())
    return {"name": name, "words": words, "rule": rule.model_dump(mode="json", exclude_defaults=True)}


def _everything(app: App, language: str) -> str:
    return "/".join(app.settings.name_of(slug, language) for slug in app.settings.to_subscribe)
