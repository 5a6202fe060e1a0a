"""data_coding: which alphabet, which message class, what else it asks of the handset.

*In*: the data_coding octet of SMPP and, for 0, what the account means by it. *Out*: `Alphabet`,
`MessageClass`, flags. *Never*: characters; `coding.py` turns octets into text.

SMPP 3.4 §5.2.19; the high values are the GSM data coding scheme, TS 23.038 §4.
"""

from enum import Enum, IntEnum
from typing import Final


class Alphabet(Enum):
    """How octets of a text become characters. The value is a name for people and settings."""

    GSM7 = "gsm7"
    """Default alphabet, one septet an octet."""
    GSM7_PACKED = "gsm7-packed"
    """Default alphabet, eight septets in seven octets: only by an account's wish."""
    ASCII = "ascii"
    LATIN1 = "latin1"
    OCTETS = "octets"
    """8-bit data; not text."""
    UCS2 = "ucs2"
    """UTF-16BE in truth: surrogate pairs appear."""
    JIS = "jis"
    CYRILLIC = "cyrillic"
    HEBREW = "hebrew"
    PICTOGRAM = "pictogram"
    ISO_2022_JP = "iso-2022-jp"
    EXTENDED_KANJI = "extended-kanji"
    KS_C_5601 = "ks-c-5601"

    __hash__ = object.__hash__
    """Members are single objects; the enum's own hash runs Python code for each look-up."""


class MessageClass(IntEnum):
    """TS 23.038 §4; class 0 shows at once and is not stored."""

    FLASH = 0
    MOBILE_EQUIPMENT = 1
    SIM = 2
    TERMINAL_EQUIPMENT = 3


_SMPP: Final = {
    0x01: Alphabet.ASCII,
    0x02: Alphabet.OCTETS,
    0x03: Alphabet.LATIN1,
    0x04: Alphabet.OCTETS,
    0x05: Alphabet.JIS,
    0x06: Alphabet.CYRILLIC,
    0x07: Alphabet.HEBREW,
    0x08: Alphabet.UCS2,
    0x09: Alphabet.PICTOGRAM,
    0x0A: Alphabet.ISO_2022_JP,
    0x0D: Alphabet.EXTENDED_KANJI,
    0x0E: Alphabet.KS_C_5601,
}
_BY_BITS_3_2: Final = (Alphabet.GSM7, Alphabet.OCTETS, Alphabet.UCS2, Alphabet.GSM7)
"""Bits 3-2 of the general groups; 3 is reserved and read as the default (TS 23.038 §4)."""


CODECS: Final = {
    Alphabet.ASCII: "ascii",
    Alphabet.LATIN1: "latin-1",
    Alphabet.OCTETS: "latin-1",
    Alphabet.JIS: "shift_jis",
    Alphabet.CYRILLIC: "iso8859-5",
    Alphabet.HEBREW: "iso8859-8",
    # The pictogram coding of Japanese networks is Shift JIS with private symbols.
    Alphabet.PICTOGRAM: "shift_jis",
    Alphabet.ISO_2022_JP: "iso2022_jp",
    Alphabet.EXTENDED_KANJI: "euc_jp",
    Alphabet.KS_C_5601: "euc_kr",
}
"""Python's codec for each alphabet but GSM-7 and UCS-2, which have code of their own."""


def _alphabet(data_coding: int) -> Alphabet:
    if data_coding < 0x10:
        return _SMPP.get(data_coding, Alphabet.GSM7)
    group = data_coding >> 4
    if group < 0x8:
        # 00xx and 01xx: bit 5 says compressed, which nobody can read as text.
        return Alphabet.OCTETS if data_coding & 0x20 else _BY_BITS_3_2[data_coding >> 2 & 3]
    if group == 0xE:
        return Alphabet.UCS2
    if group == 0xF:
        return Alphabet.OCTETS if data_coding & 0x04 else Alphabet.GSM7
    return Alphabet.GSM7


def _message_class(data_coding: int) -> MessageClass | None:
    group = data_coding >> 4
    if group == 0xF or (0x10 <= data_coding < 0x80 and data_coding & 0x10):
        return MessageClass(data_coding & 3)
    return None


ALPHABETS: Final = tuple(map(_alphabet, range(256)))
_CLASSES: Final = tuple(map(_message_class, range(256)))


def alphabet_of(data_coding: int, default: Alphabet = Alphabet.GSM7) -> Alphabet:
    """Alphabet of a data_coding octet; `default` is what the account means by 0.

    0x00-0x0E are SMPP's own values, not a GSM data coding scheme; from 0x10 on the octet is read as
    one. Reserved values read as the default alphabet, compressed text as octets.
    """
    return ALPHABETS[data_coding] if data_coding else default


def message_class(data_coding: int) -> MessageClass | None:
    """Class that the octet asks for; None where it names none."""
    return _CLASSES[data_coding]


class Waiting(IntEnum):
    """What waits: message waiting indication, TS 23.038 §4 groups 1100 to 1110."""

    VOICEMAIL = 0
    FAX = 1
    EMAIL = 2
    OTHER = 3


def waiting_indication(data_coding: int) -> tuple[Waiting, bool] | None:
    """Return (kind, active) of a message waiting octet, None for all others.

    Group 1100 also allows the handset to discard the text.
    """
    if 0xC0 <= data_coding <= 0xEF:
        return Waiting(data_coding & 3), bool(data_coding & 0x08)
    return None


def deletes_itself(data_coding: int) -> bool:
    """Whether the octet is of group 01xx: removed from the handset once read."""
    return 0x40 <= data_coding < 0x80


def tp_dcs(data_coding: int) -> int:
    """TP-DCS that a message centre writes for a data_coding: SMPP's own values are none.

    Latin-1, JIS and the like have no TP-DCS: transcode to GSM-7 (0x00) or UCS-2 (0x08) first; as
    they stand they would read as the default alphabet.
    """
    if data_coding >= 0x10:
        return data_coding
    return {Alphabet.OCTETS: 0x04, Alphabet.UCS2: 0x08}.get(ALPHABETS[data_coding], 0x00)


def with_class(alphabet: Alphabet, wanted: MessageClass) -> int:
    """data_coding octet for a text of `alphabet` in a class: 0xF0 for flash GSM-7, 0x18 for UCS-2.

    Only the three alphabets of GSM have one; the others raise `KeyError`.
    """
    return _CLASS_BASE[alphabet] | wanted


_CLASS_BASE: Final = {Alphabet.GSM7: 0xF0, Alphabet.OCTETS: 0xF4, Alphabet.UCS2: 0x18}
