"""Changes of the directory on their way to the disk.

*In*: a batch. *Out*: a return after fsync. *Never*: a change that only memory knows is answered.
"""

import trio

from smsc.ports import Batch, Store


async def written(store: Store, batch: Batch) -> None:
    """Hand the batch in, and return after fsync.

    A disk in doubt never answers: then the gateway is cancelled, and the caller with it.
    """
    is_on_disk = trio.Event()
    store.commit_nowait(batch, lambda _result: is_on_disk.set())
    await is_on_disk.wait()
