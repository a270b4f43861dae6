import json
from datetime import UTC, datetime

import pytest

from mailer.config.news import PageSelectors
from mailer.news.apart import read_apart
from mailer.news.parsed import BrokenSource
from mailer.news.reading import Task, read

ZONE = "Europe/Stockholm"
ENDLESS = f"""<rss version="2.0"><channel><title>t</title>{
    f"<item><title>t</title><description><![CDATA[{'<div>' * 20_000}]]></description></item>" * 40
}</channel></rss>""".encode()

TASKS = {
    "feed": Task(b"<rss version='2.0'><channel><item><title>Bro i Bromma</title></item></channel></rss>", "feed", ZONE),
    "json": Task(
        json.dumps({"items": [{"title": "Skola", "date_published": "2024-02-22T10:00:00", "id": "å\ufeff"}]}).encode(),
        "feed",
        ZONE,
        base="https://example.org/feed.json",
    ),
    "list": Task("Nyheter\n• Bibliotek i Rinkeby\n\n  Öppnar\xa0snart.\n".encode("cp1252", "replace"), "list", ZONE),
    "page": Task(
        b"<html><article><h2>Ny park</h2><time datetime='2024-03-01'></time></article></html>",
        "page",
        ZONE,
        select=PageSelectors(item="article", title="h2", date="time"),
    ),
}


@pytest.mark.parametrize("kind", TASKS)
def test_what_is_read_apart_is_what_is_read_here(kind: str):
    apart, here = read_apart(TASKS[kind]), read(TASKS[kind])

    assert list(apart) == here
    assert [it.item.fingerprint for it in apart] == [it.item.fingerprint for it in here]
    assert here


def test_what_did_not_change_is_not_tagged_again():
    [new] = read(TASKS["feed"])

    [known] = read_apart(Task(TASKS["feed"].content, "feed", ZONE, known={new.item.guid: new.item.fingerprint}))

    assert (new.fresh, [tag.slug for tag in new.tags]) == (True, ["bromma"])
    assert (known.fresh, known.tags) == (False, ())


def test_an_answer_that_takes_no_end_is_given_up():
    with pytest.raises(BrokenSource, match="far too long"):
        read_apart(Task(ENDLESS, "feed", ZONE), cpu_seconds=2)


def test_a_broken_answer_keeps_its_sentence():
    with pytest.raises(BrokenSource) as refused:
        read_apart(Task(b"<html></html>", "page", ZONE, select=PageSelectors(item="article", title="h2")))

    assert refused.value.sentence.startswith("The page has no article at {selector}")
    assert refused.value.values == {"selector": "article"}


def test_moments_keep_their_meaning():
    [reading] = read_apart(TASKS["json"])

    assert reading.item.published_at == datetime(2024, 2, 22, 9, 0, tzinfo=UTC)
