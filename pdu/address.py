"""Addresses: type of number, numbering plan, and what may stand in the text.

*In*: an address as a person or an HTTP client writes it, or the three fields of a PDU.
*Out*: `Address`, or the named fault. *Never*: number plans of countries; routing knows prefixes.

SMPP 3.4 §5.2.5 (TON), §5.2.6 (NPI). Field practice: alphanumeric senders 5/0 with at most 11
characters, short codes 3/0, MSISDNs 1/1 without "+".
"""

import re
from enum import IntEnum, StrEnum
from typing import Final, NamedTuple

from pdu.text import gsm7

MAX_ALPHANUMERIC_SEPTETS: Final = 11
"""Ten octets of packed TP-OA, TS 23.040 §9.1.2.5."""
MAX_DIGITS: Final = 20
"""TP-OA and TP-DA carry 20 semi-octets; E.164 itself ends at 15."""
SHORT_CODE_DIGITS: Final = 6


class Ton(IntEnum):
    """Type of number; 7 and above are reserved."""

    UNKNOWN = 0
    INTERNATIONAL = 1
    NATIONAL = 2
    NETWORK_SPECIFIC = 3
    SUBSCRIBER = 4
    ALPHANUMERIC = 5
    ABBREVIATED = 6


class Npi(IntEnum):
    """Numbering plan indicator; values not named are reserved."""

    UNKNOWN = 0
    E164 = 1
    X121 = 3
    TELEX = 4
    E212 = 6
    NATIONAL = 8
    PRIVATE = 9
    ERMES = 10
    INTERNET = 14
    WAP = 18


_TONS: Final = frozenset(Ton)
_NPIS: Final = frozenset(Npi)


class Address(NamedTuple):
    """TON, NPI and text, as three neighbouring fields of a PDU hold them."""

    ton: int
    npi: int
    addr: str


class AddressFault(StrEnum):
    """What is wrong with an address; `source_status` and `destination_status` answer it."""

    TON = "reserved type of number"
    NPI = "reserved numbering plan"
    EMPTY = "no destination"
    NOT_A_NUMBER = "characters that a number has not"
    TOO_LONG = "more characters than an address carries"
    ALPHANUMERIC = "an alphanumeric address cannot be a destination"
    CHARACTERS = "characters outside the GSM 7-bit alphabet"

    @property
    def source_status(self) -> int:
        """ESME_RINVSRCTON 0x48, ESME_RINVSRCNPI 0x49, else ESME_RINVSRCADR 0x0A."""
        return {AddressFault.TON: 0x48, AddressFault.NPI: 0x49}.get(self, 0x0A)

    @property
    def destination_status(self) -> int:
        """ESME_RINVDSTTON 0x50, ESME_RINVDSTNPI 0x51, else ESME_RINVDSTADR 0x0B."""
        return {AddressFault.TON: 0x50, AddressFault.NPI: 0x51}.get(self, 0x0B)


_WRITTEN_NUMBER = re.compile(r"\+?[0-9][0-9 ()./\-]*", re.ASCII)
_SEPARATORS = re.compile(r"[ ()./\-]")
_NUMBER = re.compile(r"\+?[0-9*#]+", re.ASCII)


def guess_source(text: str, short_code_digits: int = SHORT_CODE_DIGITS) -> Address:
    """TON and NPI for a sender as people write it; the caller checks it with `source_fault`.

    Digits (with separators) behind "+", or more than `short_code_digits` of them: 1/1, "+" and
    separators stripped. Fewer digits: a short code, 3/0. Anything else: alphanumeric, 5/0.
    Empty: 0/0, the message centre's default sender.
    """
    text = text.strip()
    if not text:
        return Address(Ton.UNKNOWN, Npi.UNKNOWN, "")
    if not _WRITTEN_NUMBER.fullmatch(text):
        return Address(Ton.ALPHANUMERIC, Npi.UNKNOWN, text)
    digits = _SEPARATORS.sub("", text)
    if digits.startswith("+"):
        return Address(Ton.INTERNATIONAL, Npi.E164, digits[1:])
    if len(digits) <= short_code_digits:
        return Address(Ton.NETWORK_SPECIFIC, Npi.UNKNOWN, digits)
    return Address(Ton.INTERNATIONAL, Npi.E164, digits)


def guess_destination(text: str, short_code_digits: int = SHORT_CODE_DIGITS) -> Address:
    """As `guess_source`, but what is no number keeps 0/0: nobody can be reached by a name."""
    found = guess_source(text, short_code_digits)
    if found.ton == Ton.ALPHANUMERIC:
        return Address(Ton.UNKNOWN, Npi.UNKNOWN, found.addr)
    return found


def source_fault(ton: int, npi: int, addr: str) -> AddressFault | None:
    """Why this sender is refused, None when it is fine; an empty one is."""
    if not addr:
        return _plan_fault(ton, npi)
    if ton == Ton.ALPHANUMERIC:
        septets = gsm7.encode(addr)
        if septets is None:
            return AddressFault.CHARACTERS
        if len(septets) > MAX_ALPHANUMERIC_SEPTETS:
            return AddressFault.TOO_LONG
        return _plan_fault(ton, npi)
    # Many clients send names with TON 0: taken as alphanumeric if it could be one.
    if ton == Ton.UNKNOWN and not _NUMBER.fullmatch(addr):
        return source_fault(Ton.ALPHANUMERIC, npi, addr)
    return _plan_fault(ton, npi) or _number_fault(npi, addr)


def destination_fault(ton: int, npi: int, addr: str) -> AddressFault | None:
    """Why this recipient is refused, None when it is fine."""
    if not addr:
        return AddressFault.EMPTY
    if ton == Ton.ALPHANUMERIC:
        return AddressFault.ALPHANUMERIC
    return _plan_fault(ton, npi) or _number_fault(npi, addr)


def _plan_fault(ton: int, npi: int) -> AddressFault | None:
    if ton not in _TONS:
        return AddressFault.TON
    return None if npi in _NPIS else AddressFault.NPI


def _number_fault(npi: int, addr: str) -> AddressFault | None:
    # An internet address or a WAP client id is not made of digits.
    if npi in {Npi.INTERNET, Npi.WAP}:
        return None
    if not _NUMBER.fullmatch(addr):
        return AddressFault.NOT_A_NUMBER
    return AddressFault.TOO_LONG if len(addr.lstrip("+")) > MAX_DIGITS else None
