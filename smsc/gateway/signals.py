"""What the operating system tells the gateway: stop, stop at once, read the files again.

*In*: SIGTERM, SIGINT, SIGHUP. *Out*: events and calls. *Never*: what follows from them.
"""

import signal
from collections.abc import Callable

import trio


async def watch_signals(
    stop: trio.Event,
    life: trio.CancelScope,
    reload: Callable[[], None],
    task_status: trio.TaskStatus[None] = trio.TASK_STATUS_IGNORED,
) -> None:
    """The first SIGTERM or SIGINT sets `stop`, the second ends `life`; SIGHUP calls `reload`."""
    with trio.open_signal_receiver(signal.SIGTERM, signal.SIGINT, signal.SIGHUP) as signals:
        task_status.started()
        async for one in signals:
            if one == signal.SIGHUP:
                reload()
                continue
            if stop.is_set():
                life.cancel()
            stop.set()
