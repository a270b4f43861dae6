"""With PIPELINING a message costs one round trip."""

import asyncio

from mailer.providers.smtp import Settings
from mailer.providers.smtp.provider import Smtp
from tests.mailer.providers.desks import RecordingDesk, an_outgoing

ANSWERS = {b"EHLO": b"250-test\r\n250 PIPELINING", b"DATA": b"354 go", b"QUIT": b"221 bye"}


class CountingServer(asyncio.Protocol):
    """Counts how often the client had to send before it could go on."""

    sendings = 0

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)
        self.transport = transport
        self.in_body = False
        transport.write(b"220 test\r\n")

    def data_received(self, data: bytes) -> None:
        CountingServer.sendings += 1
        answers = []
        for line in data.split(b"\r\n")[:-1]:
            if self.in_body:
                self.in_body = line != b"."
                answers += [] if self.in_body else [b"250 kept"]
            else:
                self.in_body = line == b"DATA"
                answers.append(ANSWERS.get(line[:4], b"250 ok"))
        self.transport.write(b"".join(answer + b"\r\n" for answer in answers))


def test_a_message_costs_one_round_trip() -> None:
    desk = RecordingDesk(*(an_outgoing(number) for number in range(50)))

    async def act() -> None:
        server = await asyncio.get_running_loop().create_server(CountingServer, "127.0.0.1", 0)
        port = server.sockets[0].getsockname()[1]
        provider = Smtp(Settings(host="127.0.0.1", port=port, security="none", connections=1), None)
        await provider.carry(desk)
        await provider.close()
        server.close()
        await server.wait_closed()

    asyncio.run(act())

    assert desk.kinds() == ["Receipt"] * 50
    assert CountingServer.sendings <= 50 + len(["EHLO", "first envelope", "QUIT"])
