"""Default alphabet and national tables: both ways, every character, odd input."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pdu.text import gsm7
from pdu.text.errors import TextError
from pdu.text.national import candidates, language
from pdu.text.septets import septet_alphabet
from pdu.text.tables import CONTESTED, LANGUAGES, LOCKING, SINGLE_SHIFT, VOID

EXTENSION = "\f^{}\\[~]|€"
DEFAULT = LOCKING[0].replace(VOID, "") + EXTENSION
PAIRS = [(locking, single) for locking in LOCKING for single in SINGLE_SHIFT]


@pytest.mark.parametrize(
    ("text", "septets"),
    [
        ("", b""),
        ("@", b"\x00"),
        ("a@€Δ", b"a\x00\x1be\x10"),
        ("$¤Ç", b"\x02\x24\x09"),
        ("\f[~]", b"\x1b\x0a\x1b\x3c\x1b\x3d\x1b\x3e"),
        ("Grüße, §5", b"Gr~\x1ee, \x5f5"),
    ],
)
def test_both_ways(text: str, septets: bytes) -> None:
    assert gsm7.encode(text) == septets
    assert gsm7.decode(septets) == text


@pytest.mark.parametrize(
    "text", ["ç", "`", "á", "\x00", "a\x00€", "\xa0", "я", "α", "😀", VOID, "\x1b"]
)
def test_outside_the_alphabet_is_none(text: str) -> None:
    assert gsm7.encode(text) is None
    assert gsm7.missing(f"ab{text}€{text}") == text.strip("a€")


@given(st.text(alphabet=DEFAULT))
def test_alphabet_round_trip(text: str) -> None:
    septets = gsm7.encode(text)
    assert septets is not None
    assert septets == gsm7.DEFAULT.encode(text), "the fast path and the general one agree"
    assert gsm7.decode(septets) == text
    assert gsm7.missing(text) == ""


@given(st.text())
def test_any_text_is_coded_faithfully_or_not_at_all(text: str) -> None:
    septets = gsm7.encode(text)
    if septets is None:
        assert gsm7.missing(text)
    else:
        assert gsm7.decode(septets) == text


@given(st.binary())
def test_any_octets_decode(octets: bytes) -> None:
    text = gsm7.decode(octets)
    assert text == gsm7.DEFAULT.decode(octets), "the fast path and the general one agree"
    assert len(text) <= len(octets)


@pytest.mark.parametrize(
    ("septets", "text"),
    [
        (b"a\x1b", "a "),
        (b"\x1b\x1ba", " a"),
        (b"\x1b\x1b\x1be", " €"),
        (b"\x1ba", "a"),
        (b"\x1b\x0d", "\r"),
        (b"\x1b\x00", "@"),
        (b"\xe9a", "�a"),
        (b"\x1b\xe9\x1be", " �€"),
    ],
)
def test_odd_septets_show_what_23_038_says(septets: bytes, text: str) -> None:
    assert gsm7.decode(septets) == text


@pytest.mark.parametrize(("locking", "single_shift"), PAIRS)
def test_national_tables_code_each_character_and_back(locking: int, single_shift: int) -> None:
    alphabet = septet_alphabet(locking, single_shift)
    taken = set()
    for kind, number, table in (
        ("locking", locking, LOCKING[locking]),
        ("single_shift", single_shift, SINGLE_SHIFT[single_shift]),
    ):
        for code, char in enumerate(table):
            if char == VOID or (kind, number, code) in CONTESTED:
                continue
            septets = alphabet.encode(char)
            assert septets is not None
            assert alphabet.decode(septets) == char
            if char not in taken:
                assert septets == (b"" if kind == "locking" else b"\x1b") + bytes([code])
            taken.add(char)


def test_contested_codes_are_read_and_never_written() -> None:
    kannada, telugu = septet_alphabet(7, 0), septet_alphabet(0, 12)
    assert kannada.decode(b"\x24") == "\u0ca1"
    assert kannada.encode("\u0caa") == b"\x3d"
    assert kannada.encode("\u0ca1") is None
    assert telugu.decode(b"\x1be") == "€"
    assert telugu.encode("€") is None


def test_unknown_identifiers_mean_the_default_tables() -> None:
    alphabet = septet_alphabet(2, 99)
    assert (alphabet.locking, alphabet.single_shift) == (0, 0)
    assert alphabet.decode(b"\x09\x1be") == "Ç€"


def test_locking_alone_keeps_the_default_extension() -> None:
    assert septet_alphabet(6, 0).decode(b"\x1be") == "€"


def test_languages_by_name_and_number() -> None:
    assert [language(name) for name in LANGUAGES] == list(range(1, 14))
    assert language("Urdu") == language(13) == 13
    for unknown in ("klingon", 0, 14):
        with pytest.raises(TextError, match="no national language table"):
            language(unknown)
    spanish = [(a.locking, a.single_shift) for a in candidates(["spanish"])]
    assert spanish == [(0, 2)], "Spanish has no locking table"
