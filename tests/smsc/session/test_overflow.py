"""Above the window, and after an outbind."""

import pytest

from pdu.commands import RESPONSE
from pdu.operations import SessionState
from pdu.status import Status
from smsc.session.events import BindRequested, Submitted
from smsc.session.timers import Timers
from tests.fakes.wire import SUBMIT, C, bind, frames, heads, mc, mc_bound, pdu

SUBMIT_RESP = C.SUBMIT_SM | RESPONSE


def submits(*numbers: int) -> bytes:
    return b"".join(pdu(C.SUBMIT_SM, number, SUBMIT) for number in numbers)


def test_above_the_window_requests_are_throttled_if_so_wished() -> None:
    session = mc_bound(hold=2)
    session.throttles = True
    (event,) = session.receive(submits(2, 3, 4, 5), 0.0)
    assert isinstance(event, Submitted)
    assert [request[0] for request in event.requests] == [2, 3]
    throttled = [(SUBMIT_RESP, Status.ESME_RTHROTTLED, number) for number in (4, 5)]
    assert heads(session.take_output()) == throttled
    assert not session.is_full
    assert session.receive(submits(6), 0.0) == []
    assert heads(session.take_output()) == [(SUBMIT_RESP, Status.ESME_RTHROTTLED, 6)]
    # Room comes back with the answers.
    session.accept_many([2, 3], [b"1", b"2"])
    (event,) = session.receive(submits(7), 0.0)
    assert isinstance(event, Submitted)


def test_otherwise_no_more_is_read() -> None:
    session = mc_bound(hold=2)
    session.receive(submits(2, 3, 4), 0.0)
    assert session.is_full
    session.accept_many([2, 3], [b"1", b"2"])
    assert not session.is_full


@pytest.mark.parametrize(
    ("version", "tlv"),
    [(0x33, b""), (0x34, b"\x02\x10\0\x01\x34"), (0x50, b"\x02\x10\0\x01\x50")],
)
def test_the_bind_response_tells_the_version_of_the_session(version: int, tlv: bytes) -> None:
    session = mc()
    session.receive(bind(version=version), 0.0)
    session.accept_bind("smsc")
    assert frames(session.take_output())[0][3] == b"smsc\0" + tlv
    assert session.version == version


def test_outbind_asks_for_a_receiver() -> None:
    session = mc()
    session.outbind("smsc", "secret")
    assert frames(session.take_output()) == [(C.OUTBIND, 0, 1, b"smsc\0secret\0")]
    assert session.state is SessionState.OUTBOUND
    # A transmitter is not what was asked for.
    session.receive(bind(C.BIND_TRANSMITTER, 1), 0.0)
    answer = (C.BIND_TRANSMITTER | RESPONSE, Status.ESME_RINVBNDSTS, 1)
    assert heads(session.take_output()) == [answer]
    (event,) = session.receive(bind(C.BIND_RECEIVER, 2), 0.0)
    assert isinstance(event, BindRequested)
    session.refuse_bind(Status.ESME_RINVPASWD)
    answer = (C.BIND_RECEIVER | RESPONSE, Status.ESME_RINVPASWD, 2)
    assert heads(session.take_output()) == [answer]
    session.receive(bind(C.BIND_RECEIVER, 3), 0.0)
    session.accept_bind("smsc")
    assert session.is_bound
    assert session.version == 0x34


def test_after_an_outbind_the_peer_has_as_long_as_any_to_bind() -> None:
    session = mc(timers=Timers(session_init_s=5.0))
    session.outbind("smsc", "")
    session.tick(4.9)
    assert session.closing is None
    session.tick(5.0)
    assert session.closing


def test_a_peer_that_we_do_not_read_is_excused() -> None:
    session = mc_bound(timers=Timers(enquire_link_s=10.0, pdu_read_s=5.0))
    session.receive(submits(2)[:20], 0.0)
    for now in (4.0, 8.0, 12.0):
        session.excuse(now)
        session.tick(now)
    assert session.closing is None
    assert session.take_output() == b""
    session.tick(17.0)
    assert session.closing == "a PDU was begun and not completed within the read timer"
