"""Whom a worker may give letters now, and how many: what breakers and paces of all workers together allow.

Every method that says so is one short transaction, called from the worker's own thread.
"""

import time
from collections.abc import Callable, Sequence
from datetime import datetime, timedelta, tzinfo
from itertools import takewhile

import sqlalchemy as sa

from mailer import db
from mailer.errors import ProviderDown
from mailer.outbox import buckets, carriers
from mailer.outbox.breaker import Rest
from mailer.outbox.buckets import Drawn
from mailer.outbox.carriers import Carrier
from mailer.outbox.lines import Lines
from mailer.outbox.pacing import GRANT, LATENESS, Question, Shut
from mailer.outbox.ration import Ration

PATIENCE = timedelta(minutes=2)  # a provider that is shut for longer is passed over, and nothing is kept for it


class Gate:
    def __init__(
        self,
        engine: sa.Engine,
        all_carriers: Sequence[Carrier],
        *,
        lines: Lines,
        now: Callable[[], datetime],
        zone: tzinfo,
    ) -> None:
        self._engine = engine
        self._carriers = all_carriers
        self.lines = lines
        self.now = now
        self._zone = zone
        self._resting: dict[str, Rest] = {}
        self._shut: dict[tuple[str, bool], datetime] = {}  # provider, urgent -> until when
        self._drawn: dict[str, tuple[Drawn, Ration]] = {}

    def look(self) -> None:
        """Read who rests, and how many connections we are to have: a transaction for each."""
        with db.reading(self._engine) as session:
            self._resting = carriers.resting(session.connection())
        self.lines.look()

    def open_to(self, *, urgent: bool) -> list[Carrier]:
        """Return who may be given letters now, as far as is known, in the order of the config.

        One whose connections the others have is waited for: it works, so nobody takes over from it.
        """
        able = [each for each in self._carriers if not self.rests(each) and not self.is_shut(each, urgent=urgent)]
        return list(takewhile(lambda each: not self.lines.none_to(each.name), able))

    def rests(self, carrier: Carrier) -> bool:
        rest = self._resting.get(carrier.name)
        return rest is not None and self.now() < rest.until

    def why(self, carrier: Carrier) -> ProviderDown:
        """Return what another worker said of a provider that rests."""
        return self._resting[carrier.name].reason

    def needs_trial(self, carrier: Carrier) -> bool:
        return carrier.name in self._resting

    def claim_trial(self, carrier: Carrier) -> bool:
        """Take it upon us to try a provider after its rest: one transaction."""
        with db.writing_beside(self._engine) as session:
            return carriers.claim_trial(session.connection(), carrier.name, now=self.now())

    def put_off_trial(self, carrier: Carrier) -> None:
        """Let anybody try it: one transaction."""
        with db.writing_beside(self._engine) as session:
            carriers.put_off_trial(session.connection(), carrier.name, now=self.now())

    def stand_up(self, carrier: Carrier) -> None:
        """End a rest: one transaction."""
        with db.writing_beside(self._engine) as session:
            carriers.stand_up(session.connection(), carrier.name)
        self._resting.pop(carrier.name, None)

    def lie_down(self, carrier: Carrier, down: ProviderDown) -> Rest:
        """Let a provider rest: one transaction."""
        with db.writing_beside(self._engine) as session:
            rest = carriers.lie_down(session.connection(), carrier.name, down, now=self.now())
        self._resting[carrier.name] = rest
        return rest

    def draw(self, carrier: Carrier, *, wanted: int, lead: timedelta, urgent: bool) -> Ration | Shut:
        """Take leave for some letters, and take back what was not used of the last: one transaction."""
        with db.writing_beside(self._engine) as session:
            connection = session.connection()
            self._return_unused(connection, carrier)
            at, now = time.monotonic(), self.now()
            question = Question(now, self._zone, wanted=wanted, lead=lead, urgent=urgent)
            drawn = buckets.draw(connection, carrier.name, carrier.pace, question)
        if isinstance(drawn, Shut):
            if drawn.until - now > PATIENCE:
                self._shut[carrier.name, urgent] = drawn.until
            return drawn
        ration = Ration(
            drawn.grant.number,
            begins=at + (drawn.grant.first - now).total_seconds(),
            spacing=drawn.grant.spacing.total_seconds(),
            lateness=(LATENESS if drawn.grant.spacing else GRANT).total_seconds(),
            urgent=urgent,
        )
        self._drawn[carrier.name] = drawn, ration
        return ration

    def give_back(self, carrier: Carrier) -> None:
        """Take back what was not used: one transaction, where there is anything."""
        if carrier.name in self._drawn:
            with db.writing_beside(self._engine) as session:
                self._return_unused(session.connection(), carrier)

    def _return_unused(self, connection: sa.Connection, carrier: Carrier) -> None:
        drawn, ration = self._drawn.pop(carrier.name, (None, None))
        if drawn is not None and ration is not None and ration.spent < ration.number:
            buckets.take_back(connection, carrier.name, drawn, ration.number - ration.spent)

    def is_shut(self, carrier: Carrier, *, urgent: bool) -> bool:
        """Whether its pace lets nothing through for longer than is waited for."""
        until = self._shut.get((carrier.name, urgent))
        return until is not None and self.now() < until
