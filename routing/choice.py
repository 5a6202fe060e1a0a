"""In which order a rule's outlets are tried.

*In*: the outlets of a rule, a number, a draw from [0, 1) as an argument.
*Out*: every outlet, in the order to try.
*Never*: health: the lane that holds the message passes over what is down; a source of chance.

Whatever chooses the first outlet, the others follow in the order written, from the first one on
and around: so a rule with n outlets makes n plans, not n!, and dispatch keeps a lane for each.
Least cost sorts, and makes as many plans as there are orders of price.
"""

from bisect import bisect_right
from collections.abc import Callable, Mapping
from decimal import Decimal
from itertools import accumulate
from typing import Literal, Protocol, TypeAlias
from zlib import crc32

import attrs

from routing.prefix_csv import PriceTable, RouteTable

Way = Literal["order", "weight", "turn", "cost", "destination"]
Draw: TypeAlias = Callable[[], float]
Order: TypeAlias = tuple[str, ...]


@attrs.frozen(kw_only=True)
class Choose:
    """`[routes.choose]`: how the first outlet is found."""

    by: Way = attrs.field(
        default="order",
        metadata={
            "meaning": '"order" as written, by "weight", in "turn", least "cost", or always the '
            'same one for a "destination"'
        },
    )
    weights: tuple[int, ...] = attrs.field(
        default=(), metadata={"meaning": "shares of the outlets, in their order"}
    )
    prices: tuple[str, ...] = attrs.field(
        default=(), metadata={"meaning": "price tables of the outlets, in their order"}
    )


class Choice(Protocol):
    """One way to order outlets."""

    def order(self, digits: str, draw: Draw) -> Order:
        """Every outlet, the first to try first, for a message to `digits`."""


@attrs.frozen
class ByWeight:
    """The first by a draw; in the long run each gets its share."""

    orders: tuple[Order, ...]
    bounds: tuple[float, ...]

    def order(self, digits: str, draw: Draw) -> Order:  # noqa: ARG002 - as the Protocol says
        """Draw once."""
        return self.orders[bisect_right(self.bounds, draw())]


@attrs.define
class InTurn:
    """One after the other; the place in the round is all that is remembered, and not on disk."""

    orders: tuple[Order, ...]
    next: int = 0

    def order(self, digits: str, draw: Draw) -> Order:  # noqa: ARG002 - as the Protocol says
        """Go on by one."""
        at = self.next
        self.next = at + 1 if at + 1 < len(self.orders) else 0
        return self.orders[at]


@attrs.frozen
class ByDestination:
    """The same outlet for the same number, on every node and after every restart.

    Highest hash wins, so an outlet that comes or goes moves only its own share of numbers.
    """

    outlets: Order
    orders: Mapping[str, Order]

    def order(self, digits: str, draw: Draw) -> Order:  # noqa: ARG002 - as the Protocol says
        """Hash each outlet with the number."""
        return self.orders[max(self.outlets, key=lambda name: _mixed(f"{digits}>{name}"))]


@attrs.frozen
class ByCost:
    """The cheapest first; those without a price for the number last, in the order written."""

    outlets: Order
    tables: tuple[PriceTable, ...]

    def order(self, digits: str, draw: Draw) -> Order:  # noqa: ARG002 - as the Protocol says
        """Look the number up in each price table."""
        prices = self.prices(digits)
        priced = [name for name in self.outlets if prices[name] is not None]
        priced.sort(key=lambda name: prices[name] or _FREE)
        return (*priced, *(name for name in self.outlets if prices[name] is None))

    def prices(self, digits: str) -> dict[str, Decimal | None]:
        """What a part to the number costs by each outlet; None = its table does not say."""
        found: dict[str, Decimal | None] = {}
        for outlet, table in zip(self.outlets, self.tables, strict=True):
            price = table.get(digits)
            found[outlet] = None if price is None else price.cost
        return found


@attrs.frozen
class ByTable:
    """The outlet that the table has for the number, then those of the rule."""

    table: RouteTable
    others: Order

    def order(self, digits: str, draw: Draw) -> Order:  # noqa: ARG002 - as the Protocol says
        """Look the number up; the rule is not asked for numbers that the table has not."""
        found = self.table.get(digits)
        if found is None:
            return self.others
        return (found.outlet, *(name for name in self.others if name != found.outlet))


_FREE = Decimal(0)


def make_choice(choose: Choose, outlets: Order, prices: Mapping[str, PriceTable]) -> Choice | None:
    """What orders the outlets; None when they are tried as written."""
    around = tuple(outlets[at:] + outlets[:at] for at in range(len(outlets)))
    match choose.by:
        case "order":
            return None
        case "weight":
            heard = [
                (order, weight)
                for order, weight in zip(around, choose.weights, strict=True)
                if weight
            ]
            total = sum(weight for _, weight in heard)
            ends = accumulate(weight for _, weight in heard[:-1])
            return ByWeight(tuple(order for order, _ in heard), tuple(end / total for end in ends))
        case "turn":
            return InTurn(around)
        case "destination":
            return ByDestination(outlets, {order[0]: order for order in around})
        case "cost":
            return ByCost(outlets, tuple(prices[name] for name in choose.prices))


def _mixed(text: str) -> int:
    """CRC-32 is linear, so texts that differ in one place keep their distance: mix it."""
    value = crc32(text.encode())
    value = (value ^ value >> 16) * 0x85EBCA6B & 0xFFFFFFFF
    value = (value ^ value >> 13) * 0xC2B2AE35 & 0xFFFFFFFF
    return value ^ value >> 16
