"""Questions about stored messages, and about the gateway itself.

*Never*: behaviour; see `smsc.ports`.
"""

from collections.abc import Mapping, Sequence
from typing import Protocol

import attrs

from smsc.message import AccountId, Message, MessageId, Progress, State
from smsc.ports.credits import Price


@attrs.define(slots=True)
class MessageReport:
    """A message and its progress, as its owner may see them."""

    message: Message
    progress: Progress


@attrs.frozen(kw_only=True)
class MessageQuery:
    """Which messages; every condition that is given must hold.

    `destination` and `source` fit when the address ends with them ("" = any), so that national
    and international spellings of a number meet. `below` and `above` bound the ids, exclusive.
    """

    account: AccountId | None
    """None asks for those of all accounts; only an admin may."""
    states: frozenset[State] = frozenset()
    """Empty = any."""
    destination: str = ""
    source: str = ""
    reference: str = ""
    from_ms: int = 0
    """Accepted at this moment or later, ms UTC."""
    until_ms: int = 0
    """Accepted before this moment, ms UTC; 0 = any."""
    below: MessageId | None = None
    above: MessageId | None = None
    limit: int = 100


@attrs.define(slots=True)
class MessagePage:
    """Messages, newest first.

    `below` is where the next page begins (give it as `MessageQuery.below`); None after the last.
    A page may be shorter than `limit`, even empty, while older ones are left: a look through
    history stops after a bounded number of records, so that it holds up nobody.
    """

    reports: Sequence[MessageReport]
    below: MessageId | None


class Lookup(Protocol):
    """Questions about stored messages."""

    async def report(self, account: AccountId, id_: MessageId) -> MessageReport | None:
        """The message if it exists and belongs to the account (an admin sees all)."""

    async def reports(self, query: MessageQuery) -> MessagePage:
        """Messages that fit, newest first."""

    async def batch(self, account: AccountId, batch: int) -> Sequence[MessageReport]:
        """The messages of one request in their order (`Draft.batch` = `NEW_BATCH`).

        Empty if there is no such batch, or it belongs to another account.
        """


@attrs.frozen(kw_only=True)
class Foreseen:
    """What would become of a message that was not sent."""

    source: str
    destination: str
    """Both as they would be stored."""
    body: bytes
    """The submit_sm body after the rules."""
    parts: int
    price: Price
    outlets: tuple[str, ...]
    """In the order in which they would be tried; empty: a rule drops it."""
    due_ms: int
    expires_ms: int


@attrs.define(slots=True)
class Health:
    """Is the gateway able to take messages, and what is behind by how much."""

    ready: bool
    why: str
    facts: Mapping[str, object]
