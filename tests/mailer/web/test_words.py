"""Every sentence of the pages is there in Swedish, and reads the same values."""

import re
from collections.abc import Iterator
from pathlib import Path

from babel.messages.extract import extract_from_dir
from babel.messages.pofile import read_po

import mailer
from mailer.web.rendering import FOLDER, environment

CATALOGUE = Path(mailer.__file__).parent / "i18n" / "sv.po"
NAMES = re.compile(r"%\((\w+)\)s|\{(\w+)\}")


def sentences() -> Iterator[str]:
    found = extract_from_dir(FOLDER, method_map=[("**.html", "jinja2")], options_map={"**.html": {"trimmed": "true"}})
    for _file, _line, message, _comments, _context in found:
        yield message[0] if isinstance(message, tuple) else message


def test_every_sentence_of_the_pages_is_there_in_swedish():
    with CATALOGUE.open("rb") as source:
        swedish = {(m.id[0] if isinstance(m.id, tuple) else m.id): m.string for m in read_po(source, locale="sv")}
    found = set(sentences())

    assert len(found) > 50
    assert [sentence for sentence in found if not swedish.get(sentence)] == []
    for sentence in found:
        words = swedish[sentence]
        for form in words if isinstance(words, tuple | list) else [words]:
            assert set(NAMES.findall(form)) == set(NAMES.findall(sentence))


def test_every_template_can_be_read():
    for path in FOLDER.glob("*.html"):
        assert environment("sv").get_template(path.name)
