"""From rules as written to tables that work, or to the list of what is wrong.

*In*: rules by their position in the file, and the names of outlets and accounts there are.
*Out*: a table, or `RoutingError` values that name the key ("routes[1].outlets").
*Never*: raises for a bad rule, reads a file.
"""

from collections import Counter
from collections.abc import Collection, Iterable, Mapping, Sequence

import attrs

from routing.mo import MoTable
from routing.rule import MoRule, Rule
from routing.table import RoutingTable

PREFIX_LIMIT = 20
"""Digits in a destination address (SMPP 3.4 §5.2.9: 21 octets with the NUL)."""


@attrs.frozen
class RoutingError:
    """One thing wrong with the rules."""

    key: str
    why: str


def load_routes(
    rules: Sequence[Rule], *, outlets: Collection[str], accounts: Collection[str]
) -> RoutingTable | list[RoutingError]:
    """Check and build the table for messages from clients."""
    errors = check_routes(dict(enumerate(rules)), outlets=outlets, accounts=accounts)
    return errors or RoutingTable(rules)


def load_mo_routes(
    rules: Sequence[MoRule], *, accounts: Collection[str]
) -> MoTable | list[RoutingError]:
    """Check and build the table for messages from the network."""
    return check_mo_routes(dict(enumerate(rules)), accounts=accounts) or MoTable(rules)


def check_routes(
    rules: Mapping[int, Rule], *, outlets: Collection[str], accounts: Collection[str]
) -> list[RoutingError]:
    """All that is wrong. By position, so that rules which did not even parse may be absent."""
    errors: list[RoutingError] = []
    first_called: dict[str, int] = {}
    for position, rule in rules.items():
        at = f"routes[{position}]"
        if not rule.outlets:
            errors.append(RoutingError(f"{at}.outlets", "expected at least one outlet"))
        errors += _names(f"{at}.outlets", "outlet", rule.outlets, outlets)
        errors += _names(f"{at}.accounts", "account", rule.accounts, accounts)
        errors += _prefixes(f"{at}.to", rule.to)
        if rule.name and first_called.setdefault(rule.name, position) != position:
            why = f"expected a name of its own, {rule.name!r} is routes[{first_called[rule.name]}]"
            errors.append(RoutingError(f"{at}.name", why))
    return errors


def check_mo_routes(
    rules: Mapping[int, MoRule], *, accounts: Collection[str]
) -> list[RoutingError]:
    """All that is wrong with rules for messages from the network, by position."""
    errors: list[RoutingError] = []
    for position, rule in rules.items():
        at = f"mo_routes[{position}]"
        errors += _names(f"{at}.account", "account", (rule.account,), accounts)
        errors += _prefixes(f"{at}.to", rule.to)
        if len(rule.keyword.split()) != 1:
            why = f'expected one word, or "*" for any, found {rule.keyword!r}'
            errors.append(RoutingError(f"{at}.keyword", why))
    return errors


def unreachable(rules: Sequence[Rule]) -> list[tuple[int, int]]:
    """Pairs (rule, earlier rule without prefixes that leaves it nothing): hints, not errors."""
    pairs: list[tuple[int, int]] = []
    catch_alls: list[int] = []
    for position, rule in enumerate(rules):
        for earlier in catch_alls:
            taken = set(rules[earlier].accounts)
            if not taken or (rule.accounts and taken.issuperset(rule.accounts)):
                pairs.append((position, earlier))
                break
        if not rule.to:
            catch_alls.append(position)
    return pairs


def _names(
    key: str, noun: str, names: Iterable[str], known: Collection[str]
) -> Iterable[RoutingError]:
    for name, times in Counter(names).items():
        if name not in known:
            there_are = ", ".join(sorted(known)) or "none"
            yield RoutingError(key, f"unknown {noun} {name!r}; there are: {there_are}")
        if times > 1:
            yield RoutingError(key, f"{noun} {name!r} is named {times} times")


def _prefixes(key: str, prefixes: Sequence[str]) -> Iterable[RoutingError]:
    for prefix, times in Counter(prefixes).items():
        if not (prefix.isascii() and prefix.isdigit() and len(prefix) <= PREFIX_LIMIT):
            hint = _prefix_hint(prefix)
            why = f"expected 1 to {PREFIX_LIMIT} digits, found {prefix!r}{hint}"
            yield RoutingError(key, why)
        elif times > 1:
            yield RoutingError(key, f"prefix {prefix!r} is given {times} times")


def _prefix_hint(prefix: str) -> str:
    digits = prefix.removeprefix("+").removesuffix("*")
    if digits != prefix and digits.isascii() and digits.isdigit():
        return f"; write {digits!r}"
    return "" if digits else "; leave the key out to match every number"
