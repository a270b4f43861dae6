"""What comes back is read as what it is, whatever its line ends, and nothing is read out of a person's mail."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mailer.feedback.causes import Cause
from mailer.feedback.reading import Kind, read
from mailer.feedback.reading.opened import MOST_OCTETS, MOST_PARTS, open_mail
from tests.mailer.feedback.reading.samples import AUTO_REPLIES, BOUNCES, COMPLAINT, Sample, dsn, ordinary

HEADER = "Return-Path: <>\nFrom: MAILER-DAEMON@example.net\nSubject: Undelivered mail\n"


@pytest.mark.parametrize("sample", BOUNCES, ids=lambda sample: sample.name)
def test_a_bounce_is_read_as_what_it_is(sample: Sample) -> None:
    reading = read(sample.mail.encode())

    assert reading.kind is sample.kind
    assert [report.cause for report in reading.reports] == [sample.cause]


@pytest.mark.parametrize("sample", BOUNCES, ids=lambda sample: sample.name)
def test_every_kind_of_line_end_reads_the_same(sample: Sample) -> None:
    octets = sample.mail.encode()

    assert read(octets) == read(octets.replace(b"\n", b"\r\n")) == read(octets.replace(b"\n", b"\r"))


@pytest.mark.parametrize("kind", ["abuse", "fraud", "not-spam"])
def test_a_complaint_says_its_kind(kind: str) -> None:
    reading = read(COMPLAINT.format(kind=kind).encode())

    assert (reading.kind, reading.about, reading.reports) == (Kind.COMPLAINT, kind, ())


@pytest.mark.parametrize("mail", AUTO_REPLIES)
def test_an_automatic_reply_is_no_bounce(mail: str) -> None:
    assert read(mail.encode()).kind is Kind.AUTO_REPLY


def test_nothing_is_read_out_of_two_hundred_ordinary_mails() -> None:
    kinds = [read(mail.encode()) for mail in ordinary()]

    assert len(kinds) == 200
    assert {reading.kind for reading in kinds} == {Kind.OTHER}


def test_the_returned_mail_is_not_the_servers_word() -> None:
    reading = read(dsn("4.4.1", "smtp; connection timed out").encode())

    assert reading.reports[0].cause is not Cause.UNKNOWN_USER  # as the mail that came back says


def test_what_is_kept_names_nobody_and_is_short() -> None:
    words = "smtp; 550 5.1.1 <anna@example.net>: User unknown " + "x" * 5000

    report = read(dsn("5.1.1", words).encode()).reports[0]

    assert "anna" not in report.words
    assert len(report.words) <= 500


def test_several_recipients_are_told_apart() -> None:
    two = dsn("5.1.1", "smtp; 550 5.1.1 no such user").replace(
        "\n--gr4ns\nContent-Type: message/rfc822",
        "\nFinal-Recipient: rfc822; bo@example.net\nAction: failed\nStatus: 5.2.2\n"
        "\n--gr4ns\nContent-Type: message/rfc822",
    )

    assert [report.cause for report in read(two.encode()).reports] == [Cause.UNKNOWN_USER, Cause.FULL]


@settings(max_examples=300, deadline=None)
@given(st.binary(max_size=3000))
def test_no_bytes_crash_the_reader(octets: bytes) -> None:
    read(octets)
    read(HEADER.encode() + octets)
    read(HEADER.encode() + b'Content-Type: multipart/report; boundary="b"\n\n--b\n' + octets)


@settings(max_examples=200, deadline=None)
@given(st.data())
def test_no_damage_to_a_report_crashes_the_reader(data: st.DataObject) -> None:
    octets = bytearray(data.draw(st.sampled_from(BOUNCES)).mail.encode())
    for _ in range(data.draw(st.integers(1, 8))):
        place = data.draw(st.integers(0, len(octets) - 1))
        octets[place : place + data.draw(st.integers(0, 40))] = data.draw(st.binary(max_size=20))
    read(bytes(octets))


def test_a_charset_that_is_no_name_is_read_all_the_same() -> None:
    mail = next(sample for sample in BOUNCES if sample.name == "svensk, domänen finns inte").mail

    assert read(mail.replace("charset=utf-8", "charset=u\0tf-8").encode()).reports[0].cause is Cause.UNKNOWN_HOST


def test_a_mail_within_mails_within_mails_ends() -> None:
    nest = "Content-Type: message/rfc822\n\n" * 20_000
    boxes = "".join(f'Content-Type: multipart/mixed; boundary="b{n}"\n\n--b{n}\n' for n in range(5_000))

    assert read((HEADER + nest).encode()).kind in Kind
    assert read((HEADER + boxes).encode()).kind in Kind


def test_size_and_parts_are_bounded() -> None:
    many = 'Content-Type: multipart/mixed; boundary="b"\n\n' + "--b\nContent-Type: text/plain\n\nx\n" * 100

    assert len(open_mail(many.encode()).parts) <= MOST_PARTS
    assert read(HEADER.encode() + b"\n" + b"550 5.1.1 User unknown " * MOST_OCTETS).kind is Kind.BOUNCE
