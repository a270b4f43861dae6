"""What a mail must be on the wire, and a hostile correspondent."""

from email import message_from_bytes, policy
from email.message import EmailMessage

from hypothesis import strategies as st

HOSTILE = st.one_of(
    st.text(max_size=420),
    st.text(
        alphabet="Anna Ö.\r\n\0\"'\\<>(),;:@[]{}%=?_&/-\u202e\u2066\u2028\x85\ufdd0\ufdd1🎉漢\ud800\xa0\t",
        max_size=80,
    ),
    st.sampled_from(
        [
            "Anna\r\nBcc: alla@example.org",
            "\0Anna",
            'Anna "Bo" Cecilia\\',
            "{{ 7*7 }}{% raw %}",
            "</td></tr></table><script>",
            "\u202egnA",
            "🎉" * 100,
            "ord " * 100,
            "x" * 400,
            "." * 200,
            ".\r\n.\r\n",
            "=?utf-8?q?Bo?=",
            "=?utf-8?q?Bo?= =?utf-8?b?Qm8=?=",
            "Åsa (f.d. Berg), ordförande",
            "bank@example.com",
            "Anna <bo@example.org>",
            "漢字" * 40,
            "From here",
            "--=_utskick_alternative--",
        ]
    ),
)


def assert_fit_for_the_wire(content: bytes) -> None:
    assert content.isascii()
    assert b"\0" not in content
    assert content.endswith(b"\r\n")
    assert b"\r" not in content.replace(b"\r\n", b"")
    assert b"\n" not in content.replace(b"\r\n", b"")
    head, _, body = content.partition(b"\r\n\r\n")
    assert not content.startswith(b".")
    assert b"\r\n." not in content
    assert max(map(len, head.split(b"\r\n"))) <= 998
    assert max(map(len, body.split(b"\r\n"))) <= 76


def parsed(content: bytes) -> EmailMessage:
    message = message_from_bytes(content, policy=policy.default)
    assert isinstance(message, EmailMessage)
    assert not message.defects
    for part in message.walk():
        assert not part.defects
    return message
