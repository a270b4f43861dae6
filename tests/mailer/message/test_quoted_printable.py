import quopri

from hypothesis import example, given
from hypothesis import strategies as st

from mailer.message.quoted_printable import encode


@given(st.text(max_size=400) | st.text(alphabet="=. \t\r\nå", max_size=400))
@example("." * 300)
@example("=" * 76 + "." * 5)
@example("x" * 75 + ".\n" + "." * 76 + "\n.\n")
@example("x" * 76)
@example("slut ")
@example("\n")
def test_every_text_comes_back_from_short_crlf_lines_without_leading_dots(text: str) -> None:
    text = text.encode("utf-8", "replace").decode()

    encoded = encode(text)

    expected = text.replace("\r\n", "\n").replace("\r", "\n").replace("\n", "\r\n")
    assert quopri.decodestring(encoded).decode() == expected
    assert b"\n" not in encoded.replace(b"\r\n", b"")
    *full, last = encoded.split(b"\r\n")
    assert all(len(line) <= 76 for line in full)
    assert len(last) <= 75
    assert not any(line.startswith(b".") for line in [*full, last])
    assert not any(line.endswith((b" ", b"\t")) for line in [*full, last])
