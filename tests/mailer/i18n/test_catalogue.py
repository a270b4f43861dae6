"""Every sentence that a person may read is in the Swedish catalogue, and nothing else is."""

import importlib
import pkgutil
import re
from collections.abc import Iterator
from dataclasses import fields
from pathlib import Path
from typing import Any

import pytest
import typer
from babel.messages.catalog import Message
from babel.messages.extract import extract_from_dir, extract_from_file
from babel.messages.pofile import read_po

import mailer
import subscribers
from mailer.campaigns.comparing import Deed
from mailer.campaigns.comparing import Verdict as Compared
from mailer.campaigns.listing import Row as CampaignRow
from mailer.campaigns.states import CampaignState
from mailer.cli import frame, root
from mailer.demo.figures import Row
from mailer.errors import ProviderDown, UtskickError
from mailer.events.answers import Tally
from mailer.feedback.causes import Cause, Verdict
from mailer.feedback.listing import CameIn, Dead, Told
from mailer.feedback.models import Kind, Standing
from mailer.feedback.policy import Action
from mailer.feedback.sorting import What
from mailer.members.attendees import Attendee, Coming
from mailer.members.held import Elsewhere
from mailer.members.nights import Night
from mailer.members.retention import Due
from mailer.news.listing import Health, State
from mailer.outbox.models import BreakerState, DeliveryState, MailingState
from mailer.outbox.progress import Moving
from mailer.outbox.status import Record, Service, Status
from mailer.resources import resource
from subscribers.access import Act, Entry
from subscribers.errors import SubscribersError
from subscribers.listing import Listed
from subscribers.models import DistrictKind, Ground, Scope
from subscribers.models import State as MemberState
from subscribers.reference import ListedDistrict, ListedTopic

CODE = [Path(package.__file__ or "").parent for package in (mailer, subscribers)]
TEMPLATES = (resource("templates"), CODE[0])
CATALOGUE = CODE[0] / "i18n" / "sv.po"

# Who takes a sentence, and as which argument when it is not the first.
SPOKEN = {"_": None, "N_": None, "gettext": None, "ngettext": (1, 2), "remark": None, "progress": None, "tell": None}
HANDED_ON = {"Note": (2,), "Line": (3,), "_refuse_unknown": (3,), "_slugs": (4,), "_refused": None}
# Headings and cells of what the command line prints: the names of fields, and of states.
LISTED = (
    Tally,
    Attendee,
    Status,
    Service,
    Moving,
    Record,
    Listed,
    Row,
    Told,
    Dead,
    CameIn,
    Entry,
    Elsewhere,
    Due,
    Night,
    ListedDistrict,
    ListedTopic,
    CampaignRow,
)
STATES = (
    *(MailingState, DeliveryState, BreakerState, State, Health, MemberState, Ground, Scope),
    *(Kind, Cause, Verdict, Action, Standing, What, CampaignState, Deed, Compared, DistrictKind, Coming, Act),
)

Sentence = str | tuple[str, ...]


def errors() -> dict[str, None]:
    """Import every module and return the errors that take a sentence first."""
    for package in (mailer, subscribers):
        for module in pkgutil.walk_packages(package.__path__, f"{package.__name__}."):
            if "migrations" not in module.name and not module.name.endswith("__main__"):
                importlib.import_module(module.name)
    kinds: list[type] = [UtskickError, ProviderDown, SubscribersError]
    for kind in kinds:
        kinds += kind.__subclasses__()
    return {kind.__name__: None for kind in kinds}


def in_code() -> Iterator[Sentence]:
    keywords: dict[str, Any] = SPOKEN | HANDED_ON | errors()
    for path in (path for folder in CODE for path in folder.rglob("*.py")):
        for _line, sentence, _comments, _context in extract_from_file("python", path, keywords):
            if sentence != "List-Id":  # a header's Refused takes the place first; its reasons are marked with N_
                yield sentence


def in_templates() -> Iterator[Sentence]:
    methods = [(f"**.{kind}", "jinja2") for kind in ("html", "mjml", "txt")]
    options = {method: {"trimmed": "true"} for method, _ in methods}
    for folder in TEMPLATES:
        for _file, _line, sentence, _comments, _context in extract_from_dir(
            folder, methods, options, directory_filter=lambda _: True
        ):
            yield sentence


def in_help(command: Any) -> Iterator[str]:
    yield command.help
    yield from (parameter.help for parameter in command.params if getattr(parameter, "help", None))
    for child in getattr(command, "commands", {}).values():
        yield from in_help(child)


def in_tables() -> Iterator[str]:
    yield from (field.name for listed in LISTED for field in fields(listed))
    yield from (state.value for states in STATES for state in states)


SPOKEN_SENTENCES: set[Sentence] = {
    *in_code(),
    *in_templates(),
    *in_help(typer.main.get_command(root)),
    *in_tables(),
}
with CATALOGUE.open("rb") as source:
    SWEDISH: dict[Sentence, Message] = {message.id: message for message in read_po(source, locale="sv") if message.id}


def places(sentence: str) -> set[str]:
    """Return what is filled in: {name} or %(name)s, but not {{ }}, which is a brace."""
    return set(re.findall(r"%\(\w+\)s|{\w+}", sentence.replace("{{", "").replace("}}", "")))


def test_every_sentence_has_a_swedish_one():
    missing = {sentence for sentence in SPOKEN_SENTENCES if sentence not in SWEDISH or not SWEDISH[sentence].string}

    assert sorted(map(str, missing)) == []


def test_the_catalogue_holds_nothing_that_nobody_says():
    assert sorted(map(str, SWEDISH.keys() - SPOKEN_SENTENCES)) == []


@pytest.mark.parametrize("message", SWEDISH.values(), ids=lambda message: str(message.id)[:60])
def test_a_translation_fills_in_the_same_values(message: Message):
    said = message.id if isinstance(message.id, tuple) else (message.id,)
    swedish = message.string if isinstance(message.string, tuple) else (message.string,)

    for form in swedish:
        assert places(form) == set.union(*map(places, said))


def test_the_catalogue_is_sorted():
    keys = [message[0] if isinstance(message, tuple) else message for message in SWEDISH]

    assert keys == sorted(keys)


@pytest.mark.parametrize(
    "sentence",
    [
        "There is no district {name}.",  # handed on by a function
        "The line is longer than a member can be.",  # the fault of a line
        "There is no source {source} in the config.",  # a Mistake
        "Nothing is sent to this address: it is suppressed.",  # a note on an import
        "Draft ready: {edition}",  # a notice
        "write true or false",  # about the config
        "A person paused it.",  # stored, shown later
        "{place} went away.",  # a ProviderDown
        "List members.",  # a command's help
        "The data folder.",  # an option of every command
        "settled_at",  # a heading
        "Unsubscribe",  # a page
        "About this letter",  # a mail
        "Reading",  # a step of a long job
    ],
)
def test_sentences_are_found_wherever_they_stand(sentence: str):
    assert sentence in SPOKEN_SENTENCES


def test_help_is_shown_in_the_language_of_the_terminal():
    command = typer.main.get_command(root)
    token = mailer.i18n.speaking.set("sv")
    try:
        frame.accept_everywhere(command, frame.Frame(environ={}))
    finally:
        mailer.i18n.speaking.reset(token)

    shown = set(in_help(command))
    assert {"Visa medlemmarna i en lista.", "Datamappen."} <= shown
    assert not shown & {sentence for sentence in SPOKEN_SENTENCES if sentence in SWEDISH} - {"Text"}
