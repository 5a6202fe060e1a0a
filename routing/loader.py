"""From all that routing is told to tables that work, or to the list of what is wrong.

*In*: `RoutingConfig`; the files it names, through a reader that is handed in.
*Out*: a table, or `RoutingError` values that name the key ("routes[1].outlets",
"price_tables.world.file").
*Never*: raises for a bad rule or a bad file; changes anything: a reload builds anew, validated
first, and the caller swaps the whole.
"""

from collections.abc import Callable, Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import TypeAlias, TypeVar

import attrs

from routing.checks import (
    Names,
    RoutingError,
    check_guards,
    check_mo_routes,
    check_routes,
    unreachable,
)
from routing.choice import Draw
from routing.compiled import Resources
from routing.mo import MoTable
from routing.number_list import read_list
from routing.prefix_csv import CsvError, read_prices, read_routes
from routing.rule import MoRule, Rule
from routing.table import RoutingTable
from routing.velocity import Guard

__all__ = [
    "FileConfig",
    "Names",
    "RoutingConfig",
    "RoutingError",
    "build",
    "check_guards",
    "check_mo_routes",
    "check_routes",
    "load_mo_routes",
    "load_resources",
    "unreachable",
]

T = TypeVar("T")
Read: TypeAlias = Callable[[Path], bytes]


@attrs.frozen(kw_only=True)
class FileConfig:
    """`[route_tables.NAME]`, `[price_tables.NAME]`, `[lists.NAME]`: something kept in a file."""

    file: Path = attrs.field(metadata={"meaning": "the file, from the working directory"})


@attrs.frozen(kw_only=True)
class RoutingConfig:
    """All that routing is told."""

    routes: tuple[Rule, ...] = ()
    route_tables: Mapping[str, FileConfig] = attrs.field(factory=dict)
    """Files of prefix, outlet, name."""
    price_tables: Mapping[str, FileConfig] = attrs.field(factory=dict)
    """Files of prefix, cost, name."""
    lists: Mapping[str, FileConfig] = attrs.field(factory=dict)
    """Files of numbers and senders."""
    guards: Mapping[str, Guard] = attrs.field(factory=dict)
    outlets: frozenset[str] = frozenset()
    accounts: frozenset[str] = frozenset()
    groups: frozenset[str] = frozenset()

    def files(self) -> frozenset[Path]:
        """Every file that is read besides the configuration itself; a change in one is a reload."""
        sections = (self.route_tables, self.price_tables, self.lists)
        return frozenset(one.file for section in sections for one in section.values())

    def names(self) -> Names:
        """What rules may name."""
        return Names(
            outlets=self.outlets,
            accounts=self.accounts,
            groups=self.groups,
            route_tables=self.route_tables,
            price_tables=self.price_tables,
            lists=self.lists,
        )


def build(
    config: RoutingConfig, *, read: Read = Path.read_bytes, draw: Draw | None = None
) -> RoutingTable | list[RoutingError]:
    """Check everything, read the files, build the table; all mistakes at once.

    May be called again at any time: nothing is shared between two tables.

    :param read: the octets of a file; OSError is told as a mistake of its key.
    :param draw: see `RoutingTable`.
    """
    errors = check_routes(dict(enumerate(config.routes)), config.names())
    errors += check_guards(config.guards, accounts=config.accounts)
    resources = load_resources(config, read)
    if isinstance(resources, list):
        return errors + resources
    return errors or RoutingTable(config.routes, resources, draw)


def load_resources(
    config: RoutingConfig, read: Read = Path.read_bytes
) -> Resources | list[RoutingError]:
    """Read every file that the configuration names."""
    files = _Files(read)
    read_ways = partial(read_routes, outlets=config.outlets)
    routes = files.load("route_tables", config.route_tables, read_ways)
    prices = files.load("price_tables", config.price_tables, read_prices)
    lists = files.load("lists", config.lists, read_list)
    return files.errors or Resources(routes, prices, lists)


def load_mo_routes(
    rules: Sequence[MoRule], *, accounts: frozenset[str], outlets: frozenset[str] = frozenset()
) -> MoTable | list[RoutingError]:
    """Check and build the table for messages from the network."""
    errors = check_mo_routes(dict(enumerate(rules)), accounts=accounts, outlets=outlets)
    return errors or MoTable(rules)


class _Files:
    """Reads files and keeps what is wrong with them."""

    def __init__(self, read: Read) -> None:
        self.errors: list[RoutingError] = []
        self._read = read

    def load(
        self,
        section: str,
        configs: Mapping[str, FileConfig],
        parse: Callable[[bytes], T | list[CsvError]],
    ) -> dict[str, T]:
        """What could be read, by name."""
        loaded: dict[str, T] = {}
        for name, config in configs.items():
            key = f"{section}.{name}.file"
            try:
                found = parse(self._read(config.file))
            except UnicodeDecodeError as error:
                self._add(key, f"{config.file}: not UTF-8 at octet {error.start}")
                continue
            except OSError as error:
                self._add(key, f"cannot read {str(config.file)!r}: {error.strerror or error}")
                continue
            if isinstance(found, list):
                for line, why in found:
                    place = f"{config.file}, line {line}" if line else str(config.file)
                    self._add(key, f"{place}: {why}")
            else:
                loaded[name] = found
        return loaded

    def _add(self, key: str, why: str) -> None:
        self.errors.append(RoutingError(key, why))
