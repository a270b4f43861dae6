from pathlib import Path

from babel.messages.extract import extract_from_dir

import mailer.catcher
from mailer.i18n import translations

HERE = Path(mailer.catcher.__file__).parent
SOURCES = [("**.html", "jinja2.ext:babel_extract")]


def test_every_word_of_the_inbox_page_has_a_swedish_one() -> None:
    swedish = translations("sv")
    found = [message for _, _, message, _, _ in extract_from_dir(HERE, SOURCES)]
    sentences = {message if isinstance(message, str) else message[0] for message in found}

    missing = {sentence for sentence in sentences if swedish.ngettext(sentence, "\0", 2) == "\0"} - {
        sentence for sentence in sentences if swedish.gettext(sentence) != sentence or sentence in ("HTML", "Text")
    }

    assert len(sentences) > 30
    assert missing <= {"320 px", "375 px"}
