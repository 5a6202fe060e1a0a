"""Two machines wired together under Hypothesis: whatever happens, each request ends once."""

from collections import Counter
from collections.abc import Callable
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule

from pdu.operations import Role
from pdu.status import Status
from smsc.session.events import (
    Answered,
    BindRequested,
    Delivered,
    Event,
    Submitted,
    TimedOut,
)
from smsc.session.machine import Session
from smsc.session.timers import Timers
from tests.fakes.wire import BAD_SUBMIT, DELIVER, SUBMIT, C, bind, esme_bound, mc_bound, pdu

TIMERS = Timers(enquire_link_s=10, response_s=20, inactivity_s=0)


class End:
    """One machine, what it was handed, and the octets on their way to it."""

    def __init__(self, role: Role, now: float) -> None:
        self.session = Session(role, now, timers=TIMERS, window=5, hold=8)
        self.body = SUBMIT if role is Role.ESME else DELIVER
        self.pipe = bytearray()
        self.to_answer: list[int] = []
        self.sent = 0
        self.ended: Counter[Any] = Counter()

    def handle(self, events: list[Event]) -> None:
        for event in events:
            match event:
                case BindRequested():
                    self.session.accept_bind("smsc")
                case Submitted(requests) | Delivered(requests):
                    self.to_answer += [number for number, _, _ in requests]
                case Answered(answers):
                    for context, status, _ in answers:
                        assert status == context % 2 * Status.ESME_RMSGQFUL
                        self.ended[context] += 1
                case TimedOut(contexts):
                    self.ended.update(contexts)
                case _:
                    pass


class Wired(RuleBasedStateMachine):
    def __init__(self) -> None:
        super().__init__()
        self.now = 0.0
        self.connect()

    def connect(self) -> None:
        self.esme, self.mc = End(Role.ESME, self.now), End(Role.MC, self.now)
        self.esme.session.bind(C.BIND_TRANSCEIVER, system_id="demo", password="pw")

    @rule(of_esme=st.booleans(), count=st.integers(1, 6))
    def send(self, of_esme: bool, count: int) -> None:
        end = self.esme if of_esme else self.mc
        count = min(count, end.session.room)
        contexts = range(end.sent, end.sent + count)
        end.sent += count
        end.session.request_many([end.body] * count, contexts, self.now)

    @rule(of_esme=st.booleans(), octets=st.integers(1, 400))
    def carry(self, of_esme: bool, octets: int) -> None:
        """Some of what an end wrote reaches the other one."""
        end, other = (self.esme, self.mc) if of_esme else (self.mc, self.esme)
        other.pipe += end.session.take_output()
        piece = bytes(other.pipe[:octets])
        del other.pipe[:octets]
        if piece and other.session.closing is None:
            other.handle(other.session.receive(piece, self.now))

    @rule(of_esme=st.booleans(), count=st.integers(1, 8))
    def answer(self, of_esme: bool, count: int) -> None:
        """Answers say by the status which message they mean: its number in the order sent."""
        end, other = (self.esme, self.mc) if of_esme else (self.mc, self.esme)
        contexts = dict(other.session.window._sent)
        now, end.to_answer = end.to_answer[:count], end.to_answer[count:]
        if now:
            end.session.answer_many(
                [(one, contexts.get(one, 0) % 2 * Status.ESME_RMSGQFUL, b"1") for one in now]
            )

    @rule(seconds=st.floats(0.1, 12))
    def wait(self, seconds: float) -> None:
        self.now += seconds
        for end in (self.esme, self.mc):
            end.handle(end.session.tick(self.now))

    @rule(of_esme=st.booleans())
    @precondition(lambda self: self.esme.session.is_bound and self.mc.session.is_bound)
    def unbind(self, of_esme: bool) -> None:
        (self.esme if of_esme else self.mc).session.unbind()

    @rule()
    def cut(self) -> None:
        """The connection is gone, perhaps in the middle of a PDU; the ESME comes again."""
        for end in (self.esme, self.mc):
            end.ended.update(end.session.lost())
            assert end.ended == Counter(range(end.sent))
        self.connect()

    @invariant()
    def each_request_ends_at_most_once_and_is_counted_until_then(self) -> None:
        for end in (self.esme, self.mc):
            assert set(end.ended.values()) <= {1}
            assert end.ended.total() + end.session.outstanding == end.sent
            assert end.session.outstanding <= 5
            assert end.session._owed == len(end.to_answer)

    @invariant()
    def nobody_takes_the_other_for_mad(self) -> None:
        for end in (self.esme, self.mc):
            assert end.session.closing in {
                None,
                "unbound by us",
                "unbound by the peer",
                "the peer answered no enquire_link",
                "no bind within the session_init timer",
                "a PDU was begun and not completed within the read timer",
            }


Wired.TestCase.settings = settings(max_examples=150, stateful_step_count=40, deadline=None)
TestWired = Wired.TestCase


PIECES = st.one_of(
    st.binary(max_size=40),
    st.builds(
        pdu,
        st.one_of(st.sampled_from(list(C)), st.integers(0, 0xFFFFFFFF)),
        st.one_of(st.integers(0, 5), st.integers(0, 0xFFFFFFFF)),
        st.one_of(st.binary(max_size=80), st.sampled_from([SUBMIT, BAD_SUBMIT, DELIVER])),
        st.integers(0, 0xFFFFFFFF),
    ),
    st.just(bind()),
)


@given(
    pieces=st.lists(PIECES, max_size=12),
    start=st.sampled_from(
        [lambda: Session(Role.MC, 0), lambda: Session(Role.ESME, 0), mc_bound, esme_bound]
    ),
)
@settings(max_examples=300, deadline=None)
def test_nothing_that_a_peer_sends_makes_the_machine_raise(
    pieces: list[bytes], start: Callable[[], Session]
) -> None:
    session = start()
    session.request_many([SUBMIT] * min(3, session.room), range(min(3, session.room)), 0)
    for now, piece in enumerate(pieces):
        for event in session.receive(piece, now):
            if isinstance(event, BindRequested):
                session.accept_bind("smsc")
            if isinstance(event, Submitted | Delivered):
                session.answer_many([(number, 0, b"1") for number, _, _ in event.requests])
        session.tick(now)
        if session.closing is not None:
            break
    assert session._owed == 0
