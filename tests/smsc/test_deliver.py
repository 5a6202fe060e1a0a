"""Deliveries on a bound session: what each answer of the ESME means."""

import pytest

from pdu.codec import encode_body
from pdu.message_pdus import DeliverSm
from pdu.operations import V34
from pdu.status import Status
from pdu.tlvs import Tag
from smsc.deliver import RETRY_S, BoundReceiver, judge
from smsc.message import Mailbox
from smsc.ports import Again, Done, Dropped
from smsc.session.machine import Session
from tests.fakes.ports import FakeMailboxes, delivery
from tests.fakes.wire import C, frames, mc_bound

BODY = encode_body(
    DeliverSm(
        source_addr="4179",
        destination_addr="Shop",
        esm_class=4,
        short_message=b"id:1 stat:DELIVRD",
        tlvs=((int(Tag.MESSAGE_STATE), b"\2"),),
    )
)


def receiver_on(session: Session) -> tuple[BoundReceiver, FakeMailboxes, list[str]]:
    mailboxes, flushed = FakeMailboxes(), list[str]()
    receiver = BoundReceiver(
        Mailbox("demo"), session, mailboxes, lambda: 1.0, lambda: flushed.append("flush")
    )
    return receiver, mailboxes, flushed


@pytest.mark.parametrize(
    "status",
    [
        Status.ESME_RX_T_APPN,
        Status.ESME_RMSGQFUL,
        Status.ESME_RTHROTTLED,
        Status.ESME_RSYSERR,
    ],
)
def test_a_temporary_error_is_tried_again_later_and_later(status: int) -> None:
    delays = []
    for attempt in (0, 1, 2, 6, 7, 5000):
        outcome = judge(delivery(7, attempt=attempt), status)
        assert isinstance(outcome, Again)
        assert outcome.id == 7
        delays.append(outcome.delay_s)
    assert delays == [RETRY_S, 10, 20, 300, 300, 300]


@pytest.mark.parametrize("status", [Status.ESME_RX_P_APPN, Status.ESME_RX_R_APPN, 0x555])
def test_any_other_error_is_for_good(status: int) -> None:
    outcome = judge(delivery(7), status)
    assert isinstance(outcome, Dropped)
    assert outcome.why.startswith("the ESME answered ")


def test_a_batch_leaves_in_one_write_as_it_lies_on_disk() -> None:
    session = mc_bound(window=3)
    receiver, _, flushed = receiver_on(session)
    assert receiver.room() == 3
    receiver.deliver([delivery(7, BODY), delivery(8, BODY)])
    assert [frame[3] for frame in frames(session.take_output())] == [BODY, BODY]
    assert flushed == ["flush"]
    assert receiver.room() == 1


def test_a_3_3_peer_gets_no_tlvs() -> None:
    session = mc_bound(C.BIND_RECEIVER, version=0x33)
    assert session.version < V34
    receiver_on(session)[0].deliver([delivery(7, BODY)])
    assert frames(session.take_output())[0][3] == BODY[:-5]


def test_answers_and_silence_reach_the_mailbox() -> None:
    receiver, mailboxes, _ = receiver_on(mc_bound())
    one, two, three = delivery(1), delivery(2), delivery(3)
    receiver.answered([(two, 0, b""), (one, Status.ESME_RX_P_APPN, b"")])
    receiver.timed_out([three])
    assert mailboxes.outcomes == [
        Done(two.id),
        Dropped(one.id, "the ESME answered ESME_RX_P_APPN"),
        Again(three.id, RETRY_S, "no deliver_sm_resp in time"),
    ]
