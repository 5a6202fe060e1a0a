"""Flash, and the number of parts."""

import pytest

from bridges.http.dialects.base import Content, Invalid
from bridges.http.dialects.texts import content_of


@pytest.mark.parametrize(
    ("text", "flash", "data_coding", "parts"),
    [
        ("hello", False, 0, 1),
        ("hello", True, 0xF0, 1),
        ("Привет", False, 8, 1),
        ("Привет", True, 0x18, 1),
        ("a" * 161, True, 0xF0, 2),
        ("я" * 71, True, 0x18, 2),
    ],
)
def test_flash_is_message_class_0(text: str, flash: bool, data_coding: int, parts: int) -> None:
    content = content_of(text, flash=flash)
    assert isinstance(content, Content)
    assert (content.data_coding, content.parts) == (data_coding, parts)
    plain = content_of(text)
    assert isinstance(plain, Content)
    assert content.data == plain.data


def test_more_parts_than_allowed() -> None:
    assert isinstance(content_of("a" * 306, max_parts=2), Content)
    assert isinstance(content_of("a" * 307, max_parts=2), Invalid)
    assert isinstance(content_of(""), Invalid)
