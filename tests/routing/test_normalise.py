"""Numbers as people write them become E.164; the rest stays."""

import phonenumbers
import pytest

from pdu.address import Address, Npi, Ton
from pdu.peek import SubmitPeek
from routing.actions import NOTHING, Actions
from routing.normalise import Normaliser, is_region, normalise


@pytest.mark.parametrize(
    ("region", "ton", "written", "read"),
    [
        ("CH", 0, "022/364 8000", "41223648000"),
        (
            "CH",
            1,
            "0223648000",
            "41223648000",
        ),  # whatever the client says, no country code begins so
        ("CH", 0, "0041 22 364 80 00", "41223648000"),
        ("CH", 0, "+41 (22) 364.80-00", "41223648000"),
        ("CH", 0, "41223648000", "41223648000"),
        ("CH", 0, "223648000", "41223648000"),
        ("CH", 2, "223648000", "41223648000"),
        ("CH", 0, "447911123456", "447911123456"),
        ("CH", 1, "447911123456", "447911123456"),
        ("CH", 0, "00447911123456", "447911123456"),
        ("US", 0, "(201) 555-0123", "12015550123"),
        ("US", 0, "011447911123456", "447911123456"),
        ("IT", 0, "02 3618 8300", "390236188300"),  # the zero belongs to the number
        ("IT", 0, "3912345678", "393912345678"),  # begins like the country code, and is a mobile
        ("RU", 0, "8 912 345 67 89", "79123456789"),
        ("RU", 0, "810447911123456", "447911123456"),
        ("CH", 0, "12015550123", "12015550123"),
        ("DE", 0, "4915112345678", "4915112345678"),
        ("DE", 0, "15112345678", "4915112345678"),
        ("DE", 0, "41791234567", "41791234567"),  # a German fixed number could begin so
        ("DE", 0, "3012345678", "493012345678"),
        ("FR", 0, "06 12 34 56 78", "33612345678"),
        ("CN", 0, "13123456789", "8613123456789"),  # +1 312… would be valid too
        ("", 0, "+41 22 364 80 00", "41223648000"),
        ("CH", 0, "+41 (0)22 364 80 00", "41223648000"),
        ("CH", 1, "+41 (0)22 364 80 00", "41223648000"),
        ("", 0, "+44 (0) 7911 123456", "447911123456"),
        ("CH", 0, "+39 (0)2 3618 8300", "390236188300"),  # there the zero is dialled, too
        ("RU", 0, "+7 (812) 345-67-89", "78123456789"),  # 8 is the trunk prefix, and not here
        ("CH", 0, "+0041 22 364 80 00", "41223648000"),
        ("CH", 0, "+0041 (0)22 364 80 00", "41223648000"),
    ],
)
def test_numbers_become_international(region: str, ton: int, written: str, read: str) -> None:
    assert Normaliser(region).digits(written, ton) == read


@pytest.mark.parametrize(
    ("region", "ton", "written"),
    [
        ("CH", 0, "12345"),
        ("CH", 3, "868"),
        ("CH", 5, "Shop"),
        ("CH", 5, "0223648000"),  # a name that is made of digits
        ("CH", 3, "0223648000"),  # a long short code of one network
        ("CH", 5, "+41223648000"),
        ("CH", 0, "Shop 24"),
        ("CH", 0, "*100#"),
        ("CH", 0, "0800-FLOWERS"),
        ("CH", 0, ""),
        ("CH", 0, "+"),
        ("CH", 0, "+123"),
        ("CH", 0, "+(0)"),
        ("CH", 0, "99999999"),  # no number of any plan
        ("CH", 1, "999999999999"),  # the client says so
        ("CH", 0, "٠٢٢٣٦٤٨٠٠٠"),
        ("US", 0, "0791234567"),  # no trunk prefix there
        ("", 0, "0223648000"),
        ("", 0, "00412236480000"),
    ],
)
def test_what_is_no_number_stays(region: str, ton: int, written: str) -> None:
    assert Normaliser(region).digits(written, ton) == written


def test_the_quick_paths_agree_with_the_library() -> None:
    regions = [region for region in sorted(phonenumbers.SUPPORTED_REGIONS) if region not in _SHORT]
    for region in regions:
        example = phonenumbers.example_number_for_type(region, phonenumbers.PhoneNumberType.MOBILE)
        if example is None:
            continue
        e164 = phonenumbers.format_number(example, phonenumbers.PhoneNumberFormat.E164)
        national = phonenumbers.format_number(example, phonenumbers.PhoneNumberFormat.NATIONAL)
        normaliser = Normaliser(region)
        for written in (e164, e164[1:], national):
            assert normaliser.digits(written) == e164[1:], (region, written)


_SHORT = {"AC", "AD", "CK", "FK", "FO", "GL", "NC", "NF", "SH", "TK", "TV", "WF"}
"""Their mobile numbers are as short as short codes."""


def test_regions() -> None:
    assert is_region("CH")
    assert not is_region("ch")
    assert not is_region("XX")
    assert not is_region("")


def peek(**fields: object) -> SubmitPeek:
    made = SubmitPeek()
    for name, value in fields.items():
        setattr(made, name, value)
    return made


def test_both_addresses_of_a_message() -> None:
    swiss = Normaliser("CH")
    client = {"source_addr_ton": 0, "dest_addr_ton": 0}
    both = peek(source_addr="079 123 45 67", destination_addr="0041223648000", **client)
    assert normalise(both, swiss) == Actions(
        destination_addr="41223648000",
        source=Address(Ton.INTERNATIONAL, Npi.E164, "41791234567"),
    )
    fine = peek(source_addr="Shop", destination_addr="41223648000", **client)
    assert normalise(fine, swiss) is NOTHING
