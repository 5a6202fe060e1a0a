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
