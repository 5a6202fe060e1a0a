"""An upstream link in the hands of a test: its flow, its carrier, its clock made quick."""

import random
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from typing import Any

import attrs
import trio
import trio.testing

from bridges.smpp_upstream import UpstreamLink
from bridges.upstream_config import UpstreamConfig
from pdu.codec import encode_body, pack
from pdu.commands import RESPONSE
from pdu.framer import Framer
from pdu.message_pdus import SubmitSm
from pdu.tlvs import Tag
from smsc.config_errors import Secret
from smsc.message import AccountId, Message, MessageId, OutletName, Progress, State
from smsc.ports import (
    MobileOriginated,
    Outcome,
    Outgoing,
    UpstreamReceipt,
)
from tests.fakes.house import eventually
from tests.fakes.log import FakeLog
from tests.fakes.wire import C, Pdu, pdu

PATIENCE_S = 10.0
NAME = OutletName("carrier")
SUBMIT_RESP = C.SUBMIT_SM | RESPONSE
DELIVER_RESP = C.DELIVER_SM | RESPONSE


def outgoing(id_: int, octets: int = 5, parts: bytes = b"") -> Outgoing:
    text = b"x" * octets
    payload: tuple[tuple[int, bytes], ...] = ()
    if octets > 140:
        payload, text = ((int(Tag.MESSAGE_PAYLOAD), text),), b""
    body = encode_body(SubmitSm(destination_addr="4179", short_message=text, tlvs=payload))
    message = Message(
        id=MessageId(id_),
        account=AccountId("demo"),
        source="smpp",
        accepted_ms=0,
        due_ms=0,
        expires_ms=10**13,
        priority=0,
        registered_delivery=0,
        callback_url=None,
        batch=None,
        reference=None,
        tags=(),
        body=body,
    )
    return Outgoing(message, Progress(State.QUEUED, OutletName(""), parts=parts))


@attrs.define
class FakeFlow:
    """Keeps what the outlet tells; answers receipts and messages when `release` is called."""

    outcomes: list[Outcome] = attrs.Factory(list)
    receipts: list[UpstreamReceipt] = attrs.Factory(list)
    messages: list[MobileOriginated] = attrs.Factory(list)
    status: int = 0
    room_told: int = 0
    _held: list[Callable[[], None]] = attrs.Factory(list)

    def room_changed(self, outlet: OutletName) -> None:
        self.room_told += 1

    def settle(self, outlet: OutletName, outcomes: Sequence[Outcome]) -> None:
        self.outcomes += outcomes

    def receipts_nowait(
        self, receipts: Sequence[UpstreamReceipt], done: Callable[[list[int]], None]
    ) -> None:
        self.receipts += receipts
        self._held.append(lambda: done([self.status] * len(receipts)))

    def mobile_originated_nowait(
        self, messages: Sequence[MobileOriginated], done: Callable[[list[int]], None]
    ) -> None:
        self.messages += messages
        self._held.append(lambda: done([self.status] * len(messages)))

    seen: list[str] = attrs.Factory(list)
    attempts: list[tuple[MessageId, int]] = attrs.Factory(list)

    def attempting_nowait(
        self,
        outlet: OutletName,
        attempts: Sequence[tuple[MessageId, int]],
        done: Callable[[], None],
    ) -> None:
        self.attempts += attempts
        self._held.append(done)

    def number_seen(self, number: str) -> None:
        self.seen.append(number)

    def release(self) -> None:
        held, self._held = self._held, []
        for one in held:
            one()


class Carrier:
    """One connection as the carrier sees it."""

    def __init__(self, stream: trio.SocketStream) -> None:
        self.stream = stream
        self._framer = Framer()
        self._frames: list[Pdu] = []

    async def read(self) -> Pdu:
        while not self._frames:
            data = await self.stream.receive_some()
            assert data, "closed by the outlet"
            self._frames += self._framer.feed(data)
        return self._frames.pop(0)

    async def accept(self, kind: int = C.BIND_TRANSCEIVER) -> Pdu:
        asked = await self.read()
        assert asked[0] == kind
        await self.send(pdu(kind | RESPONSE, asked[2], b"carrier\0"))
        return asked

    async def submits(self, count: int) -> list[int]:
        """sequence_numbers of the next PDUs, which are submit_sm."""
        frames = [await self.read() for _ in range(count)]
        assert {frame[0] for frame in frames} == {C.SUBMIT_SM}
        return [frame[2] for frame in frames]

    async def send(self, octets: bytes) -> None:
        await self.stream.send_all(octets)

    async def answer(self, sequence_number: int, status: int = 0, id_: bytes = b"up") -> None:
        await self.send(pack(SUBMIT_RESP, status, sequence_number, b"" if status else id_ + b"\0"))

    async def is_quiet(self) -> bool:
        """Nothing more comes, for as long as a loopback needs to bring it."""
        with trio.move_on_after(0.05):
            await self.read()
            return False
        return True


@attrs.define
class House:
    outlet: UpstreamLink
    flow: FakeFlow
    log: FakeLog
    listener: trio.SocketListener
    streams: AsyncExitStack
    life: trio.CancelScope

    async def connected(self) -> Carrier:
        return Carrier(await self.streams.enter_async_context(await self.listener.accept()))

    async def bound(self) -> Carrier:
        carrier = await self.connected()
        await carrier.accept()
        await eventually(lambda: self.outlet.statistics()["bound"] == 1)
        return carrier

    async def outcomes(self, count: int) -> list[Outcome]:
        await eventually(lambda: len(self.flow.outcomes) >= count)
        return self.flow.outcomes


@asynccontextmanager
async def running(**settings: Any) -> AsyncIterator[House]:
    with trio.fail_after(PATIENCE_S):
        listeners = await trio.open_tcp_listeners(0, host="127.0.0.1")
        async with listeners[0] as listener, AsyncExitStack() as streams:
            port = listener.socket.getsockname()[1]
            config = UpstreamConfig(
                host="127.0.0.1",
                port=port,
                system_id="gw",
                password=Secret("gwpass"),
                **{"reconnect_s": 0.01, **settings},
            )
            log, flow = FakeLog(), FakeFlow()
            outlet = UpstreamLink(NAME, config, log=log.log, draw=random.Random(1))
            async with trio.open_nursery() as nursery:
                life = trio.CancelScope()

                async def live() -> None:
                    with life:
                        await outlet.run(flow)

                nursery.start_soon(live)
                yield House(outlet, flow, log, listener, streams, life)
                life.cancel()
