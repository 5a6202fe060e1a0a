"""The life of a gateway: rooms started in order, swept, drained and left.

*In*: the rooms, their ports. *Out*: addresses once it listens; it returns when all is over.
*Never*: decides anything about a message.

Start order: store, flow, listeners; then, when the queues of an earlier run are rebuilt, the
outlets, callbacks and alarms. So a million waiting messages keep no client from binding.
The stop takes the listeners first, so that what was accepted finds the rooms behind it there.
"""

from collections.abc import Callable, Iterable
from functools import partial
from itertools import count
from typing import Final

import trio

from smsc.gateway.bridges import Addresses
from smsc.gateway.health import Pulse
from smsc.gateway.http_port import HttpPort
from smsc.gateway.outlet_keeper import OutletKeeper
from smsc.gateway.receiving import receiver_at
from smsc.gateway.reminding import remind
from smsc.gateway.rooms import Rooms
from smsc.message import MessageId, Progress

DRAIN_S: Final = 30.0
"""How long a stop waits for answers that are still owed to us."""
_GOODBYE_S: Final = 3.0
_LOOK_S: Final = 0.02
_TICK_S: Final = 1.0
_FORGET_EVERY: Final = 60
"""Ticks between two looks for deliveries that nobody fetched in time."""
_RESTORE_ROWS: Final = 500
"""Records taken up at a time at start: about 4 ms."""


class Life:
    """See the module; `run` is called once."""

    def __init__(self, rooms: Rooms, pulse: Pulse, keeper: OutletKeeper, http: HttpPort) -> None:
        self._rooms = rooms
        self._pulse = pulse
        self._keeper = keeper
        self._http = http
        self._http_stop = trio.Event()

    async def run(self, *, stop: trio.Event, started: Callable[[Addresses], None]) -> None:
        """Start every room, report the addresses, live until `stop`, and end politely."""
        rooms = self._rooms
        earlier = rooms.store.live(rooms.store.ids.newest, _RESTORE_ROWS)
        async with trio.open_nursery() as nursery:
            nursery.start_soon(self._sweep)
            nursery.start_soon(self._take_up, earlier, nursery)
            async with trio.open_nursery() as doors:
                addresses = await self._open_doors(doors)
                rooms.log.info(
                    "gateway.started",
                    smpp=addresses.smpp,
                    smpp_tls=addresses.smpp_tls,
                    http=addresses.http,
                )
                started(addresses)
                await stop.wait()
                rooms.log.info("gateway.stopping", in_flight=rooms.dispatch.in_flight)
                await self._drain()
                doors.cancel_scope.cancel()
            nursery.cancel_scope.cancel()

    async def _take_up(
        self, earlier: Iterable[list[tuple[MessageId, Progress]]], nursery: trio.Nursery
    ) -> None:
        """Queue again what an earlier run left, a little at a time, then start what works on it.

        Clients are served meanwhile: they bind, submit, and fetch their deliveries.
        """
        rooms = self._rooms
        began = trio.current_time()
        rooms.receipts.restore(rooms.outlets)
        messages = 0
        for some in earlier:
            rooms.waking.restore(some)
            remind(rooms.outlets, some)
            messages += len(some)
            await trio.lowlevel.checkpoint()
        self._pulse.is_restoring = False
        took_s = round(trio.current_time() - began, 3)
        rooms.log.info("queues.restored", messages=messages, took_s=took_s)
        self._keeper.start_in(nursery)
        nursery.start_soon(rooms.rerouting.run)
        rooms.mailboxes.asides.restore()
        rooms.mailboxes.unattended = rooms.callbacks.attend
        rooms.attend_callbacks()
        for bridge in rooms.callbacks.bridges.values():
            nursery.start_soon(bridge.run)
        nursery.start_soon(rooms.alarms.run)
        nursery.start_soon(rooms.history.run)

    async def _open_doors(self, doors: trio.Nursery) -> Addresses:
        """Open the listeners: what clients bring is on disk, and leaves when outlets are up."""
        rooms = self._rooms
        listen_smpp = rooms.config.smpp.listen
        smpp: list[tuple[str, int]] = await doors.start(
            rooms.server.serve, listen_smpp, rooms.config.smpp.listen_tls
        )
        plain = len(listen_smpp)
        http: list[tuple[str, int]] = []
        if rooms.bridges.serve_http is not None and rooms.config.http.listen:
            listen = [str(one) for one in rooms.config.http.listen]
            serve = partial(
                rooms.bridges.serve_http,
                listen,
                self._http,
                stop=self._http_stop,
                log=rooms.log,
                dialects=rooms.config.dialects,
                message_octets=rooms.config.http.message_octets,
                receiver_at=partial(receiver_at, rooms.outlets),
            )
            http = await doors.start(serve)
        return Addresses(tuple(smpp[:plain]), tuple(http), tuple(smpp[plain:]))

    async def _drain(self) -> None:
        """Take nothing new, and wait for answers that are owed to us."""
        rooms = self._rooms
        rooms.intake.is_stopping = True
        rooms.dispatch.is_stopping = True
        rooms.mailboxes.is_stopping = True
        rooms.server.stop_listening()
        self._http_stop.set()
        with trio.move_on_after(DRAIN_S):
            await _until(lambda: not (rooms.dispatch.in_flight or rooms.mailboxes.in_hand))
        rooms.server.unbind_all()
        with trio.move_on_after(_GOODBYE_S):
            await _until(lambda: not rooms.server.clients)
        rooms.server.close_all("the gateway stops")

    async def _sweep(self) -> None:
        rooms = self._rooms
        for ticks in count(1):
            await trio.sleep(_TICK_S)
            rooms.mailboxes.tick()
            rooms.receipts.forget_old()
            rooms.duplicates.forget_old(rooms.now_ms())
            rooms.idempotency.forget_old(rooms.now_ms())
            rooms.credits.write_marks()
            if not ticks % _FORGET_EVERY:
                rooms.mailboxes.forget_old()
                rooms.inbox.forget_old()
                if rooms.config.credit.ledger_keep_s:
                    keep_ms = int(rooms.config.credit.ledger_keep_s * 1000)
                    rooms.credits.forget_old(rooms.now_ms() - keep_ms)
                rooms.store.look_after_readers()


async def _until(is_so: Callable[[], bool]) -> None:
    """Look until it is so; only a stop looks, so nobody on the hot path has to tell."""
    while not is_so():  # noqa: ASYNC110 - see the docstring
        await trio.sleep(_LOOK_S)
