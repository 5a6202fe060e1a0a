"""Messages that were received for an account, kept until it deletes them.

*Never*: behaviour; see `smsc.ports`.
"""

import enum
from collections.abc import Sequence
from typing import Protocol

import attrs

from smsc.message import AccountId, MessageId
from smsc.ports.intake import Refused


class InboxKind(enum.StrEnum):
    """How a message came to lie where it lies."""

    KEYWORD = "keyword"
    """A rule took it by its first word."""
    INBOX = "inbox"
    """A rule took it by its number, or another account wrote it."""
    SANDBOX = "sandbox"
    """No rule took it: it belongs to nobody, and admins may look at it."""


@attrs.frozen(kw_only=True)
class Received:
    """One received message."""

    id: MessageId
    account: AccountId
    """"" in the sandbox."""
    kind: InboxKind
    source: str
    destination: str
    keyword: str = ""
    text: str
    received_ms: int
    outlet: str = ""
    """The network it came from; "" for messages between accounts."""


@attrs.frozen(kw_only=True)
class InboxQuery:
    """Which ones; every condition that is given must hold."""

    kinds: frozenset[InboxKind] = frozenset()
    """Empty = those of the account, however they came."""
    source: str = ""
    """The address ends with it."""
    destination: str = ""
    """The address ends with it."""
    keyword: str = ""
    """Compared without regard to case."""
    above: MessageId | None = None
    below: MessageId | None = None
    limit: int = 100


class Inbox(Protocol):
    """Verbs that change something return after fsync."""

    def count(self, account: AccountId) -> int:
        """How many messages an account has."""

    def received(self, account: AccountId, query: InboxQuery) -> Sequence[Received]:
        """Messages of an account, newest first."""

    def sandbox(self, query: InboxQuery) -> Sequence[Received]:
        """Messages that no rule took, newest first."""

    async def write(
        self, to: AccountId, source: str, text: str, by: AccountId
    ) -> Received | Refused:
        """A message from one account to another, that no network sees."""

    async def remove(self, account: AccountId, id_: MessageId) -> bool:
        """Delete one; False if there was none."""
