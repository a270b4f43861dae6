import json
import os
import pwd
from collections.abc import Callable
from pathlib import Path

import openpyxl
import pytest
import sqlalchemy as sa
from sqlmodel import select

from mailer.app import App, Places
from mailer.cli import main
from mailer.keys import create
from mailer.members import nights
from subscribers.importing import run, staging
from subscribers.importing.target import Policy
from subscribers.models import Access, District, Ground
from tests.builders import MOMENT, a_district
from tests.databases import stored_in

HEADINGS = "Medlemsnr;Förnamn;Efternamn;E-post;Stadsdel;Telefon"
ANNA = "1;Anna;Zetterqvist;anna.z@example.org;Bromma;070"
BO = "2;Bo;Ek;;Bromma;"
EVA = "3;Eva;Al;eva.example.org;Bromma;"

Command = Callable[..., tuple[int, str, str]]


@pytest.fixture
def folder(tmp_path: Path, site_database: str, monkeypatch: pytest.MonkeyPatch) -> Path:
    del site_database
    monkeypatch.setenv("UTSKICK_CONFIG", str(tmp_path / "config.toml"))
    return tmp_path


@pytest.fixture
def command(folder: Path, capsys: pytest.CaptureFixture[str]) -> Command:
    """Run `utskick ...` in a prepared installation; return status, stdout and stderr."""

    def run_it(*arguments: object) -> tuple[int, str, str]:
        with pytest.raises(SystemExit) as left:
            main([str(argument) for argument in arguments])
        shown = capsys.readouterr()
        return int(left.value.code or 0), shown.out, shown.err

    run_it("init")
    with opened(folder).writing() as session:
        if session.exec(select(District).where(District.slug == "bromma")).first() is None:
            session.add(a_district("bromma", "Bromma"))
    return run_it


def opened(folder: Path) -> App:
    return App.load(Places.of(folder / "config.toml", None, {}), os.environ)


@pytest.fixture
def file(folder: Path) -> Path:
    path = folder / "medlemmar.csv"
    path.write_text(f"{HEADINGS}\r\n{ANNA}\r\n{BO}\r\n{EVA}", encoding="cp1252")
    return path


def test_an_import_reports_every_line_and_keeps_the_good_ones(command: Command, file: Path):
    status, out, err = command("members", "import", file)

    assert status == 0
    assert [line.split() for line in out.splitlines()[:5]] == [
        ["added", "2"],
        ["changed", "0"],
        ["unchanged", "0"],
        ["gone", "0"],
        ["refused", "1"],
    ]
    assert "Line 4 is refused: The address has no @." in out
    assert "Line 3 has no address: 2 Bo Ek" in out
    assert "not read: Telefon" in err


def test_a_dry_run_shows_the_same_and_changes_nothing(command: Command, file: Path):
    _, dry, err = command("members", "import", file, "--dry-run")
    _, wet, _ = command("members", "import", file)

    assert dry == wet
    assert "Nothing was changed." in err


def test_an_import_as_json_says_what_became_of_each_line_and_names_nobody(command: Command, file: Path):
    _, out, _ = command("members", "import", file, "--json")

    rows = json.loads(out)
    assert [(row["outcome"], row["line"]) for row in rows] == [("added", 2), ("added", 3), ("refused", 4)]
    assert rows[2]["reason"] == "The address has no @."
    assert "Anna" not in out


def test_a_workbook_is_imported_from_the_sheet_that_is_named(command: Command, folder: Path):
    book = openpyxl.Workbook()
    sheet = book.create_sheet("Medlemmar")
    sheet.append(("Nr", "Mejl"))
    sheet.append((7, "anna@example.org"))
    book.save(folder / "medlemmar.xlsx")

    status, out, _ = command(
        "members", "import", folder / "medlemmar.xlsx", "--sheet", "Medlemmar", "--map", "number=Nr"
    )
    assert status == 0
    assert out.split()[:2] == ["added", "1"]


def test_a_whole_register_that_lacks_many_needs_a_yes(command: Command, file: Path):
    command("members", "import", file)
    file.write_text(f"{HEADINGS}\r\n{ANNA}\r\n", encoding="utf-8")

    status, _, err = command("members", "import", file, "--whole-register")
    assert (status, len(err.splitlines())) == (2, 1)
    assert "repeat with --yes" in err

    status, out, _ = command("members", "import", file, "--whole-register", "--yes")
    assert status == 0
    assert "Missing from the file: 2 Bo Ek" in out


def test_members_are_listed_with_the_field_names_of_the_words_table(command: Command, file: Path):
    command("members", "import", file)

    _, out, _ = command("members", "list", "--json")
    anna, _bo = json.loads(out)
    assert anna.pop("created_at") == anna.pop("changed_at")
    assert anna == {
        "id": 1,
        "number": "1",
        "address": "anna.z@example.org",
        "given_name": "Anna",
        "family_name": "Zetterqvist",
        "language": "sv",
        "plain_only": False,
        "state": "active",
        "ground": "member",
        "districts": ["bromma"],
        "topics": [],
        "publications": ["weekly"],
    }


@pytest.mark.parametrize(
    ("options", "listed"),
    [(("--district", "bromma"), [1, 2]), (("--state", "active"), [1, 2]), (("--state", "left"), [])],
)
def test_a_list_can_be_narrowed(command: Command, file: Path, options: tuple[str, ...], listed: list[int]):
    command("members", "import", file)

    _, out, _ = command("members", "list", "--json", *options)
    assert [row["id"] for row in json.loads(out)] == listed


def test_a_member_can_be_shown_handed_out_and_erased(command: Command, file: Path):
    command("members", "import", file)

    assert "family_name\tZetterqvist" in command("members", "show", 1)[1]
    assert json.loads(command("members", "show", 1, "--json")[1])[0]["given_name"] == "Anna"
    held = json.loads(command("members", "export", 1)[1])[0]
    assert (held["address"], held["deliveries"]) == ("anna.z@example.org", [])
    assert command("members", "erase", 1)[0] == 2
    assert command("members", "erase", 1, "--yes")[0] == 0
    assert json.loads(command("members", "show", 1, "--json")[1])[0]["address"] is None


def test_the_diary_says_who_looked_at_whom(command: Command, file: Path):
    command("members", "import", file)
    command("members", "show", 1)
    command("members", "export", 1)
    command("members", "erase", 1, "--yes")

    whole = json.loads(command("members", "diary", "--json")[1])
    hers = json.loads(command("members", "diary", "--member", "id:1", "--most", 2, "--json")[1])

    assert [row["what"] for row in whole] == ["erase", "export", "show", "import"]
    assert {row["who"] for row in whole} == {pwd.getpwuid(os.getuid()).pw_name}
    assert [row["what"] for row in hers] == ["erase", "export"]
    assert "import" in command("members", "diary")[1]


def test_the_diary_speaks_the_readers_language(command: Command, file: Path, monkeypatch: pytest.MonkeyPatch):
    command("members", "import", file)
    command("members", "erase", 1, "--yes")
    monkeypatch.setenv("LC_ALL", "sv_SE.UTF-8")

    lines = command("members", "diary")[1]

    assert [word in lines for word in ("radera", "läsa in", "erase", "import")] == [True, True, False, False]


def test_what_is_too_old_is_shown_first_and_then_deleted(command: Command, folder: Path, file: Path):
    command("members", "import", file)
    with opened(folder).writing() as session:
        session.add(Access(at=MOMENT, who="kim", what="list", count=9))

    dry = json.loads(command("retention", "run", "--dry-run", "--json")[1])
    assert {row["what"]: row["due"] for row in dry}["diary"] == 1
    assert "diary" in command("retention", "run")[1]
    assert {row["due"] for row in json.loads(command("retention", "run", "--dry-run", "--json")[1])} == {0}
    assert json.loads(command("retention", "report", "--json")[1]) == []


def test_the_report_of_a_night_says_what_went_and_nothing_of_what_did_not(command: Command, folder: Path):
    with opened(folder).writing() as session:
        nights.claim(session, MOMENT.date(), MOMENT)
        nights.settle(session, MOMENT.date(), {"diary": 3, "leavers": 0, "sign-ups": 2}, MOMENT)

    [heads, night] = command("retention", "report")[1].splitlines()

    assert heads.split() == ["day", "begun_at", "done_at", "deleted"]
    assert night.endswith("diary 3, sign-ups 2")


def test_who_was_erased_is_taken_in_again_once_a_person_says_so(command: Command, file: Path):
    command("members", "import", file)
    command("members", "erase", 1, "--yes")
    assert "refused           2" in command("members", "import", file)[1]

    assert "Nobody of this address" in command("members", "readmit", "x@example.org")[2]
    assert command("members", "readmit", "anna.z@example.org", "--number", "1") == (0, "", "They can come back.\n")

    assert "added             1" in command("members", "import", file)[1]


def test_the_listing_shows_what_each_is_subscribed_to(command: Command, file: Path):
    command("members", "import", file)

    rows = [line.split("\t") for line in command("members", "list")[1].splitlines()]

    assert [row[-1] for row in rows] == ["weekly", "weekly"]


def test_a_member_is_named_by_id_number_or_address(command: Command, folder: Path):
    path = folder / "fil.csv"
    path.write_text("Medlemsnr;E-post\nM-7;anna@example.org\n1;bo@example.org\n", encoding="utf-8")
    command("members", "import", path)

    for said in ("1", "2", "m-7", "ANNA@example.org", "id:1", "number:1", "id:2"):
        status, out, err = command("members", "show", said, "--json")
        if said == "1":  # Anna's id, and Bo's number
            assert (status, out) == (2, "")
            assert "write id:1 or number:1" in err
        else:
            anna = said in {"m-7", "ANNA@example.org", "id:1"}
            assert json.loads(out)[0]["address"] == ("anna@example.org" if anna else "bo@example.org"), said
    assert json.loads(command("members", "export", "m-7")[1])[0]["id"] == 1
    assert command("members", "erase", "bo@example.org", "--yes")[0] == 0
    assert json.loads(command("members", "show", "id:2", "--json")[1])[0]["state"] == "erased"


def test_an_address_of_several_members_names_none_of_them(command: Command, folder: Path):
    path = folder / "fil.csv"
    path.write_text("Medlemsnr;E-post\n71;par@example.org\n72;par@example.org\n", encoding="utf-8")
    command("members", "import", path)

    status, _, err = command("members", "erase", "par@example.org", "--yes")

    assert status == 2
    assert "name one by its id (1, 2)" in err
    assert "par@example.org" not in err


def test_whoever_looks_is_noted_in_the_diary(command: Command, file: Path, folder: Path):
    command("members", "import", file)
    for arguments in (("list",), ("show", 1), ("export", 1), ("erase", 1, "--yes")):
        command("members", *arguments)

    with opened(folder).reading() as session:
        notes = session.exec(select(Access)).all()
        me = pwd.getpwuid(os.getuid()).pw_name
        assert [(note.who, note.what, note.member_id, note.count) for note in notes] == [
            (me, "import", None, 2),
            (me, "list", None, 2),
            (me, "show", 1, 1),
            (me, "export", 1, 1),
            (me, "erase", 1, 1),
        ]


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (("import", "nowhere.csv"), "There is no file nowhere.csv."),
        (("import", "."), "cannot be read"),
        (("import", "{file}", "--map", "address"), "Write --map as FIELD=HEADING"),
        (("import", "{file}", "--map", "address=Skostorlek"), "There is no column Skostorlek"),
        (("show", "99"), "There is no member 99."),
        (("export", "99"), "There is no member 99."),
        (("show", "99999999999999999999"), "There is no member 99999999999999999999."),
        (("show", "nobody@example.org"), "Nobody in the register has this address."),
        (("show", "anna@"), "not a domain"),
        (("list", "--district", "atlantis"), "There is no district atlantis."),
        (("list", "--district", "brom"), "There is no district brom. Did you mean bromma?"),
    ],
)
def test_a_mistake_is_one_sentence(command: Command, file: Path, arguments: tuple[str, ...], sentence: str):
    status, out, err = command("members", *(argument.format(file=file) for argument in arguments))

    assert (status, out) == (2, "")
    assert sentence in err
    assert len(err.splitlines()) == 1


def test_an_interrupted_import_is_finished_by_the_next_command_of_any_kind(command: Command, folder: Path):
    app = opened(folder)
    file = run.MemberFile(f"{HEADINGS}\n{ANNA}\n".encode(), "m.csv", None, {})
    policy = Policy(publications=("weekly",), ground=Ground.MEMBER, language="sv")
    with app.reading() as session:
        prepared = run.prepare(session, file, policy, lambda *_: None)
    with app.writing() as session:
        number = staging.begin(session, rows=1, now=MOMENT)
        staging.stage(session, number, prepared.plan.added, place=0)
        staging.accept(session, number, chunks=1, planned_after=0, now=MOMENT)

    assert [row["id"] for row in json.loads(command("members", "list", "--json")[1])] == [1]


def test_lost_keys_are_not_replaced_by_new_ones_over_a_register(command: Command, file: Path, folder: Path):
    command("members", "import", file)
    keys = folder / "keys.toml"
    copy = keys.read_bytes()
    keys.unlink()

    status, _, err = command("init")

    assert (status, keys.exists()) == (2, False)
    assert "put your copy" in err
    keys.write_bytes(copy)
    keys.chmod(0o600)
    assert command("members", "list")[0] == 0


def test_other_keys_are_refused_by_every_command(command: Command, file: Path, folder: Path):
    command("members", "import", file)
    (folder / "keys.toml").unlink()
    create(folder / "keys.toml")

    for arguments in (("news", "list"), ("web",), ("editions", "preview", "weekly")):
        status, _, err = command(*arguments)
        assert (status, "does not fit this database" in err) == (2, True), arguments


def test_nothing_in_a_file_commands_the_terminal(command: Command, folder: Path):
    path = folder / "fil.csv"
    path.write_text("E-post;\x1b]0;owned\x07\x9b2J\nanna@example.org;x\n", encoding="utf-8")

    _, out, err = command("members", "import", path)

    assert "owned" in err
    assert not any(character in out + err for character in "\x1b\x07\x9b")


def test_nothing_in_json_commands_the_terminal(command: Command, folder: Path):
    path = folder / "fil.csv"
    path.write_text("E-post;Förnamn\nanna@example.org;A\u202enna\n", encoding="utf-8")
    command("members", "import", path)

    _, out, _ = command("members", "list", "--json")

    assert "\u202e" not in out
    assert json.loads(out)[0]["given_name"] == "A\u202enna"


def test_whatever_is_written_is_for_this_account_alone(command: Command, folder: Path, file: Path):
    (folder / "data").chmod(0o755)  # as when a volume was mounted there
    ours = {"utskick.db"} if opened(folder).engine.dialect.name == "sqlite" else set()

    command("members", "import", file)

    written = [path for path in folder.rglob("*") if path.is_file() and path != file]
    assert {path.name for path in written} >= {"config.toml", "keys.toml", *ours}
    assert [path.name for path in written if path.stat().st_mode & 0o077] == []


def test_an_erased_member_leaves_no_ciphertext_in_the_files(command: Command, folder: Path, file: Path):
    command("members", "import", file)
    with opened(folder).reading() as session:
        query = sa.text("SELECT address, family_name FROM member WHERE address IS NOT NULL")
        id_query = sa.text("SELECT id FROM member WHERE address IS NOT NULL")
        sealed = list(session.connection().execute(query).one())
        member = session.connection().scalar(id_query)

    command("members", "erase", member, "--yes")

    files = stored_in(opened(folder).engine)
    assert not any(value in files for value in sealed)


def test_a_whole_register_is_welcomed_when_a_person_says_so_and_once(command: Command, file: Path):
    command("members", "import", file)

    assert "never welcomed: 1" in command("members", "welcome")[2]
    assert "will be welcomed: 1" in command("members", "welcome", "--yes")[2]
    assert "will be welcomed: 0" in command("members", "welcome", "--yes")[2]
