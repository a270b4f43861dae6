"""One connection carrying mail: an exact account of which reply answers which line.

With PIPELINING (RFC 2920) a message costs one round trip: the end of one body and the whole envelope of the next
go out in one write. Replies come in the order of the lines, so `_expected` is all there is to know.

    write   body A . | MAIL B | RCPT B | DATA          reply   250 A | 250 | 250 | 354
    write   body B . | MAIL C ...

A message is safe to send again until its body and dot are written; after that only the reply tells.
"""

import asyncio
from collections import deque
from collections.abc import Callable, Sequence
from functools import lru_cache

from mailer.errors import MessageRefused, ProviderDown, SendError, TryLater, Unanswered
from mailer.providers import Outgoing, Receipt
from mailer.providers.smtp.crew import Crew
from mailer.providers.smtp.envelope import Commands, Offers, write_envelope
from mailer.providers.smtp.replies import Reply
from mailer.providers.smtp.settings import Settings
from mailer.providers.smtp.verdicts import Step, judge
from mailer.providers.smtp.wire import Wire

_CLOSING, _SEND_BODY = 421, 354
STOPPED = "We were stopped."
_ALL_WELL = [250, 250, 250, _SEND_BODY]


class Courier:
    """Works a wire for one crew after another, until it is spent or lost."""

    def __init__(self, wire: Wire, offers: Offers, settings: Settings) -> None:
        wire.listener = self
        self.wire = wire
        self.useful = False  # a message was answered, or withdrawn by us, since this was last set to False
        self._offers = offers
        self._left = settings.messages_per_connection
        patience = settings.patience
        command = patience.command.total_seconds()
        self._patience = dict.fromkeys(Step, command)
        self._patience |= {Step.DATA: patience.data.total_seconds()}
        self._patience |= dict.fromkeys((Step.BODY, Step.DOT), patience.final.total_seconds())
        self._crew: Crew | None = None
        self._done: asyncio.Future[None] | None = None
        self._expected: deque[Step] = deque()
        self._unsent: deque[tuple[Step, str]] = deque()  # lines kept back from a server without PIPELINING
        self._envelope: Outgoing | None = None  # taken, its body not begun
        self._body: Outgoing | None = None  # handed over, not answered
        self._usual: list[Reply] = []  # what the server says to an envelope when all is well
        self._refusal: SendError | None = None  # of the envelope
        self._recipient_taken = False
        self._unclean = False  # a transaction was begun and not ended: RSET comes first
        self._hear: dict[Step, Callable[[Crew, Reply], None]] = {
            Step.RSET: self._on_reset,
            Step.MAIL: self._on_mail,
            Step.RCPT: self._on_rcpt,
            Step.DATA: self._on_data,
            Step.BODY: self._on_body,
            Step.DOT: self._on_dot,
        }

    @property
    def usable(self) -> bool:
        return self.wire.alive and self._left > 0

    async def work(self, crew: Crew, first: Outgoing) -> None:
        """Carry `first` and whatever the crew's desk hands over; return when dry, spent or lost."""
        self._crew = crew
        self._done = asyncio.get_running_loop().create_future()
        self.useful = False
        try:
            self._begin(crew, first)
            await self._done
        except BaseException:
            self.wire.hang_up(STOPPED)
            self.lost(STOPPED)
            raise
        finally:
            self._crew = self._done = None

    def heard(self, replies: Sequence[Reply]) -> None:
        """Take in what one read brought. A desk that fails stops the crew and reaches whoever called `carry`."""
        crew = self._crew
        try:
            if crew is not None and self._body is not None and self._all_well(replies):
                self._carry_on(crew, self._body, replies[0])
                return
            for reply in replies:
                if self.wire.hung_up:
                    return
                self._hear_one(reply)
        except Exception as error:  # noqa: BLE001  whatever it is, `carry` raises it
            if crew is not None:
                crew.crash(error)
            self.withdraw()
        if self._crew is not None:
            self._watch()

    def _hear_one(self, reply: Reply) -> None:
        if self._crew is None or not self._expected:
            self.wire.hang_up(f"The server spoke unasked: {reply.code}.")
        else:
            self._take_in(self._crew, reply)

    def _all_well(self, replies: Sequence[Reply]) -> bool:
        """Whether these are the good answers to a body and to the envelope behind it, as they nearly always are."""
        if not len(replies) == len(self._expected) == len(_ALL_WELL):
            return False
        first, *others = replies
        if others == self._usual:
            return first.code == _ALL_WELL[0]
        if [reply.code for reply in replies] != _ALL_WELL:
            return False
        self._usual = others
        return True

    def _carry_on(self, crew: Crew, body: Outgoing, reply: Reply) -> None:
        """Do what `_take_in` does with four good answers."""
        self._expected.clear()
        self._body = None
        self._recipient_taken = self._unclean = self.useful = crew.accepted = True
        crew.ask_leave(self)  # first: what is settled is then written down with it
        crew.desk.settle(body, _receipt(reply))

    def lost(self, reason: str) -> None:
        """Account for what was under way: of a body nobody knows, an envelope was never a mail."""
        crew, body, envelope = self._crew, self._body, self._envelope
        self._body = self._envelope = None
        self._left = 0
        if crew is not None:
            try:
                if body is not None:
                    crew.settle(body, Unanswered(reason))
                if envelope is not None:
                    crew.dropped(envelope, reason)
            except Exception as error:  # noqa: BLE001  as in `heard`
                crew.crash(error)
        self._finish()

    def _begin(self, crew: Crew, first: Outgoing) -> None:
        commands = write_envelope(first, self._offers)
        if isinstance(commands, SendError):
            crew.settle(first, commands)
            self._advance(crew)
        else:
            self._post((), first, commands)
        self._watch()

    def _take_in(self, crew: Crew, reply: Reply) -> None:
        step = self._expected.popleft()
        if reply.code == _CLOSING and step is not Step.BODY:
            self.wire.hang_up(f"The server closed: {reply.code} {reply.text}"[:300])
            return
        self._hear[step](crew, reply)
        if self._unsent and not self._expected:
            self._send_one()

    def _watch(self) -> None:
        """Watch for the next reply; once a read, for replies come in groups."""
        if self._expected:
            self.wire.expect(self._patience[self._expected[0]])
        else:
            self.wire.relax()

    def _advance(self, crew: Crew) -> None:
        """Go on to the next message; nothing is under way."""
        following = self._take(crew)
        if following is None:
            self._finish()
        else:
            self._post((), *following)

    def _take(self, crew: Crew) -> tuple[Outgoing, Commands] | None:
        """Return the next message this server can be asked about; those it cannot are settled on the way."""
        while self._left > 0 and (outgoing := crew.take()) is not None:
            commands = write_envelope(outgoing, self._offers)
            if not isinstance(commands, SendError):
                return outgoing, commands
            crew.settle(outgoing, commands)
        return None

    def _post(self, ahead: tuple[bytes, ...], outgoing: Outgoing, commands: Commands) -> None:
        """Send an envelope, in the same write as the body `ahead` of it."""
        self._left -= 1
        self._envelope, self._refusal, self._recipient_taken = outgoing, None, False
        steps, lines = commands
        if self._unclean:
            steps, lines = (Step.RSET, *steps), ("RSET", *lines)
            self._unclean = False
        if self._offers.pipelining:
            self._expected.extend(steps)
            self.wire.write(*ahead, "\r\n".join((*lines, "")).encode())
        else:
            self._unsent.extend(zip(steps, lines, strict=True))
            self._send_one()

    def _send_one(self) -> None:
        step, line = self._unsent.popleft()
        self._expected.append(step)
        self.wire.write(f"{line}\r\n".encode())

    def _finish(self) -> None:
        if self._done is not None and not self._done.done():
            self._done.set_result(None)

    def _on_reset(self, _: Crew, reply: Reply) -> None:
        if not reply.accepted:
            self._out_of_step(Step.RSET, reply)

    def _on_mail(self, crew: Crew, reply: Reply) -> None:
        if reply.accepted:
            self._unclean = True
        elif reply.refused:
            self._turn_down(crew, Step.MAIL, reply)
        else:
            self._out_of_step(Step.MAIL, reply)

    def _on_rcpt(self, crew: Crew, reply: Reply) -> None:
        if reply.accepted:
            self._recipient_taken = True
        elif reply.refused:
            self._turn_down(crew, Step.RCPT, reply)
        else:
            self._out_of_step(Step.RCPT, reply)

    def _on_data(self, crew: Crew, reply: Reply) -> None:
        if reply.code == _SEND_BODY:
            self._answer_invitation(crew)
        elif reply.refused:
            self._turn_down(crew, Step.DATA, reply)
            self._close_envelope(crew)
        else:
            self._out_of_step(Step.DATA, reply)

    def _answer_invitation(self, crew: Crew) -> None:
        if self._refusal is None:
            crew.ask_leave(self)
        elif self._recipient_taken:
            # The server refused the sender and took the recipient: a lone dot might deliver an empty mail.
            self._settle_refusal(crew)
            self.wire.hang_up("The server asked for a message it had refused.")
        else:
            self.wire.write(b".\r\n")  # to nobody, as RFC 2920 §3.1 asks
            self._expected.append(Step.DOT)

    @property
    def ready(self) -> Outgoing | None:
        """The message the server waits for; None when the connection goes, and `lost` is to give it back."""
        return self._envelope if self.wire.alive else None

    def hand_over(self, crew: Crew, *, allowed: bool) -> None:
        """Write the irrevocable line, if the outbox still allows it."""
        outgoing = self._envelope
        assert outgoing is not None  # noqa: S101  `ready`
        if not allowed:
            self._envelope = None
            self.useful = True  # this is no fault of the server
            crew.give_back(outgoing)
            self.wire.hang_up("The message was withdrawn.")
            return
        following = self._take(crew) if self._offers.pipelining else None
        self._body, self._envelope, self._unclean = outgoing, None, False
        self._expected.append(Step.BODY)
        ahead = (outgoing.message.content, b".\r\n")
        if following is None:
            self.wire.write(*ahead)
        else:
            self._post(ahead, *following)
        self._watch()

    def withdraw(self) -> None:
        """Drop the connection; a message whose end was not written goes back."""
        self.wire.hang_up(STOPPED)

    def _on_body(self, crew: Crew, reply: Reply) -> None:
        body = self._body
        if body is None or not (reply.accepted or reply.refused):
            self._out_of_step(Step.BODY, reply)
            return
        self._body = None
        self.useful = True
        if reply.accepted:
            crew.accepted = True
            crew.settle(body, _receipt(reply))
        else:
            self._body_refused(crew, body, reply)
        if reply.code == _CLOSING:
            self.wire.hang_up("The server closed the connection.")
        elif self._envelope is None:
            self._advance(crew)

    def _body_refused(self, crew: Crew, body: Outgoing, reply: Reply) -> None:
        verdict = judge(Step.BODY, reply, recipient=body.message.recipient)
        if isinstance(verdict, ProviderDown):
            crew.stop(verdict)
            verdict = TryLater(verdict.detail, code=verdict.code)  # refused is not accepted: it may go again
        crew.settle(body, verdict)

    def _on_dot(self, crew: Crew, _: Reply) -> None:
        self._close_envelope(crew)

    def _turn_down(self, crew: Crew, step: Step, reply: Reply) -> None:
        """Remember the first refusal of the envelope; what follows it only echoes it."""
        if self._refusal is None and self._envelope is not None:
            verdict = judge(step, reply, recipient=self._envelope.message.recipient)
            if isinstance(verdict, ProviderDown) and crew.accepted and step is not Step.MAIL:
                # It has taken mail from us: this is about one recipient, and must not stop the others.
                verdict = MessageRefused(verdict.detail, code=verdict.code)
            self._refusal = verdict
        if self._unsent:
            self._unsent.clear()
            self._close_envelope(crew)

    def _close_envelope(self, crew: Crew) -> None:
        self._settle_refusal(crew)
        self._advance(crew)

    def _settle_refusal(self, crew: Crew) -> None:
        outgoing, refusal = self._envelope, self._refusal
        self._envelope = self._refusal = None
        if outgoing is None or refusal is None:
            return
        if isinstance(refusal, ProviderDown):
            crew.stop(refusal)
            crew.give_back(outgoing)
        else:
            self.useful = True
            crew.settle(outgoing, refusal)

    def _out_of_step(self, step: Step, reply: Reply) -> None:
        self.wire.hang_up(f"The server answered {step.value} with {reply.code}.")


@lru_cache(maxsize=64)  # many a server says the same of each
def _receipt(reply: Reply) -> Receipt:
    return Receipt(reply.text)
