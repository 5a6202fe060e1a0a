"""The SMPP server alone, on loopback: fakes behind it, raw sockets before it."""

import ssl
from collections.abc import AsyncIterator, Callable
from contextlib import AsyncExitStack, asynccontextmanager
from typing import Any

import attrs
import trio

from pdu.commands import RESPONSE
from pdu.framer import Framer
from smsc.bindings import Bindings
from smsc.config import Config
from smsc.config_fields import HostPort
from smsc.directory.accounts import Directory
from smsc.flow.finals import Finals
from smsc.message import AccountId, Message, MessageId, OutletName, Progress, State
from smsc.operations.desk import Asker
from smsc.operations.transactions import Transactions
from smsc.server import SmppServer
from smsc.store.memory_store import MemoryStore
from tests.fakes.log import FakeLog
from tests.fakes.ports import FakeIntake, FakeMailboxes
from tests.fakes.wire import SUBMIT, C, Pdu, pdu

PATIENCE_S = 10.0
SUBMIT_RESP = C.SUBMIT_SM | RESPONSE
BIND_RESP = C.BIND_TRANSCEIVER | RESPONSE
ANY_PORT = HostPort("127.0.0.1", 0)


def bind(
    name: str,
    password: str,
    kind: int = C.BIND_TRANSCEIVER,
    number: int = 1,
    version: int = 0x34,
) -> bytes:
    return pdu(kind, number, f"{name}\0{password}\0\0".encode() + bytes((version, 0, 0, 0)))


class Peer:
    """A stream that reads PDUs."""

    def __init__(self, stream: trio.SocketStream | trio.SSLStream[trio.SocketStream]) -> None:
        self.stream = stream
        self._framer = Framer()
        self._frames: list[Pdu] = []

    async def send(self, octets: bytes) -> None:
        await self.stream.send_all(octets)

    async def read(self) -> Pdu:
        while not self._frames:
            data = await self.stream.receive_some()
            assert data, "closed by the gateway"
            self._frames += self._framer.feed(bytes(data))
        return self._frames.pop(0)

    async def ask(self, octets: bytes) -> tuple[int, int, int]:
        await self.send(octets)
        return (await self.read())[:3]

    async def is_closed(self) -> bool:
        try:
            return not await self.stream.receive_some()
        except trio.BrokenResourceError:
            return True


Asked = tuple[Asker, Any, Callable[[int, bytes], None]]
"""What a client asked the desk, and where the answer goes."""


@attrs.define
class ServedHouse:
    """A running server; `peers` closes what tests connected."""

    server: SmppServer
    intake: FakeIntake
    mailboxes: FakeMailboxes
    bindings: Bindings
    log: FakeLog
    addresses: list[tuple[str, int]]
    peers: AsyncExitStack
    asked: list[Asked]
    store: MemoryStore
    transactions: Transactions
    dropped: list[MessageId]

    def end(self, id_: int, state: State) -> None:
        """The flow says how a message ended."""
        message = Message(
            MessageId(id_), AccountId("demo"), "smpp", 0, 0, 1, 0, 0, None, None, None, (), SUBMIT
        )
        finals = self.transactions._finals
        finals.told([(message, Progress(state, OutletName("")))])

    @property
    def address(self) -> tuple[str, int]:
        return self.addresses[0]

    async def connect(self) -> Peer:
        stream = await trio.open_tcp_stream(*self.address)
        return Peer(await self.peers.enter_async_context(stream))

    async def connect_tls(self, context: ssl.SSLContext, *, position: int = -1) -> Peer:
        """To the TLS listener; the handshake is done."""
        plain = await trio.open_tcp_stream(*self.addresses[position])
        stream = trio.SSLStream(plain, context, server_hostname="localhost", https_compatible=True)
        self.peers.push_async_callback(trio.aclose_forcefully, stream)
        await stream.do_handshake()
        return Peer(stream)

    async def bound(
        self, kind: int = C.BIND_TRANSCEIVER, name: str = "demo", version: int = 0x34
    ) -> Peer:
        peer = await self.connect()
        answer = await peer.ask(bind(name, name, kind, version=version))
        assert answer == (kind | RESPONSE, 0, 1)
        return peer


@asynccontextmanager
async def serving(config: Config, timeout_s: float = 10.0) -> AsyncIterator[ServedHouse]:
    """Run the server of a configuration, on free ports whatever it says.

    :param timeout_s: how long messages in transaction mode may take.
    """
    intake, mailboxes, bindings, log = FakeIntake(), FakeMailboxes(), Bindings(), FakeLog()
    asked: list[Asked] = []
    store = MemoryStore(node=1, soon=lambda call: call())
    dropped: list[MessageId] = []
    transactions = Transactions(Finals(store, lambda call: call()), dropped.append, timeout_s)
    server = SmppServer(
        config.smpp,
        Directory(config.accounts),
        intake,
        mailboxes,
        bindings,
        lambda asker, request, done: asked.append((asker, request, done)),
        transactions,
        log.log,
    )
    tls = [ANY_PORT] * len(config.smpp.listen_tls)
    with trio.fail_after(PATIENCE_S):
        async with trio.open_nursery() as nursery, AsyncExitStack() as peers:
            addresses = await nursery.start(server.serve, [ANY_PORT], tls)
            yield ServedHouse(
                server,
                intake,
                mailboxes,
                bindings,
                log,
                addresses,
                peers,
                asked,
                store,
                transactions,
                dropped,
            )
            nursery.cancel_scope.cancel()
