"""What is said when the configuration does not fit.

*In*: exceptions of cattrs and of our own hooks, in nested groups.
*Out*: flat `ConfigError` values: the key, what was expected, what was found, what it is for.
*Never*: shows a secret; hooks for secrets put no value into their sentences.
"""

import difflib
import json
import re
from collections.abc import Iterable, Mapping
from typing import Any

import attrs
from cattrs.errors import (
    ClassValidationError,
    ForbiddenExtraKeysError,
    IterableValidationError,
)

from smsc.directory.passwords import StoredPassword

_SHOWN = 60
"""Characters of a wrong string worth repeating."""


@attrs.frozen
class ConfigError:
    """One thing wrong with the configuration."""

    key: str
    """Full path, as in "outlets.carrier.port"; "" for the file as a whole."""
    why: str
    """What was expected and what was found."""
    meaning: str = ""
    """What the key is for."""

    def __str__(self) -> str:
        """One line for people."""
        told = f"{self.key}: {self.why}" if self.key else self.why
        return f"{told} ({self.meaning})" if self.meaning else told


class SettingError(Exception):
    """A value does not fit; raised inside hooks only, `read` turns it into a `ConfigError`."""

    def __init__(self, why: str, *, written_as: str | None = None) -> None:
        """`written_as` is the key in the file where it is not the field's own name."""
        super().__init__(why)
        self.why = why
        self.written_as = written_as


@attrs.frozen
class Secret:
    """A password we give to others; never shown."""

    value: str = attrs.field(repr=False)


def explain(
    error: BaseException, path: tuple[str | int, ...], field: "attrs.Attribute[Any] | None"
) -> Iterable[ConfigError]:
    """Flatten cattrs' groups into errors that name their key."""
    if isinstance(error, ClassValidationError):
        fields = attrs.fields_dict(error.cl)
        placed, others = error.group_exceptions()
        for inner, note in placed:
            yield from explain(inner, (*path, note.name), fields[note.name])
        for inner in others:
            if isinstance(inner, ForbiddenExtraKeysError):
                for name in sorted(inner.extra_fields):
                    why = unknown_key(name, _writable(fields))
                    yield ConfigError(key_of((*path, name)), why)
            else:
                yield from explain(inner, path, field)
    elif isinstance(error, IterableValidationError):
        placed_items, others = error.group_exceptions()
        for inner, place in placed_items:
            yield from explain(inner, (*path, place.index), field)
        for inner in others:
            yield from explain(inner, path, field)
    else:
        yield _leaf(error, path, field)


def _leaf(
    error: BaseException, path: tuple[str | int, ...], field: "attrs.Attribute[Any] | None"
) -> ConfigError:
    meaning = field.metadata.get("meaning", "") if field is not None else ""
    match error:
        case SettingError(why=why, written_as=written_as):
            place = (*path[:-1], written_as) if written_as else path
            return ConfigError(key_of(place), why, meaning)
        case KeyError() if field is not None:
            return ConfigError(key_of(path), _missing(field), meaning)
        case ValueError() | TypeError():  # a validator of the class itself: its sentence tells
            # attrs' own validators put the attribute and the value behind the sentence.
            sentence, *more = error.args or ("does not fit",)
            sentence = str(sentence)
            if more and isinstance(more[0], attrs.Attribute):
                path = (*path, more[0].name)
                meaning = more[0].metadata.get("meaning", "")
            return ConfigError(key_of(path), sentence, meaning)
        case _:
            raise error


def _missing(field: "attrs.Attribute[Any]") -> str:
    names = [field.name + form for form in secret_forms(field.type)]
    if names:
        return f"required: give one of {', '.join(names)}"
    return "required, but missing"


def _writable(fields: Mapping[str, "attrs.Attribute[Any]"]) -> Iterable[str]:
    """Every key the file may use for these fields."""
    for name, field in fields.items():
        yield from (name + form for form in secret_forms(field.type) or ("",))


def secret_forms(secret_type: object) -> tuple[str, ...]:
    """What may stand behind a field's name when the field is a secret; () when it is not."""
    if secret_type is StoredPassword:
        return ("", "_hash", "_file", "_env")
    return ("", "_file", "_env") if secret_type is Secret else ()


def key_of(path: Iterable[str | int]) -> str:
    """Write a path as TOML would: outlets.carrier.port, routes[1].to, accounts."a b".rate."""
    key = ""
    for step in path:
        if isinstance(step, int):
            key += f"[{step}]"
        else:
            bare = step if re.fullmatch(r"[A-Za-z0-9_-]+", step) else json.dumps(step)
            key += f".{bare}" if key else bare
    return key


def found(value: object) -> str:
    """Name a value as the file shows it; containers by kind only."""
    match value:
        case bool():
            return "true" if value else "false"
        case int() if value.bit_length() > 128:  # Python itself refuses to print some
            return "a huge number"
        case int() | float():
            return repr(value)
        case str():
            return repr(value if len(value) <= _SHOWN else value[:_SHOWN] + "…")
        case list():
            return "a list"
        case dict():
            return "a table"
        case _:
            return f"a {type(value).__name__}"


def unknown_key(name: str, known: Iterable[str]) -> str:
    """Say that a key is unknown and which one was probably meant."""
    names = sorted(known)
    close = difflib.get_close_matches(name, names, n=1)
    return (
        f"unknown key; did you mean {close[0]!r}?"
        if close
        else f"unknown key; known here: {', '.join(names)}"
    )
