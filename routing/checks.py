"""What can be wrong with rules as written, told by the key it stands at.

*In*: rules by their position in the file, and the names there are.
*Out*: `RoutingError` values that name the key ("routes[1].when.hours").
*Never*: raises for a bad rule, reads a file.
"""

import re
from collections import Counter
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence

import attrs

from routing.actions import Do, is_refusal
from routing.choice import Choose
from routing.ranges import destination_fault
from routing.rule import MoRule, Rule
from routing.velocity import Guard


@attrs.frozen
class RoutingError:
    """One thing wrong with the rules."""

    key: str
    why: str


@attrs.frozen(kw_only=True)
class Names:
    """What rules may name."""

    outlets: Collection[str] = ()
    accounts: Collection[str] = ()
    groups: Collection[str] = ()
    route_tables: Collection[str] = ()
    price_tables: Collection[str] = ()
    lists: Collection[str] = ()


def check_routes(rules: Mapping[int, Rule], names: Names) -> list[RoutingError]:
    """All that is wrong. By position, so that rules which did not even parse may be absent."""
    errors: list[RoutingError] = []
    first_called: dict[str, int] = {}
    for position, rule in rules.items():
        at = f"routes[{position}]"
        errors += _rule_errors(at, rule, names)
        if rule.name and first_called.setdefault(rule.name, position) != position:
            why = f"expected a name of its own, {rule.name!r} is routes[{first_called[rule.name]}]"
            errors.append(RoutingError(f"{at}.name", why))
    return errors


def check_mo_routes(
    rules: Mapping[int, MoRule], *, accounts: Collection[str], outlets: Collection[str] = ()
) -> list[RoutingError]:
    """All that is wrong with rules for messages from the network, by position."""
    errors: list[RoutingError] = []
    for position, rule in rules.items():
        at = f"mo_routes[{position}]"
        errors += _names(f"{at}.account", "account", (rule.account,), accounts)
        errors += _names(f"{at}.outlets", "outlet", rule.outlets, outlets)
        errors += _callback(at, rule)
        errors += _prefixes(f"{at}.to", rule.to)
        if len(rule.keyword.split()) != 1:
            why = f'expected one word, or "*" for any, found {rule.keyword!r}'
            errors.append(RoutingError(f"{at}.keyword", why))
    return errors


def check_guards(guards: Mapping[str, Guard], *, accounts: Collection[str]) -> list[RoutingError]:
    """All that is wrong with guards, by name."""
    errors: list[RoutingError] = []
    for name, guard in guards.items():
        at = f"guards.{name}"
        errors += _names(f"{at}.accounts", "account", guard.accounts, accounts)
        errors += _prefixes(f"{at}.to", guard.to)
        if not is_refusal(guard.status):
            why = f'expected a status like "ESME_RTHROTTLED", found {guard.status!r}'
            errors.append(RoutingError(f"{at}.status", why))
    return errors


def unreachable(rules: Sequence[Rule]) -> list[tuple[int, int]]:
    """Pairs (rule, earlier rule without conditions that leaves it nothing): hints, not errors."""
    pairs: list[tuple[int, int]] = []
    catch_alls: list[int] = []
    for position, rule in enumerate(rules):
        for earlier in catch_alls:
            taken = set(rules[earlier].accounts)
            if not taken or (rule.accounts and taken.issuperset(rule.accounts)):
                pairs.append((position, earlier))
                break
        if not (rule.to or rule.table or rule.goes_on) and rule.when == type(rule.when)():
            catch_alls.append(position)
    return pairs


def _rule_errors(at: str, rule: Rule, names: Names) -> Iterator[RoutingError]:
    if rule.goes_on and rule.do == Do():
        yield RoutingError(f"{at}.outlets", "expected at least one outlet, or something to do")
    if rule.do.ends and (rule.outlets or rule.table):
        why = "expected none where the rule rejects or drops"
        yield RoutingError(f"{at}.outlets", why)
    yield from _names(f"{at}.outlets", "outlet", rule.outlets, names.outlets)
    yield from _names(f"{at}.accounts", "account", rule.accounts, names.accounts)
    yield from _destinations(f"{at}.to", rule.to)
    if rule.table:
        yield from _names(f"{at}.table", "route table", (rule.table,), names.route_tables)
    yield from _choose_errors(f"{at}.choose", rule, names)
    yield from _names(f"{at}.when.groups", "group", rule.when.groups, names.groups)
    for key, name in rule.when.lists():
        yield from _names(f"{at}.when.{key}", "list", (name,), names.lists)
    for key, why in rule.when.faults():
        yield RoutingError(f"{at}.when.{key}", why)
    for key, why in rule.do.faults():
        yield RoutingError(f"{at}.do.{key}", why)


def _choose_errors(at: str, rule: Rule, names: Names) -> Iterator[RoutingError]:
    choose = rule.choose
    if rule.table and choose != Choose():
        yield RoutingError(f"{at}.by", "expected nothing here where a table names the outlet")
        return
    if choose.by != "order" and not rule.outlets:
        yield RoutingError(f"{at}.by", "expected outlets to choose from")
    for key, way, values in (
        ("weights", "weight", choose.weights),
        ("prices", "cost", choose.prices),
    ):
        if choose.by == way and len(values) != len(rule.outlets):
            why = f"expected one for each of the {len(rule.outlets)} outlets, found {len(values)}"
            yield RoutingError(f"{at}.{key}", why)
        elif values and choose.by != way:
            yield RoutingError(f"{at}.{key}", f'expected only with by = "{way}"')
    if min(choose.weights, default=1) < 0 or (choose.weights and not any(choose.weights)):
        yield RoutingError(f"{at}.weights", "expected numbers of at least 0, not all of them 0")
    for name in dict.fromkeys(choose.prices):
        yield from _names(f"{at}.prices", "price table", (name,), names.price_tables)


def _callback(at: str, rule: MoRule) -> Iterator[RoutingError]:
    if rule.deliver == "callback" and not re.fullmatch(r"https?://[!-~]+", rule.callback):
        why = f'expected a URL like "https://example.com/mo", found {rule.callback!r}'
        yield RoutingError(f"{at}.callback", why)
    if rule.deliver != "callback" and rule.callback:
        yield RoutingError(f"{at}.callback", 'expected only with deliver = "callback"')


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
    """Prefixes only: a range has no meaning here."""
    yield from _destinations(key, [one for one in prefixes if "-" not in one])
    for one in prefixes:
        if "-" in one:
            yield RoutingError(key, f"expected prefixes, found the range {one!r}")


def _destinations(key: str, written: Sequence[str]) -> Iterable[RoutingError]:
    for one, times in Counter(written).items():
        fault = destination_fault(one)
        if fault is not None:
            yield RoutingError(key, fault)
        elif times > 1:
            yield RoutingError(key, f"prefix {one!r} is given {times} times")
