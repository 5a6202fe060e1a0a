"""JSON as old programs write it: a comma too many before a closing bracket, a byte order mark.

*In*: octets of a request body. *Out*: values, or `NotJson`.
*Never*: I/O; a string changed: what lies between quotes is passed over as a whole.
"""

import re

import attrs
import orjson

_BOM = b"\xef\xbb\xbf"
# A string, closed or not, so that no octet is looked at twice; or the comma that is too many.
_STRING_OR_COMMA = re.compile(rb'"[^"\\]*(?:\\.[^"\\]*)*"?|,(?=[ \t\r\n]*[\]}])', re.DOTALL)


@attrs.define(slots=True)
class NotJson:
    """The octets are no JSON, not even loosely; `why` says where they broke."""

    why: str


def loads(body: bytes) -> object | NotJson:
    """Values of JSON octets (UTF-8, RFC 8259), with commas before closing brackets forgiven."""
    body = body.removeprefix(_BOM)
    try:
        value: object = orjson.loads(body)
    except orjson.JSONDecodeError:
        try:
            value = orjson.loads(_without_trailing_commas(body))
        except orjson.JSONDecodeError as error:
            return NotJson(str(error))
    return value


def _without_trailing_commas(body: bytes) -> bytes:
    return _STRING_OR_COMMA.sub(lambda found: b"" if found[0] == b"," else found[0], body)
