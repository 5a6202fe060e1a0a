"""User data headers: read, written, never half read."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pdu.text.udh import Concat, Element, Iei, Ports, Udh, national, split_header, take_concat

ELEMENTS = st.lists(
    st.builds(Element, st.integers(0, 255), st.binary(max_size=12)), max_size=8
).map(tuple)


@given(ELEMENTS)
def test_round_trip(elements: tuple[Element, ...]) -> None:
    header = bytes(Udh(elements))
    assert (Udh.parse(header) if header else Udh()) == Udh(elements)
    assert split_header(header + b"text") == (header, b"text") or not header


@given(st.binary(max_size=40))
def test_any_octets_are_a_header_or_none(octets: bytes) -> None:
    parsed = Udh.parse(octets)
    if parsed is not None:
        assert parsed.elements == () or bytes(parsed) == octets
        assert parsed.alphabet is not None
        assert parsed.concat is None or 0 < parsed.concat.seqnum <= parsed.concat.total
    split = split_header(octets)
    assert split is None or b"".join(split) == octets


@pytest.mark.parametrize(
    "header", ["", "05", "050003cc02", "0500030102", "04000301", "0401", "060003cc0201", "0124"]
)
def test_lengths_that_do_not_add_up(header: str) -> None:
    assert Udh.parse(bytes.fromhex(header)) is None


@pytest.mark.parametrize(
    ("header", "concat"),
    [
        ("050003cc0201", Concat(0xCC, 2, 1, wide=False)),
        ("06080401cc0202", Concat(0x1CC, 2, 2, wide=True)),
        ("050003cc0001", None),
        ("050003cc0200", None),
        ("050003cc0203", None),
        ("0a0003cc02010003dd0302", Concat(0xDD, 3, 2, wide=False)),
        ("0a0003cc02010003dd0004", Concat(0xCC, 2, 1, wide=False)),
        ("0400020102", None),
    ],
)
def test_concatenation(header: str, concat: Concat | None) -> None:
    parsed = Udh.parse(bytes.fromhex(header))
    assert parsed is not None
    assert parsed.concat == concat


@given(
    st.binary(max_size=40), st.sampled_from(["", "050003cc0201", "050003cc0003", "06080401cc0202"])
)
def test_taking_the_concatenation_equals_reading_the_header(octets: bytes, start: str) -> None:
    short_message = bytes.fromhex(start) + octets
    split = split_header(short_message)
    parsed = Udh.parse(split[0]) if split else None
    taken = take_concat(short_message)
    if split is None or parsed is None:
        assert taken is None
    else:
        assert taken == (parsed.concat, bytes(Udh(parsed.without_concat())), split[1])


def test_concat_writes_its_element_and_wraps_its_reference() -> None:
    assert Concat(0x1CC, 2, 1, wide=False).element() == Element(Iei.CONCAT_8, b"\xcc\x02\x01")
    assert Concat(0x101CC, 2, 1, wide=True).element() == Element(Iei.CONCAT_16, b"\x01\xcc\x02\x01")


def test_ports() -> None:
    wide = Udh.parse(bytes.fromhex("0605040b8423f0"))
    narrow = Udh.parse(bytes.fromhex("0404020102"))
    assert wide is not None
    assert wide.ports == Ports(0x0B84, 0x23F0, wide=True)
    assert narrow is not None
    assert narrow.ports == Ports(1, 2, wide=False)
    assert Udh().ports is None


def test_national_tables() -> None:
    assert bytes(national(6, 6)).hex() == "06240106250106"
    assert bytes(national()) == b""
    parsed = Udh.parse(bytes.fromhex("0925010124010124010d"))
    assert parsed is not None
    assert (parsed.alphabet.locking, parsed.alphabet.single_shift) == (1, 13), "the last one wins"
