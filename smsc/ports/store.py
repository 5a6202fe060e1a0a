"""The store: durable state, changed in batches.

*Never*: behaviour; see `smsc.ports`.
"""

import enum
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from typing import Any, Protocol

import attrs

from smsc.message import (
    AccountId,
    Delivery,
    Mailbox,
    Message,
    MessageId,
    OutletName,
    Progress,
)


@attrs.define(slots=True)
class Committed:
    """The batch is on disk."""


@attrs.define(slots=True)
class StoreFull:
    """Nothing of the batch is on disk: the map or the disk is full."""

    why: str


CommitResult = Committed | StoreFull


@attrs.define(slots=True)
class Alarm:
    """At `due_ms` UTC someone should look at the messages from `first` to `last`."""

    due_ms: int
    first: MessageId
    last: MessageId


class Control(enum.IntEnum):
    """The tables of the directory: small records of a few kinds, each sealed with a check sum.

    Keys come from `smsc.store.keys.owned_key`, but those of accounts and balances, which are
    names. What the fields are, those rooms say that write them: `smsc/directory/`.
    """

    ACCOUNT = 8
    BALANCE = 9
    LEDGER = 10
    CONTACT = 11
    INBOX = 12
    ANSWER = 13
    """What requests with an Idempotency-Key were answered; keyed as submissions are."""


class Batch(Protocol):
    """Changes that reach the disk in one transaction, or not at all."""

    def accept_many(self, messages: Sequence[Message], progress: Progress) -> None:
        """New messages that start alike; ids must ascend in the order batches are committed."""

    def progress(self, id_: MessageId, progress: Progress) -> None:
        """Overwrite the progress of a message."""

    def left_many(
        self, outlet: OutletName, left: Sequence[tuple[MessageId, str, Progress]]
    ) -> None:
        """Messages of one part left: (id, what the network calls it or "", its progress)."""

    def progress_many(self, changed: Iterable[tuple[MessageId, Progress]]) -> None:
        """Overwrite the progress of messages."""

    def end_many(self, ended: Mapping[MessageId, Progress]) -> None:
        """Overwrite the progress of messages that are final now."""

    def rewrite(self, message: Message) -> None:
        """Overwrite a message that is on disk: its owner changed it while it waited."""

    def upstream(self, outlet: OutletName, upstream_id: str, id_: MessageId, part: int) -> None:
        """Remember what the outlet's network calls a part."""

    def defer(self, due_ms: int, first: MessageId, last: MessageId) -> None:
        """Look at the messages from `first` to `last` at `due_ms`: one alarm for all of them."""

    def undefer(self, alarm: "Alarm") -> None:
        """Forget an alarm."""

    def park(self, delivery: Delivery) -> None:
        """Keep a delivery until a receiver took it."""

    def park_many(self, deliveries: Sequence[Delivery]) -> None:
        """Keep deliveries whose ids ascend."""

    def unpark_many(self, mailbox: Mailbox, ids: Iterable[MessageId]) -> None:
        """The deliveries arrived."""

    def unpark(self, mailbox: Mailbox, id_: MessageId) -> None:
        """The delivery arrived, or expired."""

    def remember(self, account: AccountId, digest: bytes, id_: MessageId, until_ms: int) -> None:
        """The account's submission with this digest became this message."""

    def forget_remembered(self, account: AccountId, digest: bytes) -> None:
        """The submission may come again, as another message."""

    def control(self, table: Control, key: bytes, fields: tuple[object, ...] | None) -> None:
        """Overwrite a record of the directory; None deletes it."""

    def meta(self, key: str, value: bytes) -> None:
        """A control value, such as the schema version."""


class Store(Protocol):
    """Durable state. Reads see every change handed in, committed or not, except new messages."""

    @property
    def is_full(self) -> bool:
        """Should intake refuse? True above the intake limit, False again once drained."""

    def batch(self) -> Batch:
        """An empty batch."""

    def commit_nowait(
        self, batch: Batch, done: Callable[[CommitResult], None] | None = None
    ) -> None:
        """Commit with whatever else is waiting.

        A batch with new messages may end as `StoreFull`;
        any other batch is kept and tried again until it is on disk.
        """

    def message(self, id_: MessageId) -> Message | None:
        """A message by id."""

    def messages(self, ids: Sequence[MessageId]) -> list[Message | None]:
        """Messages by id, in order."""

    def progress(self, id_: MessageId) -> Progress | None:
        """The progress of a message."""

    def progresses(self, ids: Sequence[MessageId]) -> list[Progress | None]:
        """The progress of messages, in order."""

    def newest(self, ids: Sequence[MessageId]) -> list[Progress | None]:
        """As `progresses`, from memory where it was journalled a moment ago.

        The objects are the store's: who changes one journals the change in the same step.
        """

    def upstream(self, outlet: OutletName, upstream_id: str) -> tuple[MessageId, int] | None:
        """Which message and part the network of `outlet` calls `upstream_id`."""

    def upstreams(
        self, outlet: OutletName, upstream_ids: Sequence[str]
    ) -> list[tuple[MessageId, int] | None]:
        """Which message and part the network of `outlet` calls each of these, in order."""

    def upstream_ids(self, outlet: OutletName, limit: int) -> list[str]:
        """Some ids that the network of `outlet` gave out."""

    def waiting(self) -> Sequence[tuple[MessageId, Progress]]:
        """Every message that is not final, oldest first (read at start)."""

    def due(self, until_ms: int, limit: int) -> list[Alarm]:
        """Alarms due by `until_ms`, earliest first."""

    def lone_alarm_ms(self, at_ms: int, id_: MessageId) -> int:
        """From `at_ms` on, when an alarm for this message alone displaces no other."""

    def parked(self, mailbox: Mailbox, after: MessageId, limit: int) -> list[Delivery]:
        """Deliveries of a mailbox with an id above `after`, oldest first."""

    def mailboxes(self) -> list[Mailbox]:
        """Mailboxes that hold at least one delivery."""

    def remembered(self) -> Iterator[tuple[AccountId, bytes, MessageId, int]]:
        """Every submission that is remembered: account, digest, id, until when (ms UTC)."""

    def control(
        self, table: Control, start: bytes, stop: bytes, limit: int, *, backwards: bool = False
    ) -> list[tuple[bytes, tuple[Any, ...]]]:
        """Records of the directory with start <= key < stop, in key order or the last first."""

    def control_keys(self, table: Control, start: bytes, stop: bytes, limit: int) -> list[bytes]:
        """Keys of such records, in order; the records are not read."""

    def meta(self, key: str) -> bytes | None:
        """A control value."""

    def counts(self) -> Mapping[str, int]:
        """How many records each part of the store holds."""
