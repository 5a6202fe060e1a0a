"""Addresses: what people write, what PDUs may hold."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pdu.address import (
    Address,
    AddressFault,
    Npi,
    Ton,
    destination_fault,
    guess_destination,
    guess_source,
    source_fault,
)


@pytest.mark.parametrize(
    ("text", "address"),
    [
        ("+41791234567", (1, 1, "41791234567")),
        ("41791234567", (1, 1, "41791234567")),
        (" +41 (79) 123-45.67 ", (1, 1, "41791234567")),
        ("12345", (3, 0, "12345")),
        ("123456", (3, 0, "123456")),
        ("1234567", (1, 1, "1234567")),
        ("+123", (1, 1, "123")),
        ("Bank", (5, 0, "Bank")),
        ("Bank 24", (5, 0, "Bank 24")),
        ("1-Shop", (5, 0, "1-Shop")),
        ("+", (5, 0, "+")),
        ("٣٤٥", (5, 0, "٣٤٥")),
        ("", (0, 0, "")),
    ],
)
def test_source(text: str, address: tuple[int, int, str]) -> None:
    assert guess_source(text) == address


def test_length_of_short_codes_is_a_setting() -> None:
    assert guess_source("12345678", short_code_digits=8) == (3, 0, "12345678")
    assert guess_destination("12345", short_code_digits=4) == (1, 1, "12345")


def test_destination_is_never_alphanumeric() -> None:
    assert guess_destination("+41791234567") == (1, 1, "41791234567")
    assert guess_destination("12345") == (3, 0, "12345")
    assert guess_destination("Bank") == (0, 0, "Bank")
    assert destination_fault(*guess_destination("Bank")) is AddressFault.NOT_A_NUMBER


@pytest.mark.parametrize(
    ("address", "fault"),
    [
        ((1, 1, "41791234567"), None),
        ((0, 0, "+41791234567"), None),
        ((0, 0, ""), None),
        ((0, 0, "Bank"), None),
        ((3, 0, "12345"), None),
        ((6, 0, "*100#"), None),
        ((5, 0, "ElevenChars"), None),
        ((5, 0, "TwelveChars!"), AddressFault.TOO_LONG),
        ((5, 0, "[EuroShop]€"), AddressFault.TOO_LONG),
        ((5, 0, "Банк"), AddressFault.CHARACTERS),
        ((0, 0, "Банк"), AddressFault.CHARACTERS),
        ((1, 1, "Bank"), AddressFault.NOT_A_NUMBER),
        ((1, 1, "4" * 20), None),
        ((1, 1, "4" * 21), AddressFault.TOO_LONG),
        ((7, 1, "41"), AddressFault.TON),
        ((255, 1, ""), AddressFault.TON),
        ((1, 2, "41"), AddressFault.NPI),
        ((5, 7, "Bank"), AddressFault.NPI),
        ((0, 14, "10.0.0.1"), None),
        ((1, 14, "10.0.0.1"), None),
    ],
)
def test_source_fault(address: tuple[int, int, str], fault: AddressFault | None) -> None:
    assert source_fault(*address) is fault


@pytest.mark.parametrize(
    ("address", "fault"),
    [
        ((1, 1, "41791234567"), None),
        ((0, 0, "+41791234567"), None),
        ((1, 1, ""), AddressFault.EMPTY),
        ((5, 0, "Bank"), AddressFault.ALPHANUMERIC),
        ((0, 0, "Bank"), AddressFault.NOT_A_NUMBER),
        ((9, 1, "41"), AddressFault.TON),
        ((1, 11, "41"), AddressFault.NPI),
        ((1, 1, "4" * 21), AddressFault.TOO_LONG),
    ],
)
def test_destination_fault(address: tuple[int, int, str], fault: AddressFault | None) -> None:
    assert destination_fault(*address) is fault


def test_faults_know_their_status() -> None:
    assert [fault.source_status for fault in AddressFault] == [0x48, 0x49] + [0x0A] * 5
    assert [fault.destination_status for fault in AddressFault] == [0x50, 0x51] + [0x0B] * 5


@pytest.mark.parametrize(("ton", "npi"), [(ton, npi) for ton in range(9) for npi in range(20)])
def test_reserved_values(ton: int, npi: int) -> None:
    fault = source_fault(ton, npi, "")
    if ton not in set(Ton):
        assert fault is AddressFault.TON
    elif npi not in set(Npi):
        assert fault is AddressFault.NPI
    else:
        assert fault is None


@given(st.text(max_size=30))
def test_what_is_guessed_stays_an_address(text: str) -> None:
    found = guess_source(text)
    assert isinstance(found, Address)
    assert found.ton in set(Ton)
    assert source_fault(*found) in {None, AddressFault.TOO_LONG, AddressFault.CHARACTERS}
