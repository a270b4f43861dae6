"""What a caller may take: so long and so many bytes for a request, so long for an answer. Uvicorn waits for ever."""

from asyncio import TimerHandle, Transport

from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

HEAD_BYTES = 64 * 1024  # of the request line and the fields; no browser sends more than some thousand


class Connection(HttpToolsProtocol):
    """One connection. Who is slow or endless with the head of a request is cut off, before anything is asked of us.

    seconds       for a whole head. Between two requests uvicorn waits 5 seconds; mailer.web.forms sees to a body
    taken_within  seconds in which what we wrote has to be read, as far as the kernel does not hold it for the caller
    """

    seconds = 15.0
    taken_within = 60.0
    _limit: TimerHandle | None = None
    _unread: TimerHandle | None = None
    _taken = 0

    def connection_made(self, transport: Transport) -> None:  # type: ignore[override]  # as uvicorn has it
        super().connection_made(transport)
        self.transport.set_write_buffer_limits(high=0)  # told of whatever is left, which `close` would wait for, too
        self._expect_a_head()

    def data_received(self, data: bytes) -> None:
        if self._limit is None and (self.cycle is None or self.cycle.response_complete):
            self._expect_a_head()
        self._taken += len(data)
        super().data_received(data)
        if self._limit is not None and self._taken > HEAD_BYTES:
            self._cut_off()

    def on_headers_complete(self) -> None:
        self._stop_waiting()
        super().on_headers_complete()

    def pause_writing(self) -> None:
        self._unread = self.loop.call_later(self.taken_within, self.transport.abort)
        super().pause_writing()

    def resume_writing(self) -> None:
        self._all_is_read()
        super().resume_writing()

    def connection_lost(self, exc: Exception | None) -> None:
        self._stop_waiting()
        self._all_is_read()
        super().connection_lost(exc)

    def _expect_a_head(self) -> None:
        self._taken = 0
        self._limit = self.loop.call_later(self.seconds, self._cut_off)

    def _stop_waiting(self) -> None:
        if self._limit is not None:
            self._limit.cancel()
            self._limit = None

    def _all_is_read(self) -> None:
        if self._unread is not None:
            self._unread.cancel()
            self._unread = None

    def _cut_off(self) -> None:
        self._stop_waiting()
        self.transport.close()
