"""Which of the rules with conditions may fit a number.

*In*: rules with their positions. *Out*: positions, ascending, for a number.
*Never*: asks the conditions themselves.

Rules without `to` are in every answer; the others are found by the longest prefix, at which
those of shorter prefixes stand too. So a message is asked only the conditions of rules that want
its number, however many countries the rules are for.
"""

from collections.abc import Iterable

from routing.prefixes import PrefixTable


class Candidates:
    """Positions by number."""

    __slots__ = ("_by_prefix", "_everywhere")

    def __init__(self, rules: Iterable[tuple[int, tuple[str, ...]]]) -> None:
        """Build from (position, prefixes), no prefixes = every number."""
        everywhere: list[int] = []
        own: dict[str, set[int]] = {}
        for position, prefixes in rules:
            if not prefixes:
                everywhere.append(position)
            for prefix in prefixes:
                own.setdefault(prefix, set()).add(position)
        self._everywhere = tuple(everywhere)
        inherited: list[tuple[str, tuple[int, ...]]] = []
        around: list[tuple[str, set[int]]] = [("", set(everywhere))]
        for prefix, positions in sorted(own.items()):
            while not prefix.startswith(around[-1][0]):
                around.pop()
            together = positions | around[-1][1]
            around.append((prefix, together))
            inherited.append((prefix, tuple(sorted(together))))
        self._by_prefix = PrefixTable(inherited)

    def get(self, digits: str) -> tuple[int, ...]:
        """Positions of the rules that may fit, in their order."""
        return self._by_prefix.get(digits) or self._everywhere
