"""Requests and answers as people may see them: every secret of the settings is hidden.

*In*: steps of an exchange, the secrets. *Out*: text. *Never*: a secret, in any of the codings that
services want them in.
"""

import base64
from collections.abc import Iterable
from typing import Final
from urllib.parse import quote, quote_plus
from xml.sax.saxutils import escape

import orjson

from bridges.connectors.exchange import NoAnswer, NotSent
from bridges.connectors.sender import Step
from bridges.connectors.service import Request, Response

HIDDEN: Final = "***"
_HEADERS: Final = frozenset({"authorization", "proxy-authorization", "x-auth-token"})
"""Always hidden: what stands there is a secret, or made of one."""
_BODY_CHARACTERS: Final = 2000


class Mask:
    """Hides secrets in texts."""

    def __init__(self, secrets: Iterable[str], hidden: str = HIDDEN) -> None:
        self._hidden = hidden
        # The longest first: one form may stand inside another.
        self._forms = sorted({form for secret in secrets for form in _forms(secret)}, key=len)[::-1]

    def __call__(self, text: str) -> str:
        """The text without secrets."""
        for form in self._forms:
            text = text.replace(form, self._hidden)
        return text

    def lines(self, step: Step) -> list[str]:
        """A step of an exchange, line by line."""
        match step:
            case Request(method, url, headers, body):
                return [
                    f"{method} {self(url)}",
                    *(self._header(name, value) for name, value in headers),
                    *self._body(body),
                ]
            case Response(status, answered, body):
                return [
                    f"HTTP {status}",
                    *(self._header(name, value) for name, value in answered.items()),
                    *self._body(body),
                ]
            case NotSent(why):
                return [f"not sent: {self(why)}"]
            case NoAnswer(why):
                return [f"no answer: {self(why)}"]

    def _header(self, name: str, value: str) -> str:
        return f"{name}: {HIDDEN if name.lower() in _HEADERS else self(value)}"

    def _body(self, body: bytes) -> list[str]:
        if not body:
            return []
        text = self(body.decode("utf-8", "replace"))
        more = "…" if len(text) > _BODY_CHARACTERS else ""
        return ["", *text[:_BODY_CHARACTERS].splitlines(), *([more] if more else [])]


def _forms(secret: str) -> set[str]:
    """A secret as it may stand in a request, or in what a service says of one."""
    if not secret:
        return set()
    octets = secret.encode("utf-8", "replace")
    return {
        secret,
        quote(secret, safe=""),
        quote(secret),
        quote_plus(secret),
        orjson.dumps(octets.decode()).decode()[1:-1],
        escape(secret, {'"': "&quot;", "'": "&apos;"}),
        octets.hex(),
        base64.b64encode(octets).decode(),
    }
