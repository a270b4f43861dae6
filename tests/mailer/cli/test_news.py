import json
from pathlib import Path

import pytest

from tests.mailer.cli.conftest import Run

EXAMPLES = Path(__file__).parents[3] / "examples"


def listed(run: Run, *arguments: object) -> list[dict[str, object]]:
    status, out, _ = run("news", "list", "--json", *arguments)
    assert status == 0
    rows: list[dict[str, object]] = json.loads(out)
    return rows


def test_a_list_is_imported_once_and_listed_in_its_order_with_tags_and_reasons(run: Run):
    status, out, remarks = run("news", "import", EXAMPLES / "nyheter.txt", "--published", "2024-03-01")
    assert (status, out) == (0, "")
    assert "nyheter: 40 new, 0 changed, 0 unchanged." in remarks
    assert "0 new, 0 changed, 40 unchanged" in run("news", "import", EXAMPLES / "nyheter.txt")[2]

    rows = listed(run)

    assert len(rows) == 40
    assert rows[0]["title"] == "Vällingby centrum fyller 70 år"
    assert rows[0]["districts"] == ["hasselby-vallingby"]
    assert rows[0]["reasons"] == {"hasselby-vallingby": "Vällingby"}
    assert rows[0]["published_at"] == "2024-03-01T00:00:00+01:00"
    assert (rows[0]["source"], rows[0]["url"], rows[0]["state"]) == ("nyheter", None, "approved")


def test_a_feed_file_keeps_its_links_and_dates(run: Run):
    assert run("news", "import", EXAMPLES / "feed.xml", "--source", "partiet")[0] == 0

    rows = listed(run, "--source", "partiet")

    assert len(rows) == 6
    assert rows[0]["url"] == "https://nyhet.example.org/2024/skolklasser-pa-utflykt"
    assert rows[0]["published_at"] == "2024-10-17T09:00:00+02:00"


def test_an_item_is_written_corrected_tagged_and_held_back(run: Run):
    item = run("news", "add", "--title", "Ny park i Farsta", "--body", "Den är stor.")[1].strip()
    run("news", "edit", item, "--title", "Vår park i Farsta", "--url", "https://example.org/park")
    run("news", "tag", item, "--add", "Klimat", "--remove", "farsta", "--lock")
    assert "Vår park i Farsta [important]" in run("news", "important", item)[1]
    run("news", "expire", item, "2034-05-01")
    run("news", "approve", item, "--off")

    (row,) = json.loads(run("news", "show", item, "--json")[1])

    assert (row["title"], row["body"], row["url"]) == ("Vår park i Farsta", "Den är stor.", "https://example.org/park")
    assert (row["districts"], row["topics"], row["reasons"]) == ([], ["klimat"], {"klimat": "by hand"})
    assert (row["important"], row["state"], row["expires_at"]) == (True, "waiting", "2034-05-01T00:00:00+02:00")
    assert set(row["locked"]) == {"title", "url", "tags", "expires_at"}

    assert "[important] [hidden]" in run("news", "hide", item)[1]
    run("news", "expire", item, "never")
    (row,) = json.loads(run("news", "show", item, "--json")[1])
    assert (row["state"], row["expires_at"]) == ("hidden", None)


def test_the_listing_for_people_names_the_words_that_caused_the_tags(run: Run):
    run("news", "add", "--title", "Ny park i Farsta", "--body", "Stor.\n\nOch grön.")

    assert "farsta (Farsta)" in run("news", "list")[1]
    assert run("news", "show", 1)[1].endswith("Stor.\n\nOch grön.\n")


def test_sources_show_what_was_imported(run: Run):
    run("news", "import", EXAMPLES / "feed.xml")

    (row,) = json.loads(run("news", "sources", "--json")[1])

    assert (row["source"], row["kind"], row["state"], row["items"]) == ("feed", "import", "fine", 6)


def test_a_file_that_is_no_list_is_named(run: Run, tmp_path: Path):
    file = tmp_path / "anteckningar.txt"
    file.write_text("Ingen punkt.", encoding="utf-8")

    status, _, remarks = run("news", "import", file)

    assert (status, remarks.count("\n")) == (1, 1)
    assert f"{file}: The list has no item" in remarks


def test_a_broken_source_is_named_and_the_command_fails(run: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    config = tmp_path / "config.toml"
    source = '\n[sources.inre]\nurl = "http://127.0.0.1:9/feed"\n'
    config.write_text(config.read_text(encoding="utf-8") + source, encoding="utf-8")

    status, _, remarks = run("news", "fetch")

    assert status == 1
    assert "inre: broken. 127.0.0.1 lies in a private network" in remarks
    assert "broken" in run("news", "sources")[1]
    monkeypatch.setenv("LANG", "sv_SE.UTF-8")
    (row,) = json.loads(run("news", "sources", "--json")[1])
    assert "127.0.0.1 ligger i ett privat nät" in row["error"]
    assert row["error"] in run("news", "sources")[1]


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (("import", "nix.txt"), "There is no file nix.txt."),
        (("import", "."), "cannot be read"),
        (("import", "http://127.0.0.1:9/"), "lies in a private network"),
        (("show", 7), "There is no news item 7"),
        (("fetch", "nix"), "There is no source nix"),
        (("list", "--tag", "skarpnak"), "Did you mean skarpnack?"),
        (("add", "--title", "x", "--published", "i går"), "i går is not a date"),
        (("add", "--title", "x", "--url", "hej"), "hej is not a web address"),
    ],
)
def test_a_mistake_is_one_sentence_and_exit_status_two(run: Run, arguments: tuple[object, ...], sentence: str):
    status, out, remarks = run("news", *arguments)

    assert (status, out) == (2, "")
    assert sentence in remarks
    assert len(remarks.strip().splitlines()) == 1


def test_a_file_that_holds_no_news_is_trouble(run: Run, tmp_path: Path):
    (tmp_path / "tom.txt").write_text("Nyheter\n", encoding="utf-8")
    (tmp_path / "sida.html").write_text("<!doctype html><html></html>", encoding="utf-8")

    assert run("news", "import", tmp_path / "tom.txt")[0] == 1
    assert run("news", "import", tmp_path / "sida.html")[0] == 2
