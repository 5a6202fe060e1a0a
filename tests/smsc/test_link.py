"""The Trio driver over socket pairs: cut reads and writes, slow readers, resets, last words."""

import socket
import struct
import weakref
from collections.abc import Callable, Iterator
from typing import Any

import pytest
import trio
import trio.testing

from pdu.commands import RESPONSE
from pdu.operations import Role
from smsc.link import Link
from smsc.session.events import Answered, Event, Submitted
from smsc.session.machine import Session
from smsc.session.timers import Timers
from tests.fakes.wire import SUBMIT, C, heads, mc_bound, pdu

PATIENCE_S = 10.0


class House:
    """A link with a bound session, and the raw socket of its peer."""

    def __init__(self, session: Session, ours: socket.socket, theirs: socket.socket) -> None:
        self.events: list[Event] = []
        self.session = session
        self.on_events: Callable[[list[Event]], None] = lambda _: None
        self.link = Link(ours, session, self._handle)
        theirs.setblocking(False)
        self.peer = trio.socket.from_stdlib_socket(theirs)
        self._something = trio.Event()

    def _handle(self, events: list[Event]) -> None:
        self.events += events
        self.on_events(events)
        self._something.set()

    async def wait_for(self, is_so: Callable[[], bool]) -> None:
        while not is_so():
            self._something = trio.Event()
            await self._something.wait()

    @property
    def submitted(self) -> int:
        return sum(len(one.requests) for one in self.events if isinstance(one, Submitted))

    async def read_exactly(self, octets: int) -> bytes:
        data = b""
        while len(data) < octets:
            piece = await self.peer.recv(octets - len(data))
            assert piece, f"closed after {len(data)} of {octets} octets"
            data += piece
        return data

    async def read_to_the_end(self) -> bytes:
        """What still comes until a clean end; a reset raises."""
        data = b""
        while piece := await self.peer.recv(65536):
            data += piece
        return data


@pytest.fixture
def pair() -> Iterator[tuple[socket.socket, socket.socket]]:
    ours, theirs = socket.socketpair()
    with ours, theirs:
        yield ours, theirs


@pytest.fixture
def tcp_pair() -> Iterator[tuple[socket.socket, socket.socket]]:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        theirs = socket.create_connection(listener.getsockname())
        ours, _ = listener.accept()
    with ours, theirs:
        yield ours, theirs


Pair = tuple[socket.socket, socket.socket]


async def test_octets_in_any_pieces_become_events_and_answers(pair: Pair) -> None:
    house = House(mc_bound(), *pair)
    octets = pdu(C.SUBMIT_SM, 7, SUBMIT) + pdu(C.ENQUIRE_LINK, 8)
    with trio.fail_after(PATIENCE_S):
        async with trio.open_nursery() as nursery:
            nursery.start_soon(house.link.run)
            for octet in octets:
                await house.peer.send(bytes((octet,)))
                await trio.testing.wait_all_tasks_blocked()
            assert heads(await house.read_exactly(16)) == [(C.ENQUIRE_LINK | RESPONSE, 0, 8)]
            house.session.answer_many([(7, 0, b"17")])
            house.link.flush()
            assert heads(await house.read_exactly(19)) == [(C.SUBMIT_SM | RESPONSE, 0, 7)]
            house.peer.close()
    assert house.submitted == 1
    assert house.link.why_closed == "closed by the peer"
    assert not house.link.is_open


async def test_nothing_of_a_read_lives_until_the_next_one(pair: Pair) -> None:
    read: list[weakref.ref[Event]] = []
    link = Link(pair[0], mc_bound(), lambda events: read.extend(map(weakref.ref, events)))
    pair[1].setblocking(False)
    peer = trio.socket.from_stdlib_socket(pair[1])
    with trio.fail_after(PATIENCE_S):
        async with trio.open_nursery() as nursery:
            nursery.start_soon(link.run)
            await peer.send(pdu(C.SUBMIT_SM, 7, SUBMIT))
            await trio.testing.wait_all_tasks_blocked()
            assert [one() for one in read] == [None]
            nursery.cancel_scope.cancel()


async def test_a_write_that_the_socket_takes_in_pieces_arrives_whole_and_in_order(
    pair: Pair,
) -> None:
    pair[0].setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, 1)
    house = House(mc_bound(window=5000), *pair)
    with trio.fail_after(PATIENCE_S):
        async with trio.open_nursery() as nursery:
            nursery.start_soon(house.link.run)
            for start in range(0, 5000, 500):
                house.session.request_many([SUBMIT] * 500, range(start, start + 500), 0.0)
                house.link.flush()
            assert len(house.link._unsent) > 100_000
            data = await house.read_exactly(5000 * (16 + len(SUBMIT)))
            assert heads(data) == [(C.DELIVER_SM, 0, n) for n in range(1, 5001)]
            # And it goes on as before when the jam is over.
            await house.peer.send(pdu(C.ENQUIRE_LINK, 8))
            assert heads(await house.read_exactly(16)) == [(C.ENQUIRE_LINK | RESPONSE, 0, 8)]
            house.peer.close()


async def test_who_does_not_read_is_not_read_either(pair: Pair) -> None:
    """A peer that asks and never reads: memory stays bounded, then all answers arrive."""
    for sock in pair:
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, 1)
    limit = 20_000
    house = House(mc_bound(hold=10**9), *pair)
    house.link._buffer_limit_octets = limit
    asked = 20_000
    most = 0

    def note(_: list[Event]) -> None:
        nonlocal most
        most = max(most, len(house.link._unsent))

    async def ask() -> None:
        octets = memoryview(b"".join(pdu(C.ENQUIRE_LINK, n) for n in range(asked)))
        while octets:
            octets = octets[await house.peer.send(octets) :]
            note([])

    with trio.fail_after(PATIENCE_S):
        async with trio.open_nursery() as nursery:
            nursery.start_soon(house.link.run)
            nursery.start_soon(ask)
            await trio.testing.wait_all_tasks_blocked(0.05)
            # One read of 64 KiB of questions can go over the limit, and no more than that.
            assert limit < len(house.link._unsent) <= limit + 65536
            answers = heads(await house.read_exactly(16 * asked))
            assert [number for _, _, number in answers] == list(range(asked))
            house.peer.close()
    assert most <= limit + 65536


async def test_who_is_past_its_window_waits_for_answers(pair: Pair) -> None:
    house = House(mc_bound(hold=2), *pair)
    submit = pdu(C.SUBMIT_SM, 7, SUBMIT)
    with trio.fail_after(PATIENCE_S):
        async with trio.open_nursery() as nursery:
            nursery.start_soon(house.link.run)
            await house.peer.send(submit * 2)
            await house.wait_for(lambda: house.submitted == 2)
            await house.peer.send(submit)
            await trio.testing.wait_all_tasks_blocked(0.02)
            assert house.submitted == 2
            house.session.answer_many([(7, 0, b"1")])
            house.link.flush()
            await house.wait_for(lambda: house.submitted == 3)
            house.peer.close()
            house.session.answer_many([(7, 0, b"1")] * 2)
            house.link.flush()


async def test_a_reset_in_the_middle_of_a_pdu_ends_it(tcp_pair: Pair) -> None:
    house = House(mc_bound(), *tcp_pair)
    house.session.request_many([SUBMIT], ["context"], 0.0)
    with trio.fail_after(PATIENCE_S):
        async with trio.open_nursery() as nursery:
            nursery.start_soon(house.link.run)
            await house.peer.send(pdu(C.SUBMIT_SM, 7, SUBMIT)[:20])
            await trio.testing.wait_all_tasks_blocked(0.01)
            reset = struct.pack("ii", 1, 0)
            house.peer.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, reset)
            house.peer.close()
    assert house.link.why_closed == "read failed: Connection reset by peer"
    assert house.events == []
    assert house.session.lost() == ["context"]


async def test_a_write_to_a_peer_that_is_gone_ends_it(pair: Pair) -> None:
    house = House(mc_bound(), *pair)
    house.peer.close()
    house.session.request_many([SUBMIT], ["context"], 0.0)
    house.link.flush()
    assert house.link.why_closed == "write failed: Broken pipe"
    with trio.fail_after(PATIENCE_S):
        await house.link.run()
    assert not house.link.is_open
    assert house.session.room == 0


async def test_nothing_is_handed_to_a_link_that_is_closing(pair: Pair) -> None:
    house = House(mc_bound(), *pair)
    house.link.close("for the test")
    house.link.close("too late")
    assert house.session.room == 0
    assert house.link.why_closed == "for the test"
    with trio.fail_after(PATIENCE_S):
        async with trio.open_nursery() as nursery:
            nursery.start_soon(house.link.run)
            assert await house.read_to_the_end() == b""
            house.peer.close()
    house.session.answer_many([(7, 0, b"1")])
    house.link.flush()  # the socket is closed: nothing happens


async def test_a_silent_peer_is_probed_and_given_up(pair: Pair) -> None:
    """Half-open: no octet comes, no error either."""
    timers = Timers(enquire_link_s=10, misses=1)
    house = House(mc_bound(timers=timers), *pair)
    with trio.fail_after(PATIENCE_S):
        async with trio.open_nursery() as nursery:
            nursery.start_soon(house.link.run)
            house.link.tick(10)
            assert heads(await house.read_exactly(16)) == [(C.ENQUIRE_LINK, 0, 1)]
            house.link.tick(20)
            assert await house.read_to_the_end() == b""
            house.peer.close()
    assert house.link.why_closed == "the peer answered no enquire_link"


async def test_a_tick_hands_over_what_timed_out(pair: Pair) -> None:
    house = House(mc_bound(timers=Timers(response_s=5)), *pair)
    house.session.request_many([SUBMIT], ["context"], 0.0)
    house.link.tick(4.9)
    assert house.events == []
    house.link.tick(5)
    assert len(house.events) == 1


async def test_goodbyes_arrive_before_the_end_though_octets_lie_unread(tcp_pair: Pair) -> None:
    """Closing with octets unread would send a reset, and a reset overtakes what was written."""
    house = House(mc_bound(), *tcp_pair)
    bad_length = struct.pack(">IIII", 1, C.SUBMIT_SM, 0, 5)
    with trio.fail_after(PATIENCE_S):
        async with trio.open_nursery() as nursery:
            await house.peer.send(bad_length + b"x" * 200_000)
            nursery.start_soon(house.link.run)
            assert heads(await house.read_to_the_end()) == [(C.GENERIC_NACK, 2, 5)]
            house.peer.close()
    assert house.link.why_closed == "command_length 1 is shorter than the header"


async def test_a_peer_that_stays_after_our_goodbye_does_not_hold_us(
    pair: Pair, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("smsc.link._LAST_WORDS_S", 0.01)
    house = House(mc_bound(), *pair)
    with trio.fail_after(PATIENCE_S):
        async with trio.open_nursery() as nursery:
            nursery.start_soon(house.link.run)
            await house.peer.send(pdu(C.UNBIND, 9))
            assert heads(await house.read_exactly(16)) == [(C.UNBIND | RESPONSE, 0, 9)]
    assert house.link.why_closed == "unbound by the peer"


async def test_cancellation_from_outside_says_what_is_ready_and_goes(pair: Pair) -> None:
    house = House(mc_bound(), *pair)
    with trio.fail_after(PATIENCE_S):
        async with trio.open_nursery() as nursery:
            nursery.start_soon(house.link.run)
            await trio.testing.wait_all_tasks_blocked()
            house.session.unbind()
            nursery.cancel_scope.cancel()
        assert heads(await house.read_to_the_end()) == [(C.UNBIND, 0, 1)]
    assert house.link.why_closed == "cancelled"


async def test_a_bug_in_the_handler_comes_out_and_the_socket_is_closed(pair: Pair) -> None:
    house = House(mc_bound(), *pair)

    def broken(_: list[Event]) -> None:
        raise ZeroDivisionError

    house.on_events = broken
    with trio.fail_after(PATIENCE_S):
        await house.peer.send(pdu(C.SUBMIT_SM, 7, SUBMIT))
        with pytest.RaisesGroup(ZeroDivisionError):
            await house.link.run()
        assert await house.read_to_the_end() == b""
    assert not house.link.is_open


async def test_two_links_talk(pair: Pair) -> None:
    """ESME and message centre, each with its own driver: 2000 messages through a window of 50."""
    total = 2000
    answered: list[int] = []
    now = trio.current_time()
    server = Session(Role.MC, now, hold=50)
    client = Session(Role.ESME, now, window=50)

    def serve(events: list[Event]) -> None:
        for event in events:
            if isinstance(event, Submitted):
                server.answer_many([(one[0], 0, b"1") for one in event.requests])
            elif not server.is_bound:
                server.accept_bind("smsc")

    def ask(events: list[Event]) -> None:
        for event in events:
            if isinstance(event, Answered):
                answered.extend(context for context, _, _ in event.answers)
        sent = len(answered) + client.outstanding
        room = min(client.room, total - sent)
        client.request_many([SUBMIT] * room, range(sent, sent + room), 0.0)
        if len(answered) == total:
            client.unbind()

    links: list[Any] = [Link(pair[0], server, serve), Link(pair[1], client, ask)]
    client.bind(C.BIND_TRANSCEIVER, system_id="demo", password="pw")
    links[1].flush()
    with trio.fail_after(PATIENCE_S):
        async with trio.open_nursery() as nursery:
            for link in links:
                nursery.start_soon(link.run)
    assert answered == list(range(total))
    assert [link.why_closed for link in links] == ["unbound by the peer", "unbound by us"]


async def test_a_paused_peer_is_not_read_and_not_blamed_for_its_silence(pair: Pair) -> None:
    timers = Timers(enquire_link_s=10, misses=1, pdu_read_s=5)
    house = House(mc_bound(timers=timers), *pair)
    submit = pdu(C.SUBMIT_SM, 7, SUBMIT)
    with trio.fail_after(PATIENCE_S):
        async with trio.open_nursery() as nursery:
            nursery.start_soon(house.link.run)
            await trio.testing.wait_all_tasks_blocked()
            house.link.pause()
            await house.peer.send(submit)
            await trio.testing.wait_all_tasks_blocked(0.02)
            house.link.flush()  # answers go on, and do not open what is paused
            for now in (9.0, 18.0, 27.0):
                house.link.tick(now)
            await trio.testing.wait_all_tasks_blocked(0.02)
            assert house.submitted == 0
            assert house.link.is_open
            house.link.resume()
            await house.wait_for(lambda: house.submitted == 1)
            house.peer.close()


async def test_who_is_cut_off_gets_no_goodbye_and_no_time(
    pair: Pair, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("smsc.link._LAST_WORDS_S", 1e9)
    house = House(mc_bound(), *pair)
    with trio.fail_after(PATIENCE_S):
        async with trio.open_nursery() as nursery:
            nursery.start_soon(house.link.run)
            await trio.testing.wait_all_tasks_blocked()
            house.link.cut("for the test")
    assert house.link.why_closed == "for the test"
    assert not house.link.is_open
