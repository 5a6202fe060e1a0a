"""What a Kannel request says of its text: charset, coding, class, and the octets they make.

*In*: octets of `text` and `udh`, the charset, and the numbers of the request.
*Out*: `Content`; the data_coding that Kannel would write; or `Misformed`, which names the field.
*Never*: I/O; Python's codecs that are no character sets.

Kannel: gw/smsbox.c (charset_processing), gw/sms.c (fields_to_dcs); TS 23.038 §4.
"""

import codecs
import re

import attrs

from bridges.http.dialects.base import Content, Invalid, hex_content
from pdu.text import gsm7
from pdu.text.coding import choose, encode_text
from pdu.text.udh import Udh

SEVEN_BIT, EIGHT_BIT, UCS2 = 0, 1, 2
_CHARSETS = re.compile(
    r"utf-(?:8|16|32)(?:-[bl]e)?|ascii|iso8859-\d+|cp\d+|koi8-[rtu]|mac-[a-z]+|big5.*|gb\w+"
    r"|shift_jis.*|euc_.*|iso2022_.*|hz|tis-620|ptcp154"
)
"""As `codecs.lookup` names them; punycode, idna and the like are not among them."""

_ICONV_NAMES = {"ucs-2": "utf-16-be", "ucs-2be": "utf-16-be", "iso-10646-ucs-2": "utf-16-be"}
"""Names of iconv that Python has not."""

_PLAIN = {SEVEN_BIT: 0x00, EIGHT_BIT: 0x04, UCS2: 0x08}
_STORED = {SEVEN_BIT: 0xD0, UCS2: 0xE0}
_DISCARDED = 0xC0
_ACTIVE = 0x08
_COMPRESSED = 0x20


@attrs.define(slots=True)
class Misformed:
    """A field that cannot be used, by the name that Kannel's answer gives it."""

    field: str


@attrs.define(slots=True)
class Wishes:
    """What a request asks of its coding; None where it does not say."""

    coding: int | None = None
    mclass: int | None = None
    mwi: int | None = None
    compress: int | None = None
    alt_dcs: int | None = None


BODY = Misformed("Charset or body")
"""Whatever is wrong with the text itself."""


def content_of(text: bytes, charset: str, udh: bytes, wishes: Wishes) -> Content | Misformed:
    """The octets of a message.

    Without `coding`, and without a header of its own, GSM-7 is taken if it has every character,
    else UCS-2, where Kannel would have put question marks. `coding=0` means what it says.
    """
    if udh and Udh.parse(udh) is None:
        return Misformed("UDH")
    coding = wishes.coding
    if coding is None and udh:
        coding = EIGHT_BIT
    encoded = _encode(text, charset, coding)
    if isinstance(encoded, Misformed):
        return encoded
    data, coding = encoded
    if not data and not udh:
        return BODY
    data_coding = data_coding_of(coding, wishes)
    if isinstance(data_coding, Misformed):
        return data_coding
    content = hex_content((udh + data).hex(), data_coding, bool(udh))
    return BODY if isinstance(content, Invalid) else content


def data_coding_of(coding: int, wishes: Wishes) -> int | Misformed:
    """The data coding scheme that Kannel makes of the request's numbers."""
    if wishes.mwi is not None:
        kind = wishes.mwi & 3 | (_ACTIVE if wishes.mwi < 4 else 0)
        if wishes.alt_dcs:
            return _DISCARDED | kind
        return _STORED[coding] | kind if coding in _STORED else Misformed("MWI")
    compressed = _COMPRESSED if wishes.compress else 0
    if wishes.mclass is None:
        return _PLAIN[coding] | compressed
    if wishes.alt_dcs:
        # Group 1111 knows 7-bit and 8-bit text only.
        octets = 0x04 if coding == EIGHT_BIT else 0
        return Misformed("Alt-DCS") if coding == UCS2 else 0xF0 | octets | wishes.mclass
    return 0x10 | _PLAIN[coding] | compressed | wishes.mclass


def _encode(text: bytes, charset: str, coding: int | None) -> tuple[bytes, int] | Misformed:
    if coding == EIGHT_BIT:
        return text, EIGHT_BIT
    characters = _decode(text, charset or ("utf-16-be" if coding == UCS2 else "utf-8"))
    if characters is None:
        return BODY
    if coding is None:
        choice = choose(characters)
        return choice.data, SEVEN_BIT if choice.data_coding == 0 else UCS2
    if coding == UCS2:
        data = encode_text(characters, _PLAIN[UCS2])
        return BODY if data is None else (data, UCS2)
    septets = gsm7.encode(characters)
    if septets is None:
        unknown = dict.fromkeys(map(ord, gsm7.missing(characters)), "?")
        septets = gsm7.encode(characters.translate(unknown))
    return BODY if septets is None else (septets, SEVEN_BIT)


def _decode(text: bytes, charset: str) -> str | None:
    """Characters of octets; None for a charset that is not known, or octets that it does not."""
    try:
        name = codecs.lookup(_ICONV_NAMES.get(charset.lower(), charset)).name
        return text.decode(name) if _CHARSETS.fullmatch(name) else None
    except (LookupError, ValueError):  # ValueError: wrong octets, or a NUL in the name
        return None
