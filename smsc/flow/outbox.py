"""One outlet as dispatch sees it: the bridge, the policy for its answers, its limits.

*In*: batches for the outlet. *Out*: the messages that it could not bear, with the reason.
*Never*: an exception of the outlet let through: one poison message must not hold the others.

A message is poison for sure only when the outlet works for others: its crashes count while
other sends go well in between. So a bug that breaks a whole outlet kills no message.
"""

from collections.abc import Sequence
from typing import Any, Final

from smsc.config_flow import OutletFlowConfig
from smsc.flow.destinations import Destinations
from smsc.flow.retry import RetryPolicy
from smsc.message import MessageId, Progress
from smsc.ports import Outgoing, Outlet

POISON_LIMIT: Final = 3
"""Crashes after which a message is set aside."""


class Outbox:
    """See the module."""

    def __init__(self, outlet: Outlet, config: OutletFlowConfig, log: Any) -> None:
        self.outlet = outlet
        self.policy = RetryPolicy(config.retry)
        limit = config.per_destination
        self.destinations = Destinations(limit) if limit else None
        self.crashes = 0
        self._log = log
        self._sends = 0  # that went well
        # Messages that crashed the outlet: how often, and `_sends` at the last time.
        self._suspects: dict[MessageId, tuple[int, int]] = {}

    def send(self, batch: Sequence[Outgoing]) -> list[tuple[MessageId, Exception]]:
        """Hand over the batch; after an exception, one message after the other.

        Returns those that the outlet raised for, alone: it has taken nothing of them.
        """
        try:
            self.outlet.send(batch)
        except Exception as error:  # noqa: BLE001 - the bridge's bug, whatever it is
            if len(batch) == 1:
                return [self._crashed(batch[0].message.id, error)]
        else:
            self._sends += 1
            return []
        return [crash for one in batch for crash in self.send((one,))]

    def is_poison(self, id_: MessageId) -> bool:
        """Has the message crashed the outlet too often?"""
        return self._suspects.get(id_, (0, 0))[0] >= POISON_LIMIT

    def forget(self, id_: MessageId) -> None:
        """The message has ended."""
        self._suspects.pop(id_, None)

    def forget_many(self, left: Sequence[tuple[MessageId, str, Progress]]) -> None:
        """These have left."""
        if self._suspects:
            for id_, _, _ in left:
                self._suspects.pop(id_, None)

    def _crashed(self, id_: MessageId, error: Exception) -> tuple[MessageId, Exception]:
        self.crashes += 1
        count, sends = self._suspects.get(id_, (0, -1))
        if self._sends != sends:
            count += 1
        self._suspects[id_] = (count, self._sends)
        self._log.error("outlet.choked", outlet=self.outlet.name, id=id_, why=repr(error))
        return id_, error
