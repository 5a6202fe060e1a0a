"""Changes of the directory on their way to the disk.

*In*: a batch. *Out*: a return after fsync. *Never*: a change that only memory knows is answered.
"""

from collections.abc import Callable

import trio

from smsc.ports import Batch, CommitResult, Store


async def written(store: Store, batch: Batch, then: Callable[[], None] = lambda: None) -> None:
    """Hand the batch in, and return after fsync; `then` is called even if nobody waits any more.

    A disk in doubt never answers: then the gateway is cancelled, and the caller with it.
    """
    is_on_disk = trio.Event()

    def committed(_result: CommitResult) -> None:
        then()
        is_on_disk.set()

    store.commit_nowait(batch, committed)
    await is_on_disk.wait()
