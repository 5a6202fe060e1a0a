"""The only door to routing: which outlets a message may take, in which order.

*In*: a `RouteKey` and, for `choose`, what the caller knows about the health of outlets.
*Out*: `Decision | NoRoute`, both values; `explain()` tells the same with reasons.
*Never*: sends or waits. The same key gives the same answer, but for rules that choose by weight
(a seeded draw, given when the table is built) or in turn (a counter).
Station: intake asks before it stores. Figures: see `bench/routing.py`.

Rules that ask only for account and prefix stand in an index (`FirstMatch`) and their answers are
made in advance. Where a rule with other conditions stands before the one that the index finds, and
wants the number, it is asked; a rule that goes on (no outlets, only things to do) changes what
the rules behind it see. The slow twin walks all rules: `explain()`.
"""

from collections.abc import Callable, Iterable
from random import Random
from typing import Literal, TypeAlias

from routing.actions import NOTHING, Actions, Do, perform
from routing.candidates import Candidates
from routing.choice import Draw
from routing.compiled import NO_RESOURCES, CompiledRule, Resources, compile_rule
from routing.decision import NO_ROUTE, Decision, NoRoute
from routing.explanation import Explanation, Tried
from routing.first_match import FirstMatch
from routing.key import RouteKey
from routing.rule import Rule
from routing.when import When

__all__ = ["NO_ROUTE", "Decision", "Health", "NoRoute", "RoutingTable"]

Health: TypeAlias = Callable[[str], bool | None]
"""True when the outlet of that name can take messages now, None when nobody knows."""
_NOTHING_TO_DO = Do()
_NO_CONDITIONS = When()
Fact: TypeAlias = Literal["details", "parts", "text"]


class RoutingTable:
    """Ordered rules; the first that matches wins.

    `rules` are taken as they are: `routing.loader` is where names and prefixes are checked.
    Raises ValueError for a prefix that is not made of digits or a rule with nothing to do,
    KeyError for one that names a table or list which `resources` has not.
    """

    __slots__ = (
        "_by_name",
        "_candidates",
        "_compiled",
        "_conditional",
        "_draw",
        "_fixed",
        "_index",
        "_plain",
        "_untouched",
        "needs",
        "rules",
    )

    def __init__(
        self,
        rules: Iterable[Rule],
        resources: Resources = NO_RESOURCES,
        draw: Draw | None = None,
    ) -> None:
        """Build the index.

        :param draw: gives numbers from [0, 1) to rules that choose by weight; a generator with a
            fixed seed unless given.
        """
        self.rules = tuple(rules)
        if any(rule.goes_on and not _does_something(rule) for rule in self.rules):
            raise ValueError("a rule needs an outlet or something to do")
        self._draw = draw or Random(0).random
        self._compiled = tuple(
            compile_rule(rule, position, resources) for position, rule in enumerate(self.rules)
        )
        self._by_name = {one.name: one.rule for one in self._compiled}
        self._plain = tuple(at for at, one in enumerate(self._compiled) if one.is_plain)
        self._index = FirstMatch(self._compiled[at].pattern for at in self._plain)
        self._fixed = tuple(self._compiled[at].fixed for at in self._plain)
        self._untouched = tuple(map(_if_untouched, self._fixed))
        self._candidates = Candidates(
            (at, one.pattern.prefixes) for at, one in enumerate(self._compiled) if not one.is_plain
        )
        self._conditional = len(self._plain) < len(self._compiled)
        self.needs: frozenset[Fact] = frozenset(_needs(self.rules))
        """Facts of a `RouteKey` that must be filled: "details" = all from `group` on but "parts"
        and "text", which cost more and are named by themselves."""

    def match(self, key: RouteKey) -> Decision | NoRoute:
        """Answer for one message in the rule's own order, whatever is up or down."""
        position = self._index.find(key.account, key.destination_addr)
        if self._conditional:
            return self._match_conditional(key, position)
        if position is None:
            return NO_ROUTE
        return self._fixed[position] or self._compiled[position].decide(key, self._draw)

    def fixed(self, account: str, destination_addr: str) -> Decision | None:
        """What `match` answers when nothing else of a message counts, without asking for a key.

        None: ask `match`. The answer is one object for all messages, and does nothing to them.
        """
        if self._conditional:
            return None
        position = self._index.find(account, destination_addr)
        return None if position is None else self._untouched[position]

    def choose(self, key: RouteKey, is_up: Health) -> Decision | NoRoute:
        """Answer for one message; outlets that are down are listed last, not left out."""
        decision = self.match(key)
        if isinstance(decision, NoRoute):
            return decision
        for outlet in decision.outlets:  # a loop: all(map(…)) costs 0.1 µs more
            if is_up(outlet) is False:
                return _healthy_first(decision, is_up)
        return decision

    def rule_called(self, name: str) -> Rule:
        """The rule of that name, as decisions give it. Raises KeyError when there is none."""
        return self._by_name[name]

    def explain(self, key: RouteKey, is_up: Health) -> Explanation:
        """Say of every rule why it matched or not, and what follows."""
        answer = self.choose(key, is_up)
        tried: list[Tried] = []
        winner: CompiledRule | None = None
        seen = key
        for rule in self._compiled:
            why = rule.mismatch(seen)
            if why is not None:
                tried.append(Tried(rule.name, matched=False, why=why))
            elif winner is not None:
                why = f"would match, but {winner.name} came first"
                tried.append(Tried(rule.name, matched=True, why=why))
            elif rule.rule.goes_on:
                tried.append(Tried(rule.name, matched=True, why=f"{rule.reason(seen)}; goes on"))
                _, seen = perform(rule.rule.do, seen, NOTHING)
            else:
                winner = rule
                tried.append(Tried(rule.name, matched=True, why=rule.reason(seen)))
        if isinstance(answer, NoRoute) or winner is None:
            return Explanation(tuple(tried), answer)
        prices = winner.prices(seen.destination_addr)
        health = {name: is_up(name) for name in answer.outlets}
        return Explanation(tuple(tried), answer, health, prices)

    def _match_conditional(
        self, key: RouteKey, plain: int | None, start: int = 0, before: Actions = NOTHING
    ) -> Decision | NoRoute:
        """Ask the rules with conditions, from `start` to the one the index found."""
        digits = key.destination_addr
        end = len(self._compiled) if plain is None else self._plain[plain]
        for position in self._candidates.get(digits):
            if position > end:
                break
            rule = self._compiled[position]
            if position < start or not rule.fits_beyond_prefix(key):
                continue
            if not rule.rule.goes_on:
                return rule.decide(key, self._draw, before)
            before, key = perform(rule.rule.do, key, before)
            if key.destination_addr != digits:
                return self._match_changed(key, position + 1, before)
        if plain is None:
            return NO_ROUTE
        return self._compiled[end].decide(key, self._draw, before)

    def _match_changed(self, key: RouteKey, start: int, before: Actions) -> Decision | NoRoute:
        """Go on with a message whose number a rule has changed."""
        plain = self._index.find(key.account, key.destination_addr)
        if plain is None or self._plain[plain] >= start:
            return self._match_conditional(key, plain, start, before)
        # The index knows only the first rule that fits, and that one is behind us: walk.
        for rule in self._compiled[start:]:
            if not rule.fits(key):
                continue
            if not rule.rule.goes_on:
                return rule.decide(key, self._draw, before)
            before, key = perform(rule.rule.do, key, before)
        return NO_ROUTE


def _if_untouched(decision: Decision | NoRoute | None) -> Decision | None:
    """The decision, if it does nothing to a message."""
    if isinstance(decision, Decision) and decision.actions is NOTHING:
        return decision
    return None


def _does_something(rule: Rule) -> bool:
    return rule.do != _NOTHING_TO_DO


def _needs(rules: tuple[Rule, ...]) -> Iterable[Fact]:
    for rule in rules:
        if rule.when != _NO_CONDITIONS or rule.do.rewrites_addresses:
            yield "details"
        if rule.when.min_parts or rule.when.max_parts:
            yield "parts"
        if rule.when.text:
            yield "text"


def _healthy_first(decision: Decision, is_up: Health) -> Decision:
    healthy = tuple(name for name in decision.outlets if is_up(name) is not False)
    down = tuple(outlet for outlet in decision.outlets if outlet not in healthy)
    return Decision(decision.rule, healthy + down, decision.actions)
