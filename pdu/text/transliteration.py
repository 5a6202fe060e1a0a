"""Typographic characters in plain dress, so that a text stays GSM-7.

*In*: text. *Out*: text that reads the same; `lossy` also drops accents.
*Never*: a change to a character of the GSM-7 default alphabet, or to joiners between letters or
emoji that need them.

The usual set of "smart encoding". The output may be longer than the input: part afterwards.
"""

import re
import unicodedata
from typing import Final

from pdu.text import gsm7
from pdu.text.clusters import ZWJ, ZWNJ

_PAIRS: Final = {
    "'": "\u2018\u2019\u201a\u201b\u2032\u00b4`",
    '"': "\u201c\u201d\u201e\u201f\u2033\u00ab\u00bb",
    "-": "\u2010\u2011\u2012\u2013\u2014\u2015\u2212",
    "...": "\u2026",
    " ": "\t\u00a0\u2000\u2001\u2002\u2003\u2004\u2005\u2006\u2007\u2008\u2009\u200a\u202f\u205f\u3000",
    "": "\u00ad\u200b\ufeff\u2060",
    "*": "\u2022",
    ".": "\u00b7",
    "<": "\u2039",
    ">": "\u203a",
    "/": "\u2044",
    "x": "\u00d7",
    "TM": "\u2122",
    "(C)": "\u00a9",
    "(R)": "\u00ae",
    "\n": "\u2028\u2029",
    "ff": "\ufb00",
    "fi": "\ufb01",
    "fl": "\ufb02",
    "ffi": "\ufb03",
    "ffl": "\ufb04",
}
_PLAIN: Final = {ord(char): plain for plain, chars in _PAIRS.items() for char in chars} | {
    0xFF01 + i: chr(0x21 + i) for i in range(94)
}
_STRAY_JOINER: Final = re.compile("[\u200c\u200d]")
_GREEK: Final = dict(zip(map(ord, "ΑΒΕΗΙΚΜΝΟΡΤΥΧΖ"), "ABEHIKMNOPTYXZ", strict=True))
"""Greek capitals that look like Latin ones; the others are in the alphabet."""


def transliterate(text: str, *, lossy: bool = False) -> str:
    """Replace typographic characters by plain ones.

    `lossy`: accented Latin letters lose the accent where GSM-7 has not the letter itself, lower-case
    Greek becomes upper-case, look-alike Greek capitals become Latin, "ç" becomes "Ç".
    """
    plain = _drop_stray_joiners(text).translate(_PLAIN)
    return "".join(map(_base, unicodedata.normalize("NFC", plain))) if lossy else plain


def _drop_stray_joiners(text: str) -> str:
    """Zero-width joiners go where both neighbours are GSM-7 or absent: nothing there joins."""
    if chr(ZWJ) not in text and chr(ZWNJ) not in text:
        return text

    def keep(match: re.Match[str]) -> str:
        around = (
            text[max(match.start() - 1, 0) : match.start()] + text[match.end() : match.end() + 1]
        )
        return "" if gsm7.encode(around.translate(_PLAIN)) is not None else match[0]

    return _STRAY_JOINER.sub(keep, text)


def _base(char: str) -> str:
    """Nearest character of GSM-7, or the character itself."""
    if gsm7.encode(char) is not None:
        return char
    if char == "ç":
        return "Ç"
    base = "".join(c for c in unicodedata.normalize("NFD", char) if not unicodedata.combining(c))
    if "\u0370" <= base <= "\u03ff":
        base = base.upper().translate(_GREEK)
    return base if gsm7.encode(base) is not None else char
