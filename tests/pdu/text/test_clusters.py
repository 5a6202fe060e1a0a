"""Seams between user-perceived characters."""

import pytest

from pdu.text.clusters import joined


@pytest.mark.parametrize(
    ("text", "at", "expected"),
    [
        ("ab", 1, False),
        ("\r\n", 1, True),
        ("\n\r", 1, False),
        ("a\u0301", 1, True),
        ("a\u20dd", 1, True),
        ("का", 1, True),
        ("क्ष", 2, True),
        ("क्\u0301ष", 3, True),
        ("का\u0301ष", 3, False),
        ("\u0301्ष", 2, True),
        ("a्ष", 2, True),
        ("์ก", 1, False),
        ("กำ", 1, True),
        ("❤\ufe0f", 1, True),
        ("👍🏽", 1, True),
        ("👩\u200d💻", 1, True),
        ("👩\u200d💻", 2, True),
        ("a\u200cb", 1, True),
        ("a\u200cb", 2, False),
        ("🇨🇭🇩🇪", 1, True),
        ("🇨🇭🇩🇪", 2, False),
        ("🇨🇭🇩🇪", 3, True),
        ("a🇨🇭", 1, False),
        ("\u1100\u1161", 1, True),
        ("\u1100\uac00", 1, True),
        ("\uac00\u11a8", 1, True),
        ("\uac01\u11a8", 1, True),
        ("\uac01\u1161", 1, False),
        ("\u1161\u11a8", 1, True),
        ("\u11a8\u1100", 1, False),
        ("\uac00\uac00", 1, False),
        ("\u0600a", 1, True),
        ("漢字", 1, False),
    ],
)
def test_joined(text: str, at: int, expected: bool) -> None:
    assert joined(text, at) is expected
