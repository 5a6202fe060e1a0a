"""Outlets: what the flow hands out, and what networks say back.

*Never*: behaviour; see `smsc.ports`.
"""

from collections.abc import Callable, Mapping, Sequence
from typing import Final, Literal, Protocol

import attrs

from smsc.message import (
    Message,
    MessageId,
    OutletName,
    Progress,
    State,
)


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
    is_answer: bool = attrs.field(default=True, eq=False)
    """False: the network did not say `status`; we do, for want of an answer or of an attempt."""


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
    key: str = ""
    """What the network calls it: the same one again is the same message. "" = it does not say."""


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
