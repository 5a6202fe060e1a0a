"""Numbers as clients of a dialect write them, read by one rule.

*In*: a number as it came, the region that its national numbers are of.
*Out*: digits with the country code. *Never*: a guess where letters stand between the digits.

Number plans are read by `routing.normalise`, as intake does for accounts with a region. What has
no place in its plan is cleaned by hand: separators off, "00" off, a leading 0 is the country code.
"""

import re
from typing import Final

from pdu.address import SHORT_CODE_DIGITS

_WRITTEN: Final = re.compile(r"\+?[0-9(][0-9 ()./\-\u00a0]*", re.ASCII)
_E164_DIGITS: Final = range(7, 16)


class NumberReader:
    """Reads numbers as somebody in one region means them.

    :param region: ISO 3166 code like "CH"; "" = there are no national numbers.
    """

    __slots__ = ("_country_code", "_normaliser")

    def __init__(self, region: str = "") -> None:
        from phonenumbers import country_code_for_region  # number plans take 0.1 s to import:

        from routing.normalise import Normaliser  # only where a dialect that reads them is on

        self._normaliser = Normaliser(region)
        self._country_code = str(country_code_for_region(region)) if region else ""

    def digits(self, written: str) -> str:
        """The digits of whatever came, with the country code; "" when it has none."""
        read = self._normaliser.digits(written.strip())
        is_international = "+" in written
        if not (read.isascii() and read.isdigit()):
            read = re.sub(r"[^0-9]", "", read)
        if is_international or not read.startswith("0"):
            return read
        if read.startswith("00"):
            return read[2:]
        return self._country_code + read[1:] if self._country_code else read

    def address(self, written: str) -> str | None:
        """A number to send to: "+" and E.164 digits, or a short code; None when it is neither."""
        written = written.strip()
        if not _WRITTEN.fullmatch(written):
            return None
        digits = self.digits(written)
        is_short = len(digits) <= SHORT_CODE_DIGITS and digits == written
        if is_short and not digits.startswith("0"):
            return digits
        return f"+{digits}" if len(digits) in _E164_DIGITS and digits[0] != "0" else None
