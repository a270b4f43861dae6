import json
import webbrowser
from datetime import UTC, datetime, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest
from sqlmodel import select

from mailer import db
from mailer.cli import main
from mailer.digest.calendar import period_of
from mailer.outbox.models import Mailing
from subscribers.models import District, MemberDistrict, Subscription
from tests.builders import a_member, a_news_item
from tests.mailer.cli.conftest import without_window

Installation = tuple[str, ...]


@pytest.fixture
def here(tmp_path: Path, site_database: str, capsys: pytest.CaptureFixture[str]) -> Installation:
    """An installation with two members in one district, and two items of yesterday."""
    options = ("--config", str(tmp_path / "config.toml"), "--data", str(tmp_path / "data"))
    with pytest.raises(SystemExit):
        main([*options, "init"])
    engine = db.open_engine(site_database)
    now = datetime.now(UTC)
    with db.writing(engine) as session:
        bromma = session.exec(select(District.id).where(District.slug == "bromma")).one()
        for number in (1, 2):
            session.add(a_member(f"member{number}@example.org", id=number))
            session.flush()
            session.add(Subscription(member_id=number, publication="weekly", since=now - timedelta(days=90)))
            session.add(MemberDistrict(member_id=number, district_id=bromma))
            session.add(a_news_item(f"Nyhet {number}", published_at=now - timedelta(days=1, hours=number)))
    engine.dispose()
    capsys.readouterr()
    return options


def run(capsys: pytest.CaptureFixture[str], here: Installation, *arguments: str) -> tuple[int, str, str]:
    with pytest.raises(SystemExit) as left:
        main([*here, "editions", *arguments])
    shown = capsys.readouterr()
    return int(left.value.code or 0), shown.out, shown.err


def test_an_edition_goes_from_draft_to_the_outbox(capsys: pytest.CaptureFixture[str], here: Installation):
    without_window(Path(here[1]))
    key = f"weekly:{period_of(datetime.now(UTC), ZoneInfo('Europe/Stockholm'))}"

    assert "Drafted" in run(capsys, here, "draft")[2]
    assert "already" in run(capsys, here, "draft")[2]
    status, _, err = run(capsys, here, "intro", "weekly", "Hej alla!")
    assert (status, f"`utskick editions preview {key}`" in err) == (0, True)
    assert run(capsys, here, "lead", "weekly", "2")[0] == 0
    status, _, err = run(capsys, here, "send", "weekly")
    assert (status, f"utskick editions approve {key}" in err) == (2, True)
    assert run(capsys, here, "approve", "weekly")[0] == 0
    assert f"{key}: 2 mails to 2 members, 1 variant; nothing new for 0 members." in run(capsys, here, "send", key)[2]

    [row] = json.loads(run(capsys, here, "status", "weekly", "--json")[1])
    assert (row["key"], row["state"], row["candidates"], row["queued"]) == (key, "planned", 2, 2)
    assert datetime.fromisoformat(row["send_at"]).tzinfo is not None
    assert "planned" in run(capsys, here, "status")[1]


@pytest.mark.parametrize(
    ("hours", "told"),
    [
        (1, "Approved. It goes out "),
        (-1, "so it goes out "),
        (-13, "too long ago: send it with `utskick editions send weekly:"),
    ],
)
def test_approving_says_truly_when_it_goes_out(
    capsys: pytest.CaptureFixture[str], here: Installation, site_database: str, hours: int, told: str
):
    run(capsys, here, "draft")
    send_at = datetime.now(UTC) + timedelta(hours=hours)
    engine = db.open_engine(site_database)
    with db.writing(engine) as session:
        mailing = session.exec(select(Mailing)).one()
        mailing.send_at, mailing.late_at = send_at, send_at + timedelta(hours=12)
    engine.dispose()

    said = run(capsys, here, "approve", "weekly")[2]
    assert told in said
    assert "Until it goes it can be taken back: `utskick editions take-back weekly:" in said


def test_what_was_just_approved_waits_although_told_to_go_and_can_be_taken_back(
    capsys: pytest.CaptureFixture[str], here: Installation
):
    run(capsys, here, "draft")
    time_of_week = json.loads(run(capsys, here, "status", "weekly", "--json")[1])[0]["send_at"]
    run(capsys, here, "approve", "weekly")

    status, _, said = run(capsys, here, "send", "weekly")
    assert (status, "It can still be taken back, and goes out " in said) == (0, True)
    assert json.loads(run(capsys, here, "status", "weekly", "--json")[1])[0]["state"] == "approved"

    assert "is a draft again" in run(capsys, here, "take-back", "weekly")[2]
    [row] = json.loads(run(capsys, here, "status", "weekly", "--json")[1])
    assert (row["state"], row["send_at"]) == ("draft", time_of_week)


def test_a_running_edition_is_stopped_and_mended(capsys: pytest.CaptureFixture[str], here: Installation):
    without_window(Path(here[1]))
    for arguments in (("draft",), ("approve", "weekly"), ("send", "weekly")):
        run(capsys, here, *arguments)

    assert "Stopped" in run(capsys, here, "correct", "weekly")[2]
    status, _, err = run(capsys, here, "correct", "weekly", "--note", "Fel.")
    assert (status, "has changed" in err) == (2, True)


def test_the_preview_lists_contents_and_coverage_for_programs(capsys: pytest.CaptureFixture[str], here: Installation):
    run(capsys, here, "draft")

    status, out, err = run(capsys, here, "preview", "weekly", "--json")

    rows = json.loads(out)
    assert status == 0
    assert [row["members"] for row in rows if row["kind"] == "variant"] == [2]
    [bromma] = [row for row in rows if row["kind"] == "coverage" and row["district"] == "bromma"]
    assert "skola" in bromma["holes"]
    assert [item["title"] for item in rows[0]["items"]] == ["Nyhet 1", "Nyhet 2"]
    assert "2 mails to 2 members; nothing new for 0 members." in err
    assert json.loads(run(capsys, here, "preview", "weekly", "--member", "1", "--json")[1])[0]["members"] == 1
    assert "Nyhet 1" in run(capsys, here, "preview", "weekly", "--district", "bromma")[1]
    assert run(capsys, here, "preview", "weekly", "--district", "atlantis")[0] == 2


def test_the_preview_says_why_and_shows_each_district_whole(
    capsys: pytest.CaptureFixture[str], here: Installation, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setenv("COLUMNS", "80")
    run(capsys, here, "draft")

    lines = run(capsys, here, "preview", "weekly")[1].splitlines()

    assert lines[0] == "2 mails to 2 members  sv"
    assert lines[1].endswith("Nyhet 1  (För att det gäller alla)")
    first = lines.index("Districts with readers:") + 1
    assert lines[first].split("  local ")[0].strip() == "Bromma"
    assert "local –, " in lines[first]
    assert "Schools –" in lines[first]
    assert lines[first + 2] == "Districts without readers:"
    assert any(line.startswith("  Hägersten-Älvsjö") for line in lines)


def test_the_preview_opens_the_mail_in_the_browser(
    capsys: pytest.CaptureFixture[str], here: Installation, monkeypatch: pytest.MonkeyPatch
):
    opened: list[str] = []
    monkeypatch.setattr(webbrowser, "open", opened.append)
    run(capsys, here, "draft")

    assert run(capsys, here, "preview", "weekly", "--open")[0] == 0

    page = Path(opened[0].removeprefix("file://"))
    assert "Nyhet 1" in page.read_text(encoding="utf-8")
    page.unlink()


def test_without_a_draft_a_sentence_says_what_to_run(capsys: pytest.CaptureFixture[str], here: Installation):
    status, out, err = run(capsys, here, "preview", "weekly")

    assert (status, out) == (2, "")
    assert "run `utskick editions draft weekly`" in err
