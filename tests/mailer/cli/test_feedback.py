"""What a person may ask and decide about what came back."""

from datetime import timedelta
from pathlib import Path

import pytest
from sqlmodel import Session, delete, select

from mailer import db
from mailer.feedback import book, told
from mailer.feedback.causes import Cause
from mailer.feedback.events import Event
from mailer.feedback.hooks.calls import Heard, Told
from mailer.feedback.models import Feedback, Kind, Standing
from subscribers import suppression
from subscribers.models import Access, Suppression
from subscribers.sealed import lookup_key
from tests.builders import MOMENT
from tests.mailer.cli.test_outbox import KEY, Site
from tests.mailer.outbox.posting import a_mailing


@pytest.fixture
def site(tmp_path: Path, site_database: str, capsys: pytest.CaptureFixture[str]) -> Site:
    """Member 1's mailbox is dead; 2 complained; what came of 3 is held."""
    site = Site(tmp_path, site_database, capsys)
    mailing = a_mailing(site.engine, 4)
    with db.writing(site.engine) as session:
        for member, kind, cause in (
            (1, Kind.BOUNCE, Cause.UNKNOWN_USER),
            (2, Kind.COMPLAINT, None),
            (3, Kind.BOUNCE, Cause.UNKNOWN_USER),
        ):
            event = Event(f"e{member}", kind, "mailbox", member, mailing, MOMENT, cause, words="550 [address]: no")
            book.take_in(session, event, now=MOMENT)
        session.exec(select(Feedback).where(Feedback.member_id == 3)).one().standing = Standing.HELD
        suppression.lift(session, address_key(3), reason="dead")
    return site


def address_key(member: int) -> bytes:
    return lookup_key("address", f"m{member}@example.org")


def scope(site: Site, member: int) -> str | None:
    with db.reading(site.engine) as session:
        found = suppression.scope_of(session, address_key(member))
        return found.value if found else None


def test_what_came_back_is_listed_and_shown_without_a_name(site: Site) -> None:
    rows = site.json("feedback", "list")
    assert [row["member"] for row in rows] == [3, 2, 1]
    assert (rows[2]["cause"], rows[2]["verdict"], rows[2]["action"]) == ("unknown user", "hard", "suppress")
    assert [row["member"] for row in site.json("feedback", "list", "--member", "2")] == [2]
    assert site.json("feedback", "list", "--mailing", "weekly:1999-W01") == []
    assert [row["member"] for row in site.json("feedback", "held")] == [3]

    status, out, _ = site.run("feedback", "show", str(rows[2]["id"]))
    assert status == 0
    assert "550 [address]: no" in out
    assert "example.org" not in out
    assert site.run("feedback", "show", "999")[0] == 2


@pytest.mark.parametrize(
    ("member", "words"), [("1", "is dead"), ("2", "spam"), ("3", "person has to decide"), ("m4@example.org", "Nothing")]
)
def test_one_sentence_explains_why_somebody_gets_no_mail(site: Site, member: str, words: str) -> None:
    status, out, _ = site.run("feedback", "explain", member)

    assert status == 0
    assert words in out
    assert words in str(site.json("feedback", "explain", member)[0]["reason"])


def test_what_a_provider_told_that_is_not_understood_is_listed(site: Site) -> None:
    assert site.json("feedback", "unknown") == []
    heard = Heard("n1", strange="novelty for m1@example.org"), Heard("n2", (Told("t", "e", Kind.BOUNCE),))
    with db.writing(site.engine) as session:
        for minutes, each in enumerate(heard):
            told.take_in(session, "brevo", each, [None] * len(each.told), now=MOMENT + timedelta(minutes=minutes))

    rows = site.json("feedback", "unknown")
    assert [(row["provider"], row["what"]) for row in rows] == [
        ("brevo", "about no mail of ours"),
        ("brevo", "novelty for [address]"),
    ]
    assert "novelty for [address]" in site.run("feedback", "unknown")[1]


def test_the_dead_are_counted_by_district(site: Site) -> None:
    assert site.json("feedback", "dead") == [{"district": "", "count": 1, "members": [1]}]


def test_a_person_decides_what_was_held(site: Site) -> None:
    assert scope(site, 3) is None
    assert site.run("feedback", "accept", KEY)[0] == 0
    assert scope(site, 3) == "all"
    assert site.json("feedback", "held") == []


def test_an_outage_is_dismissed(site: Site) -> None:
    assert site.run("feedback", "dismiss", KEY)[0] == 0
    assert scope(site, 3) is None
    assert site.json("feedback", "held") == []


def test_an_address_is_suppressed_and_taken_back(site: Site) -> None:
    assert site.run("suppressions", "add", "m4@example.org")[0] == 0
    assert scope(site, 4) == "all"
    rows = site.json("suppressions", "list")
    assert {(str(row["reason"]), tuple(row["members"])) for row in rows} >= {("asked", (4,)), ("dead", (1,))}  # type: ignore[arg-type]  # JSON
    assert site.run("suppressions", "remove", "m4@example.org")[0] == 0
    assert scope(site, 4) is None


def test_a_complaint_is_the_members_to_take_back(site: Site) -> None:
    status, _, err = site.run("suppressions", "remove", "m2@example.org")

    assert status == 2
    assert "complaint" in err
    assert scope(site, 2) == "bulk"


def test_a_file_is_taken_whole_or_not_at_all(site: Site, tmp_path: Path) -> None:
    file = tmp_path / "dead.csv"
    file.write_text("m4@example.org,dead\nkalle\n")
    status, _, err = site.run("suppressions", "import", str(file))
    assert status == 2
    assert "Line 2" in err
    assert scope(site, 4) is None

    file.write_text("m4@example.org,dead\n\nbo@malmö.se\n")
    assert site.run("suppressions", "import", str(file))[0] == 0
    assert scope(site, 4) == "all"


def test_what_is_handed_out_names_nobody_and_is_noted(site: Site) -> None:
    status, out, _ = site.run("suppressions", "export")

    assert status == 0
    assert "example.org" not in out
    assert len(out.splitlines()) == 3
    with Session(site.engine) as session:
        assert "export" in {row.what for row in session.exec(select(Access))}


def test_what_was_handed_out_is_taken_back_with_every_reason(site: Site, tmp_path: Path) -> None:
    """By another installation with the same keys, which knew nothing of it."""
    _, out, _ = site.run("suppressions", "export")
    file = tmp_path / "suppressed.csv"
    before = {tuple(row.values())[1:4] for row in site.json("suppressions", "list")}
    with Session(site.engine) as session:
        session.exec(delete(Suppression))
        session.commit()

    file.write_text(out + "00,all,dead,2026-11-28\n")
    status, _, err = site.run("suppressions", "import", str(file))
    assert status == 2
    assert "Line 4" in err
    assert site.json("suppressions", "list") == []

    file.write_text(out)
    assert site.run("suppressions", "import", str(file))[0] == 0
    assert {tuple(row.values())[1:4] for row in site.json("suppressions", "list")} == before
    assert scope(site, 2) == "bulk"


def test_a_file_may_name_its_columns(site: Site, tmp_path: Path) -> None:
    file = tmp_path / "dead.csv"
    file.write_text("address,reason\nm4@example.org,dead\n")

    assert site.run("suppressions", "import", str(file))[0] == 0
    assert scope(site, 4) == "all"


def test_without_a_mailbox_in_the_config_polling_is_a_mistake(site: Site) -> None:
    status, _, err = site.run("feedback", "poll")

    assert status == 2
    assert "[feedback.imap]" in err
