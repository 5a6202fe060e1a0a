"""XML-RPC (xmlrpc.com/spec): a call to its arguments, an answer to a document.

*In*: the body of a POST. *Out*: `MethodCall`, or `Fault`; `Reply` documents.
*Never*: what a method means. `<nil/>` and `<i8>` are read and never written: old clients have none.

A scalar is read as its text, whatever its type says. Perl's RPC::XML guesses `<int>` for what
looks like a number, and "0792223344" would lose its zero as one; base64 stands for text, too.
The library of Python is not used: it expands entities, bounds no depth, and reads ints as ints.
"""

import base64
import binascii
from collections.abc import Mapping, Sequence
from typing import Final, TypeAlias
from xml.etree.ElementTree import Element

import attrs

from bridges.http.dialects import safe_xml
from bridges.http.dialects.base import Reply

FALLBACK: Final = "iso-8859-15"
"""The encoding of clients that send no UTF-8."""
NOT_WELL_FORMED: Final = -32700
NOT_A_CALL: Final = -32600
NO_METHOD: Final = -32601
WRONG_PARAMETERS: Final = -32602
INTERNAL: Final = -32603
APPLICATION: Final = -32500
"""Codes of "Specification for Fault Code Interoperability" (Dan Libby, 2001)."""

Argument: TypeAlias = "str | list[Argument] | dict[str, Argument]"
Value: TypeAlias = "bool | int | str | Sequence[Value] | Mapping[str, Value]"

_SCALARS: Final = frozenset(
    {"string", "int", "i1", "i2", "i4", "i8", "double", "boolean", "dateTime.iso8601", "nil"}
)
_INT_MAX: Final = 2**31 - 1


@attrs.define(slots=True)
class MethodCall:
    """What is asked; `params` hold passwords."""

    method: str
    params: list[Argument] = attrs.field(repr=False)


@attrs.define(slots=True)
class Fault:
    """Why a call has no result."""

    code: int
    why: str


def parse_call(body: bytes) -> MethodCall | Fault:
    """A `<methodCall>`; in UTF-8, the encoding it names, or else ISO-8859-15."""
    root = safe_xml.parse(body, fallback=FALLBACK)
    if isinstance(root, safe_xml.NotXml):
        return Fault(NOT_WELL_FORMED, f"parse error: {root.why}")
    name = root.find("methodName")
    if root.tag != "methodCall" or name is None or not safe_xml.text_of(name).strip():
        return Fault(NOT_A_CALL, "invalid request: a methodCall with a methodName is expected")
    params: list[Argument] = []
    for param in root.iterfind("params/param"):
        value = param.find("value")
        argument = None if value is None else _argument(value)
        if argument is None:
            why = f"parameter {len(params) + 1} is no value of XML-RPC"
            return Fault(WRONG_PARAMETERS, f"invalid parameters: {why}")
        params.append(argument)
    return MethodCall(safe_xml.text_of(name).strip(), params)


def _argument(value: Element) -> "Argument | None":
    """What a `<value>` holds; None when it is none. Depth is bounded by `safe_xml`."""
    if len(value) == 0:
        return safe_xml.text_of(value)
    if len(value) != 1:
        return None
    typed = value[0]
    kind = safe_xml.local_name(typed)
    if kind == "array":
        return _array(typed)
    if kind == "struct":
        return _struct(typed)
    if len(typed):
        return None
    if kind == "base64":
        return _text_of_base64(safe_xml.text_of(typed))
    return safe_xml.text_of(typed) if kind in _SCALARS else None


def _array(typed: Element) -> "list[Argument] | None":
    found: list[Argument] = []
    for value in typed.iterfind("data/value"):
        argument = _argument(value)
        if argument is None:
            return None
        found.append(argument)
    return found


def _struct(typed: Element) -> "dict[str, Argument] | None":
    found: dict[str, Argument] = {}
    for member in typed.iterfind("member"):
        name, value = member.find("name"), member.find("value")
        argument = None if name is None or value is None else _argument(value)
        if name is None or argument is None:
            return None
        found[safe_xml.text_of(name)] = argument
    return found


def _text_of_base64(text: str) -> str | None:
    try:
        octets = base64.b64decode("".join(text.split()), validate=True)
    except (binascii.Error, ValueError):
        return None
    try:
        return octets.decode()
    except UnicodeDecodeError:
        return octets.decode(FALLBACK)


# --- answers ------------------------------------------------------------------------------------


def answer(value: Value) -> Reply:
    """The result of a method."""
    return _document(f"<params><param>{_written(value)}</param></params>")


def fault(found: Fault) -> Reply:
    """A fault; HTTP status 200 as the specification asks, or old clients never read it."""
    value: Value = {"faultCode": found.code, "faultString": found.why}
    return _document(f"<fault>{_written(value)}</fault>")


def _document(inside: str) -> Reply:
    text = f'<?xml version="1.0" encoding="UTF-8"?>\n<methodResponse>{inside}</methodResponse>\n'
    return Reply(200, text.encode(), "text/xml; charset=utf-8")


def _written(value: Value) -> str:
    """A value with its type: clients of old drop values that have none."""
    if isinstance(value, bool):
        return f"<value><boolean>{int(value)}</boolean></value>"
    if isinstance(value, int):
        bounded = max(-_INT_MAX - 1, min(value, _INT_MAX))  # an int has 32 bits
        return f"<value><int>{bounded}</int></value>"
    if isinstance(value, str):
        return f"<value><string>{safe_xml.escaped(value)}</string></value>"
    if isinstance(value, Mapping):
        members = "".join(
            f"<member><name>{safe_xml.escaped(name)}</name>{_written(one)}</member>"
            for name, one in value.items()
        )
        return f"<value><struct>{members}</struct></value>"
    return f"<value><array><data>{''.join(map(_written, value))}</data></array></value>"
