"""The arguments of Jasmin's HTTP API: where they stand, and the checks before anything else.

*In*: query, content type and body of a request; a table of fields.
*Out*: `Arguments` by name, in the order they came; `Refusal` with Jasmin's status and sentence.
*Never*: I/O; what an argument means.

Jasmin docs, "HTTP API"; jasmin/protocols/http/validation.py for the order: an unknown first
argument, then each field of the table, then the other arguments that are unknown.
"""

import re
import urllib.parse
from collections.abc import Mapping
from typing import Final

import attrs

from bridges.http.dialects import loose_json

Value = bytes | str | int | float | bool | list[object] | dict[str, object]
"""Octets of a URL or form; JSON brings the others."""
Arguments = dict[str, Value]

SHOWN_CHARACTERS: Final = 100
"""How much of a wrong value a sentence repeats."""


@attrs.define(slots=True)
class Refusal:
    """An HTTP status and the sentence between the quotes."""

    status: int
    text: str


@attrs.frozen
class Field:
    """What a table says of an argument."""

    pattern: re.Pattern[bytes] | None = None
    is_required: bool = False


Fields = Mapping[str, Field]

NOTHING_FOUND: Final = Refusal(
    400, "Mandatory arguments not found, please refer to the HTTPAPI specifications."
)


def parse_arguments(query: str, content_type: str, body: bytes) -> Arguments | Refusal:
    """The arguments of a query, and of a body that is a form or JSON, whatever its label says."""
    arguments: Arguments = {}
    _add_form(arguments, query.encode("ascii", "replace"))
    text = body.lstrip()
    if content_type.startswith("application/json") or text.startswith(b"{"):
        found = loose_json.loads(body)
        if not isinstance(found, dict):
            return Refusal(400, "Unknown error: the body is not a JSON object")
        add_json(arguments, found)
    elif text:
        _add_form(arguments, text)
    return arguments


def add_json(arguments: Arguments, members: Mapping[str, object]) -> None:
    """The members of a JSON object; null counts as absent."""
    for name, value in members.items():
        if isinstance(value, bytes | str | int | float | list | dict):
            arguments[name] = value


def check(arguments: Arguments, fields: Fields) -> Refusal | None:
    """Judge the arguments by a table; None if they will do."""
    if not arguments:
        return NOTHING_FOUND
    for place, name in enumerate(arguments):
        if name not in fields:
            return Refusal(400, f"Argument [{shown(name)}] is unknown.")
        refusal = _check_fields(arguments, fields) if place == 0 else None
        if refusal is not None:
            return refusal
    return None


def octets_of(value: Value) -> bytes:
    """A value as a URL would have brought it."""
    return value if isinstance(value, bytes) else str(value).encode("utf-8", "replace")


def text_of(value: Value) -> str:
    """A value as people read it."""
    return octets_of(value).decode("utf-8", "replace")


def invalid(name: str, value: Value) -> Refusal:
    """Jasmin's sentence for a value that cannot be used."""
    return Refusal(400, f"Argument [{name}] has an invalid value: [{shown(text_of(value))}].")


def shown(text: str) -> str:
    """As much of a wrong value as a sentence repeats."""
    return text if len(text) <= SHOWN_CHARACTERS else text[: SHOWN_CHARACTERS - 1] + "…"


def _check_fields(arguments: Arguments, fields: Fields) -> Refusal | None:
    for name, field in fields.items():
        value = arguments.get(name)
        if value is None:
            if field.is_required:
                return Refusal(400, f"Mandatory argument [{name}] is not found.")
        elif field.pattern is not None and (
            isinstance(value, list | dict) or not field.pattern.fullmatch(octets_of(value))
        ):
            return invalid(name, value)
    return None


def _add_form(arguments: Arguments, octets: bytes) -> None:
    """Of several arguments with a name the first counts; one without "=" is empty."""
    for pair in filter(None, octets.split(b"&")):
        name, _, value = (part.replace(b"+", b" ") for part in pair.partition(b"="))
        key = urllib.parse.unquote_to_bytes(name).decode("utf-8", "replace")
        arguments.setdefault(key, urllib.parse.unquote_to_bytes(value))
