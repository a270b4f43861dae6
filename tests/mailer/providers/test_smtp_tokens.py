"""Logging in with an OAuth token that a file, a command or the environment provides."""

import asyncio
import base64
import sys
from pathlib import Path

import pytest
from pydantic import SecretStr

from mailer.errors import Mistake, ProviderDown
from mailer.providers import open_provider
from mailer.providers.smtp import Settings
from mailer.providers.smtp.provider import Smtp
from tests.mailer.providers.desks import RecordingDesk, ScriptedServer, an_outgoing
from tests.mailer.providers.test_smtp import letters
from tests.waiting import PATIENCE

OFFERS = ("PIPELINING", "AUTH XOAUTH2 PLAIN")
CHALLENGE = b"334 eyJzdGF0dXMiOiI0MDAifQ=="
LET_IN, LOCKED_OUT = b"235 2.7.0 come in", b"535 5.7.3 Authentication unsuccessful"


def server_of(*answers: bytes | None) -> ScriptedServer:
    """Answer AUTH by script; the empty line after a challenge gets the refusal."""
    return ScriptedServer({"AUTH": answers, "": [LOCKED_OUT] * 9}, offers=OFFERS)


def settings_with(server: ScriptedServer, **source: object) -> Settings:
    return Settings(
        host="127.0.0.1", port=server.port, security="none", username="brev@example.org", login="xoauth2", **source
    )


def shown(server: ScriptedServer) -> list[str]:
    """Return the tokens that were shown to the server."""
    tickets = [base64.b64decode(line.split()[2]) for line in server.lines if line.startswith("AUTH XOAUTH2 ")]
    return [ticket.partition(b"Bearer ")[2].rstrip(b"\x01").decode() for ticket in tickets]


def a_file(folder: Path, token: str, mode: int = 0o600) -> Path:
    path = folder / "token"
    path.write_text(token, encoding="ascii")
    path.chmod(mode)
    return path


def send(server: ScriptedServer, desk: RecordingDesk, *, connections: int = 1, **source: object) -> None:
    async def act() -> None:
        async with server, asyncio.timeout(PATIENCE):
            settings = settings_with(server, **source).model_copy(update={"connections": connections})
            provider = Smtp(settings, None)
            try:
                await provider.carry(desk)
            finally:
                await provider.close()

    asyncio.run(act())


def test_a_token_is_sent_as_google_and_microsoft_want_it_and_a_refusal_is_asked_for():
    server = server_of(CHALLENGE)

    with pytest.raises(ProviderDown, match=r"refused the OAuth token \(535"):
        send(server, RecordingDesk(an_outgoing(0)), token=SecretStr("ya29"))

    sent = next(line for line in server.lines if line.startswith("AUTH XOAUTH2 "))
    assert base64.b64decode(sent.split()[2]) == b"user=brev@example.org\x01auth=Bearer ya29\x01\x01"
    assert server.lines[-1] == ""  # the empty line that asks for the real answer
    assert shown(server) == ["ya29"]  # the environment has no other


def test_a_command_is_run_once_for_all_connections_and_again_when_its_token_is_refused(tmp_path: Path):
    count = tmp_path / "count"
    script = f"from pathlib import Path as P; p = P({str(count)!r}); n = p.stat().st_size if p.exists() else 0; "
    script += "p.write_bytes(b'x' * (n + 1)); print(f'token{n + 1}')"
    server, desk = server_of(CHALLENGE, *[LET_IN] * 9), RecordingDesk(*letters(20))

    send(server, desk, token_command=(sys.executable, "-c", script), connections=3)

    assert desk.kinds() == ["Receipt"] * 20
    assert shown(server) == ["token1"] + ["token2"] * server.connections
    assert count.stat().st_size == 2


def test_a_file_is_read_again_when_what_it_held_is_refused(tmp_path: Path):
    path = a_file(tmp_path, "old\n")

    class Renewing(ScriptedServer):
        def _answer(self, verb: str) -> bytes:
            answer = super()._answer(verb)
            if answer == CHALLENGE:
                path.write_text("new", encoding="ascii")
            return answer

    server, desk = (
        Renewing({"AUTH": [CHALLENGE, LET_IN], "": [LOCKED_OUT]}, offers=OFFERS),
        RecordingDesk(an_outgoing(0)),
    )

    send(server, desk, token_file=str(path))

    assert desk.kinds() == ["Receipt"]
    assert shown(server) == ["old", "new"]


def test_two_refusals_are_enough_and_no_token_is_told(tmp_path: Path):
    server = server_of(CHALLENGE, CHALLENGE, CHALLENGE)

    with pytest.raises(ProviderDown, match="refused the OAuth token") as caught:
        send(server, RecordingDesk(an_outgoing(0)), token_file=str(a_file(tmp_path, "ya29.secret")))

    assert len(shown(server)) == 2
    assert "ya29" not in str(caught.value)
    assert "brev@example.org" not in str(caught.value)


@pytest.mark.parametrize(
    ("command", "says"),
    [
        (["/none/such"], "cannot be run"),
        ([sys.executable, "-c", "raise SystemExit(3)"], "status 3"),
        ([sys.executable, "-c", "print('two words')"], "is none"),
        ([sys.executable, "-c", ""], "is none"),
    ],
)
def test_a_command_that_gives_no_token_is_one_sentence_and_nothing_is_lost(command: list[str], says: str):
    server, desk = server_of(), RecordingDesk(an_outgoing(0))

    with pytest.raises(ProviderDown, match=says) as caught:
        send(server, desk, token_command=command)

    assert "two words" not in str(caught.value)
    assert len(desk.waiting) == 1
    assert not shown(server)


@pytest.mark.parametrize("mode", [0o640, 0o604])
def test_a_token_file_that_others_can_read_is_not_used(tmp_path: Path, mode: int):
    server = server_of()

    with pytest.raises(ProviderDown, match="chmod 600"):
        send(server, RecordingDesk(an_outgoing(0)), token_file=str(a_file(tmp_path, "ya29", mode)))
    with pytest.raises(ProviderDown, match="cannot be read"):
        send(server_of(), RecordingDesk(an_outgoing(0)), token_file=str(tmp_path / "none"))

    assert not shown(server)


@pytest.mark.parametrize(
    "source",
    [
        {"username": "a"},
        {"token": "x"},
        {"username": "a", "token": "x", "token_file": "y"},
        {"username": "a", "token_file": "x", "token_command": ["y"]},
    ],
)
def test_a_token_has_one_source_and_a_name(source: dict[str, object], tmp_path: Path):
    with pytest.raises(Mistake, match="token_file, token_command"):
        open_provider("smtp", {"host": "mail.example.org", "login": "xoauth2", **source}, data=tmp_path)
