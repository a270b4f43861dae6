"""utskick campaigns: a one-off letter, from its file to its report."""

import asyncio
import re
import sys
from datetime import datetime
from pathlib import Path
from typing import Annotated

import typer
from sqlmodel import Session

from mailer.app import App
from mailer.campaigns import approving, book, listing, looking, states
from mailer.campaigns.approving import Proposal
from mailer.campaigns.gather import Pictures, copy_picture
from mailer.campaigns.letter import Desk, Post, moment_of
from mailer.campaigns.sending import send_now
from mailer.campaigns.states import Action
from mailer.campaigns.written import File, read
from mailer.cli import campaigns_seen as seen
from mailer.cli.approvals import (
    Approved,
    As,
    ask_for_approval,
    refuse_as,
    tell_of_window,
    tell_way_back,
    tell_when,
    undo_until,
)
from mailer.cli.campaigns_seen import Name
from mailer.cli.frame import Json, account, app_of, insist, moment_in, print_json, reason_of, remark, say
from mailer.cli.sheets import mails_to_members, open_in_browser
from mailer.errors import Mistake, SendError, Trouble
from mailer.i18n import _, speaking
from mailer.render.letters import Shown

commands = typer.Typer(no_args_is_help=True)

Yes = Annotated[bool, typer.Option("--yes", help="Do it without asking.")]
_SLUG = re.compile(r"[^a-z0-9]+")


@commands.command()
def new(
    context: typer.Context,
    files: Annotated[list[str], typer.Argument(metavar="FILE...", help="The letter; - reads it from standard input.")],
    name: Annotated[str | None, typer.Option(help="What it is called here; else as its file.")] = None,
) -> None:
    """Bring in a letter, or new words for one that was not sent. Says what is wrong, and to whom it would go."""
    app = app_of(context)
    texts = [_read(file) for file in files]
    written = read(texts, language=app.settings.site.language)
    called = name or written.front.name or _slug(texts[0][0])
    pictures = _copy(app, texts, Path() if files[0] == "-" else Path(files[0]).parent)
    with app.writing() as session:
        campaign = book.bring_in(_desk(app, session), called, texts, pictures, who=account())
        proposal = approving.propose(_desk(app, session), campaign)
        looking.require_renderable(app.letters, proposal.standing, app.settings, app.links, app.now())
    _show_proposal(app, proposal)
    remark("{name} is brought in. Look at it with `utskick campaigns preview {name}`.", name=called)


def _read(file: str) -> File:
    if file == "-":
        return "-", sys.stdin.read()
    try:
        return Path(file).name, Path(file).read_text(encoding="utf-8")
    except UnicodeDecodeError:
        raise Mistake("{file} is not UTF-8: save it so.", file=file) from None


def _slug(file: str) -> str:
    stem = file.partition(".")[0].lower().translate(str.maketrans("åäöé", "aaoe"))
    slug = _SLUG.sub("-", stem).strip("-")[:64].strip("-")
    if not slug:
        raise Mistake("Say what the letter is called: --name sommar-2027.")
    return slug


def _copy(app: App, texts: list[File], beside: Path) -> Pictures:
    """Copy the pictures that a letter names. The tools for it are loaded only for a letter that has any."""
    from mailer.campaigns.content import pictures_in  # noqa: PLC0415  # as said
    from mailer.news import sources  # noqa: PLC0415  # as said

    named = pictures_in(read(texts, language=app.settings.site.language))
    if not named:
        return {}
    with sources.open_tools(app.settings, app.data) as tools:
        return {source: copy_picture(source, at, beside=beside, web=tools.web, data=app.data) for source, at in named}


def _post(app: App) -> Post:
    return Post(app.engine, app.settings, app.links)


def _desk(app: App, session: Session) -> Desk:
    return Desk(session, app.settings, app.links, app.now())


@commands.command()
def preview(
    context: typer.Context,
    name: Name,
    *,
    language: Annotated[str | None, typer.Option(help="sv or en; else the letter's first.")] = None,
    in_browser: Annotated[bool, typer.Option("--open", help="Show the mail in the browser.")] = False,
    as_json: Json = False,
) -> None:
    """Show the letter as it stands, to whom it would go, and how the number comes about. Sends nothing."""
    app = app_of(context)
    with app.reading() as session:
        proposal = approving.propose(_desk(app, session), book.find(session, name))
    if as_json:
        print_json([listing.as_row(proposal)], zone=app.settings.site.zone)
        return
    letters = _shown(app, proposal, language)
    for one in letters:
        say("\n".join((_("Subject: {subject}").format(subject=one.subject), "", one.text)))
    _show_proposal(app, proposal)
    if in_browser:
        for one in letters:
            open_in_browser(one.html)


def _shown(app: App, proposal: Proposal, language: str | None) -> list[Shown]:
    versions = list(proposal.standing.content["versions"])
    spoken = language or versions[0]
    if spoken not in versions:
        raise Mistake("The letter is written in {known} only.", known=", ".join(versions))
    return list(looking.show(app.letters, proposal.standing, app.settings, app.links, spoken, app.now()))


def _show_proposal(app: App, proposal: Proposal) -> None:
    """Say to whom a letter goes, what each exclusion removed, what is left, and who may read it later."""
    counted, language = proposal.counted, speaking.get()
    say(_("To: {audience}").format(audience=proposal.in_words(language)), err=True)
    for number, what in proposal.account(language):
        say(f"{number:>9}  {what}", err=True)
    say(f"{'=':>9}  {mails_to_members(counted.mails, counted.members)}", err=True)
    if archived := proposal.archived(app.settings):
        say(_(archived), err=True)


@commands.command()
def test(
    context: typer.Context,
    name: Name,
    addresses: Annotated[list[str], typer.Argument(help="Where to send it.")],
) -> None:
    """Send the letter as it stands to named addresses, marked as a test: every language and subject."""
    app = app_of(context)
    with app.reading() as session:
        campaign = book.find(session, name)
        states.require(Action.TEST, book.facts_of(session, campaign), campaign.name)
        standing = _desk(app, session).read_again(campaign, book.mailing_of(session, campaign).send_at)
    mails = [
        mail
        for address in addresses
        for mail in looking.tests(app.letters, standing, app.settings, app.links, address=address, now=app.now())
    ]
    for outcome in asyncio.run(app.post(mails)):
        if isinstance(outcome, SendError):
            raise Trouble("The test was not sent: {reason}.", reason=reason_of(outcome))
    with app.writing() as session:
        book.note_test(session, book.find(session, name), standing, app.now())
    remark("Tests sent: {count}.", count=len(mails))


@commands.command()
def approve(context: typer.Context, name: Name, yes: Yes = False, as_operator: As = None) -> None:
    """Let the letter go at its time, to those it is for now. Shows them first, and asks; operators approve it."""
    app = app_of(context)
    with app.reading() as session:
        campaign = book.find(session, name)
        states.require(Action.APPROVE, book.facts_of(session, campaign), campaign.name)
        proposal = approving.propose(_desk(app, session), campaign)
    _show_proposal(app, proposal)
    if not yes:
        insist(_("Approve it?"))
    if app.settings.operators:
        ask_for_approval(app, f"{book.KEY}{proposal.name}", as_operator)
        return
    refuse_as(as_operator)
    not_before = undo_until(app)
    seen_as = proposal.standing.digest
    approving.approve(_post(app), name, who=account(), seen=seen_as, not_before=not_before, now=app.now())
    with app.reading() as session:
        mailing = book.mailing_of(session, book.find(session, name))
    if mailing.send_at is None:
        remark("Approved. Say when: `utskick campaigns schedule {name} WHEN`, or `send`.", name=name)
        tell_way_back("campaigns", name)
        return
    tell_when(app, Approved(mailing.send_at, mailing.late_at, not_before, "campaigns", proposal.name))


@commands.command("take-back")
def take_back(context: typer.Context, name: Name) -> None:
    """Make a draft again of what was approved and has not begun to go out."""
    app = app_of(context)
    with app.writing() as session:
        campaign = book.find(session, name)
        book.take_back(session, campaign, app.now())
        remark("{key} is a draft again.", key=campaign.name)


@commands.command()
def schedule(
    context: typer.Context,
    name: Name,
    when: Annotated[str, typer.Argument(help='On the site\'s clock, as "2027-06-01 08:00".')],
) -> None:
    """Say when the letter goes. It goes only when it is approved."""
    app = app_of(context)
    try:
        said = datetime.fromisoformat(when)
    except ValueError:
        raise Mistake('Write a day and an hour, as "2027-06-01 08:00".') from None
    at = moment_of(said, app.settings)
    with app.writing() as session:
        campaign = book.find(session, name)
        book.schedule(session, campaign, at, app.settings, app.now())
        waits = listing.row_of(session, campaign).state != states.CampaignState.SCHEDULED
    remark("{name} goes out {at}.", name=name, at=moment_in(app.settings.site.zone, at))
    if waits:
        remark("It waits for approval: `utskick campaigns approve {name}`.", name=name)


@commands.command()
def send(context: typer.Context, name: Name) -> None:
    """Send an approved letter now, without waiting for its time."""
    app = app_of(context)
    planned = send_now(_post(app), name, app.now())
    if planned is None:
        with app.reading() as session:
            not_before = book.find(session, name).not_before or app.now()
        tell_of_window(app, not_before, "campaigns", name)
        return
    remark(
        "{key}: {mails}. Since it was approved {joined} joined, who do not get it, and {left} left.",
        key=planned.key,
        mails=mails_to_members(planned.mails, planned.candidates),
        joined=planned.joined,
        left=planned.left,
    )


@commands.command()
def withdraw(context: typer.Context, name: Name, yes: Yes = False) -> None:
    """End the letter, also while it is being sent: what is not handed over yet is not sent."""
    app = app_of(context)
    if not yes:
        insist(_("Withdraw it for good?"))
    with app.writing() as session:
        book.withdraw(session, book.find(session, name))
    remark("{name} is withdrawn.", name=name)


commands.command("list")(seen.list_)
for _command in (seen.status, seen.show, seen.report):
    commands.command()(_command)
