"""Kinds of values in native requests: how each is checked, and how OpenAPI describes it.

*In*: members of a JSON object, parameters of a query. *Out*: None, or why a value will not do.
*Never*: I/O; a check that the document does not tell of, or the other way round: both are one.
"""

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import attrs

from bridges.http.dialects.base import MAX_AHEAD_S, Invalid

Schema = dict[str, Any]
Check = Callable[[object], str | None]
"""None if the value will do, else why not."""


@attrs.frozen
class Kind:
    """One kind of value: its check, and the same in the words of JSON Schema."""

    check: Check
    schema: Schema

    def said(self, description: str, **more: Any) -> "Kind":
        """The same, with a sentence for people."""
        return attrs.evolve(self, schema={**self.schema, "description": description, **more})


def text(limit: int, *, least: int = 0) -> Kind:
    """Text of `least` to `limit` characters."""
    count = f"{least} to {limit}" if least else f"at most {limit}"
    why = f"it must be text of {count} characters, in quotes"

    def check(value: object) -> str | None:
        return None if isinstance(value, str) and least <= len(value) <= limit else why

    schema: Schema = {"type": "string", "maxLength": limit}
    return Kind(check, schema | ({"minLength": least} if least else {}))


def integer(low: int, high: int, *, or_bool: bool = False) -> Kind:
    """A whole number; `or_bool`: or true or false."""
    why = f"it must be a whole number from {low} to {high}" + (", true or false" * or_bool)

    def check(value: object) -> str | None:
        if isinstance(value, bool):
            return None if or_bool else why
        return None if isinstance(value, int) and low <= value <= high else why

    number: Schema = {"type": "integer", "minimum": low, "maximum": high}
    return Kind(check, {"anyOf": [number, {"type": "boolean"}]} if or_bool else number)


def boolean() -> Kind:
    """True or false."""

    def check(value: object) -> str | None:
        return None if isinstance(value, bool) else "it must be true or false"

    return Kind(check, {"type": "boolean"})


def moment() -> Kind:
    """Seconds from now or a date and time with its zone; `parse_moment` judges it, with the time."""
    ahead: Schema = {"type": "number", "exclusiveMinimum": 0, "maximum": MAX_AHEAD_S}
    at: Schema = {"type": "string", "format": "date-time"}
    return Kind(lambda _value: None, {"anyOf": [ahead, at]})


def texts(most: int, limit: int) -> Kind:
    """A list of texts."""
    each = text(limit, least=1)
    why = f"it must be a list of at most {most} texts of 1 to {limit} characters"

    def check(value: object) -> str | None:
        if not isinstance(value, list) or len(value) > most:
            return why
        return why if any(each.check(one) is not None for one in value) else None

    return Kind(check, {"type": "array", "maxItems": most, "items": each.schema})


@attrs.frozen
class Shape:
    """A JSON object: its members by name, those that must be there, and a word for it."""

    name: str
    members: Mapping[str, Kind]
    required: tuple[str, ...] = ()

    def read(self, item: object) -> dict[str, Any] | Invalid:
        """The members of an object, each known and of its kind; null counts as absent."""
        if not isinstance(item, dict):
            return Invalid("", item, "it must be a JSON object")
        members = self.members
        for name, value in item.items():
            kind = members.get(name)
            if kind is None:
                known = ", ".join(members)
                return Invalid(name, value, f"there is no such member; known are {known}")
            if value is not None and (why := kind.check(value)) is not None:
                return Invalid(name, value, why)
        for name in self.required:
            if item.get(name) in (None, ""):
                return Invalid(name, item.get(name), "it is required and must not be empty")
        return item

    def schema(self) -> Schema:
        """As JSON Schema: null stands for a member that is left out, where it may be."""
        shown: Schema = {}
        for name, kind in self.members.items():
            if name in self.required:
                least = {"minLength": 1} if kind.schema.get("type") == "string" else {}
                shown[name] = least | kind.schema
            else:
                shown[name] = _or_null(kind.schema)
        schema: Schema = {"type": "object", "properties": shown, "additionalProperties": False}
        return schema | ({"required": list(self.required)} if self.required else {})


def _or_null(schema: Schema) -> Schema:
    if "anyOf" in schema:
        return schema | {"anyOf": [*schema["anyOf"], {"type": "null"}]}
    return schema | {"type": [schema["type"], "null"]}


@attrs.frozen
class Parameter:
    """A parameter of a query: how its text becomes a value, and what OpenAPI says of it."""

    name: str
    read: Callable[[str], Any]
    """The value, or an `Invalid`."""
    schema: Schema
    description: str


def read_query(
    parameters: Sequence[Parameter], given: Sequence[tuple[str, str]]
) -> dict[str, Any] | Invalid:
    """The values of a query by name; each known, given once and well formed."""
    by_name = {one.name: one for one in parameters}
    values: dict[str, Any] = {}
    for name, raw in given:
        parameter = by_name.get(name)
        if parameter is None:
            known = ", ".join(by_name) or "none"
            return Invalid(name, raw, f"there is no such parameter; known are {known}")
        if name in values:
            return Invalid(name, raw, "it is given twice; give it once")
        value = parameter.read(raw)
        if isinstance(value, Invalid):
            return value
        values[name] = value
    return values
