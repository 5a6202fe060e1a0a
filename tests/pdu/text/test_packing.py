"""Packed septets: known vectors, inverse, padding rules."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pdu.text.packing import (
    pack,
    pack_short_message,
    pack_text,
    unpack,
    unpack_short_message,
    unpack_text,
    user_data_length,
)

SEPTETS = st.lists(st.integers(0, 127), max_size=400).map(bytes)
HEADERS = st.integers(0, 20).flatmap(
    lambda size: (
        st.just(b"")
        if size == 0
        else st.binary(min_size=size, max_size=size).map(lambda body: bytes([len(body)]) + body)
    )
)


def slow_pack(septets: bytes) -> bytes:
    """TS 23.038 §6.1.2 to the letter: septet i in bits 7i to 7i+6."""
    bits = sum(septet << 7 * at for at, septet in enumerate(septets))
    return bits.to_bytes((7 * len(septets) + 7) // 8, "little")


def test_the_classic() -> None:
    assert pack(b"hellohello").hex() == "e8329bfd4697d9ec37"
    assert unpack(bytes.fromhex("e8329bfd4697d9ec37")) == b"hellohello"


@given(SEPTETS)
def test_packing_equals_the_definition_and_unpacks(septets: bytes) -> None:
    packed = pack(septets)
    assert packed == slow_pack(septets)
    assert unpack(packed, len(septets)) == septets


@given(st.binary(max_size=200))
def test_unpacking_without_a_count_takes_all_that_fits(octets: bytes) -> None:
    septets = unpack(octets)
    assert len(septets) == 8 * len(octets) // 7
    spare = 8 * len(octets) - 7 * len(septets)
    kept = int.from_bytes(octets, "little") & ((1 << (8 * len(octets) - spare)) - 1)
    assert int.from_bytes(pack(septets), "little") == kept


def test_missing_octets_read_as_zero_and_bit_seven_is_dropped() -> None:
    assert unpack(b"\x01", 10) == b"\x01" + bytes(9)
    assert pack(b"\xe1\x80") == pack(b"\x61\x00")


@given(SEPTETS, HEADERS)
def test_header_fill_bits_and_length(septets: bytes, header: bytes) -> None:
    packed = pack_text(septets, header)
    assert packed.startswith(header)
    fill = (7 - 8 * len(header) % 7) % 7
    assert int.from_bytes(packed[len(header) :], "little") & ((1 << fill) - 1) == 0
    assert user_data_length(len(septets), len(header)) * 7 == 8 * len(header) + fill + 7 * len(
        septets
    )
    assert unpack_text(packed[len(header) :], len(header), len(septets)) == septets


@given(SEPTETS, HEADERS)
def test_padded_text_comes_back_without_its_length(septets: bytes, header: bytes) -> None:
    message = header + septets
    back = unpack_short_message(
        pack_short_message(message, has_udh=bool(header)), has_udh=bool(header)
    )
    if back != message:
        # What the rule cannot tell from padding: "@" or CR in the place where padding stands.
        assert message[:-1] == back
        assert message[-1] in {0x00, 0x0D}


@pytest.mark.parametrize(
    ("septets", "packed"),
    [
        (b"1234567", "31d98c56b3dd1a"),  # seven spare bits hold CR
        (b"1234567\r", "31d98c56b3dd1a0d"),  # a real CR on the boundary gets a second one
        (b"12345678", "31d98c56b3dd70"),
        (b"", ""),
    ],
)
def test_cr_rule(septets: bytes, packed: str) -> None:
    assert pack_short_message(septets).hex() == packed
    assert unpack_short_message(bytes.fromhex(packed)) == septets


def test_zero_padding_of_carriers_without_the_rule_is_no_at_sign() -> None:
    assert unpack_short_message(pack(b"1234567")) == b"1234567"


@given(st.binary(max_size=160), st.booleans())
def test_odd_packed_messages_unpack_to_something(octets: bytes, has_udh: bool) -> None:
    unpack_short_message(octets, has_udh=has_udh)
