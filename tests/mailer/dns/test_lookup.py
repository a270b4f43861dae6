"""Asking a real name server."""

from mailer.dns.lookup import texts_of
from mailer.dns.records import TextRecord
from tests.mailer.dns.servers import SILENT, a_name_server


def test_long_records_come_back_whole_and_every_way_to_know_nothing_is_told_apart():
    record = TextRecord("2026a._domainkey.example.org", "v=DKIM1; " + 'p="\\' * 150)
    in_zone = record.in_zone().removeprefix(f"{record.name}. IN TXT ( ").removesuffix(" )")

    with a_name_server({record.name: [in_zone], "two.example.org": ['"a" "b"', '"c"']}) as server:
        found = texts_of([record.name, "two.example.org", "example.org", "example.net", SILENT], server)

    assert found[record.name] == (record.text,)
    assert sorted(found["two.example.org"] or ()) == ["ab", "c"]
    assert found["example.org"] == ()  # it exists, without a TXT record
    assert found["example.net"] == ()  # it does not exist
    assert found[SILENT] is None
