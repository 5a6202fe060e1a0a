"""What may be asked through the control door: verbs with named, typed parameters.

*In*: a verb's name, its arguments as JSON brought them. *Out*: `Answer`.
*Never*: a socket; an argument that the verb did not name.
"""

from collections.abc import Awaitable, Callable, Mapping
from types import MappingProxyType
from typing import Any, Final

import attrs


@attrs.frozen
class Told:
    """It was done, or here is what was asked: a JSON value."""

    value: object = None


@attrs.frozen
class Declined:
    """Nothing was done; one sentence for each reason."""

    why: tuple[str, ...]


Answer = Told | Declined
Handler = Callable[..., Awaitable[Answer]]
"""Called with the arguments by their names."""

_NONE: Final[Mapping[str, type[Any]]] = MappingProxyType({})
_CALLED: Final[Mapping[type[Any], str]] = {
    str: "a text",
    int: "a whole number",
    bool: "true or false",
    dict: "an object",
    list: "a list",
}


@attrs.frozen
class _Verb:
    handle: Handler
    required: Mapping[str, type[Any]]
    optional: Mapping[str, type[Any]]


class Verbs:
    """By name; a name is what it is about, a dot, what is done: "outlets.list"."""

    def __init__(self) -> None:
        self._verbs: dict[str, _Verb] = {}

    def add(
        self,
        name: str,
        handle: Handler,
        required: Mapping[str, type[Any]] = _NONE,
        optional: Mapping[str, type[Any]] = _NONE,
    ) -> None:
        """From now on `name` may be asked; parameters are str, int, bool, dict or list."""
        assert name not in self._verbs, name
        self._verbs[name] = _Verb(handle, required, optional)

    def __iter__(self) -> Any:
        return iter(self._verbs)

    async def ask(self, name: str, arguments: Mapping[str, Any]) -> Answer:
        """Do it, if there is such a verb and the arguments fit."""
        verb = self._verbs.get(name)
        if verb is None:
            return Declined((f"{name!r} is unknown; known are: {', '.join(sorted(self._verbs))}",))
        faults = tuple(_faults(verb, arguments))
        return Declined(faults) if faults else await verb.handle(**arguments)


def _faults(verb: _Verb, arguments: Mapping[str, Any]) -> list[str]:
    known = {**verb.required, **verb.optional}
    faults = [f"argument {name!r} is missing" for name in verb.required if name not in arguments]
    for name, value in arguments.items():
        wanted = known.get(name)
        if wanted is None:
            faults.append(f"argument {name!r} is unknown; known are: {', '.join(known) or 'none'}")
        elif type(value) is not wanted:  # True is no whole number here
            faults.append(f"argument {name!r} is not {_CALLED[wanted]}")
    return faults
