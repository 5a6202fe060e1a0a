"""Ports: what the rooms ask of each other, and the closed unions that they answer with.

*Never*: behaviour. Whoever implements a port says there how; whoever calls it reads here what.
Every `…_nowait` verb returns at once and calls `done` later, in the event loop, exactly once.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Final, Literal, Protocol

import attrs

from smsc.message import (
    AccountId,
    Delivery,
    Draft,
    Mailbox,
    Message,
    MessageId,
    OutletName,
    Progress,
    State,
)

# --- intake -----------------------------------------------------------------------------------


@attrs.define(slots=True)
class Admitted:
    """The message is on disk: the commit that holds it was fsynced."""

    id: MessageId


@attrs.define(slots=True)
class Refused:
    """Nothing was stored. `status` is the SMPP command_status; `why` one sentence for people."""

    status: int
    why: str


Admission = Admitted | Refused


class Submit(Protocol):
    """The one door in."""

    def submit_many_nowait(
        self, drafts: Sequence[Draft], done: Callable[[list[Admission]], None]
    ) -> None:
        """Judge and store the drafts; `done` gets one answer for each, in order, after fsync."""

    async def submit_many(self, drafts: Sequence[Draft]) -> list[Admission]:
        """As `submit_many_nowait`, for callers that can wait."""


# --- outlets ----------------------------------------------------------------------------------


@attrs.define(slots=True)
class Outgoing:
    """A message handed to an outlet, with the progress of earlier attempts."""

    message: Message
    progress: Progress


@attrs.define(slots=True)
class Sent:
    """The network took part `part` of `parts` and calls it `upstream_id` ("" if it names none)."""

    id: MessageId
    upstream_id: str
    part: int = 0
    parts: int = 1


@attrs.define(slots=True)
class TryLater:
    """Not taken for now: throttled, queue full, link cut, no answer in time."""

    id: MessageId
    status: int
    part: int = 0
    parts: int = 1


@attrs.define(slots=True)
class Failed:
    """The network will never take it."""

    id: MessageId
    status: int
    part: int = 0
    parts: int = 1


@attrs.define(slots=True)
class Held:
    """The network may or may not have taken it, and it must not be sent twice.

    Its answer is missing: a time-out, a cut, a crash. People release it, or its validity ends.
    """

    id: MessageId
    status: int
    part: int = 0
    parts: int = 1


Outcome = Sent | TryLater | Failed | Held


@attrs.frozen(kw_only=True)
class OutletPolicy:
    """What the flow must know of an outlet's network, besides what comes through the ports.

    final: when a message that the network took has its end: when the "receipt" says so, when it
    was "accepted", "after" `final_after_s`, or "never": then it ends as UNKNOWN with its validity,
    and the client hears nothing.
    """

    final: Literal["receipt", "accepted", "after", "never"] = "receipt"
    final_after_s: float = 0.0
    receipts_per_part: bool = False
    """The client of a long message gets one receipt for each part instead of one."""


ANY_NETWORK: Final = OutletPolicy()
"""The policy of outlets that have none."""


@attrs.define(slots=True)
class UpstreamReceipt:
    """What a network says became of the part that it calls `upstream_id`."""

    outlet: OutletName
    upstream_id: str
    state: State
    error: int = 0
    done_ms: int = 0
    is_notice: bool = False
    """An intermediate notification: it tells of an attempt, not of the end."""


@attrs.define(slots=True)
class MobileOriginated:
    """A message from the network; `body` is one deliver_sm body."""

    outlet: OutletName
    body: bytes


class Flow(Protocol):
    """What an outlet tells the gateway."""

    def room_changed(self, outlet: OutletName) -> None:
        """The outlet came up, went down, or can take more."""

    def settle(self, outlet: OutletName, outcomes: Sequence[Outcome]) -> None:
        """Journal what became of parts that were sent; one call for each read."""

    def attempting_nowait(
        self,
        outlet: OutletName,
        attempts: Sequence[tuple[MessageId, int]],
        done: Callable[[], None],
    ) -> None:
        """Journal that these messages (id, number of parts) are about to be written.

        After a crash they are held, not sent again. `done` is called after fsync.
        """

    def receipts_nowait(
        self, receipts: Sequence[UpstreamReceipt], done: Callable[[list[int]], None]
    ) -> None:
        """Match receipts; `done` gets a deliver_sm_resp command_status for each, after fsync."""

    def mobile_originated_nowait(
        self, messages: Sequence[MobileOriginated], done: Callable[[list[int]], None]
    ) -> None:
        """Route messages home; `done` gets a command_status for each, after fsync."""

    def number_seen(self, number: str) -> None:
        """The network says that this handset can be reached again."""


class Outlet(Protocol):
    """A way out: an upstream link, a simulator, an HTTP connector."""

    name: OutletName
    remembers: bool
    """False if the network behind it forgets what it took when this process ends."""

    @property
    def is_up(self) -> bool:
        """Can it take messages now?"""

    def room(self) -> int:
        """How many more messages it takes now; 0 while it is down."""

    def send(self, batch: Sequence[Outgoing]) -> None:
        """Take the batch (never longer than `room()`) and return at once.

        Each part that is still to be sent (`Progress.parts` empty, or QUEUED there) is answered
        exactly once through `Flow.settle`. A `send` that raises has taken nothing of its batch.
        """

    async def run(self, flow: Flow) -> None:
        """Live until cancelled; on cancellation leave the network politely."""

    def statistics(self) -> Mapping[str, object]:
        """An immutable snapshot for people."""


# --- deliveries home --------------------------------------------------------------------------


@attrs.define(slots=True)
class Done:
    """The receiver took the delivery; it may be forgotten once that is journalled."""

    id: MessageId


@attrs.define(slots=True)
class Again:
    """The receiver could not take it now; offer it again after `delay_s`."""

    id: MessageId
    delay_s: float
    why: str = ""


@attrs.define(slots=True)
class Dropped:
    """The receiver refused it for good."""

    id: MessageId
    why: str


DeliveryOutcome = Done | Again | Dropped


class Receiver(Protocol):
    """Something that takes deliveries of a mailbox: a bound session, the webhook."""

    def room(self) -> int:
        """How many more deliveries it takes now."""

    def deliver(self, batch: Sequence[Delivery]) -> None:
        """Take the batch; each is answered once through `Mailboxes.delivered`."""


class Mailboxes(Protocol):
    """Parked deliveries and those who take them."""

    def attach(self, mailbox: Mailbox, receiver: Receiver) -> None:
        """The receiver is there for this mailbox from now on."""

    def detach(self, mailbox: Mailbox, receiver: Receiver) -> None:
        """The receiver is gone; what it had not answered is offered again."""

    def delivered(self, mailbox: Mailbox, outcomes: Sequence[DeliveryOutcome]) -> None:
        """What became of deliveries; also the sign that the receiver has room again."""


# --- the store --------------------------------------------------------------------------------


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


class Batch(Protocol):
    """Changes that reach the disk in one transaction, or not at all."""

    def accept_many(self, messages: Sequence[Message], progress: Progress) -> None:
        """New messages that start alike; ids must ascend in the order batches are committed."""

    def progress(self, id_: MessageId, progress: Progress) -> None:
        """Overwrite the progress of a message."""

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

    def unpark(self, mailbox: Mailbox, id_: MessageId) -> None:
        """The delivery arrived, or expired."""

    def remember(self, account: AccountId, digest: bytes, id_: MessageId, until_ms: int) -> None:
        """The account's submission with this digest became this message."""

    def forget_remembered(self, account: AccountId, digest: bytes) -> None:
        """The submission may come again, as another message."""

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

    def upstream(self, outlet: OutletName, upstream_id: str) -> tuple[MessageId, int] | None:
        """Which message and part the network of `outlet` calls `upstream_id`."""

    def upstreams(
        self, outlet: OutletName, upstream_ids: Sequence[str]
    ) -> list[tuple[MessageId, int] | None]:
        """Which message and part the network of `outlet` calls each of these, in order."""

    def waiting(self) -> Sequence[tuple[MessageId, Progress]]:
        """Every message that is not final, oldest first (read at start)."""

    def due(self, until_ms: int, limit: int) -> list[Alarm]:
        """Alarms due by `until_ms`, earliest first."""

    def parked(self, mailbox: Mailbox, after: MessageId, limit: int) -> list[Delivery]:
        """Deliveries of a mailbox with an id above `after`, oldest first."""

    def mailboxes(self) -> list[Mailbox]:
        """Mailboxes that hold at least one delivery."""

    def remembered(self) -> Iterator[tuple[AccountId, bytes, MessageId, int]]:
        """Every submission that is remembered: account, digest, id, until when (ms UTC)."""

    def meta(self, key: str) -> bytes | None:
        """A control value."""

    def counts(self) -> Mapping[str, int]:
        """How many records each part of the store holds."""


# --- what the HTTP bridge asks ------------------------------------------------------------------


@attrs.define(slots=True)
class MessageReport:
    """A message and its progress, as its owner may see them."""

    message: Message
    progress: Progress


class Lookup(Protocol):
    """Questions about stored messages."""

    async def report(self, account: AccountId, id_: MessageId) -> MessageReport | None:
        """The message if it exists and belongs to the account (an admin sees all)."""


@attrs.define(slots=True)
class Health:
    """Is the gateway able to take messages, and what is behind by how much."""

    ready: bool
    why: str
    facts: Mapping[str, object]
