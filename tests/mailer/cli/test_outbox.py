import io
import json
import os
import re
import signal
import subprocess
import sys
import threading
import time
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
import sqlalchemy as sa
from sqlmodel import Session, select

from mailer import db, keys
from mailer.cli import main
from mailer.clock import system_clock
from mailer.errors import ProviderDown
from mailer.outbox import carriers
from mailer.outbox.models import Batch, BatchState, Delivery, DeliveryState, Mailing
from subscribers import sealed
from subscribers.models import Access
from tests.mailer.outbox.posting import KEY, a_mailing
from tests.waiting import PATIENCE, wait_until

ROOT = Path(__file__).parents[3]


class Site:
    """An installation made by `utskick init`, with one mailing: m1 sent, m2 failed, m3 uncertain, m4 queued."""

    def __init__(self, folder: Path, database: str, capsys: pytest.CaptureFixture[str]) -> None:
        self.capsys = capsys
        self.places = ("--config", str(folder / "config.toml"), "--data", str(folder / "data"))
        self.run("init")
        sealed.unlock(keys.load(folder / "keys.toml").register)
        self.engine = db.open_engine(database)

    def run(self, *arguments: str) -> tuple[int, str, str]:
        with pytest.raises(SystemExit) as left:
            main([*arguments, *self.places])
        shown = self.capsys.readouterr()
        return int(left.value.code or 0), shown.out, shown.err

    def state(self) -> str:
        with db.reading(self.engine) as session:
            return str(session.scalar(sa.select(Mailing.state)))

    def json(self, *arguments: str) -> list[dict[str, object]]:
        status, out, _ = self.run(*arguments, "--json")
        assert status == 0
        rows: list[dict[str, object]] = json.loads(out)
        return rows


@pytest.fixture
def site(tmp_path: Path, site_database: str, capsys: pytest.CaptureFixture[str]) -> Site:
    site = Site(tmp_path, site_database, capsys)
    a_mailing(site.engine, 4)
    states = {1: DeliveryState.SENT, 2: DeliveryState.FAILED, 3: DeliveryState.UNCERTAIN}
    with db.writing(site.engine) as session:
        for number, state in states.items():
            session.execute(sa.update(Delivery).where(sa.column("id") == number).values(state=state))
        session.execute(sa.update(Delivery).where(sa.column("id") == 2).values(answer="550 [address] unknown"))
    return site


def test_status_lists_every_mailing_in_numbers(site: Site):
    [row] = site.json("outbox", "status")

    assert row["key"] == KEY
    assert [row[name] for name in ("candidates", "queued", "sent", "failed", "cancelled", "uncertain")] == [
        4, 1, 1, 1, 0, 1,
    ]  # fmt: skip
    assert KEY in site.run("outbox", "status", KEY)[1]


def test_whether_books_balance_is_said_when_no_letter_is_queued_any_more(site: Site):
    [line] = [line for line in site.run("outbox", "status")[1].splitlines() if KEY in line]
    assert not re.search(r"\b(yes|no)\b", line)
    assert site.json("outbox", "status")[0]["balanced"] is False

    with db.writing(site.engine) as session:
        session.execute(sa.update(Delivery).where(sa.column("id") == 4).values(state=DeliveryState.SENT))

    [line] = [line for line in site.run("outbox", "status")[1].splitlines() if KEY in line]
    assert re.search(r"\byes\b", line)


def test_a_provider_that_rests_is_shown_with_the_reason(site: Site):
    assert site.json("outbox", "providers") == [
        {"provider": "smtp", "state": "up", "since": None, "until": None, "reason": ""}
    ]

    down = ProviderDown("{place} cannot be reached.", place="smtp.example.org:25")
    with db.writing(site.engine) as session:
        carriers.lie_down(session.connection(), "smtp", down, now=system_clock())

    [row] = site.json("outbox", "providers")
    assert (row["state"], row["reason"]) == ("open", "smtp.example.org:25 cannot be reached.")
    assert "smtp.example.org:25 cannot be reached." in site.run("outbox", "status")[2]
    assert "open" in site.run("outbox", "providers")[1]


def test_watching_shows_what_is_under_way_and_who_carries_it(site: Site):
    mailing, provider = site.json("outbox", "watch", "--once")

    assert (mailing["key"], mailing["queued"], mailing["uncertain"]) == (KEY, 1, 1)
    assert (mailing["per_second"], mailing["remaining"]) == (0.0, None)
    assert (provider["provider"], provider["state"]) == ("smtp", "up")
    shown = site.run("outbox", "watch", "--once")[1]
    assert KEY in shown
    assert "smtp" in shown


def test_an_unknown_mailing_is_a_mistake_of_one_line(site: Site):
    status, out, err = site.run("outbox", "pause", "nothing")

    assert (status, out, len(err.splitlines())) == (2, "", 1)


def test_pausing_and_resuming_say_so(site: Site):
    assert site.run("outbox", "pause", KEY)[0] == 0
    assert site.json("outbox", "status")[0]["state"] == "paused"
    assert "paused" in site.run("outbox", "status")[2]
    assert site.run("outbox", "resume", KEY)[0] == 0
    assert site.json("outbox", "status")[0]["state"] == "planned"


@pytest.mark.parametrize("command", [("pause",), ("cancel", "--yes")])
def test_a_worker_that_is_not_heard_of_is_waited_for_until_its_lease_is_over(
    site: Site, command: tuple[str, ...], monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setenv("UTSKICK_OUTBOX__LEASE", "10 seconds")  # so others wait two seconds longer
    ends = datetime.now(UTC)
    with db.writing(site.engine) as session:
        session.execute(sa.update(Batch).values(state=BatchState.LEASED, owner="host-1-ab", leased_until=ends))

    waited_for = site.json("outbox", command[0], KEY, *command[1:])

    assert [(row["worker"], row["batches"]) for row in waited_for] == [("host-1-ab", 1)]
    assert datetime.now(UTC) >= ends + timedelta(seconds=2)


def test_a_worker_that_gives_its_batches_back_is_waited_for_no_longer(site: Site):
    with db.writing(site.engine) as session:
        ends = datetime.now(UTC) + timedelta(minutes=5)
        session.execute(sa.update(Batch).values(state=BatchState.LEASED, owner="host-1-ab", leased_until=ends))

    def give_back() -> None:
        while site.state() != "paused":
            time.sleep(0.01)
        with db.writing(site.engine) as session:
            session.execute(sa.update(Batch).values(state=BatchState.OPEN, owner=None, leased_until=None))

    worker = threading.Thread(target=give_back)
    worker.start()
    status, _, said = site.run("outbox", "pause", KEY)
    worker.join()

    assert (status, site.state()) == (0, "paused")
    assert "paused" in said  # and not after five minutes


def test_cancelling_asks_first_and_then_cancels_what_is_queued(site: Site, monkeypatch: pytest.MonkeyPatch):
    for answer in ("n\n", "\n", ""):
        monkeypatch.setattr("sys.stdin", io.StringIO(answer))
        status, _, said = site.run("outbox", "cancel", KEY)
        assert status == 1
        assert said.endswith("[y/N] Nothing was done.\n" if answer else "[y/N] \nNothing was done.\n")
    assert site.json("outbox", "status")[0]["state"] == "planned"

    monkeypatch.setattr("sys.stdin", io.StringIO("j\n"))
    monkeypatch.setenv("LANG", "sv_SE.UTF-8")
    assert site.run("outbox", "cancel", KEY)[0] == 0

    [row] = site.json("outbox", "status")
    assert (row["state"], row["queued"], row["cancelled"], row["sent"]) == ("cancelled", 0, 1, 1)


def test_show_names_nobody_unless_asked_and_then_it_is_noted(site: Site):
    rows = site.json("outbox", "show", KEY)
    assert [row["state"] for row in rows] == ["sent", "failed", "uncertain", "queued"]
    assert "address" not in rows[0]
    assert "[address] unknown" in site.run("outbox", "show", KEY)[1]

    rows = site.json("outbox", "show", KEY, "--state", "failed", "--addresses")

    assert [row["address"] for row in rows] == ["m2@example.org"]
    with Session(site.engine) as session:
        assert [access.what for access in session.exec(select(Access))] == ["show"]


def test_retrying_and_settling_say_how_many(site: Site):
    assert ": 1." in site.run("outbox", "retry-failed", KEY)[2]
    assert [row["delivery"] for row in site.json("outbox", "uncertain", "list", KEY)] == [3]
    assert site.run("outbox", "uncertain", "settle", KEY, "1")[0] == 2
    assert ": 1." in site.run("outbox", "uncertain", "settle", KEY, "3", "--failed")[2]
    assert site.json("outbox", "uncertain", "list", KEY) == []


def test_an_uncertain_delivery_is_queued_again_on_request(site: Site):
    assert ": 1." in site.run("outbox", "uncertain", "resend", KEY, "3")[2]

    assert site.json("outbox", "status")[0]["queued"] == 2


def test_after_a_restore_every_mailing_is_held_also_where_nothing_gives_it_away(site: Site):
    assert ": 1." in site.run("db", "restored")[2]

    assert site.state() == "held"
    assert "copy" in site.run("outbox", "status")[2]


def test_a_worker_stops_in_good_order_when_told_to(site: Site):
    site.run("outbox", "cancel", KEY, "--yes")
    worker = subprocess.Popen(  # noqa: S603  our own
        [sys.executable, "-m", "mailer.cli", "worker", *site.places],
        cwd=ROOT,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
        stderr=subprocess.PIPE,
    )
    assert worker.stderr is not None
    assert b"ready" in worker.stderr.readline()
    assert os.sched_getscheduler(worker.pid) == os.SCHED_BATCH  # it interrupts no mail server on this machine
    journals = Path(site.places[-1]) / "journal"
    wait_until(lambda: bool(list(journals.glob("*.journal"))))

    worker.send_signal(signal.SIGTERM)

    assert worker.wait(PATIENCE) == 0
    worker.stderr.close()
    assert list(journals.iterdir()) == []
