"""The one door in: what is admitted, what is refused.

*Never*: behaviour; see `smsc.ports`.
"""

from collections.abc import Callable, Sequence
from typing import Protocol

import attrs

from smsc.message import (
    Draft,
    MessageId,
)
from smsc.ports.store import Batch


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


class Companion(Protocol):
    """What a request wants written in the commit of its messages, and nowhere else."""

    def write(self, batch: Batch, answers: Sequence[Admission]) -> None:
        """Add to the batch; at least one answer is an `Admitted` that it makes true."""

    def ended(self, *, is_on_disk: bool) -> None:
        """The commit has ended; called only after `write`."""


class Submit(Protocol):
    """The one door in."""

    def submit_many_nowait(
        self,
        drafts: Sequence[Draft],
        done: Callable[[list[Admission]], None],
        companion: Companion | None = None,
    ) -> None:
        """Judge and store the drafts; `done` gets one answer for each, in order, after fsync.

        `companion` writes what shall be in the same commit, if any message is.
        """

    async def submit_many(
        self, drafts: Sequence[Draft], companion: Companion | None = None
    ) -> list[Admission]:
        """As `submit_many_nowait`, for callers that can wait."""
