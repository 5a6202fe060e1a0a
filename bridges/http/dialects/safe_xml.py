"""XML of strangers, read without being hurt; and text of ours, written so that XML can hold it.

*In*: octets of a request. *Out*: an ElementTree element, or `NotXml` with a sentence.
*Never*: a DTD, an entity of the document's own, a depth or a count without bound.

defusedxml refuses DTDs and entities before they take effect (entity bombs, external entities);
what it does not bound, depth and number of elements, is counted while the tree is built. How many
octets may come, the endpoint says.
"""

import re
from typing import Any
from xml.etree.ElementTree import Element, ParseError, TreeBuilder
from xml.sax.saxutils import escape

import attrs
from defusedxml.common import DefusedXmlException
from defusedxml.ElementTree import DefusedXMLParser

MAX_DEPTH = 32
MAX_ELEMENTS = 10_000

_NOT_IN_XML = re.compile("[^\t\n\r -\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")
"""What XML 1.0 §2.2 has no way to write, not even as a reference."""


@attrs.define(slots=True)
class NotXml:
    """Why the octets are refused; never what they say."""

    why: str


def parse(body: bytes, *, fallback: str = "") -> Element | NotXml:
    """The root of a document.

    `fallback`: the encoding of documents that are not in the one they claim, UTF-8 when they
    claim none; "" = those are refused.
    """
    root = _parse(body, None)
    if isinstance(root, NotXml) and fallback and not _is_utf8(body):
        return _parse(body, fallback)
    return root


def local_name(element: Element) -> str:
    """The name of an element without its namespace."""
    return element.tag.rpartition("}")[2]


def namespace(element: Element) -> str:
    """The namespace of an element, "" if it has none."""
    return element.tag[1:].rpartition("}")[0] if element.tag.startswith("{") else ""


def text_of(element: Element) -> str:
    """The text of an element that has no elements inside."""
    return element.text or ""


def escaped(text: str) -> str:
    """Text as an XML document holds it; characters that XML cannot have become U+FFFD."""
    return escape(_NOT_IN_XML.sub("\ufffd", text))


class _TooMuch(Exception):  # noqa: N818 - not an error of ours
    """Ends the parse; carried through expat."""


class _Bounded(TreeBuilder):
    """Builds the tree, and counts."""

    def __init__(self) -> None:
        super().__init__()
        self._depth = self._elements = 0

    def start(self, tag: Any, attrs: Any, /) -> Element:
        self._depth += 1
        self._elements += 1
        if self._depth > MAX_DEPTH:
            raise _TooMuch(f"its elements lie more than {MAX_DEPTH} deep")
        if self._elements > MAX_ELEMENTS:
            raise _TooMuch(f"it has more than {MAX_ELEMENTS} elements")
        return super().start(tag, attrs)

    def end(self, tag: Any, /) -> Element:
        self._depth -= 1
        return super().end(tag)


def _parse(body: bytes, encoding: str | None) -> Element | NotXml:
    parser = DefusedXMLParser(target=_Bounded(), encoding=encoding, forbid_dtd=True)
    try:
        parser.feed(body)
        root = parser.close()
    except DefusedXmlException:
        return NotXml("it has a DTD or an entity of its own, which are refused")
    except _TooMuch as error:
        return NotXml(str(error))
    except ParseError as error:
        return NotXml(
            f"it is not well-formed: line {error.position[0]}, column {error.position[1]}"
        )
    except (ValueError, LookupError):  # an encoding that nobody knows, or that expat cannot read
        return NotXml("its encoding is not known here; use UTF-8")
    return root if isinstance(root, Element) else NotXml("it has no element")


def _is_utf8(body: bytes) -> bool:
    try:
        body.decode()
    except UnicodeDecodeError:
        return False
    return True
