r"""Where in an answer or a callback something stands, as settings say it.

*In*: "json:/messages/0/id", "regex:ID: (\w+)", "header:X-Message-Id", "xml:result/id",
"query:name", "form:name", "text" or "status". *Out*: a `Finder`; a named error for anything else.
*Never*: an exception for what does not stand there: that is "".

JSON pointers are those of RFC 6901; patterns are RE2 with one group or none; an XML path is one
of element names, and the first element that fits counts.
"""

import re
from collections.abc import Mapping
from typing import Any, Final
from xml.etree import ElementTree as ET

import attrs
import re2  # type: ignore[import-untyped, unused-ignore]  # the package brings no types

from bridges.connectors.service import Callback, Response, loads
from smsc.config_errors import SettingError, found

_KINDS: Final = ("json", "regex", "header", "xml", "query", "form", "text", "status")
_HELP: Final = (
    'expected a place such as "json:/messages/0/id", "regex:ID: (\\w+)", "header:X-Id",'
    ' "xml:result/id", "query:id", "form:id", "text" or "status"'
)
_PATTERN_OCTETS: Final = 1 << 20
_ELEMENT: Final = re.compile(r"[A-Za-z_][\w.:-]*(/[A-Za-z_][\w.:-]*)*")


@attrs.frozen
class Finder:
    """One place."""

    written: str
    _kind: str = attrs.field(eq=False)
    _key: Any = attrs.field(eq=False, repr=False)

    def in_response(self, response: Response) -> str:
        """What stands there in an answer; "" if nothing."""
        match self._kind:
            case "header":
                return response.headers.get(self._key, "").strip()
            case "status":
                return str(response.status)
            case "query" | "form":
                return ""
            case _:
                return self._in_body(response.body)

    def in_callback(self, callback: Callback) -> str:
        """What stands there in a request that was made to us; "" if nothing."""
        match self._kind:
            case "header":
                return callback.headers.get(self._key, "").strip()
            case "query":
                return callback.query.get(self._key, "")
            case "form":
                return callback.form.get(self._key, "")
            case "status":
                return ""
            case _:
                return self._in_body(callback.body)

    def _in_body(self, body: bytes) -> str:
        match self._kind:
            case "json":
                return _pointed(loads(body), self._key)
            case "regex":
                return _matched(self._key, body.decode("utf-8", "replace"))
            case "xml":
                return _element(body, self._key)
            case _:
                return body.decode("utf-8", "replace").strip()


def parse_finder(value: object) -> Finder:
    """Read a place; raises SettingError."""
    if not isinstance(value, str):
        raise SettingError(f"{_HELP}, found {found(value)}")
    kind, _, rest = value.partition(":")
    if kind not in _KINDS or (bool(rest) == (kind in {"text", "status"})):
        raise SettingError(f"{_HELP}, found {found(value)}")
    match kind:
        case "json":
            return Finder(value, kind, _pointer(rest))
        case "regex":
            return Finder(value, kind, compile_re2(rest, groups=1))
        case "header":
            return Finder(value, kind, rest.lower())
        case "xml":
            if not _ELEMENT.fullmatch(rest):
                raise SettingError(f'expected element names such as "result/id", found {rest!r}')
            return Finder(value, kind, rest.split("/"))
        case _:
            return Finder(value, kind, rest)


def compile_re2(written: str, *, groups: int | None = None) -> Any:
    """A pattern of RE2, with at most `groups` groups where that is given; raises SettingError."""
    options = re2.Options()
    options.log_errors = False
    options.max_mem = _PATTERN_OCTETS
    try:
        compiled = re2.compile(written, options)
    except (re2.error, UnicodeEncodeError) as error:
        reason = error.args[0] if error.args else "does not compile"
        told = reason.decode("utf-8", "replace") if isinstance(reason, bytes) else str(reason)
        raise SettingError(f"expected a pattern of RE2 syntax, found {written!r}: {told}") from None
    if groups is not None and compiled.groups > groups:
        raise SettingError(f"expected a pattern with at most one group, found {written!r}")
    return compiled


def _pointer(written: str) -> tuple[str, ...]:
    if not written.startswith("/"):
        raise SettingError(f'expected a JSON pointer such as "/messages/0/id", found {written!r}')
    return tuple(
        step.replace("~1", "/").replace("~0", "~") for step in written.removeprefix("/").split("/")
    )


def _pointed(value: object, pointer: tuple[str, ...]) -> str:
    for step in pointer:
        if isinstance(value, Mapping):
            value = value.get(step)
        elif isinstance(value, list) and step.isascii() and step.isdecimal():
            place = int(step)
            value = value[place] if place < len(value) else None
        else:
            return ""
    if isinstance(value, bool):
        return "true" if value else "false"
    return str(value).strip() if isinstance(value, str | int | float) else ""


def _matched(pattern: Any, text: str) -> str:
    match = pattern.search(text)
    if match is None:
        return ""
    return (match[1] or "") if pattern.groups else match[0]


def _element(body: bytes, path: list[str]) -> str:
    """Text of the first element at a path of local names, anywhere below the root.

    A document type is refused: it is how XML is made to explode, and no answer needs one.
    """
    if b"<!DOCTYPE" in body or b"<!ENTITY" in body:
        return ""
    try:
        root = ET.fromstring(body)  # noqa: S314 - see the docstring
    except (ET.ParseError, ValueError, LookupError):
        return ""
    for element in root.iter():
        hit = _descend(element, path)
        if hit is not None:
            return (hit.text or "").strip()
    return ""


def _descend(element: ET.Element, path: list[str]) -> ET.Element | None:
    if element.tag.rpartition("}")[2] != path[0]:
        return None
    if len(path) == 1:
        return element
    for child in element:
        hit = _descend(child, path[1:])
        if hit is not None:
            return hit
    return None
