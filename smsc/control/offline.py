"""The verbs of the directory without a gateway: asked of its store, while none runs on it.

*In*: a configuration, a verb, arguments. *Out*: `Answer`.
*Never*: a store that a gateway has open: its lock refuses, and `StoreOpenError` says who has it.
"""

import logging
from collections.abc import Mapping
from typing import Any

import structlog
import trio

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
    before = structlog.get_config()
    # Who asks here reads the answer; events are for the log of a gateway.
    silence = structlog.make_filtering_bound_logger(logging.CRITICAL)
    structlog.configure(**{**before, "wrapper_class": silence, "cache_logger_on_first_use": False})
    try:
        return trio.run(_ask, config, verb, arguments)
    finally:
        structlog.configure(**before)


async def _ask(config: Config, verb: str, arguments: Mapping[str, Any]) -> Answer:
    failures: list[Exception] = []
    answers: list[Answer] = []
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
            rooms = build_rooms(
                config, store, store.ids, SteadyClock().now_ms, structlog.get_logger()
            )
            verbs = Verbs()
            add_directory_verbs(verbs, rooms)
            answers.append(await verbs.ask(verb, arguments))
            rooms.credits.write_marks()
    if failures:
        raise failures[0]
    return answers[0]
