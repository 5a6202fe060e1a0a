"""Numbers as people write them, as E.164 digits.

*In*: an address with its type of number, and the region that national numbers are of.
*Out*: bare digits with the country code; the address itself when it is a short code, a name, or
nothing that could be made a number.
*Never*: guesses a country: without a region only "+" is taken off.

"022/364 8000" with CH is 41223648000. Rules tried in this order, the cheap ones first:
"+" is international; so are digits of type international that begin with no zero (no country
code does); up to six digits are a short code; then the region's own way to dial abroad ("00",
"011", "810") and its trunk prefix ("0", "8", none in Italy) are read by `phonenumbers`. Other
bare digits are read as the first of these that is a valid number: with the region's own country
code, national, with the code of another country.
"""

import re
from typing import Final

import phonenumbers
from phonenumbers import NumberParseException, PhoneNumber

from pdu.address import SHORT_CODE_DIGITS, Address, Npi, Ton
from pdu.peek import SubmitPeek
from routing.actions import NOTHING, Actions

_SEPARATORS: Final = str.maketrans("", "", " ()./-\u00a0")
_E164_DIGITS: Final = range(7, 16)
_DIALLED_TONS: Final = frozenset({Ton.UNKNOWN, Ton.INTERNATIONAL, Ton.NATIONAL})
"""The others are names, short codes and numbers that only one network knows."""
_DIALLED: Final = re.compile(r"\+?[0-9]+", re.ASCII)


def is_region(region: str) -> bool:
    """Whether there are number plans for this region, ISO 3166 in capitals like "CH"."""
    return region in phonenumbers.SUPPORTED_REGIONS


class Normaliser:
    """Reads numbers as somebody in one region means them.

    :param region: ISO 3166 code like "CH"; "" = none.
    """

    __slots__ = ("_country_code", "_national_lengths", "_own_lengths", "_trunk", "region")

    def __init__(self, region: str = "") -> None:
        self.region = region
        self._country_code = str(phonenumbers.country_code_for_region(region)) if region else ""
        self._trunk, self._national_lengths = _plan(region) if region else ("", frozenset())
        # One more: the trunk prefix may stand before it.
        alone = self._national_lengths | {length + 1 for length in self._national_lengths}
        behind_code = {length + len(self._country_code) for length in self._national_lengths}
        self._own_lengths = behind_code - alone

    def digits(self, addr: str, ton: int = Ton.UNKNOWN) -> str:
        """E.164 digits of an address, or the address as it is."""
        if addr.isascii() and addr.isdigit():
            if addr[0] != "0" and (ton == Ton.INTERNATIONAL or self._is_own(addr)):
                return addr
            dialled = addr
        else:
            dialled = addr.translate(_SEPARATORS)
            if not _DIALLED.fullmatch(dialled):
                return addr
            if dialled[0] == "+":
                is_number = len(dialled) - 1 in _E164_DIGITS and ton in _DIALLED_TONS
                return dialled[1:] if is_number else addr
        if len(dialled) <= SHORT_CODE_DIGITS or ton not in _DIALLED_TONS:
            return addr
        return (self._dialled(dialled, ton) if self.region else None) or addr

    def _is_own(self, digits: str) -> bool:
        """The usual case without a type: country code and a national number of the region."""
        # Only where no national number of this length could begin like the country code.
        return len(digits) in self._own_lengths and digits.startswith(self._country_code)

    def _dialled(self, digits: str, ton: int) -> str | None:
        trunk = self._trunk
        if trunk == "0" and digits[0] == "0" != digits[1]:  # the usual national form, 0.5 µs
            significant = digits[1:]
            if len(significant) in self._national_lengths:
                return self._country_code + significant
        national = _parse(digits, self.region)
        if digits[0] == "0" or ton == Ton.NATIONAL:
            return _sure(national, self._country_code, ton)
        abroad = _parse("+" + digits, None)
        if abroad is not None and not phonenumbers.is_valid_number(abroad):
            abroad = None
        if abroad is not None and digits.startswith(self._country_code):
            return digits
        if national is not None and phonenumbers.is_valid_number(national):
            return _e164(national)
        return None if abroad is None else digits


def normalise(peek: SubmitPeek, normaliser: Normaliser) -> Actions:
    """What to rewrite so that both addresses are E.164: `Actions` for `routing.rewrite.rewrite`."""
    destination = normaliser.digits(peek.destination_addr, peek.dest_addr_ton)
    sender = normaliser.digits(peek.source_addr, peek.source_addr_ton)
    same_destination = destination == peek.destination_addr
    same_sender = sender == peek.source_addr
    if same_destination and same_sender:
        return NOTHING
    return Actions(
        destination_addr=None if same_destination else destination,
        source=None if same_sender else Address(Ton.INTERNATIONAL, Npi.E164, sender),
    )


def _sure(number: PhoneNumber | None, country_code: str, ton: int) -> str | None:
    """E.164 digits of a number that cannot be meant otherwise."""
    if number is None:
        return None
    # A number plan knows less than the network: what is dialled as abroad or is called national
    # need only be possible; the rest, with a trunk prefix, must be valid.
    is_sure = ton == Ton.NATIONAL or str(number.country_code) != country_code
    fits = phonenumbers.is_possible_number if is_sure else phonenumbers.is_valid_number
    return _e164(number) if fits(number) else None


def _parse(text: str, region: str | None) -> PhoneNumber | None:
    try:
        return phonenumbers.parse(text, region)
    except NumberParseException:
        return None


def _e164(number: PhoneNumber) -> str:
    return phonenumbers.format_number(number, phonenumbers.PhoneNumberFormat.E164)[1:]


def _plan(region: str) -> tuple[str, frozenset[int]]:
    """Trunk prefix and lengths of national numbers; ("", …) where it is more than a prefix."""
    metadata = phonenumbers.PhoneMetadata.metadata_for_region(region, None)
    general = metadata.general_desc if metadata is not None else None
    if metadata is None or general is None:
        return "", frozenset()
    lengths = frozenset(length for length in general.possible_length if length > 0)
    is_simple = (
        metadata.national_prefix_for_parsing == metadata.national_prefix
        and metadata.national_prefix_transform_rule is None
    )
    return (metadata.national_prefix or "") if is_simple else "", lengths
