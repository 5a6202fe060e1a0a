"""The only door to routing: which outlets a message may take, in which order.

*In*: a `RouteKey` and what the caller knows about the health of outlets.
*Out*: `Decision | NoRoute`, both values; `explain()` tells the same with reasons.
*Never*: sends, waits or remembers; the same key and health give the same answer.
Station: dispatch asks before it hands a batch to an outlet. Figure: see `bench/routing.py`.
"""

from collections.abc import Callable, Iterable
from typing import TypeAlias

import attrs

from routing.first_match import FirstMatch
from routing.key import RouteKey
from routing.rule import Rule

Health: TypeAlias = Callable[[str], bool]
"""True when the outlet of that name can take messages now."""


@attrs.frozen
class Decision:
    """A rule matched."""

    rule: str
    """Name of the rule."""
    outlets: tuple[str, ...]
    """Fail-over order, never empty: healthy ones first, then those that are down."""


@attrs.frozen
class NoRoute:
    """No rule matched; the message is refused."""

    why: str = "no rule matches the account and the destination"


NO_ROUTE = NoRoute()


@attrs.frozen
class Tried:
    """What became of one rule."""

    rule: str
    matched: bool
    why: str
    """One clause for people."""


@attrs.frozen
class Explanation:
    """Every rule in order, then the answer `choose` gives."""

    tried: tuple[Tried, ...]
    answer: Decision | NoRoute
    down: tuple[str, ...]
    """Outlets of the answer that are down."""

    def lines(self) -> list[str]:
        """The whole, one line each, for a terminal."""
        lines = [f"{'+' if one.matched else '-'} {one.rule}: {one.why}" for one in self.tried]
        if isinstance(self.answer, NoRoute):
            return [*lines, f"= refused: {self.answer.why}"]
        order = ", ".join(
            f"{outlet} (down)" if outlet in self.down else outlet for outlet in self.answer.outlets
        )
        return [*lines, f"= {self.answer.rule}: {order}"]


class RoutingTable:
    """Ordered rules; the first that matches wins.

    `rules` are taken as they are: `routing.loader` is where names and prefixes are checked.
    Raises ValueError for a prefix that is not made of digits or a rule without outlets.
    """

    __slots__ = ("_decisions", "_index", "rules")

    def __init__(self, rules: Iterable[Rule]) -> None:
        """Build the index; about 5 µs a prefix."""
        self.rules = tuple(rules)
        if not all(rule.outlets for rule in self.rules):
            raise ValueError("a rule needs an outlet")
        self._index = FirstMatch(rule.pattern for rule in self.rules)
        self._decisions = tuple(
            Decision(rule.name or f"routes[{position}]", rule.outlets)
            for position, rule in enumerate(self.rules)
        )

    def match(self, key: RouteKey) -> Decision | NoRoute:
        """Answer for one message in the rule's own order, whatever is up or down."""
        position = self._index.find(key.account, key.destination_addr)
        return NO_ROUTE if position is None else self._decisions[position]

    def choose(self, key: RouteKey, is_up: Health) -> Decision | NoRoute:
        """Answer for one message; outlets that are down are listed last, not left out."""
        decision = self.match(key)
        if isinstance(decision, NoRoute):
            return decision
        for outlet in decision.outlets:  # a loop: all(map(…)) costs 0.1 µs more
            if not is_up(outlet):
                return _healthy_first(decision, is_up)
        return decision

    def explain(self, key: RouteKey, is_up: Health) -> Explanation:
        """Say of every rule why it matched or not, and what follows."""
        answer = self.choose(key, is_up)
        tried: list[Tried] = []
        winner: str | None = None
        for rule, decision in zip(self.rules, self._decisions, strict=True):
            why = rule.mismatch(key)
            if why is not None:
                tried.append(Tried(decision.rule, matched=False, why=why))
            elif winner is not None:
                tried.append(
                    Tried(decision.rule, matched=True, why=f"would match, but {winner} came first")
                )
            else:
                winner = decision.rule
                tried.append(Tried(winner, matched=True, why=_reason(rule, key)))
        down = () if isinstance(answer, NoRoute) else answer.outlets
        return Explanation(tuple(tried), answer, tuple(name for name in down if not is_up(name)))


def _healthy_first(decision: Decision, is_up: Health) -> Decision:
    healthy = tuple(filter(is_up, decision.outlets))
    down = tuple(outlet for outlet in decision.outlets if outlet not in healthy)
    return Decision(decision.rule, healthy + down)


def _reason(rule: Rule, key: RouteKey) -> str:
    """What in the key made the rule match."""
    prefix = max((one for one in rule.to if key.destination_addr.startswith(one)), default="")
    reasons = [
        f"{key.destination_addr} begins with {prefix}" if rule.to else "takes every number",
        f"account {key.account}" if rule.accounts else "every account",
    ]
    return ", ".join(reasons)
