"""The verbs of the directory without a gateway: asked of its store, while none runs on it.

*In*: a configuration, a verb, arguments. *Out*: `Answer`.
*Never*: a store that a gateway has open: its lock refuses, and `StoreOpenError` says who has it.
"""

from collections.abc import Mapping
from typing import Any

import trio

from smsc import logs
from smsc.clock import SteadyClock
from smsc.config import Config
from smsc.control.directory_verbs import add_directory_verbs
from smsc.control.verbs import Answer, Verbs
from smsc.directory.rooms import build_rooms
from smsc.store.lmdb_store import open_store
from smsc.store.opening import MapSize


def ask_store(config: Config, verb: str, arguments: Mapping[str, Any]) -> Answer:
    """Open the store, do it, and close the store when it is on disk.

    :raises StoreOpenError: in one sentence, such as that a gateway runs there.
    :raises Exception: what the disk said when it failed; nothing is known to be written then.
    """
    return trio.run(_ask, config, verb, arguments)


async def _ask(config: Config, verb: str, arguments: Mapping[str, Any]) -> Answer:
    failures: list[Exception] = []
    answers: list[Answer] = []
    log = logs.set_up("error", "console")  # who asks here reads the answer, not events
    size = config.store
    with trio.CancelScope() as scope:

        def failed(error: Exception) -> None:
            failures.append(error)
            scope.cancel()

        async with open_store(
            config.node.data_dir,
            node=config.node.id,
            failed=failed,
            map_size=MapSize(size.map_size_mb, size.map_growth_mb, size.map_limit_mb),
        ) as store:
            rooms = build_rooms(config, store, store.ids, SteadyClock().now_ms, log)
            verbs = Verbs()
            add_directory_verbs(verbs, rooms)
            answers.append(await verbs.ask(verb, arguments))
            rooms.credits.write_marks()
    if failures:
        raise failures[0]
    return answers[0]
