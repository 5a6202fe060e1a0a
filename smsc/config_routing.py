"""The routing sections of the configuration: rules, tables, lists and guards.

*In*: the raw tables of the file, a `Reader`. *Out*: `RoutingSections`, and mistakes in the reader,
each by its key: `routes[1].when.hours`, `price_tables.world.file`.
*Never*: an outlet's or an account's own settings; only their names are known here.
"""

import re
from collections.abc import Iterable, Mapping
from typing import Any, TypeVar

import attrs

from routing.compiled import Resources
from routing.loader import (
    FileConfig,
    Names,
    RoutingConfig,
    RoutingError,
    check_guards,
    check_mo_routes,
    check_routes,
    load_resources,
)
from routing.rule import MoRule, Rule
from routing.velocity import Guard
from smsc.config_errors import ConfigError, key_of
from smsc.config_fields import Reader

T = TypeVar("T")

FILE_SECTIONS = ("route_tables", "price_tables", "lists")
ROUTING_SECTIONS = ("routes", "mo_routes", *FILE_SECTIONS, "guards")

_CLASSES: Mapping[str, type[Any]] = {
    "routes": Rule,
    "mo_routes": MoRule,
    "guards": Guard,
    **dict.fromkeys(FILE_SECTIONS, FileConfig),
}


@attrs.frozen
class RoutingSections:
    """What was read; whole only when the reader has no error."""

    routing: RoutingConfig
    mo_routes: tuple[MoRule, ...]
    resources: Resources
    """The files, loaded."""


def read_routing(
    raw: Mapping[str, Any],
    reader: Reader,
    *,
    outlets: frozenset[str],
    accounts: frozenset[str],
    groups: frozenset[str],
) -> RoutingSections:
    """Read every routing section and every file it names."""
    routes = _rules(raw, "routes", Rule, reader)
    mo_routes = _rules(raw, "mo_routes", MoRule, reader)
    files = {section: _named(raw, section, FileConfig, reader) for section in FILE_SECTIONS}
    guards = _named(raw, "guards", Guard, reader)
    # Names that are written count as known, even when their tables have errors of their own.
    names = Names(
        outlets=outlets,
        accounts=accounts,
        groups=groups,
        route_tables=written(raw, "route_tables"),
        price_tables=written(raw, "price_tables"),
        lists=written(raw, "lists"),
    )
    routing = RoutingConfig(
        routes=tuple(routes.values()),
        **files,
        guards=guards,
        outlets=outlets,
        accounts=accounts,
        groups=groups,
    )
    _tell(check_routes(routes, names), reader)
    _tell(check_mo_routes(mo_routes, accounts=accounts, outlets=outlets), reader)
    _tell(check_guards(guards, accounts=accounts), reader)
    resources = load_resources(routing)
    if isinstance(resources, list):
        _tell(resources, reader)
        resources = Resources()
    return RoutingSections(routing, tuple(mo_routes.values()), resources)


def written(raw: Mapping[str, Any], section: str) -> frozenset[str]:
    """The names of a section's tables, good or not."""
    value = raw.get(section)
    return frozenset(value) if isinstance(value, dict) else frozenset()


def _rules(raw: Mapping[str, Any], section: str, cls: type[T], reader: Reader) -> dict[int, T]:
    values = raw.get(section, [])
    if not isinstance(values, list):
        reader.add(f"expected a list of tables, each headed [[{section}]]", section)
        return {}
    rules: dict[int, T] = {}
    for position, value in enumerate(values):
        told = len(reader.errors)
        rule = reader.read(value, cls, section, position)
        if rule is None and isinstance(value, dict):
            # Names in it are checked all the same: read it without the keys that did not fit.
            start = len(key_of((section, position))) + 1
            unfit = {re.split(r"[.[]", error.key[start:])[0] for error in reader.errors[told:]}
            rest = {key: one for key, one in value.items() if key not in unfit}
            rule = Reader({}).read(rest, cls)
            if rule is not None and _lost_its_purpose(rule, unfit):
                continue
        if rule is not None:
            rules[position] = rule
    return rules


def _lost_its_purpose(rule: object, unfit: set[str]) -> bool:
    """A rule whose outlets or actions did not parse is not blamed for having none as well."""
    return isinstance(rule, Rule) and rule.goes_on and not unfit.isdisjoint({"outlets", "do"})


def _named(raw: Mapping[str, Any], section: str, cls: type[T], reader: Reader) -> dict[str, T]:
    found: dict[str, T] = {}
    for name, value in reader.table(raw.get(section, {}), section).items():
        if not re.fullmatch(r"[A-Za-z0-9_-]{1,32}", name):
            why = 'expected a name of 1 to 32 letters, digits, "_" or "-"'
            reader.add(why, section, name)
            continue
        one = reader.read(value, cls, section, name)
        if one is not None:
            found[name] = one
    return found


def _tell(errors: Iterable[RoutingError], reader: Reader) -> None:
    for error in errors:
        reader.errors.append(ConfigError(error.key, error.why, _meaning(error.key)))


def _meaning(key: str) -> str:
    """What the key is for, from the class it is read into: routes[0].when.hours."""
    section, *steps = re.split(r"\[\d+\]\.|\.", key)
    cls: Any = _CLASSES[section]
    if not issubclass(cls, Rule | MoRule):
        steps = steps[-1:]  # without the name of the table
    meaning = ""
    for step in steps:
        field = attrs.fields_dict(cls)[step]
        meaning = field.metadata["meaning"]
        cls = field.type
    return meaning
