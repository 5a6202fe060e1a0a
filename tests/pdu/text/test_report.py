"""The report tells coding, parts, room left and the characters that forced it."""

import pytest

from pdu.text.errors import TextError
from pdu.text.report import report


def test_plain() -> None:
    assert report("Hello €") == (
        "characters    7\n"
        "coding        gsm7, data_coding 0\n"
        "parts         1: 8 septets\n"
        "left in last  152 septets\n"
        "part 1        48656c6c6f201b65"
    )


def test_forced_to_ucs2() -> None:
    lines = report("Zoë\u2028" * 20).splitlines()
    assert lines[1:6] == [
        "coding        ucs2, data_coding 8",
        "outside GSM-7 ë U+00EB LATIN SMALL LETTER E WITH DIAERESIS",
        "              . U+2028 LINE SEPARATOR",
        "parts         2: 67 + 13 UTF-16 units",
        "left in last  54 UTF-16 units",
    ]
    assert lines[6].startswith("part 1        050003010201 005a006f00eb2028")
    assert lines[7].startswith("part 2        050003010202 2028")


def test_options() -> None:
    assert 'shown as      "a"' in report("“a”", transliterate=True)
    text = report("ğüşıöç" * 30, national=["turkish"], reference=0x102, wide_reference=True)
    assert "coding        gsm7, data_coding 0, turkish locking shift" in text
    assert "left in last  116 septets" in text
    assert "part 2        09080401020202250101 " in text
    both = report("नमस्ते १२३४५६७८" * 9, national=["hindi"])
    assert "hindi locking shift and hindi single shift" in both
    with pytest.raises(TextError):
        report("я", national=["klingon"])


def test_too_long() -> None:
    assert report("a" * 40_000).endswith(
        "refused       the text needs 262 parts, a concatenated message has at most 255"
    )
