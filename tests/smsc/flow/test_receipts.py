"""Receipts from networks, and the receipts that clients get for them."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pdu.codec import decode, encode_body, peek_deliver_sm
from pdu.commands import Command
from pdu.message_pdus import DeliverSm, SubmitSm
from pdu.receipt_ids import IdHabit
from pdu.receipt_text import parse_receipt
from pdu.status import Status
from pdu.tlvs import Tag, find_tlv, pack_tlv
from smsc.flow import receipts as room
from smsc.flow.callbacks import DELIVERY_KEEP_MS, mailbox_for
from smsc.flow.receipt_body import receipt_body
from smsc.flow.receipts import EARLY_KEEP_MS, NEWEST_DONE_MS, OLDEST_DONE_MS, early_mailbox
from smsc.message import (
    FINAL,
    AccountId,
    Delivery,
    Mailbox,
    Message,
    MessageId,
    Progress,
    State,
)
from smsc.ports import Failed, Sent
from tests.flow.house import HOME, SIM, START_MS, A, FakeOutlet, House, draft_to


def enroute(house: House, to: str = "4179000001") -> tuple[MessageId, list[str]]:
    """A message that the network of A has."""
    (id_,) = house.admit(draft_to(to))
    return id_, house.accept_all(A)


class TestMatching:
    def test_the_answer_waits_for_the_disk(self) -> None:
        house = House()
        id_, (upstream_id,) = enroute(house)
        answers = house.receipt(A, upstream_id)
        assert answers == []
        house.commit()
        assert answers == [Status.ESME_ROK]
        assert house.on_disk()[id_].state is State.DELIVERED

    def test_a_second_receipt_changes_nothing(self) -> None:
        house = House()
        id_, (upstream_id,) = enroute(house)
        answers = house.receipt(A, upstream_id, upstream_id)
        house.receipt(A, upstream_id, state=State.UNDELIVERABLE)
        house.commit()
        assert answers == [0, 0]
        assert house.state(id_) is State.DELIVERED
        assert (len(house.parked()), house.receipts.duplicates) == (1, 2)

    def test_receipts_of_all_parts_in_one_read(self) -> None:
        house = House()
        id_, upstream_ids = enroute(house, "4179000003")
        house.receipt(A, *reversed(upstream_ids))
        house.commit()
        progress = house.progress(id_)
        assert progress.state is State.DELIVERED
        assert list(progress.parts) == [State.DELIVERED] * 3
        assert len(house.parked()) == 1

    @pytest.mark.parametrize("state", [State.ENROUTE, State.SCHEDULED, State.ACCEPTED])
    def test_on_its_way_is_no_end(self, state: State) -> None:
        house = House()
        id_, (upstream_id,) = enroute(house)
        answers = house.receipt(A, upstream_id, "unknown", state=state)
        house.commit()
        assert answers == [0, 0]
        assert house.state(id_) is State.ENROUTE
        assert not house.parked(early_mailbox(A))

    def test_the_same_id_at_another_outlet_is_another_message(self) -> None:
        house = House()
        id_, (upstream_id,) = enroute(house)
        house.receipt(SIM, upstream_id)
        house.commit()
        assert house.state(id_) is State.ENROUTE

    def test_when_and_why_come_from_the_network(self) -> None:
        house = House()
        id_, (upstream_id,) = enroute(house)
        house.receipt(A, upstream_id, state=State.UNDELIVERABLE, error=69)
        progress = house.progress(id_)
        assert (progress.state, progress.error) == (State.UNDELIVERABLE, 69)

    @pytest.mark.parametrize("parts", [1, 2])
    @pytest.mark.parametrize("is_early", [False, True])
    @pytest.mark.parametrize(
        ("ago_ms", "is_true"),
        [
            (OLDEST_DONE_MS, True),
            (-NEWEST_DONE_MS, True),
            (OLDEST_DONE_MS + 1, False),
            (-NEWEST_DONE_MS - 1, False),
            (START_MS + 31_536_000_000, False),  # 1969
            (START_MS - 253_402_300_799_000, False),  # 9999
        ],
    )
    def test_a_date_that_cannot_be_true_is_none(
        self, ago_ms: int, is_true: bool, is_early: bool, parts: int
    ) -> None:
        house = House()
        (id_,) = house.admit(draft_to(f"417900000{parts}"))
        ids = [f"{id_}.{part}" for part in range(parts)]
        said = START_MS - ago_ms
        if is_early:
            house.receipt(A, *ids, done_ms=said)
        house.accept_all(A)
        if not is_early:
            house.receipt(A, *ids, done_ms=said)
        progress = house.progress(id_)
        assert progress.state is State.DELIVERED
        assert progress.done_ms == (said if is_true else START_MS)

    def test_of_a_part_that_is_to_be_sent_again_it_is_too_old(self) -> None:
        house = House()
        (id_,) = house.admit(draft_to("4379000002"))
        old = house.accept_all(SIM)
        house.restart()
        answers = house.receipt(SIM, *old)
        house.commit()
        assert answers == [0, 0]
        assert house.state(id_) is State.QUEUED
        house.receipt(SIM, *house.accept_all(SIM))
        assert house.state(id_) is State.DELIVERED


class TestEarly:
    def test_a_receipt_may_overtake_its_response(self) -> None:
        house = House()
        (id_,) = house.admit(draft_to())
        answers = house.receipt(A, "x")
        house.commit()
        assert answers == [0]
        assert len(house.parked(early_mailbox(A))) == 1
        house.outlets[A].take_back()
        house.settle(A, Sent(id_, "x"))
        house.commit()
        assert house.state(id_) is State.DELIVERED
        assert not house.parked(early_mailbox(A))
        assert len(house.parked()) == 1

    def test_it_is_remembered_over_a_restart(self) -> None:
        house = House()
        (id_,) = house.admit(draft_to())
        house.receipt(A, "x", state=State.UNDELIVERABLE, error=5)
        house.restart()
        house.outlets[A].take_back()
        house.settle(A, Sent(id_, "x"))
        assert (house.state(id_), house.progress(id_).error) == (State.UNDELIVERABLE, 5)

    def test_a_crash_between_the_response_and_the_match(self) -> None:
        house = House()
        (id_,) = house.admit(draft_to())
        house.receipt(A, "x")
        house.commit()
        house.outlets[A].take_back()
        house.settle(A, Sent(id_, "x"))  # two batches: the response, then the match
        assert house.store.unwritten == 2
        house.restart(committed=1)
        house.commit()
        assert house.on_disk()[id_].state is State.DELIVERED
        assert not house.parked(early_mailbox(A))
        assert [one.message_id for one in house.parked()] == [id_]

    def test_the_first_of_two_counts(self) -> None:
        house = House()
        (id_,) = house.admit(draft_to())
        house.receipt(A, "x")
        house.receipt(A, "x", state=State.UNDELIVERABLE)
        house.settle(A, Sent(id_, "x"))
        assert house.state(id_) is State.DELIVERED
        assert house.receipts.duplicates == 1

    def test_it_is_forgotten_after_an_hour(self) -> None:
        house = House()
        house.receipt(A, "x")
        house.advance(10)
        house.receipt(A, "y")
        house.advance(EARLY_KEEP_MS / 1000 - 10)
        house.commit()
        assert [one.reference for one in house.parked(early_mailbox(A))] == ["y"]
        assert house.log.events[-1] == ("receipt.unmatched", {"outlet": A, "upstream_id": "x"})
        assert house.receipts.unmatched == 1

    def test_one_that_names_no_message_is_not_kept(self) -> None:
        house = House()
        house.receipts.habits = {A: IdHabit("padded")}
        (id_,) = house.admit(draft_to())
        answers = house.receipt(A, "")
        house.receipt(A, "", state=State.ENROUTE)
        house.outlets[A].take_back()
        house.settle(A, Sent(id_, "0"))
        again = house.receipt(A, "")
        house.commit()
        assert answers + again == [0, 0]
        assert house.state(id_) is State.ENROUTE
        assert not house.parked(early_mailbox(A))
        assert (house.receipts.unmatched, house.receipts.duplicates) == (3, 0)
        told = [line for line in house.log.events if line[0] == "receipt.nameless"]
        assert told == [("receipt.nameless", {"outlet": A})]

    def test_too_many_are_asked_to_come_again(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(room, "_EARLY_LIMIT", 2)
        house = House()
        answers = house.receipt(A, "x", "y", "z", "y")
        house.commit()
        assert answers == [0, 0, Status.ESME_RX_T_APPN, 0]

    def test_of_one_part_while_another_is_in_flight(self) -> None:
        house = House()
        (id_,) = house.admit(draft_to("4179000002"))
        house.receipt(A, "x")
        house.settle(A, Sent(id_, "x", 0, 2))
        assert list(house.progress(id_).parts) == [State.DELIVERED, State.QUEUED]
        house.settle(A, Sent(id_, "y", 1, 2))
        house.receipt(A, "y")
        assert house.state(id_) is State.DELIVERED


class TestToTheClient:
    @pytest.mark.parametrize(
        ("registered_delivery", "on_success", "on_failure"),
        [(0, 0, 0), (1, 1, 1), (2, 0, 1), (3, 1, 0), (0x11, 1, 1), (0x10, 0, 0)],
    )
    def test_who_asked_is_told(
        self, registered_delivery: int, on_success: int, on_failure: int
    ) -> None:
        house = House()
        good, bad = house.admit(
            *[draft_to(registered_delivery=registered_delivery, callback_url=None)] * 2
        )
        house.settle(A, Sent(good, "x"), Failed(bad, 0x0B))
        house.receipt(A, "x")
        told = [one.message_id for one in house.parked() if one.kind == "receipt"]
        assert (told.count(good), told.count(bad)) == (on_success, on_failure)

    def test_the_receipt_reads_as_the_specification_has_it(self) -> None:
        house = House()
        draft = draft_to(source_addr_ton=5, dest_addr_ton=1, dest_addr_npi=1)
        draft.body += pack_tlv(Tag.USER_MESSAGE_REFERENCE, b"\x12\x34")
        draft.reference = "order 7"
        (id_,) = house.admit(draft)
        house.accept_all(A)
        house.now_ms += 61_000
        house.receipt(A, f"{id_}.0", state=State.UNDELIVERABLE, error=0x45)
        (delivery,) = house.parked()
        assert (delivery.mailbox, delivery.account, delivery.kind) == (HOME, "demo", "receipt")
        assert (delivery.message_id, delivery.reference) == (id_, "order 7")
        peek = peek_deliver_sm(delivery.body)
        assert (peek.source_addr, peek.source_addr_ton, peek.source_addr_npi) == (
            "4179000001",
            1,
            1,
        )
        assert (peek.destination_addr, peek.dest_addr_ton) == ("Shop", 5)
        assert peek.esm_class == 0x04
        text = delivery.body[peek.text_at : peek.text_at + peek.sm_length]
        assert text.startswith(f"id:{id_} ".encode())
        assert parse_receipt(text) is not None
        assert b"stat:UNDELIV err:069" in text
        assert b"sub:001 dlvrd:000" in text
        tlvs = {
            tag: find_tlv(delivery.body, peek.tlvs_at, tag)
            for tag in (
                Tag.RECEIPTED_MESSAGE_ID,
                Tag.MESSAGE_STATE,
                Tag.NETWORK_ERROR_CODE,
                Tag.USER_MESSAGE_REFERENCE,
            )
        }
        assert tlvs == {
            Tag.RECEIPTED_MESSAGE_ID: f"{id_}\0".encode(),
            Tag.MESSAGE_STATE: bytes([State.UNDELIVERABLE]),
            Tag.NETWORK_ERROR_CODE: b"\x07\x00\x45",
            Tag.USER_MESSAGE_REFERENCE: b"\x12\x34",
        }

    def test_a_receipt_counts_the_parts(self) -> None:
        house = House()
        _, upstream_ids = enroute(house, "4179000003")
        house.receipt(A, *upstream_ids[:2])
        house.receipt(A, upstream_ids[2], state=State.UNDELIVERABLE)
        (delivery,) = house.parked()
        assert b"sub:003 dlvrd:002" in delivery.body

    @pytest.mark.parametrize(("octets", "sub"), [(5, 1), (160, 1), (300, 2), (500, 4)])
    def test_what_never_left_counts_its_parts_too(self, octets: int, sub: int) -> None:
        house = House(outlets=[FakeOutlet(A, is_up=False)])
        payload = ((int(Tag.MESSAGE_PAYLOAD), b"y" * octets),)
        ends_ms = START_MS + 60_000
        house.admit(draft_to("4479000001", short_message=b"", tlvs=payload, expires_ms=ends_ms))
        house.advance(61)
        house.commit()
        (delivery,) = house.parked()
        assert delivery.state is State.EXPIRED
        assert b" sub:%03d dlvrd:000 " % sub in delivery.body

    def test_a_callback_has_a_mailbox_for_each_host(self) -> None:
        house = House()
        url = "https://user:pw@shop.example:8443/dlr?x=1"
        (id_,) = house.admit(draft_to(callback_url=url))
        house.settle(A, Failed(id_, 0x0B))
        (delivery,) = house.parked(Mailbox("callback:https://shop.example:8443"))
        assert delivery.callback_url == url
        assert house.parked() == []

    def test_no_host_is_too_long_for_the_store(self) -> None:
        house = House()
        url = "https://" + "h" * 2000 + "/dlr"
        (id_,) = house.admit(draft_to(callback_url=url))
        house.settle(A, Failed(id_, 0x0B))
        assert len(house.parked(mailbox_for("demo", url))) == 1

    def test_they_are_told_of_after_the_commit(self) -> None:
        house = House()
        _, (upstream_id,) = enroute(house)
        arrived: list[Delivery] = []
        house.receipts._arrived = arrived.extend
        house.receipt(A, upstream_id)
        assert not arrived
        house.commit()
        assert [one.state for one in arrived] == [State.DELIVERED]
        assert arrived[0].expires_ms == START_MS + DELIVERY_KEEP_MS


ADDRESSES = st.text(st.characters(min_codepoint=1, max_codepoint=255), max_size=20)


@given(
    source_addr=ADDRESSES,
    destination_addr=ADDRESSES,
    state=st.sampled_from(sorted(FINAL)),
    error=st.integers(0, 0x1FFFF),
    parts=st.lists(st.sampled_from([State.DELIVERED, State.UNDELIVERABLE]), max_size=255),
    reference=st.none() | st.binary(min_size=2, max_size=2),
)
def test_the_body_written_by_hand_is_the_one_the_codec_writes(
    source_addr: str,
    destination_addr: str,
    state: State,
    error: int,
    parts: list[State],
    reference: bytes | None,
) -> None:
    pdu = SubmitSm(source_addr=source_addr, destination_addr=destination_addr, dest_addr_ton=1)
    tlvs = pack_tlv(Tag.USER_MESSAGE_REFERENCE, reference) if reference is not None else b""
    message = Message(
        MessageId(2**62),
        AccountId("demo"),
        "smpp",
        START_MS,
        0,
        0,
        0,
        1,
        None,
        None,
        None,
        (),
        encode_body(pdu) + tlvs,
    )
    progress = Progress(state, A, done_ms=START_MS, error=error, parts=bytes(parts))
    body = receipt_body(message, progress)
    receipt = decode(Command.DELIVER_SM, body)
    assert isinstance(receipt, DeliverSm)
    assert encode_body(receipt) == body
    assert receipt == DeliverSm(
        source_addr=destination_addr,
        source_addr_ton=1,
        destination_addr=source_addr,
        esm_class=0x04,
        short_message=receipt.short_message,
        tlvs=receipt.tlvs,
    )
    assert f"err:{error % 1000:03d}".encode() in receipt.short_message
