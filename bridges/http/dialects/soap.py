"""SOAP 1.1 envelopes around one element: what an operation was given, and how it answers.

*In*: the body of a POST. *Out*: `Operation`, or `SoapFault`; envelopes as text.
*Never*: what an operation means; a look at prefixes, SOAPAction or xsi:type: clients differ there.

Both styles of RPC are read, literal and encoded (SOAP 1.1 §5): an array is an element with
elements inside, whatever they are called, or the same element several times; `href` is followed.
"""

from collections.abc import Mapping, Sequence
from typing import Final
from xml.etree.ElementTree import Element

import attrs

from bridges.http.dialects import safe_xml

ENVELOPE: Final = "http://schemas.xmlsoap.org/soap/envelope/"
MEDIA_TYPE: Final = "text/xml; charset=utf-8"


@attrs.define(slots=True)
class Operation:
    """The element in the body: its name, and for each parameter its values in order.

    A parameter that has elements inside is in `arrays`; one that holds more than texts, in `wrong`.
    """

    name: str
    parameters: Mapping[str, Sequence[str]] = attrs.field(repr=False)
    arrays: frozenset[str] = frozenset()
    wrong: frozenset[str] = frozenset()


@attrs.define(slots=True)
class SoapFault:
    """Why there is no answer: `code` is Client, Server or VersionMismatch (SOAP 1.1 §4.4.1)."""

    code: str
    why: str


def parse_operation(root: Element, namespace: str) -> Operation | SoapFault:
    """What an envelope asks for; `namespace` is that of the operations."""
    if safe_xml.local_name(root) != "Envelope":
        return SoapFault("Client", "a SOAP 1.1 envelope is expected")
    if safe_xml.namespace(root) != ENVELOPE:
        return SoapFault("VersionMismatch", f"the envelope must be of {ENVELOPE}")
    body = root.find(f"{{{ENVELOPE}}}Body")
    asked = None if body is None else next(iter(body), None)
    if body is None or asked is None:
        return SoapFault("Client", "the envelope has no body with an operation in it")
    if safe_xml.namespace(asked) != namespace:
        return SoapFault("Client", f"operations are elements of the namespace {namespace}")
    targets = {one.get("id", ""): one for one in body if one is not asked}
    parameters: dict[str, list[str]] = {}
    arrays: set[str] = set()
    wrong: set[str] = set()
    for child in asked:
        name = safe_xml.local_name(child)
        element = _followed(child, targets)
        values = _values(element, targets)
        if len(element):
            arrays.add(name)
        if values is None:
            wrong.add(name)
        parameters.setdefault(name, []).extend(values or ())
    return Operation(safe_xml.local_name(asked), parameters, frozenset(arrays), frozenset(wrong))


def _values(element: Element, targets: Mapping[str, Element]) -> list[str] | None:
    """The texts of a parameter; None when something lies deeper than an array has it."""
    if not len(element):
        return [safe_xml.text_of(element)]
    items = [_followed(item, targets) for item in element]
    return None if any(len(item) for item in items) else [safe_xml.text_of(one) for one in items]


def _followed(element: Element, targets: Mapping[str, Element]) -> Element:
    """The element that an encoded client refers to; once, so that nothing can go round."""
    href = element.get("href", "")
    return targets.get(href[1:], element) if href.startswith("#") else element


# --- answers ------------------------------------------------------------------------------------


def envelope(inside: str, namespace: str) -> bytes:
    """An envelope with the prefixes that clients search for as text: SOAP-ENV and ns1."""
    return (
        '<?xml version="1.0" encoding="UTF-8"?>\n'
        f'<SOAP-ENV:Envelope xmlns:SOAP-ENV="{ENVELOPE}" xmlns:ns1="{namespace}">'
        f"<SOAP-ENV:Body>{inside}</SOAP-ENV:Body></SOAP-ENV:Envelope>\n"
    ).encode()


def response(operation: str, values: Mapping[str, str]) -> str:
    """The element that answers an operation; an empty value is an empty element."""
    inside = "".join(
        f"<{name}>{safe_xml.escaped(value)}</{name}>" if value else f"<{name}/>"
        for name, value in values.items()
    )
    return f"<ns1:{operation}Response>{inside}</ns1:{operation}Response>"


def fault(found: SoapFault) -> str:
    """A fault; its children have no namespace (SOAP 1.1 §4.4)."""
    return (
        f"<SOAP-ENV:Fault><faultcode>SOAP-ENV:{found.code}</faultcode>"
        f"<faultstring>{safe_xml.escaped(found.why)}</faultstring></SOAP-ENV:Fault>"
    )
