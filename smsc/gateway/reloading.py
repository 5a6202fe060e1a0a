"""Hot reload: the configuration file read again, checked whole, and taken over whole.

*In*: a wish: SIGHUP, `smsc reload`, a file that changed. *Out*: `Reloaded`, or `NotReloaded` with
every mistake; both in the log.
*Never*: half a configuration: what can fail is done before the first room changes, and the rooms
change in one step of the loop; a bind of an outlet that did not change.

Reading and checking, tables of a million lines included, is done beside the loop.
"""

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import attrs
import trio

from smsc.config import Config
from smsc.config_errors import ConfigError
from smsc.gateway.changes import OutletNames, fixed, outlet_names
from smsc.gateway.outlet_keeper import NewOutlet, OutletChanges, OutletKeeper
from smsc.gateway.rooms import Rooms
from smsc.gateway.swap import prepare, swap
from smsc.gateway.watching import Watching
from smsc.message import OutletName


@attrs.frozen
class ConfigFile:
    """Where the configuration comes from, and what reads it."""

    path: Path
    read: Callable[[], Config | list[ConfigError]]


@attrs.frozen
class Reloaded:
    """The file is in force; what became of outlets and accounts, by name."""

    outlets: OutletNames
    accounts: tuple[str, ...]
    """New, changed and removed ones."""

    def as_dict(self) -> dict[str, object]:
        """For JSON."""
        outlets = {key: list(names) for key, names in attrs.asdict(self.outlets).items()}
        return {"outlets": outlets, "accounts": list(self.accounts)}


@attrs.frozen
class NotReloaded:
    """Nothing changed; one sentence for each reason."""

    why: tuple[str, ...]


class Reloader:
    """See the module."""

    def __init__(self, rooms: Rooms, keeper: OutletKeeper, file: ConfigFile) -> None:
        self.file = file
        self._rooms = rooms
        self._keeper = keeper
        self._lock = trio.Lock()
        self._tables = _stamps(rooms.config)

    async def reload(self, by: str) -> Reloaded | NotReloaded:
        """Read the file and take it over. One at a time: who comes meanwhile waits for its turn.

        `by` tells the log who wants it. Outlets that go may still be answering when it returns;
        the next reload waits for them.
        """
        log, file = self._rooms.log, str(self.file.path)
        async with self._lock:
            await self._keeper.settled()
            try:
                done = await self._reload()
            except Exception:
                # A bug in a reload must not end the gateway; the log holds the traceback.
                log.exception("config.crashed", by=by, file=file)
                return NotReloaded(("a bug ended the reload: see config.crashed in the log",))
        match done:
            case Reloaded():
                log.info("config.reloaded", by=by, file=file, **done.as_dict())
            case NotReloaded(why):
                log.error("config.not_reloaded", by=by, file=file, why=list(why))
        return done

    async def watch(self) -> None:
        """Reload when a file changed, as long as the configuration says so."""
        await Watching(
            self.file.path, lambda: self._rooms.config, lambda: self.reload("file change")
        ).run()

    async def _reload(self) -> Reloaded | NotReloaded:
        rooms, old = self._rooms, self._rooms.config
        new = await trio.to_thread.run_sync(self.file.read)
        if isinstance(new, list):
            return NotReloaded(tuple(map(str, new)))
        sentences = fixed(old, new)
        if sentences:
            return NotReloaded(tuple(sentences))
        prepared = await trio.to_thread.run_sync(prepare, new)
        if isinstance(prepared, str):
            return NotReloaded((prepared,))
        names = outlet_names(old, new)
        outlets = self._build(new, names)
        if isinstance(outlets, NotReloaded):
            return outlets
        # Nothing can fail from here on, and nothing waits: the rooms see the old or the new.
        tables = _stamps(new)
        has_new_ways = old.routing != new.routing or tables != self._tables
        self._tables = tables
        accounts = swap(rooms, prepared)
        self._keeper.change(outlets)
        if has_new_ways:
            rooms.rerouting.all_soon()
        return Reloaded(names, accounts)

    def _build(self, new: Config, names: OutletNames) -> OutletChanges | NotReloaded:
        """Make the outlets that are new; nothing of them runs yet."""
        faults: list[str] = []

        def build(some: Sequence[OutletName]) -> dict[OutletName, NewOutlet]:
            built: dict[OutletName, NewOutlet] = {}
            for name in some:
                config = new.outlets[name]
                try:
                    outlet: Any = self._rooms.bridges.outlet(name, config, self._rooms.log)
                except (OSError, ValueError) as error:
                    faults.append(f"outlets.{name}: {error}")
                else:
                    built[name] = NewOutlet(outlet, config.flow)
            return built

        changes = OutletChanges(
            added=build(names.added),
            replaced=build(names.replaced),
            retuned={name: new.outlets[name].flow for name in names.retuned},
            removed=frozenset(names.removed),
        )
        return NotReloaded(tuple(faults)) if faults else changes


def _stamps(config: Config) -> list[tuple[str, int, int]]:
    """What tells that a table of routes or prices is another; a list of numbers moves nothing."""
    sections = (config.routing.route_tables, config.routing.price_tables)
    stamps = []
    for file in sorted({one.file for section in sections for one in section.values()}):
        try:
            seen = file.stat()
        except OSError:
            continue
        stamps.append((str(file), seen.st_mtime_ns, seen.st_size))
    return stamps
