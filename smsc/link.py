"""HOT: the one Trio driver of a session: a socket, a `Session`, and nothing that knows SMPP.

*In*: a connected non-blocking socket; a handler that takes the events of one read.
*Out*: octets on the wire; `run` returns when the connection is over.
*Never*: a task, an await or a cancel scope for a PDU; a second try at a torn stream.

First station of the flow: bytes → **link** → session. All PDUs of a read are handled in one
synchronous step, and everything that they and a finished commit produced leaves in one send.
"""

import socket
from collections.abc import Callable
from contextlib import suppress
from typing import Final

import trio

from smsc.session.events import Event
from smsc.session.machine import Session

_READ_OCTETS: Final = 65536
_BUFFER_LIMIT_OCTETS: Final = 1 << 20
_LAST_WORDS_S: Final = 1.0


class Link:
    """One connection.

    :param handle: gets the events of a read, in the loop, and must not wait.
    :param buffer_limit_octets: unsent octets above which nothing more is read from this peer.
    """

    def __init__(
        self,
        sock: socket.socket,
        session: Session,
        handle: Callable[[list[Event]], None],
        *,
        buffer_limit_octets: int = _BUFFER_LIMIT_OCTETS,
    ) -> None:
        sock.setblocking(False)
        if sock.family != socket.AF_UNIX:
            sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self.session = session
        self._sock = sock
        self._handle = handle
        self._buffer_limit_octets = buffer_limit_octets
        self._unsent = bytearray()
        self._writer_wanted = trio.Event()
        self._may_read = trio.Event()
        self._scope = trio.CancelScope()
        self._is_open = True
        self._is_paused = False
        self._peer_is_gone = False

    @property
    def is_open(self) -> bool:
        """False once the connection is over."""
        return self._is_open

    @property
    def why_closed(self) -> str:
        """Why the connection ended, or is about to; "" while it is not."""
        return self.session.closing or ""

    async def run(self) -> None:
        """Serve the connection until either side ends it; then `why_closed` tells why."""
        linger_s = 0.0
        try:
            with self._scope:
                async with trio.open_nursery() as nursery:
                    nursery.start_soon(self._write_when_asked)
                    await self._read()
                    nursery.cancel_scope.cancel()
            linger_s = _LAST_WORDS_S
        finally:
            self._is_open = False
            self.session.close("cancelled")
            await self._say_last_words(linger_s)

    def flush(self) -> None:
        """Write what the session has to say; what the socket does not take waits its turn."""
        if not self._is_open:
            return
        data = self.session.take_output()
        if self._unsent:
            self._unsent += data
        elif data:
            try:
                sent = self._sock.send(data)
            except BlockingIOError:
                sent = 0
            except OSError as error:
                self.close(f"write failed: {error.strerror}")
                return
            if sent < len(data):
                self._unsent += data[sent:]
                self._writer_wanted.set()
        if self.session.closing is not None:
            self.close(self.session.closing)
        elif not self._must_not_read():
            self._may_read.set()

    def pause(self) -> None:
        """Read nothing more from this peer until `resume`; what was read is answered."""
        self._is_paused = True

    def resume(self) -> None:
        """Read again."""
        self._is_paused = False
        if not self._must_not_read():
            self._may_read.set()

    def close(self, why: str) -> None:
        """End the connection soon; the octets already handed in are still tried."""
        self.session.close(why)
        self._scope.cancel()

    def cut(self, why: str) -> None:
        """End the connection soon and without a goodbye: nobody is owed one."""
        self._peer_is_gone = True
        self.close(why)

    def tick(self, now: float) -> None:
        """Let the session look at the clock; called by the one sweeper."""
        if self._is_paused or self.session.is_full:
            self.session.excuse(now)
        events = self.session.tick(now)
        if events:
            self._handle(events)
        self.flush()

    # --- helpers -------------------------------------------------------------------------------

    def _must_not_read(self) -> bool:
        return (
            self._is_paused or self.session.is_full or len(self._unsent) > self._buffer_limit_octets
        )

    async def _read(self) -> None:
        sock = self._sock
        while True:
            await trio.lowlevel.wait_readable(sock)
            while self._must_not_read():
                self._may_read = trio.Event()
                await self._may_read.wait()
            if not self._read_once():
                return

    def _read_once(self) -> bool:
        """Handle what there is to read; False when the session is over.

        Not in `_read`, whose variables would keep all of a read alive until the next one.
        """
        session = self.session
        try:
            data = self._sock.recv(_READ_OCTETS)
        except BlockingIOError:
            return True
        except OSError as error:
            session.close(f"read failed: {error.strerror}")
            return False
        if not data:
            self._peer_is_gone = True
            session.close("closed by the peer")
            return False
        events = session.receive(data, trio.current_time())
        if events:
            self._handle(events)
        self.flush()
        return session.closing is None

    async def _write_when_asked(self) -> None:
        """Sleeps until the socket once took less than it was given."""
        while True:
            await self._writer_wanted.wait()
            self._writer_wanted = trio.Event()
            while self._unsent:
                await trio.lowlevel.wait_writable(self._sock)
                try:
                    sent = self._sock.send(self._unsent)
                except BlockingIOError:
                    continue
                except OSError as error:
                    self.close(f"write failed: {error.strerror}")
                    return
                del self._unsent[:sent]
            self.flush()

    async def _say_last_words(self, linger_s: float) -> None:
        """Give a goodbye (unbind_resp, generic_nack) a moment to arrive, then close.

        Closing with octets unread sends a reset, which can overtake the goodbye: so what the
        peer still sends is read and dropped until it closes too, or the time is up.
        """
        sock = self._sock
        data = bytes(self._unsent) + self.session.take_output()
        with trio.move_on_after(linger_s, shield=True), suppress(OSError):
            while data:
                try:
                    data = data[sock.send(data) :]
                except BlockingIOError:
                    await trio.lowlevel.wait_writable(sock)
            if linger_s and not self._peer_is_gone:
                sock.shutdown(socket.SHUT_WR)
                await self._read_to_the_end()
        trio.lowlevel.notify_closing(sock)
        sock.close()

    async def _read_to_the_end(self) -> None:
        while True:
            try:
                if not self._sock.recv(_READ_OCTETS):
                    return
            except BlockingIOError:
                await trio.lowlevel.wait_readable(self._sock)
