"""A rule, ready to ask: its conditions as tests, its answer made in advance where it can be.

*In*: a checked `Rule`, its position, the tables and lists it names.
*Out*: `CompiledRule`: does it fit, why not, and what follows.
*Never*: the order of rules; `RoutingTable` keeps it.
"""

from collections.abc import Mapping
from decimal import Decimal

import attrs

from pdu.status import Status
from routing.actions import NOTHING, Actions, perform
from routing.choice import ByCost, ByTable, Choice, Draw, make_choice
from routing.decision import Decision, NoRoute
from routing.first_match import Pattern
from routing.key import RouteKey
from routing.number_list import NumberList
from routing.prefix_csv import PriceTable, RouteTable
from routing.ranges import Destinations, read_destinations
from routing.rule import Rule, some
from routing.when import Condition, tests_of


@attrs.frozen
class Resources:
    """Tables and lists that rules name, loaded."""

    routes: Mapping[str, RouteTable] = attrs.field(factory=dict)
    prices: Mapping[str, PriceTable] = attrs.field(factory=dict)
    lists: Mapping[str, NumberList] = attrs.field(factory=dict)


NO_RESOURCES = Resources()


@attrs.frozen(eq=False)
class CompiledRule:
    """See the module."""

    rule: Rule
    name: str
    destinations: Destinations
    conditions: tuple[Condition, ...]
    """Besides account and prefix."""
    choice: Choice | None
    actions: Actions | None
    """What the rule does, when that is the same for every message."""
    fixed: Decision | NoRoute | None
    """The answer, when it is the same for every message."""
    _made: dict[tuple[str, ...], Decision] = attrs.field(factory=dict, repr=False)
    """Answers with `actions`, by order of outlets: a few each rule."""

    @property
    def pattern(self) -> Pattern:
        """Account and destination, as the index wants them."""
        return Pattern(self.rule.accounts, self.destinations.covering())

    @property
    def is_plain(self) -> bool:
        """Whether account and prefix alone decide, so that the index finds it."""
        return not (self.conditions or self.destinations.ranges or self.rule.goes_on)

    def fits(self, key: RouteKey) -> bool:
        """Ask everything; destinations by a linear scan, the slow twin of the index."""
        return key.destination_addr in self.destinations and self.fits_beyond_prefix(key)

    def fits_beyond_prefix(self, key: RouteKey) -> bool:
        """Ask what an index over prefixes left open."""
        accounts = self.rule.accounts
        if accounts and key.account not in accounts:
            return False
        ranges = self.destinations.ranges
        if ranges and key.destination_addr not in self.destinations:
            return False
        for one in self.conditions:  # noqa: SIM110 - all(…) costs 0.3 µs more
            if not one.fits(key):
                return False
        return True

    def mismatch(self, key: RouteKey) -> str | None:
        """Why the rule does not fit, in one clause; None when it does."""
        accounts = self.rule.accounts
        if accounts and key.account not in accounts:
            return f"account {key.account} is not among {', '.join(accounts)}"
        if key.destination_addr not in self.destinations:
            verb = "is in" if self.destinations.ranges else "begins with"
            return f"{key.destination_addr} {verb} none of {some(self.rule.to)}"
        for one in self.conditions:
            if not one.fits(key):
                return f"{one.found(key)} is {one.unmet}"
        return None

    def reason(self, key: RouteKey) -> str:
        """What in the message made the rule match."""
        digits = key.destination_addr
        prefix = max(filter(digits.startswith, self.destinations.prefixes), key=len, default="")
        where = f"{digits} begins with {prefix}" if prefix else f"{digits} is in its range"
        reasons = [
            where if self.rule.to else "takes every number",
            f"account {key.account}" if self.rule.accounts else "every account",
            *(one.why_met(key) for one in self.conditions),
        ]
        return ", ".join(reasons)

    def decide(self, key: RouteKey, draw: Draw, before: Actions = NOTHING) -> Decision | NoRoute:
        """What follows when the rule matched, behind rules that went on."""
        fixed = self.fixed
        if fixed is not None and (before is NOTHING or isinstance(fixed, NoRoute)):
            return fixed
        # By the number that the rule matched, not by what it makes of it.
        outlets = self._outlets(key.destination_addr, draw)
        if before is not NOTHING or self.actions is None:
            actions, _ = perform(self.rule.do, key, before)
            return Decision(self.name, outlets, NOTHING if actions == NOTHING else actions)
        made = self._made.get(outlets)
        if made is None:
            made = self._made[outlets] = Decision(self.name, outlets, self.actions)
        return made

    def _outlets(self, digits: str, draw: Draw) -> tuple[str, ...]:
        if self.rule.do.drop:
            return ()
        return self.rule.outlets if self.choice is None else self.choice.order(digits, draw)

    def prices(self, digits: str) -> dict[str, Decimal | None]:
        """What a part costs by each outlet, where the rule has price tables."""
        return self.choice.prices(digits) if isinstance(self.choice, ByCost) else {}


def compile_rule(rule: Rule, position: int, resources: Resources) -> CompiledRule:
    """Make a rule ready. Raises KeyError for a table or list that is not there."""
    name = rule.name or f"routes[{position}]"
    conditions = tests_of(rule.when, resources.lists)
    choice = make_choice(rule.choose, rule.outlets, resources.prices)
    if rule.table:
        table = resources.routes[rule.table]
        conditions += (_in_table(table, rule.table),)
        choice = ByTable(table, rule.outlets)
    actions = None
    fixed: Decision | NoRoute | None = _refusal(rule, name)
    if not rule.do.rewrites_addresses:
        actions, _ = perform(rule.do, RouteKey("", "", "", ""), NOTHING)
        actions = NOTHING if actions == NOTHING else actions
        if fixed is None and choice is None:
            fixed = Decision(name, () if rule.do.drop else rule.outlets, actions)
    destinations = read_destinations(rule.to)
    return CompiledRule(rule, name, destinations, conditions, choice, actions, fixed)


def _refusal(rule: Rule, name: str) -> NoRoute | None:
    if not rule.do.reject:
        return None
    status = Status[rule.do.reject]
    return NoRoute(f"rule {name} rejects it with {status.name}", status, name)


def _in_table(table: RouteTable, name: str) -> Condition:
    return Condition(
        lambda key: table.get(key.destination_addr) is not None,
        lambda key: key.destination_addr,
        f"not in the table {name}",
        f"in the table {name}",
    )
