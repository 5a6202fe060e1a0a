"""Messages that were set aside because no attempt could end well.

*In*: who was set aside, and why. *Out*: how many there were, and the newest of them.
*Never*: more than `KEPT` rows on disk; a message's text.

The message itself lies in the history like any other, in its final state. The rows here are
control values in a circle, so that an operator finds them after a restart, too.
"""

import json
from typing import Any, Final

import attrs

from smsc.message import MessageId, Progress
from smsc.ports import Batch, Store

KEPT: Final = 100
_WHY_LIMIT: Final = 200


@attrs.frozen
class DeadLetter:
    """One message that was set aside; `number` counts them since the store was made."""

    number: int
    id: MessageId
    at_ms: int
    outlet: str
    attempts: int
    error: int
    why: str


class DeadLetters:
    """See the module."""

    def __init__(self, store: Store, log: Any) -> None:
        self._log = log
        rows = (store.meta(_key(place)) for place in range(KEPT))
        letters = [DeadLetter(*json.loads(row)) for row in rows if row is not None]
        self._newest = sorted(letters, key=lambda letter: letter.number)
        self.count = self._newest[-1].number if letters else 0
        """Since the store was made."""

    def add(self, batch: Batch, id_: MessageId, progress: Progress, why: str) -> None:
        """Note, in the batch that journals its end, that a message was set aside."""
        self.count += 1
        letter = DeadLetter(
            self.count,
            id_,
            progress.done_ms,
            progress.outlet,
            progress.attempt,
            progress.error,
            why[:_WHY_LIMIT],
        )
        self._newest = [*self._newest[1 - KEPT :], letter]
        batch.meta(_key(self.count % KEPT), json.dumps(attrs.astuple(letter)).encode())
        self._log.error(
            "message.set_aside", id=id_, outlet=letter.outlet, attempts=letter.attempts, why=why
        )

    def newest(self, limit: int = 10) -> list[DeadLetter]:
        """The last ones, newest first."""
        return self._newest[: -limit - 1 : -1]


def _key(place: int) -> str:
    return f"dead:{place}"
