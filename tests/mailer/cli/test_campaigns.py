"""utskick campaigns and utskick segments, as they are typed."""

import io
import json
import re
import sys
import webbrowser
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from PIL import Image
from sqlmodel import select

from mailer import db
from mailer.cli.frame import account
from mailer.outbox.models import Mailing
from subscribers import resealing
from subscribers.models import District, MemberDistrict, Subscription
from tests.builders import a_member
from tests.mailer.cli.conftest import Run, without_window

LETTER = """\
+++
publication = "weekly"
subject = "Följ med i sommar"
[audience]
districts = "Bromma"
+++
Hej {{ member.given_name | default("vän") }}!

::: image torg.png
Ett torg
:::

+++ en
subject = "Join us this summer"
+++
Hello!
"""


@pytest.fixture
def letter(tmp_path: Path, run: Run, site_database: str) -> Path:
    """A letter with a picture beside it, in an installation with three members, two of them in Bromma."""
    run("init")
    engine = db.open_engine(site_database)
    since = datetime.now(UTC) - timedelta(days=90)
    with db.writing(engine) as session:
        bromma = session.exec(select(District.id).where(District.slug == "bromma")).one()
        for number in (1, 2, 3):
            session.add(a_member(f"member{number}@example.org", id=number))
            session.flush()
            session.add(Subscription(member_id=number, publication="weekly", since=since))
            if number < 3:
                session.add(MemberDistrict(member_id=number, district_id=bromma))
    engine.dispose()
    Image.new("RGB", (900, 300), "#3f7d58").save(tmp_path / "torg.png")
    path = tmp_path / "sommar.md"
    path.write_text(LETTER, encoding="utf-8")
    return path


def test_a_letter_goes_from_its_file_to_the_outbox(run: Run, letter: Path, tmp_path: Path):
    status, _, err = run("campaigns", "new", letter)
    assert status == 0
    assert "To: Everyone who gets The weekly letter: who chose Bromma, or what lies inside." in err
    assert "=  2 mails to 2 members" in err
    assert len(list((tmp_path / "data" / "images").iterdir())) == 1

    status, out, _ = run("campaigns", "preview", "sommar")
    assert (status, "Subject: Följ med i sommar" in out, "Hej Kim!" in out) == (0, True, True)
    assert "Hello!" in run("campaigns", "preview", "sommar", "--language", "en")[1]
    assert run("campaigns", "send", "sommar")[0] == 2
    status, _, err = run("campaigns", "approve", "sommar", "--yes")
    assert (status, "Say when" in err) == (0, True)
    assert json.loads(run("campaigns", "list", "--json")[1])[0]["state"] == "approved"
    assert "goes out 2099-06-01 08:00" in run("campaigns", "schedule", "sommar", "2099-06-01 08:00")[2]
    assert "scheduled" in run("campaigns", "status")[1]
    status, _, err = run("campaigns", "send", "sommar")
    assert (status, "It can still be taken back, and goes out " in err) == (0, True)
    assert "sommar is a draft again." in run("campaigns", "take-back", "sommar")[2]
    assert run("campaigns", "send", "sommar")[0] == 2
    without_window(tmp_path / "config.toml")
    assert run("campaigns", "approve", "sommar", "--yes")[0] == 0
    status, _, err = run("campaigns", "send", "sommar")
    assert "campaign:sommar: 2 mails to 2 members. Since it was approved 0 joined" in err

    [row] = json.loads(run("campaigns", "status", "sommar", "--json")[1])
    assert (row["state"], row["candidates"], row["queued"], row["left_since"]) == ("sending", 2, 2, 0)
    [shown] = json.loads(run("campaigns", "show", "sommar", "--json")[1])
    assert shown["files"] == [["sommar.md", LETTER]]
    assert shown["record"]["rule_sv"].startswith("Alla som får Veckobrevet")
    assert "Hej {{ member.given_name" in run("campaigns", "show", "sommar")[1]
    status, _, err = run("campaigns", "report", "sommar")
    assert (status, "Nothing of sommar has been sent yet" in err) == (2, True)
    assert run("campaigns", "withdraw", "sommar", "--yes")[0] == 0
    assert json.loads(run("campaigns", "status", "sommar", "--json")[1])[0]["state"] == "withdrawn"


def test_a_mistake_names_file_line_and_column_and_nothing_is_kept(run: Run, letter: Path):
    letter.write_text(LETTER.replace("torg.png", "borta.png"), encoding="utf-8")
    status, out, err = run("campaigns", "new", letter)
    assert (status, out) == (2, "")
    assert err == "sommar.md, line 9, column 11: There is no file borta.png beside the letter.\n"

    letter.write_text(LETTER.replace("member.given_name", "member.name"), encoding="utf-8")
    assert "sommar.md, line 7, column 5: There is no value member.name" in run("campaigns", "new", letter)[2]
    letter.write_text(LETTER.replace("Hello!", "Hello! " + "Word upon word. " * 6000), encoding="utf-8")
    assert "mail programs cut it off" in run("campaigns", "new", letter)[2]
    letter.write_bytes(b"\xff\xfe")
    assert "sommar.md is not UTF-8" in run("campaigns", "new", letter)[2]
    (letter.parent / "torg.png").write_bytes(b"GIF89a")
    letter.write_text(LETTER, encoding="utf-8")
    assert "torg.png is no picture that can be shown" in run("campaigns", "new", letter)[2]
    assert json.loads(run("campaigns", "list", "--json")[1]) == []


def test_a_letter_may_come_through_standard_input(run: Run, letter: Path, monkeypatch: pytest.MonkeyPatch):
    del letter
    text = LETTER.replace("::: image torg.png\nEtt torg\n:::", "")
    monkeypatch.setattr(sys, "stdin", io.StringIO(text))

    assert "Say what the letter is called" in run("campaigns", "new", "-")[2]
    monkeypatch.setattr(sys, "stdin", io.StringIO(text))
    assert run("campaigns", "new", "-", "--name", "sommar")[0] == 0


def test_the_text_is_sealed_anew_when_the_keys_are(run: Run, letter: Path):
    run("campaigns", "new", letter)

    assert run("keys", "rotate")[0] == 0
    assert "campaign" in {place.table.name for place in resealing.places()}
    assert "Hej {{ member.given_name" in run("campaigns", "show", "sommar")[1]


def test_two_languages_may_stand_in_two_files(run: Run, letter: Path):
    swedish, _, english = LETTER.partition("+++ en")
    letter.write_text(swedish, encoding="utf-8")
    other = letter.with_name("sommar.en.md")
    other.write_text(f"+++ en{english}", encoding="utf-8")

    assert run("campaigns", "new", letter, other)[0] == 0
    assert "Hello!" in run("campaigns", "preview", "sommar", "--language", "en")[1]


def test_approval_shows_to_whom_it_goes_and_asks(run: Run, letter: Path, monkeypatch: pytest.MonkeyPatch):
    run("campaigns", "new", letter)
    monkeypatch.setattr(sys, "stdin", io.StringIO("n\n"))

    status, _, err = run("campaigns", "approve", "sommar")

    assert status == 1
    assert err.index("=  2 mails to 2 members") < err.index("Approve it?")
    assert json.loads(run("campaigns", "list", "--json")[1])[0]["state"] == "draft"


def test_a_test_is_marked_goes_to_the_named_and_is_no_delivery(run: Run, letter: Path, tmp_path: Path):
    config = tmp_path / "config.toml"
    config.write_text(config.read_text("utf-8").replace('providers = ["smtp"]', 'providers = ["catch"]'), "utf-8")
    run("campaigns", "new", letter)

    status, _, err = run("campaigns", "test", "sommar", "anna@example.org")

    assert (status, "Tests sent: 2." in err) == (0, True), err
    caught = [path.read_bytes() for path in (tmp_path / "data" / "caught" / "new").iterdir()]
    assert len(caught) == 2
    assert any(b"Subject: [Test] Join us this summer" in mail for mail in caught)
    [row] = json.loads(run("campaigns", "status", "sommar", "--json")[1])
    assert (row["state"], row["sent"], row["candidates"]) == ("tested", 0, 0)


def test_the_preview_opens_the_mail_in_the_browser(run: Run, letter: Path, monkeypatch: pytest.MonkeyPatch):
    opened: list[str] = []
    monkeypatch.setattr(webbrowser, "open", opened.append)
    run("campaigns", "new", letter)

    assert run("campaigns", "preview", "sommar", "--open")[0] == 0

    page = Path(opened[0].removeprefix("file://"))
    assert "Hej Kim!" in page.read_text(encoding="utf-8")
    page.unlink()


def test_segments_are_added_shown_and_removed(run: Run, letter: Path):
    status, _, err = run("segments", "add", "vast", "districts=Bromma", "exclude.ground=supporter")
    assert (status, "vast is a segment now." in err) == (0, True), err
    assert "vast means that now." in run("segments", "add", "vast", "districts=bromma", "exclude.languages=en")[2]
    assert "who chose Bromma, or what lies inside. But not: who read in English." in run("segments", "list")[1]
    [row] = json.loads(run("segments", "show", "vast", "--json")[1])
    assert (row["name"], row["weekly"]) == ("vast", 2)
    assert "2  The weekly letter" in run("segments", "show", "vast")[1]
    letter.write_text(LETTER.replace('districts = "Bromma"', 'segment = "vast"'), encoding="utf-8")
    assert "=  2 mails to 2 members" in run("campaigns", "new", letter)[2]
    assert run("segments", "remove", "vast", "--yes")[0] == 0
    assert "line 5, column 1: There is no segment vast" in run("campaigns", "preview", "sommar")[2]
    for wrong, words in (("bromma", "Write KEY=VALUE"), ("colour=red", "no such key"), ("districts=x", "no district")):
        status, _, err = run("segments", "add", "ny", wrong)
        assert (status, words in err) == (2, True), err


def test_a_report_shows_no_small_number_and_says_what_a_difference_means(run: Run, letter: Path, site_database: str):
    text = LETTER.replace('"Följ med i sommar"', '["Ett", "Två"]').replace('"Join us this summer"', '["One", "Two"]')
    letter.write_text(text.replace('districts = "Bromma"', 'languages = "sv"'), encoding="utf-8")
    engine = db.open_engine(site_database)
    with db.writing(engine) as session:
        for number in range(4, 40):  # nobody can foresee who gets which: some of them get either
            session.add(a_member(f"member{number}@example.org", id=number))
            session.flush()
            session.add(Subscription(member_id=number, publication="weekly", since=datetime.now(UTC)))
    without_window(letter.parent / "config.toml")
    for arguments in (("new", letter), ("approve", "sommar", "--yes"), ("send", "sommar")):
        assert run("campaigns", *arguments)[0] == 0
    with db.writing(engine) as session:
        session.exec(select(Mailing)).one().started_at = datetime.now(UTC)
    engine.dispose()

    status, out, err = run("campaigns", "report", "sommar")
    assert (status, "below 5" in out, "unsubscribed: too few to compare." in err) == (0, True, True), err
    row = json.loads(run("campaigns", "report", "sommar", "--json")[1])[0]
    assert row["members"] is row["unsubscribed"] is None
    assert row["verdicts"] == {"unsubscribed": "too few to compare"}


OPERATORS = """
[operators.siv]
name = "Siv Lind"
address = "siv@kansli.example.org"
districts = ["%s"]
may_approve = true
accounts = ["%s"]

[operators.bo]
name = "Bo Al"
address = "bo@kansli.example.org"
may_approve = true
"""


def with_operators(folder: Path, district: str) -> None:
    config = folder / "config.toml"
    text = re.sub(r"(?m)^providers = .*$", 'providers = ["catch"]', config.read_text(encoding="utf-8"))
    config.write_text(text + OPERATORS % (district, account()), encoding="utf-8")


def test_operators_approve_within_their_districts_and_nothing_leaves_at_once(run: Run, letter: Path, tmp_path: Path):
    with_operators(tmp_path, "stockholm")  # Bromma lies inside
    run("campaigns", "new", letter)

    status, _, err = run("campaigns", "approve", "sommar", "--yes")
    assert (status, "Approved by Siv Lind. It can be taken back until" in err) == (0, True)

    assert json.loads(run("campaigns", "list", "--json")[1])[0]["state"] == "approved"
    assert "It can still be taken back" in run("campaigns", "send", "sommar")[2]
    assert json.loads(run("campaigns", "status", "sommar", "--json")[1])[0]["queued"] == 0


def test_beyond_ones_districts_another_operator_is_asked_and_other_words_need_asking_anew(
    run: Run, letter: Path, tmp_path: Path
):
    with_operators(tmp_path, "solna")
    run("campaigns", "new", letter)

    assert "A link was sent to: bo." in run("campaigns", "approve", "sommar", "--yes")[2]
    assert json.loads(run("campaigns", "list", "--json")[1])[0]["state"] == "draft"

    for old, new in (("Hej {{", "Hallå {{"), ('"Bromma"', '["Bromma", "Solna"]')):
        letter.write_text(letter.read_text(encoding="utf-8").replace(old, new), encoding="utf-8")
        run("campaigns", "new", letter)
        run("campaigns", "approve", "sommar", "--yes")
    outcomes = [row["outcome"] for row in json.loads(run("approvals", "list", "--json")[1])]
    assert outcomes == ["open", "changed", "changed"]
