"""Approving from the command line: by one's account, or as whom one says to be, by a link."""

import json
import os
import re
import socket
from datetime import UTC, datetime
from pathlib import Path

import pytest
import sqlalchemy as sa
from sqlmodel import Session, col, select

from mailer import db
from mailer.app import App, Places
from mailer.cli import main
from mailer.cli.frame import account
from mailer.operators import book
from mailer.outbox.models import Batch, Delivery, DeliveryState, Mailing, MailingState
from tests.mailer.cli.conftest import OPERATORS, without_window


class Desk:
    def __init__(self, folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
        self.folder = folder
        self._capsys = capsys

    def run(self, *arguments: str) -> tuple[int, str, str]:
        self._capsys.readouterr()
        with pytest.raises(SystemExit) as left:
            main(["--config", str(self.folder / "config.toml"), "--data", str(self.folder / "data"), *arguments])
        said = self._capsys.readouterr()
        return int(left.value.code or 0), said.out, said.err

    def configure(self, text: str) -> None:
        config = self.folder / "config.toml"
        config.write_text(config.read_text(encoding="utf-8") + text, encoding="utf-8")

    def state(self) -> str:
        return str(json.loads(self.run("editions", "status", "--json")[1])[0]["state"])

    def links(self) -> list[str]:
        return [file.read_text() for file in (self.folder / "data" / "caught" / "new").glob("*")]


@pytest.fixture
def desk(tmp_path: Path, site_database: str, capsys: pytest.CaptureFixture[str]) -> Desk:
    del site_database
    register = tmp_path / "members.csv"
    register.write_text("Medlemsnummer;E-post\n1;anna@example.org\n2;bo@example.org\n", encoding="utf-8")
    desk = Desk(tmp_path, capsys)
    assert desk.run("init")[0] == 0
    config = tmp_path / "config.toml"
    config.write_text(re.sub(r"(?m)^providers = .*$", 'providers = ["catch"]', config.read_text(encoding="utf-8")))
    for command in (["members", "import", str(register)], ["editions", "draft"]):
        assert desk.run(*command)[0] == 0
    return desk


def test_one_who_may_approves_alone_to_few_and_it_waits_for_the_window(desk: Desk) -> None:
    desk.configure(OPERATORS % (account(), 500))

    status, _, said = desk.run("editions", "approve", "weekly")

    assert status == 0
    assert "Approved by Anna Ek. It can be taken back until" in said
    assert desk.state() == "approved"
    assert "It can still be taken back" in desk.run("editions", "send", "weekly")[2]
    assert desk.state() == "approved"
    [row] = json.loads(desk.run("approvals", "list", "--json")[1])
    assert (row["outcome"], row["signed"]) == ("granted", "anna")


def test_to_many_a_link_goes_to_the_others_and_nothing_is_approved(desk: Desk) -> None:
    desk.configure(OPERATORS % (account(), 1))

    for sent in (1, 2):  # asked again, the link is sent again
        status, _, said = desk.run("editions", "approve", "weekly")
        assert status == 0
        assert "needs one more operator. A link was sent to: bo." in said
        assert len(desk.links()) == sent
    assert desk.state() == "draft"
    assert desk.run("editions", "send", "weekly")[0] == 2
    assert "bo" in desk.run("approvals", "list")[1]


def test_a_new_subscriber_ends_no_request_and_loses_no_signature(desk: Desk, tmp_path: Path) -> None:
    desk.configure(OPERATORS % (account(), 1))
    desk.run("editions", "approve", "weekly")
    [before] = json.loads(desk.run("approvals", "list", "--json")[1])
    register = tmp_path / "newcomers.csv"
    register.write_text("Medlemsnummer;E-post\n77;ny@example.org\n", encoding="utf-8")
    assert desk.run("members", "import", str(register))[0] == 0

    desk.run("editions", "approve", "weekly")

    [row] = json.loads(desk.run("approvals", "list", "--json")[1])
    assert row == before | {"people": before["people"] + 1}


def test_a_link_that_could_not_be_sent_is_not_said_to_be(desk: Desk) -> None:
    desk.configure(OPERATORS % (account(), 1))
    config = desk.folder / "config.toml"
    with socket.socket() as nobody:
        nobody.bind(("127.0.0.1", 0))  # nothing listens there
        smtp = re.sub(r"(?m)^providers = .*$", 'providers = ["smtp"]', config.read_text(encoding="utf-8"))
        smtp = re.sub(r"(?m)^port = 587", f"port = {nobody.getsockname()[1]}", smtp)
        config.write_text(smtp, encoding="utf-8")
        status, _, said = desk.run("editions", "approve", "weekly")

    assert status != 0
    assert "A link was sent" not in said


def test_as_somebody_else_one_confirms_by_a_link_first(desk: Desk) -> None:
    desk.configure(OPERATORS % (account(), 500))

    status, _, said = desk.run("editions", "approve", "weekly", "--as", "bo")

    assert status == 0
    assert "A link was sent to bo" in said
    assert desk.state() == "draft"
    [mail] = desk.links()
    assert "bo@kansli.example.org" in mail


@pytest.mark.parametrize(
    ("config", "arguments", "says"),
    [
        (OPERATORS % ("somebody-else", 500), (), "is no operator"),
        (OPERATORS % ("somebody-else", 500), ("--as", "cecilia"), "it has anna, bo"),
        ("", ("--as", "anna"), "no [operators]"),
        (OPERATORS % ("bo", 500), (), "of two operators"),
        ('[operators.anna]\nname = "A"\naddress = "nobody"\n', (), "operators.anna.address"),
        ('[operators.anna]\nname = "A"\naddress = "a@example.org"\ndistricts = ["brom"]\n', (), "no district brom"),
    ],
)
def test_a_mistake_says_what_to_do(desk: Desk, config: str, arguments: tuple[str, ...], says: str) -> None:
    desk.configure(config)

    status, _, said = desk.run("editions", "approve", "weekly", *arguments)

    assert status == 2
    assert says in said


def test_without_operators_everything_is_as_before(desk: Desk) -> None:
    assert desk.run("editions", "approve", "weekly")[0] == 0
    assert desk.state() == "approved"
    assert desk.run("editions", "send", "weekly")[0] == 0
    assert json.loads(desk.run("approvals", "list", "--json")[1]) == []


def correction_of(session: Session) -> Mailing:
    return session.exec(select(Mailing).where(col(Mailing.key).endswith(":correction-1"))).one()


def test_a_correction_to_many_waits_for_another_operator_and_then_for_the_window(
    desk: Desk, site_database: str
) -> None:
    config = desk.folder / "config.toml"
    before = config.read_text(encoding="utf-8")
    without_window(config)
    desk.run("news", "add", "--title", "Mötet är på tisdag")
    for command in ("approve", "send"):
        assert desk.run("editions", command, "weekly")[0] == 0
    engine = db.open_engine(site_database)
    with db.writing(engine) as session:
        session.execute(sa.update(Delivery).where(col(Delivery.member_id) == 1).values(state=DeliveryState.SENT))
    config.write_text(before + OPERATORS % (account(), 1), encoding="utf-8")

    desk.run("editions", "correct", "weekly")
    assert desk.run("editions", "correct", "weekly", "--note", "Fel dag.")[0] == 2  # nothing is otherwise
    desk.run("news", "edit", "1", "--title", "Mötet är på onsdag")
    status, _, said = desk.run("editions", "correct", "weekly", "--note", "Fel dag.")

    assert (status, "goes to 2 members and needs one more operator. A link was sent to: bo." in said) == (0, True)
    with db.reading(engine) as session:
        assert correction_of(session).state is MailingState.DRAFT
    assert json.loads(desk.run("editions", "status", "--json")[1])[-1]["state"] == "paused"

    app = App.load(Places(config=config, data=desk.folder / "data", keys=desk.folder / "keys.toml"), os.environ)
    now = datetime.now(UTC)
    state = book.sign(app.approving, 1, "bo", now=now)
    with db.reading(engine) as session:
        correction = correction_of(session)
        begins = session.exec(select(Batch.due_at).where(Batch.mailing_id == correction.id)).one()
        assert (correction.state, correction.candidates, begins) == (MailingState.PLANNED, 1, state.not_before)
        assert begins > now
    book.take_back(app.approving, 1, "bo", now=now)
    with db.reading(engine) as session:
        assert correction_of(session).state is MailingState.CANCELLED
    app.close()
    engine.dispose()
