import html
import re

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from mailer.message import headers, slots
from mailer.message.characters import one_line
from mailer.message.headers import Refused
from mailer.message.quoted_printable import Lines
from mailer.message.skeleton import Piece, Skeleton, alternative, plain, together
from mailer.message.slots import Slot
from tests.mailer.message.wire import HOSTILE, assert_fit_for_the_wire, parsed

HEAD = (
    headers.mailbox("From", "Veckobrevet", "brev@example.org"),
    b"To: ",
    Slot("name", slots.display_name),
    b"<",
    Slot("address", slots.to_address),
    b">\r\n",
    headers.subject("Nytt i Bromma på tisdag"),
    b"List-Unsubscribe: <",
    Slot("leave", slots.list_unsubscribe),
    b">\r\n",
)
VALUES = {
    "name": "Anna",
    "address": "anna@example.org",
    "leave": "https://example.org/u/0123456789abcdefghijklm",
}


def a_skeleton(before: str = "Hej ", after: str = "!\n") -> Skeleton:
    return alternative(
        HEAD,
        text=[before, Slot("name", slots.plain_text), after, Slot("leave", slots.url_in_text), "\n"],
        html=[
            "<p>",
            Slot("name", slots.html_text),
            '</p><a href="',
            Slot("leave", slots.url_in_html),
            '">Leave</a>',
        ],
    )


@given(HOSTILE, st.text(max_size=200), st.text(max_size=200))
@example(".", "x" * 76, "." * 80)
@example("", "", "")
def test_hostile_values_come_back_whole_between_any_literals(name: str, before: str, after: str) -> None:
    before, after = (text.encode("utf-8", "replace").decode().replace("\r", "") for text in (before, after))

    content = a_skeleton(before, after).compose({**VALUES, "name": name})

    assert_fit_for_the_wire(content)
    message = parsed(content)
    text, page = (part.get_content().replace("\r\n", "\n") for part in message.iter_parts())
    assert text == f"{before}{one_line(name)}{after}{VALUES['leave']}\n"
    shown = re.fullmatch(r'<p>(.*)</p><a href="(.*)">Leave</a>', page)
    assert shown is not None
    assert [html.unescape(group) for group in shown.groups()] == [one_line(name), VALUES["leave"]]
    assert "<" not in shown[1]


@given(st.text(alphabet="abcXYZ019-_.~%?&=/:#+,;()'[]@!$*", min_size=1, max_size=300))
def test_a_link_is_byte_exact_in_the_header_and_the_same_in_both_parts(path: str) -> None:
    leave = f"https://example.org/{path}"

    content = a_skeleton().compose({**VALUES, "leave": leave})

    assert_fit_for_the_wire(content)
    assert f"\r\nList-Unsubscribe: <{leave}>\r\n".encode() in content
    text, page = (part.get_content().replace("\r\n", "\n") for part in parsed(content).iter_parts())
    assert text.endswith(f"!\n{leave}\n")
    assert f'href="{html.escape(leave)}"' in page


def test_the_same_values_give_the_same_bytes() -> None:
    assert a_skeleton().compose(VALUES) == a_skeleton().compose(VALUES)


def test_the_plain_part_comes_first() -> None:
    kinds = [part.get_content_type() for part in parsed(a_skeleton().compose(VALUES)).iter_parts()]

    assert kinds == ["text/plain", "text/html"]


@pytest.mark.parametrize("leave", ["", "javascript:alert(1)", "https://example.org/\r\nBcc: x@example.org"])
def test_a_value_that_is_no_link_never_becomes_one(leave: str) -> None:
    with pytest.raises(Refused):
        a_skeleton().compose({**VALUES, "leave": leave})


def test_a_missing_value_is_an_error_and_not_a_gap() -> None:
    with pytest.raises(KeyError):
        a_skeleton().compose({})


LINKS = st.sampled_from(["https://example.org/u/a", "https://example.org/u/b", "https://example.org/?a=1&b=2"])


@given(st.lists(st.tuples(HOSTILE, LINKS), max_size=4))
def test_many_readers_encoded_at_once_get_what_each_gets_alone(readers: list[tuple[str, str]]) -> None:
    skeleton = a_skeleton()
    columns = {"name": [name for name, _ in readers], "leave": [link for _, link in readers]}

    encoded = skeleton.encode({**columns, "address": VALUES["address"]}, len(readers))

    assert [b"".join(together(skeleton.frame, own)) for own in encoded] == [
        skeleton.compose({**VALUES, "name": name, "leave": link}) for name, link in readers
    ]


@pytest.mark.parametrize("slots_", [[], [Slot("name", slots.plain_text)]])
def test_a_letter_with_one_slot_or_none_is_composed_like_others(slots_: list[Slot]) -> None:
    skeleton = Skeleton([b"Hej ", *slots_, b"\r\n"])

    assert [b"".join(together(skeleton.frame, own)) for own in skeleton.encode({"name": ["Bo"]}, 1)] == [
        skeleton.compose(VALUES | {"name": "Bo"})
    ]


def test_a_link_that_is_none_is_refused_among_others_too() -> None:
    with pytest.raises(Refused, match="is not a web address"):
        a_skeleton().encode({**VALUES, "leave": [VALUES["leave"], "javascript:alert(1)"]}, 2)


@given(before=st.text(), shared=st.text(), after=st.text(), slot=st.booleans())
@example(before=".", shared="." + "x" * 80, after=".", slot=True)
@example(before="", shared="\r", after="\n", slot=False)
@example(before="", shared="", after="", slot=True)
def test_lines_that_are_shared_are_the_same_bytes_as_in_their_text(
    before: str, shared: str, after: str, *, slot: bool
) -> None:
    end: list[Piece] = [Slot("name", slots.plain_text)] if slot else []
    text: list[Piece] = [f"{before}\n{shared}\n{after}", *end]
    parts: list[Piece] = [f"{before}\n", Lines(f"{shared}\n"), *([after] if after else []), *end]

    for build in (lambda body: plain([], text=body), lambda body: alternative([], text=body, html=body)):
        assert build(parts).compose({"name": ".Bo"}) == build(text).compose({"name": ".Bo"})
