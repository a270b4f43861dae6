"""Whatever a server does, in whatever order: the account of every message is true."""

import asyncio
import contextlib
from collections import Counter

import uvloop
from hypothesis import given, settings
from hypothesis import strategies as st

from mailer.errors import ProviderDown
from mailer.providers.smtp.provider import Smtp
from tests.mailer.providers.desks import (
    DROP,
    DROP_BEFORE_DOT_REPLY,
    DROP_IN_BODY,
    SILENCE,
    RecordingDesk,
    ScriptedServer,
    an_outgoing,
)
from tests.mailer.providers.test_smtp import settings_for

ANY = [None, None, None, DROP, SILENCE, b"421 4.3.2 bye", b"450 4.2.0 later", b"550 5.1.1 no", b"554 5.7.1 spam", b"?"]
SCRIPTS = st.fixed_dictionaries(
    {
        "GREET": st.lists(st.sampled_from([None, None, DROP, b"421 busy"]), max_size=4),
        "MAIL": st.lists(st.sampled_from(ANY), max_size=12),
        "RCPT": st.lists(st.sampled_from(ANY), max_size=12),
        "DATA": st.lists(st.sampled_from([*ANY, b"250 what?"]), max_size=12),
        "BODY": st.lists(st.sampled_from([*ANY, DROP_IN_BODY, DROP_BEFORE_DOT_REPLY, b"354 more"]), max_size=12),
        "RSET": st.lists(st.sampled_from([None, None, DROP, b"500 no"]), max_size=4),
    }
)
ROUNDS = 40  # each uses up some of a script's misdeeds, so the desk is empty long before


async def carry_until_empty(server: ScriptedServer, desk: RecordingDesk) -> None:
    provider = Smtp(settings_for(server.port, connections=2, cap=3, wait=0.05), None)
    for _ in range(ROUNDS):
        with contextlib.suppress(ProviderDown):
            await provider.carry(desk)
        assert not desk.out  # all that was taken has been accounted for, each time
        if not desk.waiting:
            break
    await provider.close()


@settings(max_examples=80, deadline=None)
@given(script=SCRIPTS, pipelining=st.booleans(), withdrawn=st.sets(st.integers(0, 8), max_size=2))
def test_no_message_is_accepted_twice_or_empty_or_lost_or_misreported(
    script: dict[str, list[bytes | None]],
    pipelining: bool,  # noqa: FBT001  drawn by hypothesis
    withdrawn: set[int],
) -> None:
    server = ScriptedServer(script, offers=["PIPELINING"] if pipelining else [])
    desk = RecordingDesk(*map(an_outgoing, range(9)), allow=lambda outgoing: outgoing.ticket not in withdrawn)

    async def act() -> None:
        async with server:
            await carry_until_empty(server, desk)

    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        runner.run(act())

    arrived = Counter(server.recipients())
    assert not server.empty
    assert max(arrived.values(), default=0) <= 1
    assert not desk.waiting
    for ticket in range(9):
        kind = type(desk.outcomes.get(ticket)).__name__
        times = arrived[f"m{ticket}@example.net"]
        if ticket in withdrawn:
            assert times == 0
        if kind == "Receipt":
            assert times == 1
        elif kind != "Unanswered":
            assert times == 0
