"""What the load client counts, without a network."""

import pytest

from bench.load_tally import NO_ANSWER, Tally
from pdu.codec import encode_body, peek_deliver_sm
from pdu.message_pdus import DeliverSm
from pdu.receipt_text import MessageState
from pdu.status import Status
from pdu.tlvs import Tag
from smsc.session.events import Request
from tests.bench.fake_centre import receipt


def request(body: bytes) -> Request:
    return 1, peek_deliver_sm(body), body


def test_answers_count_by_status_and_bring_their_latency() -> None:
    tally = Tally(wants_receipts=False)
    tally.answered([(1.0, 0, b"7\0"), (1.0, 0, b"8\0"), (1.5, Status.ESME_RTHROTTLED, b"")], 2.0)
    assert tally.accepted == 2
    assert tally.errors == {"ESME_RTHROTTLED": 1}
    assert tally.responses_s.percentile(100) == pytest.approx(1.0, rel=0.02)
    assert tally.responses_s.percentile(10) == pytest.approx(0.5, rel=0.02)
    assert tally.missing == 0, "nobody asked for receipts"


def test_a_receipt_finds_its_message_once() -> None:
    tally = Tally(wants_receipts=True)
    tally.answered([(1.0, 0, b"7\0"), (1.0, 0, b"8\0"), (1.0, 0, b"9\0")], 1.1)
    failed = request(receipt("8", MessageState.UNDELIVERABLE))
    tally.delivered([request(receipt("7")), failed, request(receipt("7"))], 4.0)
    tally.give_up()
    assert (tally.receipts, tally.missing, tally.strays) == (2, 1, 1)
    assert tally.states == {"DELIVRD": 1, "UNDELIV": 1}
    assert tally.receipts_s.percentile(50) == pytest.approx(3.0, rel=0.02)


def test_a_receipt_may_overtake_the_response() -> None:
    tally = Tally(wants_receipts=True)
    tally.delivered([request(receipt("7"))], 2.0)
    tally.answered([(1.0, 0, b"7\0"), (1.0, 0, b"8\0")], 2.5)
    tally.give_up()
    assert (tally.receipts, tally.missing, tally.strays) == (1, 1, 0)
    assert tally.receipts_s.percentile(50) == pytest.approx(1.0, rel=0.02)


def test_receipts_of_earlier_runs_are_strays() -> None:
    tally = Tally(wants_receipts=True)
    tally.delivered([request(receipt("1")), request(receipt("2"))], 2.0)
    tally.give_up()
    assert (tally.receipts, tally.strays) == (0, 2)


@pytest.mark.parametrize(
    "pdu",
    [
        DeliverSm(esm_class=4, short_message=b"STAT: delivrd ID: 7"),
        DeliverSm(
            esm_class=4,
            short_message=b"id:other stat:DELIVRD",
            tlvs=((int(Tag.RECEIPTED_MESSAGE_ID), b"7\0"),),
        ),
        DeliverSm(esm_class=4, tlvs=((int(Tag.RECEIPTED_MESSAGE_ID), b"7\0"),)),
    ],
)
def test_receipts_in_other_forms_are_understood(pdu: DeliverSm) -> None:
    tally = Tally(wants_receipts=True)
    tally.answered([(1.0, 0, b"7\0")], 1.1)
    tally.delivered([request(encode_body(pdu))], 2.0)
    assert (tally.receipts, tally.missing) == (1, 0)


def test_messages_from_handsets_are_no_receipts() -> None:
    tally = Tally(wants_receipts=True)
    tally.answered([(1.0, 0, b"7\0")], 1.1)
    body = encode_body(DeliverSm(short_message=b"id:7 stat:DELIVRD"))
    tally.delivered([request(body)], 2.0)
    assert (tally.receipts, tally.missing, tally.mobile_originated) == (0, 1, 1)


def test_requests_without_an_answer_are_errors() -> None:
    tally = Tally(wants_receipts=False)
    tally.unanswered(0)
    assert not tally.errors
    tally.unanswered(3)
    assert tally.errors == {NO_ANSWER: 3}
