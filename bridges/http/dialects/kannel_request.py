"""Where the parameters of Kannel's sendsms stand: a query, a form, or X-Kannel headers.

*In*: method, query, headers and body of a request. *Out*: `Asked`, or the `Answer` that refuses it.
*Never*: I/O; what a parameter means.
"""

import re
import urllib.parse
from collections.abc import Mapping

import attrs

from bridges.http.dialects.kannel_answers import UNSUPPORTED, Answer
from bridges.http.dialects.kannel_coding import EIGHT_BIT

HEADER = "x-kannel-"


@attrs.define(slots=True)
class Asked:
    """A request by its fields: octets, as they came, by their names in a URL."""

    fields: Mapping[str, bytes] = attrs.field(repr=False)

    def text(self, *names: str) -> str:
        """The first of these fields that is there; "" without one."""
        value = next((self.fields[name] for name in names if name in self.fields), b"")
        return value.decode("utf-8", "replace")

    @property
    def username(self) -> str:
        """Who says that he is calling."""
        return self.text("username", "user")

    @property
    def password(self) -> str:
        """How he proves it."""
        return self.text("password", "pass")


def parse_request(
    method: str, query: str, headers: Mapping[str, str], body: bytes
) -> Asked | Answer:
    """The fields of a request, wherever they stand.

    A POST with X-Kannel headers has its text as body; else the body is a form, whatever its
    label says, as long as it says text or form.
    """
    fields = _form(query.encode("ascii", "replace"))
    if method != "POST":
        return Asked(fields)
    named = {
        name.lower().removeprefix(HEADER): value.encode("latin-1", "replace")
        for name, value in headers.items()
        if name.lower().startswith(HEADER)
    }
    kind, _, parameters = headers.get("content-type", "").partition(";")
    kind = kind.strip().lower()
    if not named:
        if kind in {"", "application/x-www-form-urlencoded", "text/plain"}:
            return Asked(_form(body) | fields)
        return UNSUPPORTED
    if kind not in {"", "text/plain", "application/octet-stream"}:
        return UNSUPPORTED
    named["text"] = body
    if "udh" in named:
        named["udh"] = _header_octets(named["udh"])
    if kind != "text/plain" and not named.get("coding"):
        named["coding"] = b"%d" % EIGHT_BIT
    charset = re.search(r'charset\s*=\s*"?([^\s";]+)', parameters, re.IGNORECASE)
    if charset is not None:
        named["charset"] = charset[1].encode("latin-1", "replace")
    elif kind == "text/plain" and not _is_utf8(body):
        named["charset"] = b"iso-8859-1"  # what HTTP/1.1 meant by a text without a charset
    return Asked(fields | named)


def _form(octets: bytes) -> dict[str, bytes]:
    """The fields of a query string or form; of several with a name the first, as Kannel takes it."""
    fields: dict[str, bytes] = {}
    for pair in octets.split(b"&"):
        name, _, value = pair.partition(b"=")
        key = urllib.parse.unquote_to_bytes(name.replace(b"+", b" ")).decode("latin-1").lower()
        fields.setdefault(key, urllib.parse.unquote_to_bytes(value.replace(b"+", b" ")))
    fields.pop("", None)
    return fields


def _is_utf8(octets: bytes) -> bool:
    try:
        octets.decode()
    except UnicodeDecodeError:
        return False
    return True


def _header_octets(value: bytes) -> bytes:
    """X-Kannel-UDH: hexadecimal digits or, as in a URL, percent-encoded octets."""
    try:
        return bytes.fromhex(value.decode("ascii"))
    except ValueError:
        return urllib.parse.unquote_to_bytes(value)
