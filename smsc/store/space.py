"""Room on disk: when intake should refuse, and when it may go on.

*In*: used octets after each commit, failures, the time, the free octets of the file system.
*Out*: why there is no room, or None. *Never*: LMDB; refusing anything itself.

Three reasons, each with its own way out:
the map is used up to 85 % (until it is below 80 %);
a commit did not fit although less is used, for want of neighbouring pages (for a second);
the file system has nearly nothing left (until it has; looked at once a second at most).
The rest of the map and the reserve are for what drains the queue: transitions, receipts.
So that an eager intake cannot eat them, new messages find no room from 90 % of the map on,
or when half the reserve is gone.
"""

import os
from collections.abc import Callable
from pathlib import Path

STOP_SHARE = 0.85
RESUME_SHARE = 0.80
REFUSE_SHARE = 0.90
RESERVE_OCTETS = 64 << 20
RESERVE_SHARE = 0.05
"""Of a small file system the reserve is this share."""
LOOK_S = 1.0


def free_octets(path: Path) -> tuple[int, int]:
    """(free to us, size) of the file system that holds `path`."""
    system = os.statvfs(path)
    return system.f_bavail * system.f_frsize, system.f_blocks * system.f_frsize


class Space:
    """What is known of the room; written by the writer thread, asked in the loop.

    Every attribute is replaced whole, so the two need no lock.
    """

    def __init__(
        self,
        map_octets: int,
        free: Callable[[], tuple[int, int]],
        clock: Callable[[], float],
    ) -> None:
        """`free`: see `free_octets`; `clock`: monotonic seconds."""
        self.map_octets = map_octets
        self.used_octets = 0
        self._free = free
        self._clock = clock
        self._map_why: str | None = None
        self._ran_out_at = float("-inf")
        self._disk_why: str | None = None
        self._reserve_goes = False
        self._looked_at = float("-inf")

    def committed(self, used_octets: int) -> None:
        """A commit went through."""
        self.used_octets = used_octets
        if self._map_why is None and used_octets >= self.map_octets * STOP_SHARE:
            self._map_why = f"the store's map of {self.map_octets >> 20} MiB is 85 % full"
        self._look()

    def map_ran_out(self) -> str:
        """A commit did not fit into the map. Says so in a sentence."""
        self._map_why = f"the store's map of {self.map_octets >> 20} MiB is full"
        self._ran_out_at = self._clock()
        return self._map_why

    def disk_ran_out(self) -> str:
        """A commit did not fit on the disk. Says so in a sentence."""
        self._disk_why = "the disk that holds the store is full"
        self._looked_at = self._clock()
        return self._disk_why

    def refusal(self) -> str | None:
        """Why new messages find no room even if they were let in; None while they do."""
        if self.used_octets >= self.map_octets * REFUSE_SHARE:
            return self.map_ran_out()
        if self._reserve_goes:
            self._look()
        return self._disk_why if self._reserve_goes else None

    def disk_is_full(self) -> bool:
        """True if so little is left that a write error may just mean "full"."""
        free, size = self._free()
        return free < min(1 << 20, size // 100)

    def why(self) -> str | None:
        """Why intake should refuse; None while there is room."""
        if self._disk_why is not None:
            self._look()
        if (
            self._map_why is not None
            and self.used_octets < self.map_octets * RESUME_SHARE
            and self._clock() - self._ran_out_at >= LOOK_S
        ):
            self._map_why = None
        return self._map_why or self._disk_why

    def _look(self) -> None:
        now = self._clock()
        if now - self._looked_at < LOOK_S:
            return
        self._looked_at = now
        free, size = self._free()
        reserve = min(RESERVE_OCTETS, size * RESERVE_SHARE)
        low = free < reserve
        self._reserve_goes = free < reserve / 2
        self._disk_why = f"only {free >> 10} KiB are left on the store's disk" if low else None
