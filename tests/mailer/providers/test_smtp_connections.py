"""How many connections there are, how long they live, and what stops them."""

import asyncio
from datetime import timedelta

import pytest

from mailer.errors import ProviderDown
from mailer.providers import Outgoing
from mailer.providers.smtp.provider import Smtp
from tests.mailer.providers.desks import DROP, SILENCE, RecordingDesk, Script, ScriptedServer, an_outgoing, until
from tests.mailer.providers.test_smtp import carry, letters, run, settings_for


def test_a_connection_carries_no_more_than_its_share() -> None:
    server, desk = ScriptedServer(), RecordingDesk(*letters(10))

    async def act(s: ScriptedServer) -> None:
        settings = settings_for(s.port, cap=4)
        provider = Smtp(settings, None)
        await provider.carry(desk)
        await provider.close()

    run(server, act)

    assert desk.kinds() == ["Receipt"] * 10
    assert server.connections == 3


def test_no_more_connections_are_opened_than_allowed_or_needed() -> None:
    many, one = ScriptedServer(), ScriptedServer()

    run(many, lambda s: carry(s, RecordingDesk(*letters(60)), connections=4))
    run(one, lambda s: carry(s, RecordingDesk(*letters(1)), connections=4))

    assert many.most_at_once <= 4
    assert one.connections == 1


def test_a_server_that_admits_few_connections_gets_everything_through_those() -> None:
    server = ScriptedServer({"GREET": [None, b"421 too many connections", b"421 too many connections"]})
    desk = RecordingDesk(*letters(30))

    run(server, lambda s: carry(s, desk, connections=3))

    assert desk.kinds() == ["Receipt"] * 30


def test_a_connection_is_kept_for_the_next_call_and_let_go_when_idle() -> None:
    server = ScriptedServer()

    async def act(s: ScriptedServer) -> None:
        settings = settings_for(s.port).model_copy(update={"idle": timedelta(seconds=0.05)})
        provider = Smtp(settings, None)
        await provider.carry(RecordingDesk(*letters(2)))
        await provider.carry(RecordingDesk(*letters(2)))
        assert s.connections == 1
        await until(lambda: "QUIT" in s.lines)
        await provider.carry(RecordingDesk(*letters(1)))
        assert s.connections == 2
        await provider.close()

    run(server, act)

    assert len(server.accepted) == 5


def test_connections_beyond_those_to_keep_are_closed_when_that_returns() -> None:
    server = ScriptedServer()

    async def act(s: ScriptedServer) -> None:
        provider = Smtp(settings_for(s.port, connections=4), None)
        await provider.carry(RecordingDesk(*letters(60)))
        before = s.open
        await provider.keep_to(1)
        assert s.open <= 1 < before
        s.most_at_once = 0
        await provider.carry(RecordingDesk(*letters(60)))
        assert s.most_at_once <= 1
        await provider.keep_to(4)
        await provider.carry(RecordingDesk(*letters(60)))
        assert s.open > 1
        await provider.close()
        assert s.open == 0

    run(server, act)

    assert len(server.accepted) == 180


def test_a_connection_is_made_anew_when_the_server_has_closed_the_last() -> None:
    server = ScriptedServer()

    async def act(s: ScriptedServer) -> None:
        provider = Smtp(settings_for(s.port, connections=2, cap=2), None)
        await provider.carry(RecordingDesk(*letters(120)))
        await provider.close()

    run(server, act)

    assert server.connections >= 60
    assert server.most_at_once <= 2


def test_one_refused_login_or_greeting_is_one_connection_not_ten() -> None:
    server, desk = ScriptedServer({"GREET": [b"554 5.7.1 go away"] * 20}), RecordingDesk(*letters(20))

    async def act(s: ScriptedServer) -> None:
        with pytest.raises(ProviderDown, match="go away"):
            await carry(s, desk, connections=10)

    run(server, act)

    assert server.connections == 1
    assert len(desk.waiting) == 20


def test_a_desk_that_fails_stops_everything_and_is_heard() -> None:
    server = ScriptedServer()

    def full_disk(outgoing: Outgoing) -> bool:
        if outgoing.ticket == 3:
            raise OSError(28, "No space left on device")
        return True

    desk = RecordingDesk(*letters(9), allow=full_disk)

    async def act(s: ScriptedServer) -> None:
        with pytest.raises(OSError, match="No space"):
            await carry(s, desk)

    run(server, act)

    assert desk.kinds()[:2] == ["Receipt", "Receipt"]
    assert "m3@example.net" not in server.recipients()


@pytest.mark.parametrize("call", ["take", "start", "settle", "give_back"])
def test_a_failure_of_any_call_of_the_desk_comes_out_of_carry_as_it_is(call: str) -> None:
    class BrokenDesk(RecordingDesk):
        def __getattribute__(self, name: str) -> object:
            if name == call and len(super().__getattribute__("waiting")) < 8:
                raise OSError(28, "No space left on device")
            return super().__getattribute__(name)

    script: Script = {"RCPT": [None, None, DROP]} if call == "give_back" else {}
    server, desk = ScriptedServer(script), BrokenDesk(*letters(9))

    async def act(s: ScriptedServer) -> None:
        with pytest.raises(OSError, match="No space"):
            await carry(s, desk, connections=2)

    run(server, act)

    assert not server.empty


def test_stopping_in_mid_flight_accounts_for_everything() -> None:
    server, desk = ScriptedServer({"BODY": [None, SILENCE]}), RecordingDesk(*letters(5))

    async def act(s: ScriptedServer) -> None:
        task = asyncio.create_task(carry(s, desk))
        await until(lambda: bool(s.accepted) and desk.out.get(1) == "started")
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task

    run(server, act)

    assert desk.kinds() == ["Receipt", "Unanswered"]
    assert [outgoing.ticket for outgoing in desk.waiting] == [3, 4, 2]


def test_work_that_arrives_while_one_lane_waits_is_found() -> None:
    server, desk = ScriptedServer({"BODY": [SILENCE]}), RecordingDesk(*letters(1))

    async def act(s: ScriptedServer) -> None:
        task = asyncio.create_task(carry(s, desk, connections=2, wait=2))
        await until(lambda: desk.out.get(0) == "started")
        desk.waiting.append(an_outgoing(7))
        await until(lambda: 7 in desk.outcomes)
        assert desk.out == {0: "started"}
        await task

    run(server, act)

    assert desk.kinds() == ["Unanswered", "Receipt"]
