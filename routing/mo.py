"""Which account gets a message from the network, and how.

*In*: the destination (short code or number), the first word of the text, the carrier.
*Out*: `MoDecision`, or None when no rule takes it.
*Never*: whether the account is bound; delivery decides or parks.
Station: an outlet hands in an MO message, `smsc.flow.inbound` asks here whose it is.
"""

from collections.abc import Iterable

import attrs

from routing.first_match import FirstMatch
from routing.rule import ANY_KEYWORD, Deliver, MoRule


@attrs.frozen
class MoDecision:
    """A rule took the message."""

    rule: str
    """Name of the rule."""
    account: str
    deliver: Deliver
    callback: str
    """URL, when `deliver` is "callback"; else ""."""
    is_by_keyword: bool = False
    """Did it ask for a first word?"""


def first_word(text: str) -> str:
    """First word of a text, "" when it has none; words are parted by white space."""
    words = text.split(None, 1)
    return words[0] if words else ""


class MoTable:
    """Ordered rules; the first that matches wins.

    A rule's `to` are prefixes: "12345" takes 12345 and every longer number that begins so.
    Keywords are compared without regard to case; a rule without one is the default for its
    numbers when it stands behind those with one.
    """

    __slots__ = ("_any", "_by_outlet", "_decisions", "rules")

    def __init__(self, rules: Iterable[MoRule]) -> None:
        """Build the index. Raises ValueError for a prefix that is not made of digits."""
        self.rules = tuple(rules)
        self._decisions = tuple(
            MoDecision(
                rule.name or f"mo_routes[{position}]",
                rule.account,
                rule.deliver,
                rule.callback,
                rule.keyword != ANY_KEYWORD,
            )
            for position, rule in enumerate(self.rules)
        )
        named = {outlet for rule in self.rules for outlet in rule.outlets}
        self._any = self._index("")
        self._by_outlet = {outlet: self._index(outlet) for outlet in named}

    def match(self, destination_addr: str, keyword: str, outlet: str = "") -> MoDecision | None:
        """Who gets a message to `destination_addr` (bare digits) with that first word.

        :param outlet: the carrier it came from.
        """
        index, positions = self._by_outlet.get(outlet, self._any)
        found = index.find(keyword.casefold(), destination_addr)
        return None if found is None else self._decisions[positions[found]]

    def choose(self, destination_addr: str, keyword: str, outlet: str = "") -> str | None:
        """Only the account."""
        decision = self.match(destination_addr, keyword, outlet)
        return None if decision is None else decision.account

    def _index(self, outlet: str) -> tuple[FirstMatch, tuple[int, ...]]:
        """The rules for one carrier, and where they stand among all."""
        positions = tuple(
            position
            for position, rule in enumerate(self.rules)
            if not rule.outlets or outlet in rule.outlets
        )
        return FirstMatch(self.rules[position].pattern for position in positions), positions
