"""Choice of coding, and reading octets of any coding."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pdu.text.alphabet import Alphabet
from pdu.text.coding import choose, decode_text, encode_text
from pdu.text.errors import TextError
from pdu.text.segmenter import count_parts
from pdu.text.tables import LANGUAGES
from pdu.text.transliteration import transliterate


@pytest.mark.parametrize(
    ("text", "coding", "parts", "left", "forced_by"),
    [
        ("", "gsm7", 1, 160, ""),
        ("a" * 160, "gsm7", 1, 0, ""),
        ("a" * 161, "gsm7", 2, 145, ""),
        ("€" * 80, "gsm7", 1, 0, ""),
        ("a" * 152 + "€" + "b" * 20, "gsm7", 2, 131, ""),
        ("ç", "ucs2", 1, 69, "ç"),
        ("я" * 70, "ucs2", 1, 0, "я"),
        ("я" * 71, "ucs2", 2, 63, "я"),
        ("Zoë 😀 ё", "ucs2", 1, 62, "ë😀ё"),
    ],
)
def test_choice(text: str, coding: str, parts: int, left: int, forced_by: str) -> None:
    choice = choose(text)
    assert (choice.coding, choice.parts, choice.left_in_last_part) == (coding, parts, left)
    assert choice.forced_by == forced_by
    assert choice.data_coding == (8 if coding == "ucs2" else 0)
    assert decode_text(choice.data, choice.data_coding) == choice.text == text


def test_transliteration_keeps_gsm7_and_says_what_it_replaced() -> None:
    text = "“quoted” – text…"
    assert choose(text).coding == "ucs2"
    choice = choose(text, transliterate=True)
    assert (choice.coding, choice.text, choice.forced_by) == ("gsm7", '"quoted" - text...', "“”–…")
    assert choose("“я”", transliterate=True).text == "“я”", "all or nothing"


def test_transliteration_that_needs_more_parts_is_not_taken() -> None:
    # 70 units are one part; 70 ellipses become 210 septets.
    choice = choose("…" * 70, transliterate=True)
    assert (choice.coding, choice.parts) == ("ucs2", 1)


def test_national_tables_only_when_asked_for_and_when_no_dearer() -> None:
    text = "ğüşıöç" * 20
    assert choose(text).coding == "ucs2"
    choice = choose(text, national=["turkish"])
    assert (choice.coding, choice.parts, choice.udh.hex()) == ("gsm7", 1, "03250101")
    assert decode_text(choice.data, 0, udh=choice.udh) == text
    single = choose("Şişli", national=[1])
    assert single.udh.hex() == "03240101", "the single shift is tried before the locking one"
    assert choose("я", national=list(LANGUAGES)).coding == "ucs2"
    with pytest.raises(TextError):
        choose("я", national=["klingon"])


def test_lossy_transliteration_drops_accents() -> None:
    assert choose("Přílíš “ž”", transliterate=True).coding == "ucs2"
    choice = choose("Přílíš “ž”", lossy=True)
    assert (choice.coding, choice.text) == ("gsm7", 'Prilis "z"')


def test_an_account_whose_zero_is_no_gsm7() -> None:
    latin = choose("ça va @ 5$", default=Alphabet.LATIN1)
    assert (latin.coding, latin.data_coding, latin.data) == ("latin1", 0, b"\xe7a va @ 5$")
    assert (latin.parts, latin.left_in_last_part) == (1, 130)
    assert choose("a" * 141, default=Alphabet.LATIN1).parts == 2
    assert choose("5 €", default=Alphabet.LATIN1).coding == "ucs2"
    assert choose("“a”", default=Alphabet.ASCII).coding == "ucs2"
    plain = choose("“a”", default=Alphabet.ASCII, transliterate=True)
    assert (plain.coding, plain.data, plain.text) == ("ascii", b'"a"', '"a"')
    assert choose("a€", default=Alphabet.GSM7_PACKED).data == b"a\x1be", (
        "packing comes after parting"
    )


def test_both_national_tables() -> None:
    text = "नमस्ते दुनिया १२३"
    choice = choose(text, national=["hindi"])
    assert decode_text(choice.data, 0, udh=choice.udh) == text
    assert choice.udh.hex() in {"03240106", "06240106250106"}


def test_a_lone_surrogate_becomes_the_replacement_character() -> None:
    choice = choose("a\ud800b")
    assert choice.text == "a�b"
    assert choice.data == "a�b".encode("utf-16-be")
    assert choice.forced_by == "\ud800"


@given(st.text(max_size=400), st.booleans(), st.lists(st.sampled_from(list(LANGUAGES)), max_size=2))
def test_any_text_is_coded_in_the_fewest_parts_offered(
    text: str, loosely: bool, national: list[str]
) -> None:
    choice = choose(text, transliterate=loosely, national=national)
    assert decode_text(choice.data, choice.data_coding, udh=choice.udh) == choice.text
    assert choice.text in {text, transliterate(text)}
    assert choice.parts == count_parts(choice.data, choice.data_coding, udh=choice.udh)
    assert choice.parts <= choose(text).parts
    assert choice.left_in_last_part >= 0


@pytest.mark.parametrize(
    ("data", "data_coding", "text"),
    [
        (b"\x00\x1be", 0, "@€"),
        (b"a@\xe9", 1, "a@�"),
        (b"a@\xe9", 3, "a@é"),
        (b"\x00\xff", 4, "\x00ÿ"),
        (b"\xb0\xd1", 6, "Аб"),
        (b"\xe0\xe1", 7, "אב"),
        (b"\x82\xa0", 5, "あ"),
        (b"\x1b$B$\x22\x1b(B", 0x0A, "あ"),
        (b"\xa4\xa2", 0x0D, "あ"),
        (b"\xb0\xa1", 0x0E, "가"),
        (b"\x04\x1f", 8, "П"),
        (b"\xfe\xff\x04\x1f", 8, "П"),
        (b"\xff\xfe\x1f\x04", 8, "П"),
        (b"\x04\x1f\x04", 8, "П�"),
        (b"\xd8\x3d", 8, "�"),
        (b"\xd8\x3d\x00a", 8, "�a"),
        (b"\x00a", 0x18, "a"),
        (b"\x00", 0xF0, "@"),
    ],
)
def test_decode(data: bytes, data_coding: int, text: str) -> None:
    assert decode_text(data, data_coding) == text


def test_decode_by_the_accounts_meaning_of_zero() -> None:
    assert decode_text(b"\x00$", 0) == "@¤"
    assert decode_text(b"@$", 0, Alphabet.ASCII) == "@$"
    assert decode_text(b"\xe9", 0, Alphabet.LATIN1) == "é"
    assert decode_text(bytes.fromhex("e8329bfd4697d9ec37"), 0, Alphabet.GSM7_PACKED) == "hellohello"


def test_packed_text_behind_a_header() -> None:
    header = bytes.fromhex("03240101")
    packed = bytes.fromhex("d84cd39b393b0dda9c3769d02609")
    assert decode_text(packed, 0, Alphabet.GSM7_PACKED, udh=header) == "Şişli ğı İ"


@given(
    st.binary(max_size=200), st.integers(0, 255), st.sampled_from(Alphabet), st.binary(max_size=12)
)
def test_any_octets_decode(data: bytes, data_coding: int, default: Alphabet, udh: bytes) -> None:
    assert isinstance(decode_text(data, data_coding, default, udh=udh), str)


@given(st.text(max_size=80), st.integers(0, 255))
def test_encode_is_faithful_or_none(text: str, data_coding: int) -> None:
    data = encode_text(text, data_coding)
    if data is not None and data_coding not in {5, 9, 10, 13}:
        assert decode_text(data, data_coding) == text


@pytest.mark.parametrize("text", ["\ufeff", "\ufffe", "\ufeffя", "\ufffeя\ufeff"])
def test_a_text_that_begins_like_a_byte_order_mark_comes_back_whole(text: str) -> None:
    choice = choose(text)
    assert choice.data == b"\xfe\xff" + text.encode("utf-16-be")
    assert decode_text(choice.data, 8) == text


def test_encode() -> None:
    assert encode_text("é€", 0) == b"\x05\x1be"
    assert encode_text("é", 3) == b"\xe9"
    assert encode_text("é", 1) is None
    assert encode_text("я", 0) is None
    assert encode_text("я", 8) == b"\x04\x4f"
    assert encode_text("@", 0, Alphabet.ASCII) == b"@"


@pytest.mark.parametrize(
    ("text", "plain"),
    [
        ("‘a’ ‚b‛ ´c` ′", "'a' 'b' 'c' '"),
        ("„a“ «b» ″", '"a" "b" "'),
        ("‐‑‒–—―−", "-------"),
        ("a\u00adb\u200bc\ufeffd", "abcd"),
        ("a\u00a0b\u2003c\u3000d\te", "a b c d e"),
        ("…•·‹›⁄×™©®", "...*.<>/xTM(C)(R)"),
        ("a\u2028b\u2029c", "a\nb\nc"),
        ("ＦｕｌｌＷｉｄｔｈ！", "FullWidth!"),
        ("eﬃcient ﬂow", "efficient flow"),
        ("a\u200db\u200c", "ab"),
        ("👩\u200d💻", "👩\u200d💻"),
        ("क\u200dष", "क\u200dष"),
        ("àé£@€", "àé£@€"),
    ],
)
def test_transliterate(text: str, plain: str) -> None:
    assert transliterate(text) == plain


def test_lossy_transliteration() -> None:
    assert transliterate("áêñçÇõ ΑΒΓ αβγ ά", lossy=True) == "aenÇÇo ABΓ ABΓ A".replace("n", "ñ")
    assert transliterate("я", lossy=True) == "я"
