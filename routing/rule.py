"""The two kinds of rule an operator writes.

*In*: one `[[routes]]` or `[[mo_routes]]` table of the configuration file; the attribute names
are its keys and `meaning` is what an error message says about them.
*Out*: values. `routing.compiled` makes them ready to ask.
*Never*: health, tables or side effects; those belong to what is built from the rules.
"""

from typing import Literal

import attrs

from routing.actions import Do
from routing.choice import Choose
from routing.first_match import Pattern
from routing.when import When

Deliver = Literal["receivers", "inbox", "callback"]

ANY_KEYWORD = "*"


@attrs.frozen
class Rule:
    """Where messages from clients go."""

    outlets: tuple[str, ...] = attrs.field(
        default=(), metadata={"meaning": "the outlets to try, in fail-over order"}
    )
    name: str = attrs.field(default="", metadata={"meaning": "what logs and explain call the rule"})
    to: tuple[str, ...] = attrs.field(
        default=(),
        metadata={"meaning": "destination prefixes or ranges in digits; none = every number"},
    )
    accounts: tuple[str, ...] = attrs.field(
        default=(), metadata={"meaning": "accounts the rule is for; none = every account"}
    )
    table: str = attrs.field(
        default="",
        metadata={
            "meaning": "route table that names the outlet; the rule is for the numbers in it"
        },
    )
    choose: Choose = attrs.field(
        factory=Choose, metadata={"meaning": "how the first of the outlets is found"}
    )
    when: When = attrs.field(
        factory=When, metadata={"meaning": "what else must fit for the rule to match"}
    )
    do: Do = attrs.field(
        factory=Do, metadata={"meaning": "what the rule does besides choosing outlets"}
    )

    @property
    def goes_on(self) -> bool:
        """Whether rules behind it are asked too: it says what to do, not where to go."""
        return not (self.outlets or self.table or self.do.ends)


@attrs.frozen
class MoRule:
    """Where messages from the network go."""

    account: str = attrs.field(metadata={"meaning": "the account that gets the message"})
    to: tuple[str, ...] = attrs.field(
        default=(),
        metadata={"meaning": "destination numbers, short codes or prefixes; none = every number"},
    )
    keyword: str = attrs.field(
        default=ANY_KEYWORD, metadata={"meaning": 'first word of the text, "*" = any'}
    )
    outlets: tuple[str, ...] = attrs.field(
        default=(), metadata={"meaning": "carriers it comes from; none = every one"}
    )
    deliver: Deliver = attrs.field(
        default="receivers",
        metadata={
            "meaning": "how it gets to the account: to bound receivers, kept in the inbox until it "
            "is fetched, or by an HTTP callback"
        },
    )
    callback: str = attrs.field(
        default="", metadata={"meaning": 'URL to post it to, with deliver = "callback"'}
    )
    name: str = attrs.field(default="", metadata={"meaning": "what logs call the rule"})

    @property
    def pattern(self) -> Pattern:
        """What the rule asks for besides the carrier, as the index wants it."""
        any_keyword = self.keyword == ANY_KEYWORD
        return Pattern(() if any_keyword else (self.keyword.casefold(),), self.to)

    def mismatch(self, destination_addr: str, keyword: str, outlet: str = "") -> str | None:
        """Why the rule does not fit, in one clause; None when it does."""
        if self.outlets and outlet not in self.outlets:
            return f"it came by {outlet or 'no outlet'}, none of {', '.join(self.outlets)}"
        if self.keyword != ANY_KEYWORD and keyword.casefold() != self.keyword.casefold():
            return f"the first word {keyword!r} is not {self.keyword!r}"
        if self.to and not destination_addr.startswith(self.to):
            return f"{destination_addr} begins with none of {some(self.to)}"
        return None


def some(prefixes: tuple[str, ...], limit: int = 5) -> str:
    """List a few prefixes; a rule may have thousands."""
    shown = ", ".join(prefixes[:limit])
    left = len(prefixes) - limit
    return f"{shown} and {left} more" if left > 0 else shown
