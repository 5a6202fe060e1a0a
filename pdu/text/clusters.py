"""Where a text may be parted without tearing a user-perceived character.

*In*: text and an index. *Out*: yes or no. *Never*: octets; the segmenter knows those.

A light reading of Unicode Standard Annex #29 (extended grapheme clusters): base with combining
marks and variation selectors, ZWJ sequences, emoji modifiers and tags, pairs of regional
indicators, Hangul syllables, CR LF. Properties come from `unicodedata`; where that has no grapheme
property the answer leans to "joined", which costs a part a character and never tears one.
"""

import unicodedata
from functools import lru_cache
from typing import Final

ZWNJ: Final = 0x200C
ZWJ: Final = 0x200D
_FIRST_EXTENDER = 0x0300
"""Below it only CR LF joins."""

_PREPENDED = frozenset(
    map(
        ord,
        "\u0600\u0601\u0602\u0603\u0604\u0605\u06dd\u070f\u0890\u0891\u08e2\u0d4e"
        "\U000110bd\U000110cd\U000111c2\U000111c3\U0001193f\U00011941\U00011a3a\U00011d46\U00011f02",
    )
)
_VIRAMAS = frozenset(
    [
        0x094D,
        0x09CD,
        0x0ACD,
        0x0B4D,
        0x0C4D,
        0x0D4D,
        0x1039,
        0x17D2,
        0x1A60,
        0x1B44,
        0x1BAB,
        0xA9C0,
        0xAAF6,
    ]
)
"""Linkers of conjuncts (UAX #29 rule GB9c): Indic scripts, Myanmar, Khmer, Tai Tham, Balinese,
Sundanese, Javanese, Meetei Mayek."""


def joined(text: str, at: int) -> bool:
    """Whether `text[at - 1]` and `text[at]` belong to one cluster; `at` within 1 … len - 1."""
    before, after = ord(text[at - 1]), ord(text[at])
    if not may_join(before, after):
        return False
    if _is_regional(after) and _is_regional(before):
        return _regional_run(text, at) % 2 == 1
    return _pair_joined(before, after) or _linked(text, at)


@lru_cache(maxsize=8192)
def may_join(before: int, after: int) -> bool:
    """Whether two neighbouring code points can belong together; mostly the answer is no."""
    if after < _FIRST_EXTENDER:
        return (before == 0x0D and after == 0x0A) or before in _PREPENDED
    if _is_regional(after) and _is_regional(before):
        return True
    return _pair_joined(before, after) or (_is_indic_letter(after) and _extends(before))


def _regional_run(text: str, at: int) -> int:
    """Count the regional indicators that end just before `at`."""
    run = 0
    while run < at and _is_regional(ord(text[at - 1 - run])):
        run += 1
    return run


def _linked(text: str, at: int) -> bool:
    """Whether a virama stands among the marks before an Indic letter (rule GB9c)."""
    back = at - 1
    while back >= 0 and _extends(ord(text[back])):
        if ord(text[back]) in _VIRAMAS:
            return _is_indic_letter(ord(text[at]))
        back -= 1
    return False


def _is_regional(char: int) -> bool:
    return 0x1F1E6 <= char <= 0x1F1FF


def _is_indic_letter(char: int) -> bool:
    return 0x0900 <= char <= 0xAAFF and unicodedata.category(chr(char)) == "Lo"


def _pair_joined(before: int, after: int) -> bool:
    if after < _FIRST_EXTENDER:
        return (before == 0x0D and after == 0x0A) or before in _PREPENDED
    if _extends(after) or before == ZWJ or before in _PREPENDED:
        return True
    return _hangul_joined(before, after)


def _extends(char: int) -> bool:
    if unicodedata.category(chr(char)) in {"Mn", "Me", "Mc"}:
        return True
    # SARA AM and its Lao twin are spacing marks of category Lo; half-width voiced marks are Lm.
    if char in {ZWNJ, ZWJ, 0x0E33, 0x0EB3, 0xFF9E, 0xFF9F}:
        return True
    return 0x1F3FB <= char <= 0x1F3FF or 0xE0020 <= char <= 0xE007F


def _hangul_joined(before: int, after: int) -> bool:
    left, right = _hangul_kind(before), _hangul_kind(after)
    match left:
        case "L":
            return right in {"L", "V", "LV", "LVT"}
        case "V" | "LV":
            return right in {"V", "T"}
        case "T" | "LVT":
            return right == "T"
        case _:
            return False


def _hangul_kind(char: int) -> str:
    if 0x1100 <= char <= 0x115F or 0xA960 <= char <= 0xA97C:
        return "L"
    if 0x1160 <= char <= 0x11A7 or 0xD7B0 <= char <= 0xD7C6:
        return "V"
    if 0x11A8 <= char <= 0x11FF or 0xD7CB <= char <= 0xD7FB:
        return "T"
    if 0xAC00 <= char <= 0xD7A3:
        return "LV" if (char - 0xAC00) % 28 == 0 else "LVT"
    return ""
