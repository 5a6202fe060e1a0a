"""What outlets tell the gateway, led to the rooms that know: the port `Flow`.

*In*: news of outlets. *Out*: calls of rooms. *Never*: behaviour of its own, but for their order.
"""

from collections.abc import Callable, Sequence

from smsc.gateway.rooms import Rooms
from smsc.message import MessageId, OutletName
from smsc.ports import MobileOriginated, Outcome, Sent, UpstreamReceipt


class OutletPort:
    """See `smsc.ports.Flow`."""

    def __init__(self, rooms: Rooms) -> None:
        self._rooms = rooms

    def room_changed(self, _outlet: OutletName) -> None:
        """An outlet that goes down frees its lanes for others: offer work to all."""
        self._rooms.dispatch.pump_all()

    def settle(self, outlet: OutletName, outcomes: Sequence[Outcome]) -> None:
        """Journal outcomes, then match receipts that came before them."""
        self._rooms.dispatch.settle(outlet, outcomes)
        self._rooms.receipts.responded(
            outlet, (one.upstream_id for one in outcomes if isinstance(one, Sent))
        )

    def attempting_nowait(
        self,
        outlet: OutletName,
        attempts: Sequence[tuple[MessageId, int]],
        done: Callable[[], None],
    ) -> None:
        """See `smsc.flow.doubt`."""
        self._rooms.doubt.attempting_nowait(outlet, attempts, done)

    def receipts_nowait(
        self, receipts: Sequence[UpstreamReceipt], done: Callable[[list[int]], None]
    ) -> None:
        """See `smsc.flow.receipts`."""
        self._rooms.receipts.receipts_nowait(receipts, done)

    def mobile_originated_nowait(
        self, messages: Sequence[MobileOriginated], done: Callable[[list[int]], None]
    ) -> None:
        """See `smsc.flow.inbound`."""
        self._rooms.inbound.mobile_originated_nowait(messages, done)

    def number_seen(self, number: str) -> None:
        """See `smsc.operations.pending_flags`."""
        self._rooms.flags.seen(number)
