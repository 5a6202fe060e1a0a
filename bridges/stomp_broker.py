"""One connection to a message broker over STOMP 1.2: stomp.py in its threads, Trio here.

*In*: where the broker is, who we are, messages for queues.
*Out*: which of them the broker has stored (its RECEIPT) or refused (its ERROR), in Trio's loop;
the end of the connection. *Never*: connects again, keeps a message; `jms` does both.

stomp.py reads in a thread of its own and calls listeners there; they only note what came and ask
the loop to look. Sending blocks, so it happens in a worker thread, many messages at a time.
"""

import logging
from collections import deque
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from typing import Any, Final

import attrs
import stomp
import trio
from stomp.exception import StompException

CONNECT_S: Final = 10.0
"""From dialling to the broker's CONNECTED frame."""
_HEART_BEAT_MS: Final = 10_000
"""Both ways; a broker that hangs is noticed after one and a half of them."""

_library_log = logging.getLogger("stomp.py")
_library_log.addHandler(logging.NullHandler())
_library_log.propagate = False  # it would print passwords' neighbours and stack traces to stderr


class BrokerError(Exception):
    """The broker could not be reached, refused us, or is gone; the text says which."""


@attrs.frozen(kw_only=True)
class BrokerAddress:
    """Where the broker is and who we are; without a user nobody logs in."""

    host: str
    port: int
    user: str = ""
    password: str = attrs.field(default="", repr=False)


@attrs.frozen
class QueueFrame:
    """One message for a queue. `receipt` comes back when the broker has it."""

    receipt: str
    queue: str
    body: str
    headers: Mapping[str, str]


class StompBroker:
    """A connection that is up; see `dial`.

    :param stored: told of receipts, in Trio's loop.
    :param refused: told of a receipt and the broker's sentence.
    :ivar lost: set when the connection is over, whoever ended it.
    """

    def __init__(
        self, stored: Callable[[Sequence[str]], None], refused: Callable[[str, str], None]
    ) -> None:
        self._stored = stored
        self._refused = refused
        self._connection: Any = None
        self._token = trio.lowlevel.current_trio_token()
        self._heard: deque[tuple[str, str]] = deque()
        self._up = trio.Event()
        self.lost = trio.Event()
        self.why_lost = "the connection is closed"

    async def start(self, address: BrokerAddress) -> None:
        """Dial, and return at CONNECTED; `BrokerError` if that does not come."""
        try:
            with trio.fail_after(CONNECT_S):
                await trio.to_thread.run_sync(self._dial, address, abandon_on_cancel=True)
                await self._wait_until_up()
        except trio.TooSlowError:
            raise BrokerError(f"no answer within {CONNECT_S:g} s") from None
        except (OSError, StompException) as error:
            raise BrokerError(_sentence(error)) from error

    async def send_many(self, frames: Sequence[QueueFrame]) -> None:
        """Write them; `BrokerError` if the connection did not take all."""
        try:
            await trio.to_thread.run_sync(self._send_many, frames, abandon_on_cancel=True)
        except (OSError, StompException, AttributeError) as error:  # a socket that is None by now
            raise BrokerError(_sentence(error)) from error

    def close(self) -> None:
        """End the connection now; `lost` is set."""
        connection, self._connection = self._connection, None
        if connection is not None:
            _cut(connection)
        self.lost.set()

    # --- in worker threads -----------------------------------------------------------------------

    def _dial(self, address: BrokerAddress) -> None:
        connection = stomp.Connection12(
            [(address.host, address.port)],
            prefer_localhost=False,
            try_loopback_connect=False,
            reconnect_attempts_max=1,
            timeout=CONNECT_S,
            heartbeats=(_HEART_BEAT_MS, _HEART_BEAT_MS),
            auto_content_length=False,  # ActiveMQ makes bytes of a message that has it
        )
        connection.set_listener("smsc", _Listener(self._hear))
        self._connection = connection
        login = {"username": address.user, "passcode": address.password} if address.user else {}
        connection.connect(wait=False, **login)
        if self.lost.is_set():  # the loop gave up while this thread was dialling
            _cut(connection)

    def _send_many(self, frames: Sequence[QueueFrame]) -> None:
        connection = self._connection
        for frame in frames:
            headers = {
                "receipt": frame.receipt,
                "persistent": "true",
                "amq-msg-type": "text",
                **frame.headers,
            }
            connection.send(f"/queue/{frame.queue}", frame.body, headers=headers)

    # --- from the library's thread ---------------------------------------------------------------

    def _hear(self, what: str, told: str) -> None:
        self._heard.append((what, told))
        with suppress(trio.RunFinishedError):
            self._token.run_sync_soon(self._look, idempotent=True)

    # --- in the loop -----------------------------------------------------------------------------

    def _look(self) -> None:
        """Take what the library's thread noted."""
        stored: list[str] = []
        while self._heard:
            what, told = self._heard.popleft()
            if what == "receipt":
                stored.append(told)
            elif what == "connected":
                self._up.set()
            elif what == "gone":
                self.lost.set()
            else:
                receipt, _, why = told.partition(" ")
                if receipt:
                    self._refused(receipt, why)
                else:
                    self.why_lost = why or self.why_lost
        if stored:
            self._stored(stored)

    async def _wait_until_up(self) -> None:
        """Return at CONNECTED; `BrokerError` if the connection ends before."""
        async with trio.open_nursery() as nursery:

            async def leave_when(event: trio.Event) -> None:
                await event.wait()
                nursery.cancel_scope.cancel()

            nursery.start_soon(leave_when, self._up)
            nursery.start_soon(leave_when, self.lost)
        if not self._up.is_set():
            raise BrokerError(self.why_lost)


async def dial(
    address: BrokerAddress,
    stored: Callable[[Sequence[str]], None],
    refused: Callable[[str, str], None],
) -> StompBroker:
    """A connection that the broker confirmed; `BrokerError` if there is none."""
    broker = StompBroker(stored, refused)
    try:
        await broker.start(address)
    except BaseException:
        broker.close()
        raise
    return broker


class _Listener(stomp.ConnectionListener):  # type: ignore[misc]  # the library has no types
    """Notes what the broker says."""

    def __init__(self, hear: Callable[[str, str], None]) -> None:
        self._hear = hear

    def on_connected(self, _frame: Any) -> None:
        """It knows us."""
        self._hear("connected", "")

    def on_receipt(self, frame: Any) -> None:
        """It has stored a message."""
        self._hear("receipt", frame.headers.get("receipt-id", ""))

    def on_error(self, frame: Any) -> None:
        """It refuses a message, or us."""
        receipt = frame.headers.get("receipt-id", "")
        why = frame.headers.get("message", "") or str(frame.body)[:200]
        self._hear("error", f"{receipt} {why}")

    def on_heartbeat_timeout(self) -> None:
        """It hangs; the library closes the connection."""
        self._hear("error", " no heart-beat from the broker")

    def on_disconnected(self) -> None:
        """The connection is over."""
        self._hear("gone", "")


def _cut(connection: Any) -> None:
    with suppress(Exception):  # it is to end, in whatever state it is
        connection.transport.disconnect_socket()


def _sentence(error: Exception) -> str:
    return f"{type(error).__name__}: {error}" if str(error) else type(error).__name__
