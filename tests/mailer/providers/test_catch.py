import asyncio
from datetime import UTC, datetime
from pathlib import Path

import pytest

from mailer.errors import Mistake, ProviderDown
from mailer.providers import Receipt, open_provider
from mailer.providers.catch import Catch
from tests.mailer.providers.desks import CONTENT, RecordingDesk, an_outgoing

NOON = datetime(2026, 11, 23, 12, 0, tzinfo=UTC)


def test_each_message_becomes_one_file_with_its_envelope_on_top(tmp_path: Path) -> None:
    desk = RecordingDesk(an_outgoing(1), an_outgoing(2, "åsa@example.net"))

    asyncio.run(Catch(tmp_path / "caught", lambda: NOON).carry(desk))

    files = sorted((tmp_path / "caught" / "new").iterdir())
    assert [Receipt(file.name) for file in files] == [desk.outcomes[1], desk.outcomes[2]]
    envelope = "Return-Path: <b-2@studs.example.org>\r\nDelivered-To: åsa@example.net\r\n"
    assert files[1].read_bytes() == envelope.encode() + CONTENT
    assert not list((tmp_path / "caught" / "tmp").iterdir())
    assert (tmp_path / "caught" / "new").stat().st_mode & 0o077 == 0


def test_a_withdrawn_message_leaves_no_file(tmp_path: Path) -> None:
    desk = RecordingDesk(an_outgoing(1), allow=lambda _: False)

    asyncio.run(Catch(tmp_path, lambda: NOON).carry(desk))

    assert desk.given_back == {1: 1}
    assert [file for file in tmp_path.rglob("*") if file.is_file()] == []


def test_a_folder_that_cannot_be_written_to_is_the_providers_trouble(tmp_path: Path) -> None:
    (tmp_path / "caught").write_text("a file where the folder should be")
    desk = RecordingDesk(an_outgoing(1))

    with pytest.raises(ProviderDown, match="cannot be written to"):
        asyncio.run(Catch(tmp_path / "caught", lambda: NOON).carry(desk))

    assert [outgoing.ticket for outgoing in desk.waiting] == [1]


def test_the_folder_lies_in_the_data_folder_and_nothing_is_made_before_there_is_mail(tmp_path: Path) -> None:
    provider = open_provider("catch", {}, data=tmp_path)
    assert not list(tmp_path.iterdir())

    asyncio.run(provider.carry(RecordingDesk(an_outgoing(1))))

    assert len(list((tmp_path / "caught" / "new").iterdir())) == 1


def test_an_unknown_setting_is_a_mistake_that_names_it(tmp_path: Path) -> None:
    with pytest.raises(Mistake, match="foldr"):
        open_provider("catch", {"foldr": "x"}, data=tmp_path)
