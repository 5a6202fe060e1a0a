"""The garbage collector of a process that holds hundreds of thousands of live messages.

*In*: nothing. *Out*: longer pauses between collections, fewer objects looked at in each.
*Never*: off: tasks and exceptions do make cycles.

Every message in hand is a handful of objects that die by reference count, in no cycle. With
Python's defaults the collector looks at all of them every few hundred messages: it took a quarter
of the time of an accept (19.4 against 15.0 µs a message, 2026-11-22, CPython 3.11, 2 cores).
"""

import gc
from typing import Final

_NEW_OBJECTS: Final = 100_000
_GENERATION_1: Final = 20
_GENERATION_2: Final = 100


def calm() -> None:
    """Collect when 100 000 objects are new, not 700. Call it before the gateway is built."""
    gc.set_threshold(_NEW_OBJECTS, _GENERATION_1, _GENERATION_2)


def settle() -> None:
    """Never look again at what stands now. Call it once everything is built."""
    gc.collect()
    gc.freeze()
