"""What a session remembers: windows, answers owed, timers, versions, ends."""

from collections.abc import Sequence

import pytest

from pdu.commands import RESPONSE
from pdu.operations import Role, SessionState
from pdu.status import Status
from smsc.session.events import BindFailed, Refused, TimedOut
from smsc.session.machine import Session
from smsc.session.timers import Timers
from tests.fakes.wire import (
    BAD_SUBMIT,
    DELIVER,
    SUBMIT,
    C,
    bind,
    esme,
    esme_bound,
    flat,
    frames,
    heads,
    mc,
    mc_bound,
    pdu,
)

SUBMIT_RESP = C.SUBMIT_SM | RESPONSE
DELIVER_RESP = C.DELIVER_SM | RESPONSE


def submits(numbers: Sequence[int]) -> bytes:
    return b"".join(pdu(C.SUBMIT_SM, number, SUBMIT) for number in numbers)


# --- binds ------------------------------------------------------------------------------------


def test_a_refused_bind_may_be_tried_again() -> None:
    session = mc()
    session.receive(bind(sequence_number=1), 0)
    session.refuse_bind(Status.ESME_RINVPASWD)
    assert frames(session.take_output()) == [
        (C.BIND_TRANSCEIVER | RESPONSE, Status.ESME_RINVPASWD, 1, b"")
    ]
    assert not session.is_bound
    assert flat(session.receive(bind(C.BIND_RECEIVER, 2), 0)) == [
        ("bind", C.BIND_RECEIVER, "demo", "pw")
    ]
    session.accept_bind("smsc")
    assert frames(session.take_output()) == [
        (C.BIND_RECEIVER | RESPONSE, 0, 2, b"smsc\0\x02\x10\x00\x01\x34")
    ]
    assert session.state is SessionState.BOUND_RX


def test_a_3_3_peer_gets_no_tlv_and_a_nul_in_refusals() -> None:
    session = mc()
    session.receive(bind(C.BIND_TRANSMITTER, 1, version=0x33), 0)
    session.accept_bind("smsc")
    assert frames(session.take_output())[0][3] == b"smsc\0"
    session.receive(pdu(C.SUBMIT_SM, 2, BAD_SUBMIT) + submits([3]), 0)
    session.answer_many([(3, Status.ESME_RMSGQFUL, b"")])
    assert [frame[3] for frame in frames(session.take_output())] == [b"\0", b"\0"]


def test_a_3_4_refusal_is_its_header_alone() -> None:
    session = mc_bound(C.BIND_TRANSMITTER)
    session.receive(pdu(C.SUBMIT_SM, 2, BAD_SUBMIT) + submits([3]), 0)
    session.answer_many([(3, Status.ESME_RMSGQFUL, b"")])
    assert [frame[3] for frame in frames(session.take_output())] == [b"", b""]


def test_a_5_0_peer_may_probe_before_its_bind_is_judged() -> None:
    session = mc_bound(version=0x50)
    session.receive(pdu(C.ENQUIRE_LINK, 4), 0)
    assert heads(session.take_output()) == [(C.ENQUIRE_LINK | RESPONSE, 0, 4)]


@pytest.mark.parametrize("verdict", ["accept", "refuse"])
def test_a_verdict_on_a_session_that_is_over_changes_nothing(verdict: str) -> None:
    session = mc()
    session.receive(bind() + b"\0\0\0\0", 0)
    session.take_output()
    if verdict == "accept":
        session.accept_bind("smsc")
    else:
        session.refuse_bind(Status.ESME_RINVPASWD)
    assert session.take_output() == b""
    assert not session.is_bound


def test_a_bind_is_what_was_asked_for() -> None:
    session = Session(Role.ESME, 0)
    session.bind(C.BIND_TRANSMITTER, system_id="gw", password="secret", system_type="VMA")
    assert frames(session.take_output()) == [
        (C.BIND_TRANSMITTER, 0, 1, b"gw\0secret\0VMA\0\x34\0\0\0")
    ]
    refused = session.receive(pdu(C.BIND_TRANSMITTER | RESPONSE, 1, status=13), 0)
    assert refused == [BindFailed(13)]


# --- windows ----------------------------------------------------------------------------------


def test_the_window_fills_and_empties() -> None:
    session = esme_bound(window=3)
    assert session.room == 3
    session.request_many([SUBMIT, SUBMIT], "ab", now=1)
    assert heads(session.take_output()) == [(C.SUBMIT_SM, 0, 2), (C.SUBMIT_SM, 0, 3)]
    assert (session.room, session.outstanding) == (1, 2)
    events = session.receive(
        pdu(SUBMIT_RESP, 3, b"up-3\0") + pdu(SUBMIT_RESP, 2, status=0x58) + pdu(SUBMIT_RESP, 3), 2
    )
    assert flat(events) == [("answered", "b", 0), ("answered", "a", 0x58)]
    assert session.room == 3


def test_more_than_the_window_takes_is_a_bug() -> None:
    session = esme_bound(window=1)
    with pytest.raises(RuntimeError, match="2 messages for a window with room for 1"):
        session.request_many([SUBMIT, SUBMIT], "ab", now=1)


def test_a_window_made_smaller_has_no_room_below_nothing() -> None:
    session = esme_bound(window=3)
    session.request_many([SUBMIT] * 3, "abc", now=1)
    session.window.size = 1
    assert session.room == 0


@pytest.mark.parametrize("kind", [C.BIND_TRANSMITTER, C.BIND_RECEIVER, C.BIND_TRANSCEIVER])
def test_only_a_bind_for_that_direction_gives_room(kind: int) -> None:
    assert esme().room == 0
    assert bool(esme_bound(kind).room) is (kind != C.BIND_RECEIVER)
    assert bool(mc_bound(kind).room) is (kind != C.BIND_TRANSMITTER)


def test_a_nacked_message_is_answered() -> None:
    session = esme_bound()
    session.request_many([SUBMIT, SUBMIT], "ab", now=1)
    events = session.receive(
        pdu(C.GENERIC_NACK, 2, status=Status.ESME_RINVCMDID) + pdu(C.GENERIC_NACK, 3), 1
    )
    assert flat(events) == [
        ("answered", "a", Status.ESME_RINVCMDID),
        ("answered", "b", Status.ESME_RUNKNOWNERR),
    ]


def test_sequence_numbers_start_again_at_one() -> None:
    session = esme_bound()
    session.window._sequence = 0x7FFFFFFE
    session.request_many([SUBMIT], "a", now=1)
    session.request_many([SUBMIT] * 2, "bc", now=1)
    assert [one[2] for one in heads(session.take_output())] == [0x7FFFFFFF, 1, 2]
    assert flat(session.receive(pdu(SUBMIT_RESP, 1), 1)) == [("answered", "b", 0)]


def test_the_peer_past_its_window_is_not_read_until_answers_went_out() -> None:
    session = mc_bound(hold=2)
    session.receive(submits([5]), 0)
    assert not session.is_full
    session.receive(submits([6]), 0)
    assert session.is_full
    session.answer_many([(5, 0, b"17")])
    assert not session.is_full
    assert frames(session.take_output()) == [(SUBMIT_RESP, 0, 5, b"17\0")]


def test_an_esme_answers_deliveries() -> None:
    session = esme_bound()
    session.receive(pdu(C.DELIVER_SM, 5, DELIVER) + pdu(C.DELIVER_SM, 6, DELIVER), 0)
    session.answer_many([(5, 0, b""), (6, Status.ESME_RX_T_APPN, b"")])
    assert frames(session.take_output()) == [
        (DELIVER_RESP, 0, 5, b"\0"),
        (DELIVER_RESP, Status.ESME_RX_T_APPN, 6, b"\0"),
    ]


# --- ends -------------------------------------------------------------------------------------


@pytest.mark.parametrize("end", [pdu(C.UNBIND, 9), b"\0\0\0\1"], ids=["unbind", "bad length"])
def test_the_end_waits_for_the_answers_owed(end: bytes) -> None:
    session = mc_bound()
    session.receive(submits([5, 6]), 0)
    session.receive(end, 0)
    session.take_output()
    session.answer_many([(5, 0, b"1")])
    assert session.closing is None
    session.tick(1000)  # no timer of a session that is open or bound runs any more
    assert session.closing is None
    session.answer_many([(6, 0, b"2")])
    assert heads(session.take_output())[:2] == [(SUBMIT_RESP, 0, 5), (SUBMIT_RESP, 0, 6)]
    assert session.closing is not None


def test_unbind_resp_is_the_last_word() -> None:
    session = mc_bound()
    session.receive(submits([5]) + pdu(C.UNBIND, 9), 0)
    session.answer_many([(5, 0, b"1")])
    assert heads(session.take_output()) == [(SUBMIT_RESP, 0, 5), (C.UNBIND | RESPONSE, 0, 9)]
    assert session.closing == "unbound by the peer"


def test_our_unbind_ends_when_it_is_answered_and_nothing_is_owed() -> None:
    session = mc_bound()
    session.receive(submits([5]), 0)
    session.unbind()
    session.unbind()
    assert heads(session.take_output()) == [(C.UNBIND, 0, 1)]
    assert session.room == 0
    session.receive(pdu(C.UNBIND | RESPONSE, 2), 0)
    assert session.is_bound  # that answered nothing of ours
    session.receive(pdu(C.UNBIND | RESPONSE, 1), 0)
    assert session.closing is None
    session.answer_many([(5, 0, b"1")])
    assert session.closing == "unbound by us"


def test_a_nacked_unbind_is_an_answer_too() -> None:
    session = mc_bound()
    session.unbind()
    session.receive(pdu(C.GENERIC_NACK, 1, status=3), 0)
    assert session.closing == "unbound by us"


def test_unbind_before_the_bind_just_closes() -> None:
    session = mc()
    session.unbind()
    assert session.take_output() == b""
    assert session.closing == "ended by us"


def test_both_unbind_at_once() -> None:
    session = mc_bound()
    session.unbind()
    session.receive(pdu(C.UNBIND, 4), 0)
    assert heads(session.take_output()) == [(C.UNBIND, 0, 1), (C.UNBIND | RESPONSE, 0, 4)]
    assert session.closing == "unbound by the peer"


def test_what_is_under_way_when_the_connection_is_gone_is_lost_once() -> None:
    session = esme_bound()
    session.request_many([SUBMIT, SUBMIT], "ab", now=1)
    session.receive(pdu(SUBMIT_RESP, 2), 1)
    assert session.lost() == ["b"]
    assert session.lost() == []
    assert session.room == 0
    assert session.state is SessionState.CLOSED


def test_answers_to_a_gone_peer_go_nowhere() -> None:
    session = mc_bound()
    session.receive(submits([5]), 0)
    session.lost()
    session.answer_many([(5, 0, b"1")])
    assert session.take_output() == b""


def test_a_hundred_bad_pdus_in_a_row_close_and_the_rest_is_not_looked_at() -> None:
    session = mc_bound()
    events = session.receive(pdu(0x777) * 150, 0)
    assert len(events) == 100
    assert all(isinstance(event, Refused) for event in events)
    assert len(heads(session.take_output())) == 100
    assert session.closing == "100 bad PDUs in a row"
    assert session.room == 0


@pytest.mark.parametrize("bad", [pdu(0x777), pdu(C.SUBMIT_SM, 1, BAD_SUBMIT), bind()])
def test_a_good_message_forgives_bad_ones(bad: bytes) -> None:
    session = mc_bound()
    session.receive(bad * 99, 0)
    session.receive(submits([1]), 0)
    session.receive(bad * 99, 0)
    assert session.closing is None
    session.receive(bad, 0)
    assert session.closing is not None


# --- time -------------------------------------------------------------------------------------


def test_requests_time_out_in_order_and_late_answers_go_unheard() -> None:
    session = esme_bound(timers=Timers(enquire_link_s=0, response_s=10))
    session.request_many([SUBMIT], "a", now=1)
    session.request_many([SUBMIT], "b", now=2)
    session.request_many([SUBMIT], "c", now=9)
    assert session.tick(10.9) == []
    assert session.tick(12) == [TimedOut(["a", "b"])]
    assert session.outstanding == 1
    assert session.receive(pdu(SUBMIT_RESP, 2), 13) == []
    assert session.tick(12) == []


def test_no_response_timer_means_for_ever() -> None:
    session = esme_bound(timers=Timers(enquire_link_s=0, response_s=0))
    session.request_many([SUBMIT], "a", now=1)
    assert session.tick(1e9) == []


def test_silence_is_probed_and_then_given_up() -> None:
    session = mc_bound(timers=Timers(enquire_link_s=30, misses=2))
    for now, probes in ((29, 0), (30, 1), (59, 0), (60, 1), (89, 0)):
        session.tick(now)
        assert len(heads(session.take_output())) == probes, now
    assert session.closing is None
    session.tick(90)
    assert session.closing == "the peer answered no enquire_link"


def test_any_octet_ends_the_silence() -> None:
    session = mc_bound(timers=Timers(enquire_link_s=30, pdu_read_s=0))
    session.tick(30)
    assert heads(session.take_output()) == [(C.ENQUIRE_LINK, 0, 1)]
    session.receive(pdu(C.ENQUIRE_LINK | RESPONSE, 1), 31)
    session.tick(60)
    assert session.take_output() == b""
    session.tick(61)
    assert heads(session.take_output()) == [(C.ENQUIRE_LINK, 0, 2)]


def test_a_connection_that_does_not_bind_is_closed() -> None:
    session = mc(timers=Timers(session_init_s=5))
    session.tick(4.9)
    assert session.closing is None
    session.tick(5)
    assert session.closing == "no bind within the session_init timer"


def test_a_bind_without_an_answer_is_given_up() -> None:
    session = esme(timers=Timers(session_init_s=5))
    session.tick(5)
    assert session.closing == "no bind within the session_init timer"


def test_a_session_without_messages_is_closed_and_probes_are_no_messages() -> None:
    session = mc(timers=Timers(inactivity_s=10, enquire_link_s=0))
    session.receive(bind(), 9)
    session.accept_bind("smsc")
    session.receive(pdu(C.ENQUIRE_LINK, 2), 15)
    session.tick(18.9)
    assert session.closing is None
    session.receive(submits([3]), 18.9)
    session.tick(28)
    assert session.closing is None
    session.tick(28.9)
    assert session.closing == "no request or response within the inactivity timer"


def test_a_pdu_that_does_not_end_is_given_up() -> None:
    session = mc_bound(timers=Timers(pdu_read_s=10, enquire_link_s=0))
    whole = submits([3])
    session.receive(whole + whole[:20], 1)
    session.receive(whole[20:25], 9)  # dripping does not help
    session.tick(10.9)
    assert session.closing is None
    session.tick(11)
    assert session.closing == "a PDU was begun and not completed within the read timer"


def test_a_pdu_that_ends_in_time_stops_the_read_timer() -> None:
    session = mc_bound(timers=Timers(pdu_read_s=10, enquire_link_s=0))
    whole = submits([3])
    session.receive(whole[:20], 1)
    session.receive(whole[20:] + whole[:20], 9)
    session.tick(18)
    assert session.closing is None
    session.receive(whole[20:], 18.5)
    session.tick(100)
    assert session.closing is None


def test_messages_accepted_together_are_answered_like_one_by_one() -> None:
    together, singly = mc_bound(), mc_bound()
    for session in (together, singly):
        session.receive(submits([5, 9]) + pdu(C.UNBIND, 10), 0)
    together.accept_many([5, 9], [b"17", b"18"])
    singly.answer_many([(5, 0, b"17"), (9, 0, b"18")])
    octets = together.take_output()
    assert octets == singly.take_output()
    assert heads(octets)[-1] == (C.UNBIND | RESPONSE, 0, 10)
    together.lost()
    together.accept_many([5], [b"17"])
    assert together.take_output() == b""
