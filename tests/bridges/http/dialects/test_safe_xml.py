"""XML of strangers: what is read, what is refused, and that nothing else can happen."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bridges.http.dialects import safe_xml
from bridges.http.dialects.safe_xml import MAX_DEPTH, MAX_ELEMENTS, NotXml


def deep(levels: int) -> bytes:
    return b"<a>" * levels + b"</a>" * levels


def wide(elements: int) -> bytes:
    return b"<r>" + b"<a/>" * (elements - 1) + b"</r>"


@pytest.mark.parametrize(
    ("body", "text"),
    [
        (b"<a>x</a>", "x"),
        (b"\xef\xbb\xbf<a>\xc3\xa9</a>", "é"),
        ('<?xml version="1.0" encoding="UTF-16"?><a>é€</a>'.encode("utf-16"), "é€"),
        (b'<?xml version="1.0" encoding="ISO-8859-1"?><a>\xa4</a>', "¤"),
        (b'<?xml version="1.0" encoding="iso-8859-15"?><a>\xa4</a>', "€"),
        (b"<a>&lt;&amp;&#233;&#x20AC;</a>", "<&é€"),
        (b"<a>1<!-- no -->2<?pi no?>3<![CDATA[<4>]]></a>", "123<4>"),
    ],
)
def test_what_is_read(body: bytes, text: str) -> None:
    root = safe_xml.parse(body)
    assert not isinstance(root, NotXml)
    assert safe_xml.text_of(root) == text


@pytest.mark.parametrize(
    ("body", "why"),
    [
        (b"", "well-formed"),
        (b"x", "well-formed"),
        (b"<a>", "well-formed"),
        (b"<a/><b/>", "well-formed"),
        (b"<a>&b;</a>", "well-formed"),
        (b"<a>\xe9</a>", "well-formed"),
        (b"<a>&#0;</a>", "well-formed"),
        (b"<!DOCTYPE a><a/>", "DTD"),
        (b'<!DOCTYPE a [<!ENTITY b "x">]><a>&b;</a>', "DTD"),
        (b'<!DOCTYPE a SYSTEM "http://127.0.0.1/x.dtd"><a/>', "DTD"),
        (b'<!DOCTYPE a [<!ENTITY % b SYSTEM "file:///etc/passwd"> %b;]><a/>', "DTD"),
        (b'<?xml version="1.0" encoding="x-none"?><a/>', "encoding"),
        (deep(MAX_DEPTH + 1), "deep"),
        (wide(MAX_ELEMENTS + 1), "more than"),
    ],
)
def test_what_is_refused(body: bytes, why: str) -> None:
    root = safe_xml.parse(body)
    assert isinstance(root, NotXml)
    assert why in root.why
    # A fallback heals the encoding, and nothing else.
    again = safe_xml.parse(body, fallback="iso-8859-15")
    assert isinstance(again, NotXml) is (body != b"<a>\xe9</a>")


def test_the_limits_themselves_are_allowed() -> None:
    assert not isinstance(safe_xml.parse(deep(MAX_DEPTH)), NotXml)
    assert not isinstance(safe_xml.parse(wide(MAX_ELEMENTS)), NotXml)


@pytest.mark.parametrize(
    ("body", "text"),
    [
        (b"<a>5\xa4 caf\xe9</a>", "5€ café"),
        (b'<?xml version="1.0" encoding="UTF-8"?><a>\xe9</a>', "é"),
        (b"<a>\xc3\xa9</a>", "é"),
        (b'<?xml version="1.0" encoding="ISO-8859-1"?><a>\xa4</a>', "¤"),
    ],
)
def test_the_fallback(body: bytes, text: str) -> None:
    root = safe_xml.parse(body, fallback="iso-8859-15")
    assert not isinstance(root, NotXml)
    assert safe_xml.text_of(root) == text


def test_names() -> None:
    root = safe_xml.parse(b'<p:a xmlns:p="urn:x"><b/></p:a>')
    assert not isinstance(root, NotXml)
    assert (safe_xml.local_name(root), safe_xml.namespace(root)) == ("a", "urn:x")
    assert (safe_xml.local_name(root[0]), safe_xml.namespace(root[0])) == ("b", "")


@given(st.text())
def test_whatever_is_written_can_be_read(text: str) -> None:
    root = safe_xml.parse(f"<a>{safe_xml.escaped(text)}</a>".encode())
    assert not isinstance(root, NotXml)
    if text.isprintable():
        assert safe_xml.text_of(root) == text


@given(st.binary(max_size=200))
def test_any_octets_are_a_value(body: bytes) -> None:
    parsed = safe_xml.parse(body, fallback="iso-8859-15")
    assert isinstance(parsed, NotXml) or safe_xml.text_of(parsed) is not None
