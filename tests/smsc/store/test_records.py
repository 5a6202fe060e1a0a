"""Records survive the round trip; a changed one is noticed."""

from collections.abc import Callable

import attrs
import pytest
from hypothesis import given
from hypothesis import strategies as st

from smsc.message import (
    FINAL,
    AccountId,
    Asked,
    Delivery,
    Mailbox,
    Message,
    MessageId,
    Progress,
    State,
)
from smsc.store import records
from smsc.store.records import CorruptRecordError
from tests.contracts.store_contract import QUEUED, SIM, a_delivery, a_message

U64 = st.integers(0, (1 << 63) - 1)
TEXT = st.text(st.characters(codec=None), max_size=20)

MESSAGES = st.builds(
    Message,
    U64.map(MessageId),
    TEXT.map(AccountId),
    TEXT,
    U64,
    U64,
    U64,
    st.integers(0, 255),
    st.integers(0, 255),
    st.none() | TEXT,
    st.none() | U64,
    st.none() | TEXT,
    st.lists(TEXT, max_size=3).map(tuple),
    st.binary(max_size=300),
)


@given(MESSAGES)
def test_messages_come_back(message: Message) -> None:
    assert records.decode_message(message.id, records.encode_message(message)) == message


@pytest.mark.parametrize("state", State)
def test_progress_comes_back_and_tells_if_it_is_final(state: State) -> None:
    progress = Progress(state, SIM, 300, 1 << 41, 1, 0xFFFFFFFF, b"\x02" * 255, ("a", "", "é"))
    record = records.encode_progress(progress)
    found = records.decode_progress(record)
    assert found == progress
    assert isinstance(found.state, State)
    assert records.looks_final(record) == (state in FINAL)


@given(U64, st.integers(0, 255))
def test_upstream_ids_come_back(id_: int, part: int) -> None:
    record = records.encode_upstreams(((MessageId(id_), part),))[0]
    assert records.decode_upstream(record) == (id_, part)


@given(MESSAGES, TEXT.filter(bool))
def test_messages_with_a_callback_style_come_back(message: Message, style: str) -> None:
    message.callback_style = style
    assert records.decode_message(message.id, records.encode_message(message)) == message


@given(MESSAGES, TEXT, st.binary(max_size=300), st.lists(TEXT, max_size=3).map(tuple))
def test_messages_that_a_rule_changed_come_back(
    message: Message, style: str, body: bytes, tags: tuple[str, ...]
) -> None:
    message.callback_style = style
    message.asked = Asked(body, tags)
    assert records.decode_message(message.id, records.encode_message(message)) == message


def test_the_records_of_an_account_begin_alike_whatever_comes_behind() -> None:
    starts = records.message_starts("demo")
    message = attrs.evolve(a_message(1), account=AccountId("demo"))
    styled = attrs.evolve(message, callback_url="http://h/", callback_style="kannel:31")
    paid = attrs.evolve(message, charge=("demo", "", "0.05"))
    changed = attrs.evolve(message, asked=Asked(b"body", ("tag",)))
    for one in (message, styled, paid, changed):
        assert records.encode_message(one).startswith(starts, records.HEAD_OCTETS)


def test_deliveries_with_a_callback_style_come_back() -> None:
    delivery = attrs.evolve(
        a_delivery(9),
        callback_url="http://h/",
        callback_style="kannel:31",
        outlet="carrier",
        upstream_id="0a1b",
    )
    record = records.encode_delivery(delivery)
    assert records.decode_delivery(delivery.mailbox, delivery.id, record) == delivery


def test_deliveries_come_back() -> None:
    delivery = a_delivery(9)
    record = records.encode_delivery(delivery)
    assert records.decode_delivery(delivery.mailbox, delivery.id, record) == delivery


def decode_delivery(record: bytes) -> Delivery:
    return records.decode_delivery(Mailbox("demo"), MessageId(1), record)


def decode_message(record: bytes) -> Message:
    return records.decode_message(MessageId(1), record)


EACH = [
    (records.encode_message(a_message(1)), decode_message),
    (records.encode_progress(QUEUED), records.decode_progress),
    (records.encode_delivery(a_delivery(1)), decode_delivery),
    (records.encode_message(attrs.evolve(a_message(1), callback_style="s")), decode_message),
    (records.encode_delivery(attrs.evolve(a_delivery(1), callback_style="s")), decode_delivery),
    (records.encode_upstreams(((MessageId(77), 3),))[0], records.decode_upstream),
]


@pytest.mark.parametrize(("record", "decode"), EACH)
def test_every_flipped_bit_and_every_cut_is_noticed(
    record: bytes, decode: Callable[[bytes], object]
) -> None:
    for place in range(len(record)):
        for bit in range(8):
            changed = bytearray(record)
            changed[place] ^= 1 << bit
            with pytest.raises(CorruptRecordError):
                decode(bytes(changed))
        with pytest.raises(CorruptRecordError):
            decode(record[:place])


@pytest.mark.parametrize("decode", [decode_message, records.decode_progress, decode_delivery])
def test_a_sound_record_of_another_shape_is_corrupt(decode: Callable[[bytes], object]) -> None:
    with pytest.raises(CorruptRecordError):
        decode(records._seal((1, 2, 3)))
    with pytest.raises(CorruptRecordError):
        decode(records._seal(5))  # type: ignore[arg-type]


def test_packing_goes_on_after_text_that_utf8_lacks() -> None:
    odd = a_message(1)
    odd.reference = "\ud800"
    first = records.encode_message(a_message(2))
    records.encode_message(odd)
    assert records.encode_message(a_message(2)) == first


@pytest.mark.parametrize("reference", [None, "\ud800"])
def test_records_written_together_are_read_one_by_one(reference: str | None) -> None:
    messages = [a_message(number) for number in range(1, 6)]
    messages[2].reference = reference
    messages[3].callback_style = "s"
    deliveries = [a_delivery(number) for number in range(1, 6)]
    deliveries[1].reference = reference
    deliveries[4].callback_style = "s"
    progresses = [attrs.evolve(QUEUED, attempt=number) for number in range(5)]
    parts = [(MessageId(number), number) for number in range(5)]
    written = records.encode_messages(messages)
    read = [
        records.decode_message(one.id, record)
        for one, record in zip(messages, written, strict=True)
    ]
    assert read == messages
    sealed = records.encode_deliveries(deliveries)
    assert deliveries == [
        records.decode_delivery(one.mailbox, one.id, record)
        for one, record in zip(deliveries, sealed, strict=True)
    ]
    assert [*map(records.decode_progress, records.encode_progresses(progresses))] == progresses
    assert [*map(records.decode_upstream, records.encode_upstreams(parts))] == parts
