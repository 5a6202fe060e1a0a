"""The parameters of a playSMS request, from its query and its form, as PHP's $_REQUEST has them.

*In*: query string, content type and body. *Out*: `Parameters`. *Never*: what a parameter means.

A form goes before the query, the last of several with one name counts, values are trimmed.
PHP's curl posts an array as multipart/form-data, so that is read, too.
"""

import re
import urllib.parse
from collections.abc import Iterable, Iterator, Mapping
from typing import Final

import attrs

MAX_PARAMETERS: Final = 1000
"""As PHP's max_input_vars."""
_WHITE: Final = " \t\n\r\0\x0b"
"""What PHP's trim() takes off."""
_FORBIDDEN: Final = re.compile("[\0-\x08\x0b\x0c\x0e-\x1f\x7f\ufffe\uffff]")
"""What neither a text message nor an XML answer can hold."""
_BOUNDARY: Final = re.compile(r'boundary="?([^";,\s]{1,70})"?', re.IGNORECASE)
_NAME: Final = re.compile(
    rb'^content-disposition:[^\r\n]*;[ \t]*name="([^"\r\n]*)"', re.IGNORECASE | re.MULTILINE
)


@attrs.frozen
class Parameters:
    """Values by name. `broken`: names of those that are no UTF-8, or hold control characters."""

    values: Mapping[str, str] = attrs.field(repr=False)
    broken: frozenset[str] = frozenset()

    def get(self, name: str) -> str:
        """The value, "" if there is none."""
        return self.values.get(name, "")

    def lower(self, name: str) -> str:
        """A word whose case does not matter."""
        return self.get(name).lower()

    def lacks(self, needed: Iterable[str]) -> bool:
        """Is one of them empty? One that cannot be read is not: it is `broken`."""
        return not all(self.get(name) or name in self.broken for name in needed)


def parse_parameters(query: str, content_type: str, body: bytes) -> Parameters:
    """The parameters of a request; a body that is labelled as anything else is a form as well."""
    pairs = [*_form(query.encode("ascii", "replace"))]
    if content_type.lower().lstrip().startswith("multipart/form-data"):
        pairs += _multipart(content_type, body)
    elif body:
        pairs += _form(body)
    values: dict[str, str] = {}
    broken: set[str] = set()
    for name, octets in pairs[:MAX_PARAMETERS]:
        value = _decoded(octets)
        values[name] = value or ""
        if value is None:
            broken.add(name)
        else:
            broken.discard(name)
    return Parameters(values, frozenset(broken))


def _decoded(octets: bytes) -> str | None:
    try:
        value = octets.decode().strip(_WHITE)
    except UnicodeDecodeError:
        return None
    return None if _FORBIDDEN.search(value) else value


def _form(octets: bytes) -> Iterator[tuple[str, bytes]]:
    for pair in octets.split(b"&", MAX_PARAMETERS)[:MAX_PARAMETERS]:
        name, _, value = (
            urllib.parse.unquote_to_bytes(one) for one in pair.replace(b"+", b" ").partition(b"=")
        )
        if name:
            yield name.decode("utf-8", "replace"), value


def _multipart(content_type: str, body: bytes) -> Iterator[tuple[str, bytes]]:
    """RFC 7578; files are not asked for, and passed over."""
    boundary = _BOUNDARY.search(content_type)
    if boundary is None:
        return
    mark = b"\r\n--" + boundary[1].encode("latin-1", "replace")
    for piece in (b"\r\n" + body).split(mark, MAX_PARAMETERS)[1:]:
        if piece.startswith(b"--"):
            return
        head, _, octets = piece.partition(b"\r\n\r\n")
        name = _NAME.search(head)
        if name is not None and b"filename" not in head.lower():
            yield name[1].decode("utf-8", "replace"), octets
