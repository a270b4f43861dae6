"""Letters about events that wait for another operator, from the command line."""

import json
import os
import re
from pathlib import Path

import pytest
import sqlalchemy as sa

from mailer import db
from mailer.app import App, Places
from mailer.cli.frame import account
from mailer.operators import book
from mailer.outbox.models import Delivery, DeliveryState
from mailer.resources import resource
from tests.mailer.cli.conftest import OPERATORS, Run

MEETING = ("title=Möte", "starts=2099-05-01 13:00", "ends=2099-05-01 14:00", "place=Torget")
WAITS = (
    "Letters about 2099-05-01-mote go to 2 members and wait for another operator: ask by `utskick events approve 1`."
)


@pytest.fixture
def guarded(run: Run, tmp_path: Path) -> Run:
    """An installation with two members, whose operators may write to one of them alone."""
    register = tmp_path / "members.csv"
    register.write_text("Medlemsnummer;E-post\n1;anna@example.org\n2;bo@example.org\n", encoding="utf-8")
    assert run("members", "import", register)[0] == 0
    config = tmp_path / "config.toml"
    text = re.sub(r"(?m)^providers = .*$", 'providers = ["catch"]', config.read_text(encoding="utf-8"))
    config.write_text(text + OPERATORS % (account(), 1), encoding="utf-8")
    return run


def requests(run: Run) -> list[tuple[object, ...]]:
    rows = json.loads(run("approvals", "list", "--json")[1])
    return [(row["key"], row["people"], row["asked_by"], row["outcome"], row["awaited"]) for row in rows]


def sign_as_bo(folder: Path, request: int) -> None:
    app = App.load(Places.of(folder / "config.toml", None, {}), os.environ)
    book.sign(app.approving, request, "bo", now=app.now())
    app.close()


def test_who_writes_one_is_told_what_waits_and_asks_for_it(guarded: Run, tmp_path: Path) -> None:
    status, _, told = guarded("events", "add", *MEETING)
    assert (status, WAITS in told) == (0, True)
    assert "To: Everyone who gets" in told
    assert requests(guarded) == []
    assert "wait for another operator" in guarded("events", "ladder", "1", "--send", "reminder-3d-before")[2]

    status, _, told = guarded("events", "approve", "1")
    assert (status, "A link was sent to: bo." in told) == (0, True)
    assert requests(guarded) == [("event:1", 2, "Anna Ek", "open", "bo")]
    [mail] = (tmp_path / "data" / "caught" / "new").glob("*")
    assert "bo@kansli.example.org" in mail.read_text(encoding="utf-8")

    sign_as_bo(tmp_path, 1)
    assert "wait for no approval" in guarded("events", "approve", "1")[2]
    assert "wait for another operator" in guarded("events", "ladder", "1", "--send", "reminder-3d-before")[2]
    assert "wait again" in guarded("events", "take-back", "1")[2]
    status, _, told = guarded("events", "take-back", "1")
    assert (status, "can still be taken back" in told) == (2, True)
    assert WAITS in guarded("events", "edit", "1", "text=Kom!")[2]


def test_once_it_is_approved_and_beyond_undoing_a_step_can_be_sent(
    guarded: Run, tmp_path: Path, site_database: str
) -> None:
    config = tmp_path / "config.toml"
    config.write_text(config.read_text(encoding="utf-8") + 'undo = "0 minutes"\n', encoding="utf-8")
    guarded("events", "add", *MEETING)
    guarded("events", "approve", "1")
    sign_as_bo(tmp_path, 1)

    assert "goes to 2 members" in guarded("events", "ladder", "1", "--send", "reminder-3d-before")[2]

    assert "Nothing more is sent" not in guarded("events", "cancel", "1")[2]  # nobody has been told of it yet
    assert "wait for no approval" in guarded("events", "approve", "1")[2]
    guarded("events", "cancel", "1", "--off")
    with db.writing(db.open_engine(site_database)) as session:
        session.execute(sa.update(Delivery).values(state=DeliveryState.SENT))
    told = guarded("events", "cancel", "1")[2]
    assert "Nothing more is sent about 2099-05-01-mote. The letter that says so goes to 2 members and waits" in told
    assert "To: Everyone who was told otherwise" in told
    assert "needs one more operator" in guarded("events", "approve", "1")[2]


def test_an_import_says_so_of_each_event_it_changed(guarded: Run) -> None:
    example = resource("examples") / "evenemang.toml"

    told = guarded("events", "import", example)[2]
    assert "sommarkampanj-2027 go to 2 members and wait" in told
    assert "fika" not in re.sub(r"(?m)^.*was not taken.*$", "", told)  # nobody has chosen Bromma

    assert "wait for another operator" not in guarded("events", "import", example)[2]


def test_few_need_no_approval_and_without_operators_nobody_does(guarded: Run, tmp_path: Path) -> None:
    config = tmp_path / "config.toml"
    text = config.read_text(encoding="utf-8")
    config.write_text(text.replace("second_above = 1", "second_above = 2"), encoding="utf-8")
    assert "wait" not in guarded("events", "add", *MEETING)[2]
    assert "wait for no approval" in guarded("events", "approve", "1")[2]
    assert requests(guarded) == []

    config.write_text(text[: text.index("[operators.anna]")], encoding="utf-8")
    assert "wait" not in guarded("events", "edit", "1", "text=Kom!")[2]
    for arguments, says in (((), "no [operators]"), (("--as", "bo"), "--as means nobody")):
        status, _, told = guarded("events", "approve", "1", *arguments)
        assert (status, says in told) == (2, True)


def test_whoever_else_may_approve_signs_by_asking_and_a_stranger_is_refused(guarded: Run, tmp_path: Path) -> None:
    guarded("events", "add", *MEETING)
    assert "A link was sent to: bo." in guarded("events", "approve", "1", "--as", "bo")[2]
    config = tmp_path / "config.toml"
    text = config.read_text(encoding="utf-8").replace(f'accounts = ["{account()}"]', 'accounts = ["anna"]')
    config.write_text(text, encoding="utf-8")
    status, _, told = guarded("events", "approve", "1")
    assert (status, "is no operator" in told) == (2, True)

    config.write_text(text.replace('name = "Bo Al"', f'name = "Bo Al"\naccounts = ["{account()}"]'), encoding="utf-8")
    assert "Approved by Anna Ek, Bo Al" in guarded("events", "approve", "1")[2]
    assert requests(guarded)[0][3] == "granted"
