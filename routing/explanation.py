"""Why a message goes where it goes, rule by rule.

*In*: made by `RoutingTable.explain`. *Out*: values, and lines for a terminal.
*Never*: decides; the answer is the one that `match` gave.
"""

from collections.abc import Mapping
from decimal import Decimal

import attrs

from routing.actions import Actions
from routing.decision import Decision, NoRoute


@attrs.frozen
class Tried:
    """What became of one rule."""

    rule: str
    matched: bool
    why: str
    """One clause for people."""


@attrs.frozen
class Explanation:
    """Every rule in order, then the answer."""

    tried: tuple[Tried, ...]
    answer: Decision | NoRoute
    health: Mapping[str, bool | None] = attrs.field(factory=dict)
    """Of the answer's outlets: True = up, False = down, None = unknown."""
    prices: Mapping[str, Decimal | None] = attrs.field(factory=dict)
    """What a part costs by each outlet, where the rule has price tables; None = not priced."""

    def lines(self) -> list[str]:
        """The whole, one line each."""
        lines = [f"{'+' if one.matched else '-'} {one.rule}: {one.why}" for one in self.tried]
        if isinstance(self.answer, NoRoute):
            return [*lines, f"= refused: {self.answer.why}"]
        lines += [f"~ {change}" for change in changes(self.answer.actions)]
        if self.answer.actions.drop:
            return [*lines, f"= {self.answer.rule}: dropped, nothing is sent"]
        return [
            *lines,
            f"= {self.answer.rule}: {', '.join(map(self._outlet, self.answer.outlets))}",
        ]

    def _outlet(self, name: str) -> str:
        notes: list[str] = []
        is_up = self.health.get(name)
        notes.append("health unknown" if is_up is None else "up" if is_up else "down")
        if name in self.prices:
            price = self.prices[name]
            notes.append("no price" if price is None else f"{price} a part")
        return f"{name} ({', '.join(notes)})"


def changes(actions: Actions) -> list[str]:
    """What is done to the message, a clause each; dropping it left out."""
    told = []
    if actions.tags:
        told.append(f"tagged {', '.join(actions.tags)}")
    if actions.destination_addr is not None:
        told.append(f"recipient becomes {actions.destination_addr}")
    if actions.source is not None:
        told.append(f"sender becomes {actions.source.addr}")
    if actions.validity_s:
        told.append(f"lives {actions.validity_s:g} s")
    if actions.transliterate:
        told.append(f"text made plain ({actions.transliterate})")
    if actions.footer:
        told.append(f"footer {actions.footer!r}")
    if actions.charge is not None and not actions.drop:  # what is dropped costs nothing
        told.append(f"charged {actions.charge} a part")
    return told
