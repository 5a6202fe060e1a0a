"""First match wins, without walking the rules.

*In*: for each rule its position, the groups it is for (accounts, keywords) and its prefixes.
*Out*: the lowest position among the rules that match a group and a number.
*Never*: what a rule leads to; positions only.

How: the rules for one group become one `PrefixTable` whose value at a prefix is the lowest
position among the rules at that prefix *and at every shorter prefix of it*. Longest-prefix
look-up then finds exactly the first rule that matches, whatever the order of the rules. Rules
for any group are copied into each group's table while that stays small; beyond it they stand
in a table of their own, a group with rules pays two look-ups, and the lower position wins.
The slow twin walks the rules in order; tests hold both against each other.
"""

from collections.abc import Iterable

import attrs

from routing.prefixes import PrefixTable

COPIED = 200_000
"""Prefixes that may be copied into the tables of groups, all together: about 34 MB."""


@attrs.frozen
class Pattern:
    """What a rule asks for; an empty tuple stands for "any"."""

    groups: tuple[str, ...]
    prefixes: tuple[str, ...]


class FirstMatch:
    """Index over ordered patterns."""

    __slots__ = ("_any", "_by_group", "_one_look_up")

    def __init__(self, patterns: Iterable[Pattern]) -> None:
        """Build; the position of a pattern is its place in `patterns`, from 0."""
        lowest: dict[str | None, dict[str, int]] = {None: {}}
        for position, pattern in enumerate(patterns):
            for group in pattern.groups or (None,):
                at = lowest.setdefault(group, {})
                for prefix in pattern.prefixes or ("",):
                    at.setdefault(prefix, position)
        anyone = lowest.pop(None)
        self._one_look_up = len(anyone) * len(lowest) <= COPIED
        if self._one_look_up:
            for at in lowest.values():
                for prefix, position in anyone.items():
                    at[prefix] = min(position, at.get(prefix, position))
        self._any = _table(anyone)
        self._by_group = {group: _table(at) for group, at in lowest.items() if group is not None}

    def find(self, group: str, digits: str) -> int | None:
        """Position of the first pattern that matches, or None."""
        own = self._by_group.get(group)
        if own is None:
            return self._any.get(digits)
        mine = own.get(digits)
        if self._one_look_up:
            return mine
        anywhere = self._any.get(digits)
        if mine is None or (anywhere is not None and anywhere < mine):
            return anywhere
        return mine


def _table(lowest: dict[str, int]) -> PrefixTable[int]:
    """Let each prefix inherit the lowest position of the shorter prefixes around it."""
    inherited: list[tuple[str, int]] = []
    around: list[tuple[str, int]] = []
    for prefix, position in sorted(lowest.items()):
        while around and not prefix.startswith(around[-1][0]):
            around.pop()
        best = min(position, around[-1][1]) if around else position
        inherited.append((prefix, best))
        around.append((prefix, best))
    return PrefixTable(inherited)
