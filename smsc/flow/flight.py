"""HOT: a message in the hands of an outlet, from the claim until each part was answered.

*In*: outcomes of parts, in any order. *Out*: journal entries for what a receipt may need at once.
*Never*: decides what comes next; dispatch does when the flight has landed.
"""

from typing import assert_never

import attrs

from smsc.flow.parts import ONE_ENROUTE, held, new_parts, with_part
from smsc.message import ENROUTE, NOTICE_WISH, QUEUED, OutletName, Progress, State
from smsc.ports import Batch, Failed, Held, Outcome, Outgoing, Sent, TryLater


@attrs.define(slots=True)
class Flight(Outgoing):
    """One message; while it flies, `progress` is the newest record of it, ahead of the store."""

    outlet: OutletName
    """In whose hands it is."""
    pending: int = -1
    """Parts without an outcome; -1 until the first outcome tells how many there are."""
    again: int = 0
    """Status of a part that must be tried again, 0 if none."""
    is_marked: bool = False
    """On disk, parts without an outcome are HELD: a crash leaves them in doubt."""

    def mark(self, batch: Batch, outlet: OutletName, parts: int) -> None:
        """Journal, before the first octet leaves, that the parts still to be sent are in doubt."""
        self._open(parts)
        self.is_marked = True
        self.progress.outlet = outlet
        self._journal(batch)

    def left_whole(self, outlet: OutletName, upstream_id: str) -> Progress | None:
        """A message of one part was sent: its progress, to be journalled by `left_many`.

        None, and `note` enters it: something was noted of it before, on disk or here, or somebody
        asked to hear that it left.
        """
        message, progress = self.message, self.progress
        if (
            self.pending >= 0
            or self.is_marked
            or progress.parts
            or message.registered_delivery & NOTICE_WISH
            or message.callback_style
        ):
            return None
        progress.state = ENROUTE
        progress.outlet = outlet
        progress.attempt += 1
        progress.error = 0
        progress.parts = ONE_ENROUTE
        progress.upstream_ids = (upstream_id,)
        return progress

    def note(self, batch: Batch, outlet: OutletName, outcome: Outcome) -> bool:
        """Enter one part's outcome; True when it was the last one: the flight has landed."""
        progress = self.progress
        if self.pending < 0:
            self._open(outcome.parts)
        match outcome:
            case Sent(id_, upstream_id, part, parts):
                if parts == 1:
                    progress.parts = ONE_ENROUTE
                    progress.upstream_ids = (upstream_id,)
                else:
                    progress.parts = with_part(progress.parts, part, ENROUTE)
                    ids = list(progress.upstream_ids)
                    ids[part] = upstream_id
                    progress.upstream_ids = tuple(ids)
                    # A receipt may come for this part while its siblings are unanswered.
                    progress.outlet = outlet
                    self._journal(batch)
                if upstream_id:
                    batch.upstream(outlet, upstream_id, id_, part)
            case TryLater(_, status, _, _):
                self.again = status
                progress.error = status
            case Failed(_, status, part, _):
                progress.parts = with_part(progress.parts, part, State.REJECTED)
                progress.error = status
            case Held(_, status, part, _):
                progress.parts = with_part(progress.parts, part, State.HELD)
                progress.error = status
            case _:
                assert_never(outcome)
        self.pending -= 1
        return not self.pending

    def _open(self, parts: int) -> None:
        """The outlet told how many parts there are; those of another number are all new."""
        progress = self.progress
        if len(progress.parts) != parts:
            progress.parts = new_parts(parts)
            progress.upstream_ids = ("",) * parts
        self.pending = progress.parts.count(QUEUED)

    def _journal(self, batch: Batch) -> None:
        """Write the progress as it should be found after a crash."""
        progress = attrs.evolve(self.progress)  # ours goes on to change before the next journal
        if self.is_marked:
            progress.state, progress.parts = State.HELD, held(progress.parts)
        batch.progress(self.message.id, progress)
