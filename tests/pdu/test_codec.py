"""The fast codec against its slow twin, and the lazy decode against both."""

import random
from typing import Any

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from pdu import codec, reference
from pdu.commands import Command
from pdu.errors import BodyError
from pdu.fields import TABLES, Pdu
from pdu.message_pdus import (
    DeliverSm,
    DistributionList,
    QuerySmResp,
    SmeAddress,
    SubmitMulti,
    SubmitSm,
    SubmitSmResp,
)
from pdu.peek import SubmitPeek
from pdu.session_pdus import BindTransceiver, Outbind
from pdu.status import Status
from pdu.tlvs import Tag
from tests.pdu.strategies import any_pdu, bodies, mutate, mutated_bodies, pdus

LENIENT = codec.Habits(password_limit_octets=40, final_nul_may_miss=True)
HELLO = SubmitSm(
    service_type="CMT",
    source_addr_ton=5,
    source_addr="MyBrand",
    dest_addr_ton=1,
    dest_addr_npi=1,
    destination_addr="447700900123",
    registered_delivery=1,
    short_message=b"Hello world",
)


def outcome(decode: Any, command_id: int, body: bytes, *more: Any) -> Any:
    """The object, or what the error says."""
    try:
        return decode(command_id, body, *more)
    except BodyError as error:
        return error.status, error.field, error.why


@pytest.mark.parametrize("command_id", sorted(TABLES))
def test_every_operation_round_trips(command_id: int) -> None:
    @settings(max_examples=40)
    @given(pdus(command_id))
    def round_trip(pdu: Pdu) -> None:
        body = codec.encode_body(pdu)
        assert body == reference.encode_body(pdu)
        again = codec.decode(command_id, body)
        assert again == pdu == reference.decode(command_id, body)
        assert type(again) is type(pdu)

    round_trip()


@given(bodies() | mutated_bodies() | st.tuples(st.sampled_from(sorted(TABLES)), st.binary()))
@settings(max_examples=300)
def test_fast_and_slow_agree_on_any_octets(case: tuple[int, bytes]) -> None:
    assert outcome(codec.decode, *case) == outcome(reference.decode, *case)


def originals() -> list[tuple[int, bytes]]:
    """Every operation once, and submit_sm as often as all others together."""
    found = []
    for table in TABLES.values():
        found.append((table.command_id, codec.encode_body(table.cls())))
        found.append((4, codec.encode_body(HELLO)))
    multi = SubmitMulti(dest_address=(SmeAddress(1, 1, "44"), DistributionList("all")))
    found.append((multi.command_id, codec.encode_body(multi)))
    return found


def test_fast_and_slow_agree_on_mutated_octets() -> None:
    source = random.Random(3)
    good = originals()
    refused = 0
    for _ in range(20_000):
        command_id, body = source.choice(good)
        body = mutate(body, source)
        more = source.choice(((), (0, reference.STRICT), (3,), (0, LENIENT), (8, LENIENT)))
        fast = outcome(codec.decode, command_id, body, *more)
        assert fast == outcome(reference.decode, command_id, body, *more), (command_id, body.hex())
        refused += not isinstance(fast, Pdu)
    assert 2000 < refused < 18_000


@given(bodies() | mutated_bodies())
@settings(max_examples=150)
def test_what_decodes_encodes_to_the_same_octets(case: tuple[int, bytes]) -> None:
    command_id, body = case
    try:
        pdu = codec.decode(command_id, body)
    except BodyError:
        return
    assert codec.encode_body(pdu) == body


@given(
    st.sampled_from(("submit_sm", "deliver_sm")),
    st.data(),
    st.integers(0, 2**32),
    st.booleans(),
)
@settings(max_examples=250)
def test_peek_agrees_with_decode(name: str, data: st.DataObject, seed: int, mutating: bool) -> None:
    command_id = Command[name.upper()]
    peek = codec.peek_submit_sm if name == "submit_sm" else codec.peek_deliver_sm
    body = codec.encode_body(data.draw(pdus(command_id)))
    if mutating:
        body = mutate(body, random.Random(seed))
    pdu = outcome(codec.decode, command_id, body)
    if isinstance(pdu, Pdu):
        assert_same(peek(body), pdu, body)
    else:
        assert outcome(lambda _, octets: peek(octets), command_id, body) == pdu


def assert_same(peek: SubmitPeek, pdu: Any, body: bytes) -> None:
    for field in TABLES[pdu.command_id].fields:
        if field.name != "short_message":
            assert getattr(peek, field.name) == getattr(pdu, field.name), field.name
    assert body[peek.text_at : peek.tlvs_at] == pdu.short_message
    assert peek.sm_length == len(pdu.short_message)


def test_a_wrong_guess_at_the_shape_is_mended() -> None:
    """The place of the pieces is guessed from the last body; these change it at each step."""
    shapes = [
        SubmitSm(source_addr=source, destination_addr=destination, validity_period=validity)
        for source in ("", "A", "MyBrand", "12345678901234567890")
        for destination in ("", "4", "447700900123", "44770090012345678901")
        for validity in ("", "000007000000000R")
    ]
    order = shapes * 3
    random.Random(7).shuffle(order)
    for pdu in order:
        body = codec.encode_body(pdu)
        assert codec.decode(Command.SUBMIT_SM, body) == pdu
        assert_same(codec.peek_submit_sm(body), pdu, body)


def test_a_guess_is_not_taken_where_a_string_ends_early() -> None:
    """The octets at the guessed places fit, but the address between them holds a NUL."""
    first = codec.encode_body(SubmitSm(destination_addr="1" * 12))
    assert codec.peek_submit_sm(first).destination_addr == "1" * 12
    second = first[:6] + b"2222" + bytes(8) + first[18:]
    assert outcome(codec.decode, 4, second) == outcome(reference.decode, 4, second)
    assert codec.decode(4, second) != codec.decode(4, first)


@given(any_pdu(), st.integers(0, 0xFFFFFFFF), st.integers(0, 0xFFFFFFFF))
def test_encode_puts_the_header_in_front(pdu: Pdu, sequence_number: int, status: int) -> None:
    body = codec.encode_body(pdu)
    whole = codec.encode(pdu, sequence_number, status)
    assert whole == codec.pack(pdu.command_id, status, sequence_number, body)
    assert whole == codec.header(pdu.command_id, status, sequence_number, len(body)) + body
    numbers = (16 + len(body), pdu.command_id, status, sequence_number)
    assert whole[:16] == b"".join(number.to_bytes(4, "big") for number in numbers)


@pytest.mark.parametrize(
    ("pdu", "field"),
    [
        (SubmitSm(destination_addr="4" * 21), "destination_addr"),
        (SubmitSm(destination_addr="44\0"), "destination_addr"),
        (SubmitSm(destination_addr="€"), "destination_addr"),
        (SubmitSm(source_addr="a\0b"), "source_addr"),
        (SubmitSm(service_type="€"), "service_type"),
        (SubmitSm(esm_class=256), "esm_class"),
        (SubmitSm(data_coding=-1), "data_coding"),
        (SubmitSm(validity_period="0000"), "validity_period"),
        (SubmitSm(short_message=bytes(256)), "sm_length"),
        (SubmitSm(tlvs=((0x10000, b""),)), "TLV"),
        (SubmitSm(tlvs=((1, bytes(0x10000)),)), "TLV"),
        (SubmitMulti(dest_address=(SmeAddress(),) * 256), "number_of_dests"),
        (SubmitMulti(dest_address=(DistributionList("x" * 21),)), "dl_name"),
        (SubmitMulti(dest_address=(SubmitSm(),)), "dest_address"),  # type: ignore[arg-type]  # the point
        (SubmitSmResp(message_id="x" * 65), "message_id"),
        (SubmitSmResp(message_id="€"), "message_id"),
    ],
)
def test_what_does_not_fit_the_wire_is_named(pdu: Pdu, field: str) -> None:
    for encode in (codec.encode_body, reference.encode_body):
        with pytest.raises(ValueError, match=field):
            encode(pdu)


@pytest.mark.parametrize(
    ("change", "status"),
    [
        ({"service_type": "TOOLNG"}, None),
        ({"source_addr_ton": 7}, Status.ESME_RINVSRCTON),
        ({"source_addr_npi": 7}, Status.ESME_RINVSRCNPI),
        ({"dest_addr_ton": 9}, Status.ESME_RINVDSTTON),
        ({"dest_addr_npi": 2}, Status.ESME_RINVDSTNPI),
        ({"priority_flag": 4}, Status.ESME_RINVPRTFLG),
        ({"replace_if_present_flag": 2}, Status.ESME_RINVREPFLAG),
        ({"esm_class": 0x40, "short_message": b""}, Status.ESME_RINVESMCLASS),
        ({"esm_class": 0x40, "short_message": b"\x05abc"}, Status.ESME_RINVESMCLASS),
        ({"tlvs": ((Tag.USER_MESSAGE_REFERENCE, b"1"),)}, Status.ESME_RINVTLVLEN),
    ],
)
def test_a_value_out_of_range_is_answered_with_its_own_status(
    change: dict[str, Any], status: Status | None
) -> None:
    values = {field.name: getattr(HELLO, field.name) for field in TABLES[4].fields}
    pdu = SubmitSm(**(values | change))
    if status is None:
        with pytest.raises(ValueError, match="service_type"):
            codec.encode_body(pdu)
        return
    body = codec.encode_body(pdu)
    for judge in (lambda octets: codec.decode(4, octets), codec.peek_submit_sm):
        with pytest.raises(BodyError) as raised:
            judge(body)
        assert raised.value.status == status
    # What a message centre sends is taken as it comes.
    assert codec.peek_deliver_sm(body).destination_addr == "447700900123"
    assert codec.decode(Command.DELIVER_SM, body).tlvs == pdu.tlvs


@pytest.mark.parametrize(
    ("body", "status"),
    [
        (b"", Status.ESME_RINVCMDLEN),
        (b"TOOLONG\0", Status.ESME_RINVSERTYP),
        (b"\0\5\0" + b"A" * 21 + b"\0", Status.ESME_RINVSRCADR),
        (b"\0\5\0A\0\1\1" + b"4" * 21 + b"\0", Status.ESME_RINVDSTADR),
        (bytes(10) + b"261231235", Status.ESME_RINVCMDLEN),
        (bytes(10) + b"2612312359\0" + bytes(9), Status.ESME_RINVSCHED),
        (bytes(16), Status.ESME_RINVCMDLEN),
        (bytes(16) + b"\x05abc", Status.ESME_RINVMSGLEN),
        (bytes(17) + b"\x02\x04", Status.ESME_RINVTLVSTREAM),
        (bytes(17) + b"\x02\x04\0\2a", Status.ESME_RINVTLVSTREAM),
    ],
)
def test_broken_layout_is_answered_with_the_status_of_the_field(
    body: bytes, status: Status
) -> None:
    for judge in (lambda octets: codec.decode(4, octets), codec.peek_submit_sm):
        with pytest.raises(BodyError) as raised:
            judge(body)
        assert raised.value.status == status


def test_an_unknown_operation_is_a_body_error() -> None:
    for decode in (codec.decode, reference.decode):
        with pytest.raises(BodyError) as raised:
            decode(0x777, b"whatever")
        assert raised.value.status == Status.ESME_RINVCMDID


def test_unknown_and_repeated_tlvs_survive_in_order() -> None:
    tlvs = ((0x1501, b"a"), (0x0381, b"1234"), (0x1501, b""), (0x0381, b"5678"), (0xFFFF, b"z"))
    body = codec.encode_body(SubmitSm(tlvs=tlvs))
    again = codec.decode(4, body)
    assert again.tlvs == tlvs
    assert codec.encode_body(again) == body


def test_responses_may_lack_their_body() -> None:
    pdu = codec.decode(Command.SUBMIT_SM_RESP, b"", Status.ESME_RTHROTTLED)
    assert pdu == SubmitSmResp(bodiless=True)
    assert codec.encode_body(pdu) == b""
    assert codec.decode(Command.SUBMIT_SM_RESP, b"\0") == SubmitSmResp()


def test_an_unreadable_body_of_a_failed_response_is_as_none() -> None:
    """3.3 and 5.0 peers keep one NUL where several fields should be."""
    for decode in (codec.decode, reference.decode):
        failed = decode(Command.QUERY_SM_RESP, b"\0", Status.ESME_RQUERYFAIL)
        assert failed == QuerySmResp(bodiless=True)
        with pytest.raises(BodyError):
            decode(Command.QUERY_SM_RESP, b"\0", Status.ESME_ROK)
        with pytest.raises(BodyError):
            decode(Command.QUERY_SM, b"", Status.ESME_RQUERYFAIL)


def test_longer_passwords_only_by_option() -> None:
    pdu = BindTransceiver(system_id="esme01", password="p" * 20)
    body = codec.encode_body(pdu)
    with pytest.raises(BodyError) as raised:
        codec.decode(Command.BIND_TRANSCEIVER, body)
    assert raised.value.status == Status.ESME_RINVPASWD
    habits = codec.Habits(password_limit_octets=33)
    assert codec.decode(Command.BIND_TRANSCEIVER, body, habits=habits) == pdu


def test_a_missing_final_nul_only_by_option() -> None:
    habits = codec.Habits(final_nul_may_miss=True)
    with pytest.raises(BodyError):
        codec.decode(Command.SUBMIT_SM_RESP, b"1a2b")
    assert codec.decode(Command.SUBMIT_SM_RESP, b"1a2b", habits=habits).message_id == "1a2b"  # type: ignore[attr-defined]  # a SubmitSmResp
    with pytest.raises(BodyError):
        codec.decode(Command.OUTBIND, b"mc", habits=habits)
    assert codec.decode(Command.OUTBIND, b"mc\0pw", habits=habits) == Outbind("mc", "pw")
    # A body that has all its NULs reads the same with any habits.
    assert codec.decode(Command.OUTBIND, b"mc\0pw\0", habits=habits) == Outbind("mc", "pw")


@pytest.mark.parametrize("error_body", [False, True])
def test_many_responses_in_one_piece(error_body: bool) -> None:
    entries = [(1, 0, b"1"), (2, Status.ESME_RTHROTTLED, b"x"), (3, 0, b""), (4, 0, b"9" * 64)]
    refusal = SubmitSmResp(bodiless=not error_body)
    expected = b"".join(
        codec.encode(
            refusal if status else SubmitSmResp(message_id=message_id.decode()), sequence, status
        )
        for sequence, status, message_id in entries
    )
    assert codec.submit_sm_resps(entries, error_body=error_body) == expected
    with pytest.raises(ValueError, match="message_id"):
        codec.submit_sm_resps([(1, 0, b"9" * 65)])


@pytest.mark.parametrize("ids", [[b"7"], [b"98", b"99"], [b"98", b"99", b"100"], [b"9" * 64] * 3])
def test_many_good_responses_in_one_piece(ids: list[bytes]) -> None:
    numbers = list(range(5, 5 + len(ids)))
    entries = [(number, 0, id_) for number, id_ in zip(numbers, ids, strict=True)]
    assert codec.submit_sm_oks(numbers, ids) == codec.submit_sm_resps(entries)


def test_an_id_beyond_the_limit_is_no_good_response() -> None:
    with pytest.raises(ValueError, match="message_id"):
        codec.submit_sm_oks([1], [b"9" * 65])


def test_quick_constructors_make_the_same_objects() -> None:
    values = {field.name: getattr(HELLO, field.name) for field in TABLES[4].fields}
    assert codec.new_submit_sm(**values) == HELLO
    assert codec.new_submit_sm() == SubmitSm()
    assert codec.new_deliver_sm(source_addr="1") == DeliverSm(source_addr="1")
    with pytest.raises(TypeError):
        codec.new_submit_sm(no_such_field=1)  # type: ignore[call-arg]  # the point


def test_caches_stay_bounded() -> None:
    """More distinct pieces than a cache may hold: still right, still bounded."""
    from pdu.pieces import CACHE_ENTRIES

    for number in range(CACHE_ENTRIES + 100):
        pdu = SubmitSm(source_addr=str(number), tlvs=((0x204, number.to_bytes(2, "big")),))
        body = codec.encode_body(pdu)
        assert codec.decode(4, body) == pdu
        assert codec.peek_submit_sm(body).source_addr == str(number)
    sizes = [
        len(held)
        for function in (codec.peek_submit_sm, codec._decoders[4], codec._encoders[SubmitSm])
        for name, known in function.__globals__.items()
        if name.startswith("known_")
        for held in [known.__self__]
    ]
    assert len(sizes) == 8
    assert max(sizes) <= CACHE_ENTRIES


@pytest.mark.slow
def test_a_million_mutated_pdus_raise_nothing_but_body_errors() -> None:
    source = random.Random(1)
    good = originals()
    refused = 0
    for _ in range(1_000_000):
        command_id, body = source.choice(good)
        try:
            codec.decode(command_id, mutate(body, source))
        except BodyError:
            refused += 1
    assert 100_000 < refused < 1_000_000


@example((4, bytes(16) + b"\xff" + bytes(255)))
@example((5, bytes(16) + b"\xff" + bytes(254)))
@given(st.tuples(st.sampled_from(sorted(TABLES)), st.binary(min_size=300, max_size=600)))
def test_long_bodies_agree_too(case: tuple[int, bytes]) -> None:
    assert outcome(codec.decode, *case) == outcome(reference.decode, *case)
