"""Which coding a text gets, and what octets of a coding say.

*In*: text, or octets with their data_coding. *Out*: a `Choice`, or text.
*Never*: an exception for odd octets: what cannot be read shows as U+FFFD.

TS 23.038 §6.2 (GSM-7, UCS-2), SMPP 3.4 §5.2.19. The cheapest coding by *parts* wins, in this order
where they tie: GSM-7, GSM-7 after transliteration, GSM-7 with national tables, UCS-2.
"""

from collections.abc import Iterable
from typing import Final, NamedTuple

from pdu.text import gsm7
from pdu.text.alphabet import CODECS, Alphabet, alphabet_of
from pdu.text.national import candidates
from pdu.text.packing import unpack_text
from pdu.text.segmenter import last_part
from pdu.text.septets import REPLACEMENT, SeptetAlphabet
from pdu.text.transliteration import transliterate as plain
from pdu.text.udh import Udh
from pdu.text.udh import national as national_header

_SINGLE_SEPTETS: Final = 160


class Choice(NamedTuple):
    """A coded text, ready for `segmenter.segment(data, data_coding, udh=udh)`."""

    coding: str
    """"gsm7" or "ucs2"; "latin1" or "ascii" where the account says that 0 means so."""
    data_coding: int
    """0 or 8."""
    data: bytes
    """Septets one an octet, or UTF-16BE."""
    parts: int
    left_in_last_part: int
    """Septets or UTF-16 units that the last part still takes."""
    given: str
    """The text as it came."""
    text: str
    """What the handset will show: the text given, or its transliteration."""
    udh: bytes = b""
    """Header that names national tables; empty without them."""

    @property
    def forced_by(self) -> str:
        """The characters outside the GSM-7 default alphabet, each once: why it is not plain."""
        return gsm7.missing(self.given)


def choose(
    text: str,
    *,
    transliterate: bool = False,
    lossy: bool = False,
    national: Iterable[int | str] = (),
    default: Alphabet = Alphabet.GSM7,
) -> Choice:
    """Choose the cheapest coding.

    `transliterate`: a quote may become straight, a dash short; `lossy`: accents may go as well.
    `national`: tables that the recipient's network is known to support, by identifier (1-13) or
    name ("turkish"). `default`: what the account or carrier means by data_coding 0; where that is
    not GSM-7, packed or not, the choice is between it and UCS-2. A lone surrogate, which no coding
    carries, becomes U+FFFD.
    """
    if default is not Alphabet.GSM7 and default is not Alphabet.GSM7_PACKED:
        return _by_octets(
            text, plain(text, lossy=lossy) if transliterate or lossy else text, default
        )
    septets = gsm7.encode(text)
    if septets is not None:
        length = len(septets)
        if length <= _SINGLE_SEPTETS:
            return Choice("gsm7", 0, septets, 1, _SINGLE_SEPTETS - length, text, text, b"")
        parts, left = last_part(septets, Alphabet.GSM7)
        return Choice("gsm7", 0, septets, parts, left, text, text, b"")
    best = _ucs2(text)
    shown = plain(text, lossy=lossy) if transliterate or lossy else text
    for found in _septet_choices(text, shown, tuple(national)):
        # Candidates come in falling preference and all beat UCS-2 where they tie with it.
        if found.parts < best.parts or (found.parts == best.parts and best.coding == "ucs2"):
            best = found
    return best


def decode_text(
    data: bytes, data_coding: int, default: Alphabet = Alphabet.GSM7, *, udh: bytes = b""
) -> str:
    """Text of octets without their header; never raises.

    `default` is what the account means by data_coding 0; `udh` (UDHL first) may name national
    tables. Octets above 0x7F in 7-bit text, torn or lone UTF-16 units and bytes that a coding does
    not know show as U+FFFD. 8-bit data reads as Latin-1, which keeps every octet. UCS-2 with a
    byte order mark is read as the mark says and the mark dropped: some peers send it.
    """
    alphabet = alphabet_of(data_coding, default)
    if alphabet is Alphabet.GSM7:
        return _septet_alphabet(udh).decode(data)
    if alphabet is Alphabet.UCS2:
        return decode_utf16(data)
    if alphabet is Alphabet.GSM7_PACKED:
        return _septet_alphabet(udh).decode(unpack_text(data, len(udh)))
    return data.decode(CODECS[alphabet], "replace")


def encode_text(text: str, data_coding: int, default: Alphabet = Alphabet.GSM7) -> bytes | None:
    """Octets of `text` in a data_coding that is given; None where a character has none.

    Septets of GSM-7 stay unpacked, also for accounts with packed text: parting comes before
    packing (`packing.pack_text`).
    """
    alphabet = alphabet_of(data_coding, default)
    if alphabet in {Alphabet.GSM7, Alphabet.GSM7_PACKED}:
        return gsm7.encode(text)
    try:
        if alphabet is Alphabet.UCS2:
            return encode_utf16(text)
        return text.encode(CODECS[alphabet])
    except UnicodeEncodeError:
        return None


def encode_utf16(text: str) -> bytes:
    """Big-endian, without a mark unless the text itself begins like one.

    A leading U+FEFF or U+FFFE would be taken for the byte order mark by readers that know it (ours
    does), so a mark goes before it. Raises `UnicodeEncodeError` for a lone surrogate.
    """
    data = text.encode("utf-16-be")
    return b"\xfe\xff" + data if data[:2] in {b"\xfe\xff", b"\xff\xfe"} else data


def decode_utf16(data: bytes) -> str:
    """Big-endian unless a mark says otherwise; a torn last octet or lone surrogate is U+FFFD."""
    if data[:2] == b"\xff\xfe":
        return data[2:].decode("utf-16-le", "replace")
    if data[:2] == b"\xfe\xff":
        data = data[2:]
    return data.decode("utf-16-be", "replace")


def _septet_alphabet(udh: bytes) -> SeptetAlphabet:
    if not udh:
        return gsm7.DEFAULT
    parsed = Udh.parse(udh)
    return gsm7.DEFAULT if parsed is None else parsed.alphabet


def _ucs2(text: str) -> Choice:
    shown = text
    try:
        data = encode_utf16(text)
    except UnicodeEncodeError:
        shown = "".join(REPLACEMENT if "\ud800" <= char <= "\udfff" else char for char in text)
        data = encode_utf16(shown)
    parts, left = last_part(data, Alphabet.UCS2)
    return Choice("ucs2", 8, data, parts, left // 2, text, shown)


def _by_octets(text: str, shown: str, default: Alphabet) -> Choice:
    """One octet a character where data_coding 0 means so, else UCS-2; as it stands if it can."""
    for candidate in (text, shown):
        data = encode_text(candidate, 0, default)
        if data is not None:
            parts, left = last_part(data, default)
            return Choice(default.value, 0, data, parts, left, text, candidate)
    return _ucs2(text)


def _septet_choices(text: str, shown: str, national: tuple[int | str, ...]) -> Iterable[Choice]:
    """GSM-7 codings that can carry the text, most wanted first; `shown` is its plain form."""
    if shown is not text:
        septets = gsm7.encode(shown)
        if septets is not None:
            parts, left = last_part(septets, Alphabet.GSM7)
            yield Choice("gsm7", 0, septets, parts, left, text, shown)
    for alphabet in candidates(national):
        septets = alphabet.encode(text)
        if septets is not None:
            udh = bytes(national_header(alphabet.locking, alphabet.single_shift))
            parts, left = last_part(septets, Alphabet.GSM7, udh)
            yield Choice("gsm7", 0, septets, parts, left, text, text, udh)
