"""Which account gets a message from the network.

*In*: the destination (short code or number) and the first word of the text.
*Out*: an account's name, or None when no rule takes it.
*Never*: whether the account is bound; delivery decides or parks.
Station: an outlet hands in an MO message, intake asks here whose it is.
"""

from collections.abc import Iterable

from routing.first_match import FirstMatch
from routing.rule import MoRule


def first_word(text: str) -> str:
    """First word of a text, "" when it has none; words are parted by white space."""
    words = text.split(None, 1)
    return words[0] if words else ""


class MoTable:
    """Ordered rules; the first that matches wins.

    A rule's `to` are prefixes: "12345" takes 12345 and every longer number that begins so.
    Keywords are compared without regard to case.
    """

    __slots__ = ("_index", "rules")

    def __init__(self, rules: Iterable[MoRule]) -> None:
        """Build the index. Raises ValueError for a prefix that is not made of digits."""
        self.rules = tuple(rules)
        self._index = FirstMatch(rule.pattern for rule in self.rules)

    def choose(self, destination_addr: str, keyword: str) -> str | None:
        """Account for a message to `destination_addr` (bare digits) whose first word is given."""
        position = self._index.find(keyword.casefold(), destination_addr)
        return None if position is None else self.rules[position].account
