"""What a connector does beside sending: polls for ends, and looks at the balance.

*In*: ids that the service took. *Out*: receipts to the flow; the balance for people.
*Never*: the places of messages: it has two connections of its own.
"""

from collections.abc import Mapping, Sequence
from typing import Any, Final, Protocol

import trio

from bridges.connectors.incoming import hand_in
from bridges.connectors.polling import Polls
from bridges.connectors.sender import HttpSender
from bridges.connectors.service import Declined, NotYet, Report, Response
from bridges.connectors.settings import ConnectorConfig
from smsc.message import FINAL, OutletName
from smsc.ports import Flow

_POLLERS: Final = 2


class Owner(Protocol):
    """The connector."""

    name: OutletName
    log: Any
    flow: Flow | None


class Beside:
    """See the module; `run` lives as long as the connector."""

    def __init__(self, owner: Owner, sender: HttpSender, config: ConnectorConfig) -> None:
        self._owner = owner
        self._sender = sender
        self._config = config
        self._polls = Polls(self._config.poll_s, self._config.poll_for_s)
        self._pollers = trio.lowlevel.ParkingLot()
        self._balance: float | None = None

    def taken(self, upstream_ids: Sequence[str]) -> None:
        """The service took these."""
        if self._config.poll_s:
            now = trio.current_time()
            for one in filter(None, upstream_ids):
                self._polls.add(one, now)
            self._pollers.unpark_all()

    def ended(self, reports: Sequence[Report]) -> None:
        """The service told of these ends itself."""
        for report in reports:
            if report.state in FINAL:
                self._polls.discard(report.upstream_id)

    def statistics(self) -> Mapping[str, object]:
        """What is asked for, and the balance when last seen."""
        return {"polled_for": len(self._polls), "balance": self._balance}

    async def run(self) -> None:
        """Live until cancelled."""
        async with trio.open_nursery() as nursery:
            if self._config.poll_s:
                for _ in range(_POLLERS):
                    nursery.start_soon(self._poll)
            if self._config.balance_s:
                nursery.start_soon(self._watch_balance)

    async def _poll(self) -> None:
        while True:
            now = trio.current_time()
            due = self._polls.take(now)
            if due is None:
                with trio.move_on_after(self._polls.wait_s(now)):
                    await self._pollers.park()
                continue
            upstream_id, interval_s = due
            if not await self._ask(upstream_id):
                self._polls.again(upstream_id, interval_s, trio.current_time())

    async def _ask(self, upstream_id: str) -> bool:
        """True if its end is known and on disk now, or can never be known."""
        service, flow = self._sender.service, self._owner.flow
        answer = await self._sender.ask(lambda now_s: service.poll(upstream_id, now_s))
        if not isinstance(answer, Response) or flow is None:
            return False
        try:
            told = service.polled(upstream_id, answer)
        except Exception:  # a bug in a service's file: it is asked again, the others go on
            self._owner.log.exception("connector.broke", upstream_id=upstream_id)
            return False
        match told:
            case Report(state=state):
                statuses = await hand_in(flow, self._owner.name, (told,), ())
                if any(statuses) or state not in FINAL:
                    return False
                self._polls.discard(upstream_id)
                return True
            case Declined(code=code, why=why):
                self._owner.log.warning("connector.poll_failed", code=code, why=why[:200])
                return False
            case NotYet():
                return False

    async def _watch_balance(self) -> None:
        was_low = False
        while True:
            answer = await self._sender.ask(self._sender.service.balance)
            if isinstance(answer, Response):
                left = self._sender.service.balance_left(answer)
                if left is not None:
                    self._balance = left
                    is_low = left < self._config.balance_low
                    if is_low and not was_low:
                        self._owner.log.warning("connector.balance_low", balance=left)
                    was_low = is_low
            await trio.sleep(self._config.balance_s)
