"""The smtp provider: a few connections, opened when there is work, kept for a while after it."""

import asyncio
import ssl

from mailer.errors import Mistake, ProviderDown
from mailer.providers import Desk, Outgoing
from mailer.providers.smtp.courier import Courier
from mailer.providers.smtp.crew import Crew
from mailer.providers.smtp.handshake import Interview
from mailer.providers.smtp.settings import Settings
from mailer.providers.smtp.tokens import Tokens

PATIENCE = 3  # connections in a row that open and then bring nothing


class Smtp:
    """Carries mail to one server (mailer.providers.Provider)."""

    def __init__(self, settings: Settings, tls: ssl.SSLContext | None) -> None:
        self._settings = settings
        self._tls = tls
        self._tokens = Tokens(settings)
        self._kept: dict[Courier, asyncio.TimerHandle] = {}
        self._leaving: set[asyncio.Future[None]] = set()  # the server has not closed these yet
        self._most = settings.connections

    @property
    def connections(self) -> int:
        """At most so many (mailer.providers.Counted)."""
        return self._settings.connections

    async def keep_to(self, number: int) -> None:
        """Have no more than `number` connections from now on (mailer.providers.Counted.keep_to)."""
        self._most = number
        for courier in list(self._kept)[number:]:
            self._let_go(courier)
        await self._gone()

    async def carry(self, desk: Desk) -> None:
        """Send all that `desk` hands over (mailer.providers.Provider.carry).

        raises  ProviderDown; and whatever the desk itself raised, when every connection is at rest
        """
        crew = Crew(desk, self._most)
        first = crew.take()
        if first is None:
            return
        # One connection proves the server and the login before the others knock: a wrong password is tried once.
        courier = await self._hire(crew, first)
        if courier is not None:
            async with asyncio.TaskGroup() as lanes:
                for _ in range(self._most - 1):
                    lanes.create_task(self._lane(crew))
                await self._lane(crew, courier, first)  # not a task: one cancelled before it began would lose `first`
        if crew.failure is not None:
            raise crew.failure
        if crew.down is not None:
            raise crew.down

    async def close(self) -> None:
        """Take leave of the server on every kept connection."""
        for courier in list(self._kept):
            self._let_go(courier)
        await self._gone()

    async def _lane(self, crew: Crew, courier: Courier | None = None, outgoing: Outgoing | None = None) -> None:
        """Work one connection after another until the desk is dry or the server is no use."""
        idle = 0
        try:
            while (outgoing := outgoing or await crew.next()) is not None:
                courier = courier or await self._hire(crew, outgoing)
                if courier is None:
                    return
                await courier.work(crew, outgoing)
                outgoing = None
                idle = 0 if courier.useful else idle + 1
                if not courier.usable:
                    self._part(crew, courier)
                    courier = None
                if idle >= PATIENCE:
                    crew.disconnected(
                        ProviderDown("{place} takes connections and drops them unanswered.", place=self._place)
                    )
                    return
        except Exception as error:  # noqa: BLE001  the desk's: `carry` raises it when every lane is home
            crew.crash(error)
        finally:
            if courier is not None:
                crew.hung_up()
                self._keep(courier)
            crew.lane_ended()

    async def _hire(self, crew: Crew, outgoing: Outgoing) -> Courier | None:
        """Return a connection for `outgoing`; without one it goes back to the desk."""
        while self._kept:
            courier = next(iter(self._kept))
            self._unkeep(courier)
            if courier.usable:
                crew.connected()
                return courier
        try:
            await self._gone()
            wire, offers = await Interview(self._settings, self._tokens).hold(self._tls)
        except ProviderDown as down:
            crew.give_back(outgoing)
            crew.disconnected(down)
            return None
        except BaseException:
            crew.give_back(outgoing)
            raise
        crew.connected()
        return Courier(wire, offers, self._settings)

    def _part(self, crew: Crew, courier: Courier) -> None:
        crew.hung_up()
        self._leave(courier)

    def _keep(self, courier: Courier) -> None:
        if not courier.usable:
            self._leave(courier)
            return
        seconds = self._settings.idle.total_seconds()
        self._kept[courier] = asyncio.get_running_loop().call_later(seconds, self._let_go, courier)

    def _let_go(self, courier: Courier) -> None:
        self._unkeep(courier)
        self._leave(courier)

    def _leave(self, courier: Courier) -> None:
        courier.wire.leave()
        closed = courier.wire.closed
        if not closed.done():
            self._leaving.add(closed)
            closed.add_done_callback(self._leaving.discard)

    async def _gone(self) -> None:
        """Wait until the servers have closed what we left: until then they count it."""
        if self._leaving:
            await asyncio.wait(self._leaving)

    def _unkeep(self, courier: Courier) -> None:
        self._kept.pop(courier).cancel()

    @property
    def _place(self) -> str:
        return f"{self._settings.host}:{self._settings.port}"


def trust(settings: Settings) -> ssl.SSLContext | None:
    """Build the TLS context: certificates verified, TLS 1.2 or newer; None for clear text to this machine.

    raises  Mistake when ca_file cannot be read
    """
    if settings.security == "none":
        return None
    try:
        context = ssl.create_default_context(cafile=settings.ca_file)
    except (OSError, ssl.SSLError) as error:
        raise Mistake(
            "providers.smtp.ca_file {path} cannot be used: {reason}.", path=settings.ca_file, reason=error
        ) from None
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    return context
