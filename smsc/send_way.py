"""`smsc send`: what is to be sent, and what is told of it, whichever way it goes.

*In*: nothing. *Out*: values. *Never*: a connection.
"""

from collections.abc import Callable
from typing import Protocol

import attrs

from pdu.text.coding import choose

FINAL_WELL = frozenset({"DELIVERED", "ACCEPTED"})
FINAL = FINAL_WELL | {"EXPIRED", "DELETED", "UNDELIVERABLE", "UNKNOWN", "REJECTED"}
_FLASH_GSM7, _FLASH_UCS2 = 0x10, 0x18


@attrs.frozen
class Wish:
    """One message, and who sends it."""

    to: str
    text: str
    sender: str
    is_flash: bool
    account: str
    password: str = attrs.field(repr=False)

    def coded(self) -> tuple[bytes, int]:
        """Octets and data_coding; class 0 for flash (TS 23.038 §4)."""
        choice = choose(self.text)
        if not self.is_flash:
            return choice.data, choice.data_coding
        return choice.data, _FLASH_UCS2 if choice.data_coding else _FLASH_GSM7


@attrs.frozen
class Step:
    """Something became known."""

    state: str
    """A state, or accepted, refused, unreachable, waiting."""
    told: str = ""
    """The rest of the sentence."""
    facts: dict[str, object] = attrs.field(factory=dict)


Tell = Callable[[Step], None]


class Way(Protocol):
    """How a message goes to a gateway."""

    def __call__(self, wish: Wish, wait_s: float, tell: Tell) -> str:
        """Send it and wait for its end; the last state, whatever it is."""
