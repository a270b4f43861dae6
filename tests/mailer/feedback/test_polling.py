"""A mailbox on a real Dovecot: what is ours is done and put aside, what is not stays as it was."""

import os
from collections import Counter
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import AbstractContextManager
from functools import partial
from pathlib import Path

import pytest
import sqlalchemy as sa
from pydantic import SecretStr
from sqlmodel import Session, select

from mailer import db
from mailer.app import App, Places
from mailer.config.feedback import Imap
from mailer.errors import Mistake, Trouble
from mailer.feedback import intake, polling
from mailer.feedback.imap import DONE, Mailbox, open_mailbox
from mailer.feedback.models import Bookmark, Feedback
from mailer.feedback.sorting import What
from mailer.jobs.feedback import poll_mailbox
from tests.builders import MOMENT
from tests.mailer.cli.test_outbox import Site
from tests.mailer.feedback import returned
from tests.mailer.feedback.dovecot import LOGIN, PASSWORD, Dovecot, a_dovecot, missing
from tests.mailer.feedback.returned import TOKENS, a_bounce

pytestmark = pytest.mark.skipif(bool(missing()), reason=missing())
PROCESSED = (".Utskick.processed",)


@pytest.fixture(scope="module")
def running(certificate: Path) -> Iterator[Dovecot]:
    with a_dovecot(certificate) as dovecot:
        yield dovecot


@pytest.fixture
def dovecot(running: Dovecot) -> Iterator[Dovecot]:
    yield running
    running.empty()


def poll(settings: Imap, engine: sa.Engine) -> Counter[What]:
    with open_mailbox(settings) as mailbox:
        return polling.poll(mailbox, partial(db.writing, engine), TOKENS, now=MOMENT)


def told(engine: sa.Engine) -> list[int]:
    with db.reading(engine) as session:
        return sorted(event.member_id for event in session.exec(select(Feedback)))


def fill(dovecot: Dovecot, mailing: int) -> None:
    dovecot.put("1bounce", a_bounce(returned.address(1, mailing)))
    dovecot.put("2person", returned.a_reply())
    dovecot.put("3auto", returned.an_auto_reply(returned.address(2, mailing)))
    dovecot.put("4stray", a_bounce("b-" + "a" * 28 + "@studs.example.org"))
    dovecot.put("5leave", returned.an_unsubscription(2, mailing))
    dovecot.put("6complaint", returned.a_complaint(about=returned.message_id(3, mailing)))


OURS, OTHERS = {"1bounce", "3auto", "5leave", "6complaint"}, {"2person": "", "4stray": ""}


@pytest.mark.parametrize("security", ["tls", "starttls"])
def test_what_is_ours_is_done_and_moved_and_people_keep_their_mail_unread(
    dovecot: Dovecot, engine: sa.Engine, mailing: int, security: str
) -> None:
    fill(dovecot, mailing)
    settings = dovecot.settings(security=security, port=getattr(dovecot, security))

    counted = poll(settings, engine)

    assert counted == Counter(
        {What.BOUNCE: 1, What.PERSON: 1, What.AUTO_REPLY: 1, What.STRAY: 1, What.UNSUBSCRIBE: 1, What.COMPLAINT: 1}
    )
    assert told(engine) == [1, 3]
    assert dovecot.names(*PROCESSED).keys() == OURS
    assert dovecot.names() == OTHERS
    assert not poll(settings, engine)  # they are not looked at again
    dovecot.put("7bounce", a_bounce(returned.address(2, mailing)))
    assert poll(settings, engine) == Counter({What.BOUNCE: 1})


@pytest.mark.parametrize(("capabilities", "moved"), [("IMAP4rev1 UIDPLUS", True), ("IMAP4rev1", False)])
def test_a_server_that_cannot_move_never_deletes_what_others_marked(
    certificate: Path,
    engine: sa.Engine,
    mailing: int,
    capabilities: str,
    moved: bool,  # noqa: FBT001  # a row of the table
) -> None:
    with a_dovecot(certificate, separator=".", capabilities=capabilities) as dovecot:
        fill(dovecot, mailing)
        with open_mailbox(dovecot.settings()) as mailbox:
            mailbox._ask("UID", "STORE", "2", "+FLAGS", r"(\Deleted)")  # a person's program did, and may undo it
        assert poll(dovecot.settings(), engine).total() == 6

        inbox = dovecot.names()
        assert {"2person", "4stray"} <= inbox.keys()
        if moved:
            assert len(dovecot.names(*PROCESSED)) == len(OURS)
            assert inbox.keys() == OTHERS.keys()
        else:
            assert inbox.keys() == OTHERS.keys() | OURS
            assert "S" in inbox["1bounce"]
            with open_mailbox(dovecot.settings()) as mailbox:
                assert len(mailbox._ask("UID", "SEARCH", f"KEYWORD {DONE}")[0].split()) == len(OURS)


class Killed(BaseException):
    """What nobody catches."""


@pytest.mark.parametrize("survived", range(10))
def test_killed_at_any_point_it_begins_again_and_nothing_is_lost_or_done_twice(
    dovecot: Dovecot, engine: sa.Engine, mailing: int, survived: int
) -> None:
    """Each transaction and each move is a point: it is done, and then the process is gone."""
    fill(dovecot, mailing)
    steps = iter(range(survived))

    def step() -> None:
        if next(steps, None) is None:
            raise Killed

    class Fragile(Mailbox):
        def set_aside(self, numbers: Sequence[int]) -> None:
            step()
            super().set_aside(numbers)
            step()

    def writing() -> AbstractContextManager[Session]:
        step()
        return db.writing(engine)

    with open_mailbox(dovecot.settings()) as mailbox:
        mailbox.__class__ = Fragile
        with pytest.raises(Killed):
            polling.poll(mailbox, writing, TOKENS, now=MOMENT)
    poll(dovecot.settings(), engine)

    assert told(engine) == [1, 3]
    assert dovecot.names(*PROCESSED).keys() == OURS
    assert dovecot.names() == OTHERS


def test_two_at_once_do_everything_once(dovecot: Dovecot, engine: sa.Engine, mailing: int) -> None:
    for number in range(1, 31):
        dovecot.put(
            f"{number:02}", a_bounce(returned.address(1 + number % 3, mailing), says=f"smtp; 550 5.1.1 no. {number}")
        )

    with ThreadPoolExecutor(2) as pool:
        counts = list(pool.map(lambda _: poll(dovecot.settings(), engine), range(2)))

    assert sum(count.total() for count in counts) >= 30
    assert len(told(engine)) == len(set(told(engine))) * 10
    assert len(dovecot.names(*PROCESSED)) == 30
    assert dovecot.names() == {}


def test_a_mailbox_that_was_made_anew_is_read_from_its_beginning(
    dovecot: Dovecot, engine: sa.Engine, mailing: int
) -> None:
    fill(dovecot, mailing)
    poll(dovecot.settings(), engine)
    with db.writing(engine) as session:  # numbers are of another life of the mailbox
        session.exec(select(Bookmark)).one().validity -= 1

    assert poll(dovecot.settings(), engine) == Counter({What.PERSON: 1, What.STRAY: 1})
    assert told(engine) == [1, 3]
    assert not poll(dovecot.settings(), engine)


def test_a_certificate_that_nobody_vouches_for_is_refused(dovecot: Dovecot, engine: sa.Engine) -> None:
    for security in ("tls", "starttls"):
        with pytest.raises(Trouble, match="cannot be read"):
            poll(dovecot.settings(ca_file="", security=security, port=getattr(dovecot, security)), engine)


def test_a_wrong_password_is_a_mistake_that_says_where_to_mend_it(dovecot: Dovecot, engine: sa.Engine) -> None:
    with pytest.raises(Mistake, match="UTSKICK_FEEDBACK__IMAP__PASSWORD") as said:
        poll(dovecot.settings(password=SecretStr("fel")), engine)

    assert "fel" not in str(said.value)


def test_no_such_folder_is_a_mistake_and_nobody_there_trouble(dovecot: Dovecot, engine: sa.Engine) -> None:
    with pytest.raises(Mistake, match="no folder nowhere"):
        poll(dovecot.settings(folder="nowhere"), engine)
    with pytest.raises(Trouble, match="cannot be read"):
        poll(dovecot.settings(port=1), engine)


def test_the_command_says_what_was_there_and_the_job_reads_the_same_mailbox(
    dovecot: Dovecot, tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    site = Site(tmp_path, f"sqlite:///{tmp_path}/data/utskick.db", capsys)
    config = tmp_path / "config.toml"
    text = config.read_text(encoding="utf-8")
    for key, value in (("host", "127.0.0.1"), ("ca_file", str(dovecot.certificate)), ("username", LOGIN)):
        head, _, tail = text.partition("[feedback.imap]")
        text = head + "[feedback.imap]" + tail.replace(f'{key} = ""', f'{key} = "{value}"', 1)
    text = text.replace("port = 993", f"port = {dovecot.tls}")
    config.write_text(text, encoding="utf-8")
    monkeypatch.setenv("UTSKICK_FEEDBACK__IMAP__PASSWORD", PASSWORD)
    dovecot.put("1", returned.a_reply())

    found = {row["what"]: row["mails"] for row in site.json("feedback", "poll")}
    assert {what for what, mails in found.items() if mails} == {"person"}

    dovecot.put("2", returned.an_auto_reply())
    app = App.load(Places.of(config, tmp_path / "data", {}), dict(os.environ))
    poll_mailbox(app, app.now())
    with app.reading() as session:
        counted = intake.counted(session)
    app.close()
    assert (counted["person"], counted["auto-reply"]) == (1, 1)
    site.engine.dispose()
