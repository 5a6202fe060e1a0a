"""The upstream link against a carrier that the test plays, over real sockets."""

import socket

import pytest

from bridges.quirks import Quirks
from bridges.smpp_upstream import NO_ANSWER
from pdu.codec import encode_body, pack, peek_deliver_sm
from pdu.commands import RESPONSE
from pdu.message_pdus import DeliverSm, SubmitSm
from pdu.status import Status
from pdu.tlvs import Tag
from smsc.message import MessageId, State
from smsc.ports import (
    Failed,
    MobileOriginated,
    Outcome,
    Sent,
    TryLater,
    UpstreamReceipt,
)
from tests.fakes.house import eventually
from tests.fakes.upstream import DELIVER_RESP, NAME, PATIENCE_S, SUBMIT_RESP, outgoing, running
from tests.fakes.wire import C, pdu


@pytest.fixture(autouse=True)
def _soon(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("bridges.smpp_upstream._TICK_S", 0.02)
    monkeypatch.setattr("bridges.smpp_upstream._UNBIND_S", 0.05)
    monkeypatch.setattr("smsc.link._LAST_WORDS_S", 0.05)


# --- binds ------------------------------------------------------------------------------------


@pytest.mark.parametrize("kind", ["transmitter", "receiver", "transceiver"])
async def test_it_binds_as_configured(kind: str) -> None:
    async with running(bind=kind, system_type="VMA") as house:
        assert not house.outlet.is_up
        assert house.outlet.room() == 0
        carrier = await house.connected()
        asked = await carrier.accept(getattr(C, f"BIND_{kind.upper()}"))
        assert asked[3] == b"gw\0gwpass\0VMA\0\x34\0\0\0"
        await eventually(lambda: house.outlet.statistics()["bound"] == 1)
        assert house.outlet.is_up is (kind != "receiver")
        assert house.outlet.room() == (0 if kind == "receiver" else 100)
        assert house.flow.room_told


@pytest.mark.parametrize(
    "refusal",
    [
        pdu(C.BIND_TRANSCEIVER | RESPONSE, 1, status=Status.ESME_RBINDFAIL),
        pdu(C.GENERIC_NACK, 1, status=Status.ESME_RINVCMDID),
        b"HTTP/1.1 400 Bad Request\r\n\r\n",
        b"",
    ],
    ids=["refused", "nacked", "no SMPP at all", "closed"],
)
async def test_a_bind_that_fails_is_tried_again(refusal: bytes) -> None:
    async with running() as house:
        for _ in range(3):
            carrier = await house.connected()
            assert (await carrier.read())[0] == C.BIND_TRANSCEIVER
            await carrier.send(refusal)
            await carrier.stream.aclose()
        await house.bound()


async def test_silence_is_probed_and_a_dead_carrier_is_left() -> None:
    async with running(enquire_link_s=0.1) as house:
        carrier = await house.bound()
        probe = await carrier.read()
        assert probe[0] == C.ENQUIRE_LINK
        await carrier.send(pdu(C.ENQUIRE_LINK | RESPONSE, probe[2]))
        assert (await carrier.read())[0] == C.ENQUIRE_LINK
        await house.bound()
        why = [line["why"] for line in house.log.named("link.down")]
        assert why == ["the peer answered no enquire_link"]


async def test_a_stop_unbinds_and_waits_for_the_answer(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("bridges.smpp_upstream._UNBIND_S", PATIENCE_S)
    async with running() as house:
        carrier = await house.bound()
        house.life.cancel()
        asked = await carrier.read()
        assert asked[0] == C.UNBIND
        assert house.outlet.room() == 0
        await carrier.send(pdu(C.UNBIND | RESPONSE, asked[2]))
        await eventually(lambda: "link.down" in house.log.events)
        assert house.log.named("link.down")[0]["why"] == "unbound by us"


async def test_a_stop_does_not_wait_for_a_silent_carrier_for_long() -> None:
    async with running() as house:
        carrier = await house.bound()
        house.outlet.send([outgoing(7)])
        house.life.cancel()
        await eventually(lambda: "link.down" in house.log.events)
        assert house.flow.outcomes == [TryLater(MessageId(7), NO_ANSWER)]
        assert [(await carrier.read())[0] for _ in range(2)] == [C.SUBMIT_SM, C.UNBIND]


# --- messages ---------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("status", "outcome"),
    [
        (0, Sent(MessageId(7), "up")),
        (Status.ESME_RINVDSTADR, Failed(MessageId(7), Status.ESME_RINVDSTADR)),
        (0x4FF, Failed(MessageId(7), 0x4FF)),
        (Status.ESME_RSYSERR, TryLater(MessageId(7), Status.ESME_RSYSERR)),
    ],
)
async def test_what_an_answer_means(status: int, outcome: Outcome) -> None:
    async with running() as house:
        carrier = await house.bound()
        house.outlet.send([outgoing(7)])
        (number,) = await carrier.submits(1)
        await carrier.answer(number, status)
        assert await house.outcomes(1) == [outcome]


async def test_a_receipt_is_asked_for_even_if_the_client_did_not() -> None:
    for ask in (True, False):
        async with running(ask_receipts=ask) as house:
            carrier = await house.bound()
            house.outlet.send([outgoing(7)])
            body = (await carrier.read())[3]
            expected = SubmitSm(
                destination_addr="4179", short_message=b"xxxxx", registered_delivery=int(ask)
            )
            assert body == encode_body(expected)


async def test_an_answer_without_an_id_counts_as_taken() -> None:
    async with running() as house:
        carrier = await house.bound()
        house.outlet.send([outgoing(7)])
        (number,) = await carrier.submits(1)
        await carrier.send(pack(SUBMIT_RESP, 0, number, b""))
        assert await house.outcomes(1) == [Sent(MessageId(7), "")]


async def test_the_window_is_never_exceeded() -> None:
    async with running(window=2) as house:
        carrier = await house.bound()
        assert house.outlet.room() == 2
        # One message of five parts: the rest waits for room.
        house.outlet.send([outgoing(7, octets=700)])
        numbers = await carrier.submits(2)
        assert await carrier.is_quiet()
        assert house.outlet.room() == 0
        for _ in range(2):
            for number in numbers:
                await carrier.answer(number, id_=b"%d" % number)
            numbers = await carrier.submits(2 if len(house.flow.outcomes) <= 2 else 1)
        await carrier.answer(numbers[0])
        outcomes = await house.outcomes(5)
        assert sorted((one.part, one.parts) for one in outcomes) == [(n, 5) for n in range(5)]


async def test_only_parts_that_are_still_to_be_sent_are_sent() -> None:
    async with running() as house:
        carrier = await house.bound()
        parts = bytes((State.ENROUTE, State.QUEUED, State.DELIVERED, State.QUEUED, State.ENROUTE))
        house.outlet.send([outgoing(7, octets=700, parts=parts)])
        for number in await carrier.submits(2):
            await carrier.answer(number)
        outcomes = await house.outcomes(2)
        assert [one.part for one in outcomes] == [1, 3]
        assert await carrier.is_quiet()


async def test_a_text_of_too_many_parts_fails_here() -> None:
    async with running() as house:
        carrier = await house.bound()
        house.outlet.send([outgoing(7, octets=60_000)])
        assert house.flow.outcomes == [Failed(MessageId(7), Status.ESME_RINVMSGLEN)]
        assert await carrier.is_quiet()


async def test_no_answer_in_time_is_try_later_and_a_late_one_is_not_heard() -> None:
    async with running(response_timeout_s=0.1) as house:
        carrier = await house.bound()
        house.outlet.send([outgoing(7)])
        (number,) = await carrier.submits(1)
        (outcome,) = await house.outcomes(1)
        assert outcome == TryLater(MessageId(7), NO_ANSWER)
        assert isinstance(outcome, TryLater)
        assert not outcome.is_answer
        assert house.outlet.room() == 100
        await carrier.answer(number)
        house.outlet.send([outgoing(8)])
        (number,) = await carrier.submits(1)
        await carrier.answer(number)
        assert (await house.outcomes(2))[1:] == [Sent(MessageId(8), "up")]


@pytest.mark.parametrize("how", ["closed", "reset"])
async def test_a_cut_link_hands_everything_back_once(how: str) -> None:
    async with running(window=2) as house:
        carrier = await house.bound()
        house.outlet.send([outgoing(7, octets=700), outgoing(8)])
        numbers = await carrier.submits(2)
        await carrier.answer(numbers[0])
        await house.outcomes(1)
        if how == "reset":
            linger = b"\1\0\0\0\0\0\0\0"
            carrier.stream.socket.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, linger)
        await carrier.stream.aclose()
        again = await house.bound()
        outcomes = await house.outcomes(6)
        assert sorted((one.id, one.part) for one in outcomes) == [
            *((7, part) for part in range(5)),
            (8, 0),
        ]
        assert [one for one in outcomes if isinstance(one, Sent)] == [
            Sent(MessageId(7), "up", 0, 5)
        ]
        # It is for the flow to send them again, not for the link.
        assert await again.is_quiet()


async def test_several_binds_share_the_work_and_one_of_them_may_go() -> None:
    async with running(binds=2, window=1) as house:
        carriers = [await house.connected(), await house.connected()]
        for carrier in carriers:
            await carrier.accept()
        await eventually(lambda: house.outlet.room() == 2)
        house.outlet.send([outgoing(7), outgoing(8)])
        numbers = [(await carrier.submits(1))[0] for carrier in carriers]
        await carriers[0].stream.aclose()
        lost = (await house.outcomes(1))[0]
        assert isinstance(lost, TryLater)
        assert house.outlet.is_up
        await carriers[1].answer(numbers[1])
        kept = (await house.outcomes(2))[1]
        assert isinstance(kept, Sent)
        assert {lost.id, kept.id} == {7, 8}


# --- from the carrier -------------------------------------------------------------------------

RECEIPT = encode_body(
    DeliverSm(
        esm_class=4,
        short_message=b"id:17 stat:DELIVRD err:000",
        tlvs=(
            (int(Tag.RECEIPTED_MESSAGE_ID), b"17\0"),
            (int(Tag.MESSAGE_STATE), b"\2"),
        ),
    )
)
MESSAGE = encode_body(DeliverSm(source_addr="4179", destination_addr="12345", short_message=b"hi"))


async def test_a_handset_s_text_is_read_as_the_carrier_means_it() -> None:
    async with running(quirks=Quirks(default_alphabet="latin1")) as house:
        carrier = await house.bound()
        await carrier.send(pdu(C.DELIVER_SM, 5, MESSAGE))
        await eventually(lambda: bool(house.flow.messages))
        (message,) = house.flow.messages
        assert peek_deliver_sm(message.body).data_coding == 3


async def test_receipts_and_messages_are_answered_when_the_flow_says_so() -> None:
    async with running() as house:
        carrier = await house.bound()
        await carrier.send(pdu(C.DELIVER_SM, 5, RECEIPT) + pdu(C.DELIVER_SM, 6, MESSAGE))
        await eventually(lambda: bool(house.flow.messages))
        assert house.flow.receipts == [UpstreamReceipt(NAME, "17", State.DELIVERED)]
        assert house.flow.messages == [MobileOriginated(NAME, MESSAGE)]
        assert await carrier.is_quiet()
        house.flow.release()
        assert [await carrier.read() for _ in range(2)] == [
            (DELIVER_RESP, 0, 5, b"\0"),
            (DELIVER_RESP, 0, 6, b"\0"),
        ]


async def test_the_status_of_the_flow_reaches_the_carrier() -> None:
    async with running() as house:
        house.flow.status = Status.ESME_RX_T_APPN
        carrier = await house.bound()
        await carrier.send(pdu(C.DELIVER_SM, 5, RECEIPT))
        await eventually(lambda: bool(house.flow.receipts))
        house.flow.release()
        assert (await carrier.read())[:3] == (DELIVER_RESP, Status.ESME_RX_T_APPN, 5)


async def test_an_answer_for_a_link_that_is_gone_goes_nowhere() -> None:
    async with running() as house:
        carrier = await house.bound()
        await carrier.send(pdu(C.DELIVER_SM, 5, RECEIPT))
        await eventually(lambda: bool(house.flow.receipts))
        await carrier.stream.aclose()
        again = await house.bound()
        house.flow.release()
        assert await again.is_quiet()


async def test_a_malformed_delivery_is_refused_and_the_link_lives() -> None:
    async with running() as house:
        carrier = await house.bound()
        await carrier.send(pdu(C.DELIVER_SM, 5, MESSAGE[:-1]))
        command_id, status, number, _ = await carrier.read()
        assert (command_id, number) == (DELIVER_RESP, 5)
        assert status
        house.outlet.send([outgoing(7)])
        await carrier.submits(1)
