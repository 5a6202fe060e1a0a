"""Numbers as people write them, as E.164 digits.

*In*: an address with its type of number, and the region that national numbers are of.
*Out*: bare digits with the country code; the address itself when it is a short code, a name, or
nothing that could be made a number.
*Never*: guesses a country: without a region only "+" is taken off.

"022/364 8000" with CH is 41223648000. Rules tried in this order, the cheap ones first:
"+" is international, once "(0)" or "00" behind it is off; so are digits of type international
that begin with no zero (no country code does); up to six digits are a short code; then the
region's own way to dial abroad ("00", "011", "810") and its trunk prefix ("0", "8", none in
Italy) are read by `phonenumbers`. Other bare digits are read as the first of these that is a
valid number: with the region's own country code, a mobile of the region, with the code of
another country, any other number of the region.
"""

import re
from typing import Final, NamedTuple

import phonenumbers
from phonenumbers import NumberParseException, PhoneNumber, PhoneNumberType

from pdu.address import SHORT_CODE_DIGITS, Address, Npi, Ton
from pdu.peek import SubmitPeek
from routing.actions import NOTHING, Actions

_SEPARATORS: Final = str.maketrans("", "", " ()./-\u00a0")
_E164_DIGITS: Final = range(7, 16)
_DIALLED_TONS: Final = frozenset({Ton.UNKNOWN, Ton.INTERNATIONAL, Ton.NATIONAL})
"""The others are names, short codes and numbers that only one network knows."""
_MOBILE: Final = frozenset(
    {PhoneNumberType.MOBILE, PhoneNumberType.FIXED_LINE_OR_MOBILE, PhoneNumberType.PAGER}
)
_DIALLED: Final = re.compile(r"\+?[0-9]+", re.ASCII)


def is_region(region: str) -> bool:
    """Whether there are number plans for this region, ISO 3166 in capitals like "CH"."""
    return region in phonenumbers.SUPPORTED_REGIONS


class Normaliser:
    """Reads numbers as somebody in one region means them.

    :param region: ISO 3166 code like "CH"; "" = none.
    """

    __slots__ = ("_country_code", "_maybe_national", "_plan", "region")

    def __init__(self, region: str = "") -> None:
        self.region = region
        self._country_code = str(phonenumbers.country_code_for_region(region)) if region else ""
        self._plan = _plan_of(region)
        # One more: the trunk prefix may stand before it.
        lengths = self._plan.lengths
        self._maybe_national = lengths | {length + 1 for length in lengths}

    def digits(self, addr: str, ton: int = Ton.UNKNOWN) -> str:
        """E.164 digits of an address, or the address as it is."""
        if addr.isascii() and addr.isdigit():
            if addr[0] != "0" and (ton == Ton.INTERNATIONAL or self._is_foreign_to_plan(addr)):
                return addr
            dialled = addr
        else:
            dialled = addr.translate(_SEPARATORS)
            if not _DIALLED.fullmatch(dialled):
                return addr
            if dialled[0] == "+":
                if ton not in _DIALLED_TONS:
                    return addr
                if "(" in addr or dialled.startswith("+0"):
                    dialled = _without_zeros(dialled)
                return dialled[1:] if len(dialled) - 1 in _E164_DIGITS else addr
        if len(dialled) <= SHORT_CODE_DIGITS or ton not in _DIALLED_TONS:
            return addr
        return (self._dialled(dialled, ton) if self.region else None) or addr

    def _is_foreign_to_plan(self, digits: str) -> bool:
        """The usual case without a type: nothing that the region could mean by itself."""
        return len(digits) not in self._maybe_national and not self._plan.abroad.match(digits)

    def _dialled(self, digits: str, ton: int) -> str | None:
        if (
            self._plan.trunk == "0" and digits[0] == "0" != digits[1]
        ):  # the usual national form, 0.5 µs
            significant = digits[1:]
            if len(significant) in self._plan.lengths:
                return self._country_code + significant
        national = _parse(digits, self.region)
        if digits[0] == "0" or ton == Ton.NATIONAL:
            return _sure(national, self._country_code, ton)
        abroad = _parse("+" + digits, None)
        if abroad is not None and not phonenumbers.is_valid_number(abroad):
            abroad = None
        if abroad is not None and digits.startswith(self._country_code):
            return digits
        kind = None if national is None else phonenumbers.number_type(national)
        if national is not None and kind in _MOBILE:
            return _e164(national)
        if abroad is not None:
            return digits
        return None if national is None or kind == PhoneNumberType.UNKNOWN else _e164(national)


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


def _without_zeros(international: str) -> str:
    """As "+41 (0)22 364 80 00" or "+0041 22 364 80 00" is dialled; what is no number stays.

    The trunk prefix belongs to the number in some plans (Italy), so the plan of its country says.
    """
    number = _parse("+" + international[1:].removeprefix("00"), None)
    if number is None or not phonenumbers.is_possible_number(number):
        return international
    return "+" + _e164(number)


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


class _Plan(NamedTuple):
    """What the quick paths know of a region."""

    trunk: str
    """Trunk prefix; "" where it is more than a prefix, or there is none."""
    lengths: frozenset[int]
    """Lengths of national mobile and fixed numbers: those that messages go to."""
    abroad: re.Pattern[str]
    """How an international number is dialled."""


def _plan_of(region: str) -> _Plan:
    metadata = phonenumbers.PhoneMetadata.metadata_for_region(region, None) if region else None
    if metadata is None:
        return _Plan("", frozenset(), re.compile(r"(?!)"))
    general = metadata.general_desc.possible_length if metadata.general_desc is not None else ()
    lengths: set[int] = set()
    for kind in (metadata.mobile, metadata.fixed_line):
        if kind is not None:  # a kind that names no lengths has those of the whole plan
            lengths.update(kind.possible_length or general)
    is_simple = (
        metadata.national_prefix_for_parsing == metadata.national_prefix
        and metadata.national_prefix_transform_rule is None
    )
    return _Plan(
        (metadata.national_prefix or "") if is_simple else "",
        frozenset(length for length in lengths if length > 0),
        re.compile(metadata.international_prefix or r"(?!)"),
    )
