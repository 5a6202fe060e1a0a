"""What several dialects ask of a text: flash, and not more parts than they allow.

*In*: a text. *Out*: `Content`, or `Invalid`. *Never*: knowledge of one dialect.
"""

import attrs

from bridges.http.dialects.base import MAX_PARTS, Content, Invalid, text_content
from pdu.text.alphabet import MessageClass, alphabet_of, with_class


def content_of(
    text: str, *, flash: bool = False, max_parts: int = MAX_PARTS, field: str = "text"
) -> Content | Invalid:
    """A text in the cheapest coding; `flash`: message class 0, shown at once (TS 23.038 §4)."""
    content = text_content(text, field)
    if isinstance(content, Invalid):
        return content
    if content.parts > max_parts:
        why = f"that makes {content.parts} parts and {max_parts} are allowed; shorten it"
        return Invalid(field, text, why)
    return flashed(content) if flash else content


def flashed(content: Content) -> Content:
    """The same text in message class 0."""
    alphabet = alphabet_of(content.data_coding)
    return attrs.evolve(content, data_coding=with_class(alphabet, MessageClass.FLASH))
