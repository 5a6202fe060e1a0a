"""The gateway as a whole: its rooms, the ports over them, and its run from start to end.

*In*: a checked configuration; the bridges, handed in by the command line or a test.
*Out*: a running gateway until a signal or `stop`; the exit status.
*Never*: imports a bridge; decides anything about a message.

The rooms are wired in `smsc.gateway.rooms`, and live as `smsc.gateway.life` says.
"""

from functools import partial
from typing import Any

import trio

from smsc.config import Config
from smsc.control.callback_verbs import add_callback_verbs
from smsc.control.directory_verbs import add_directory_verbs
from smsc.control.door import Door
from smsc.control.outlet_verbs import add_outlet_verbs
from smsc.control.reload_verbs import add_reload_verbs
from smsc.control.verbs import Verbs
from smsc.gateway.bridges import Addresses, Bridges
from smsc.gateway.health import Pulse
from smsc.gateway.http_port import HttpPort
from smsc.gateway.life import Life
from smsc.gateway.outlet_desk import OutletDesk
from smsc.gateway.outlet_keeper import OutletKeeper
from smsc.gateway.outlet_port import OutletPort
from smsc.gateway.reloading import ConfigFile, Reloader
from smsc.gateway.rooms import Rooms
from smsc.gateway.signals import watch_signals
from smsc.store.lmdb_store import LmdbStore, open_store
from smsc.store.opening import MapSize

__all__ = ["Addresses", "Bridges", "ConfigFile", "Gateway", "run"]


class Gateway(Rooms):
    """All rooms, wired, and the ports over them."""

    def __init__(
        self,
        config: Config,
        bridges: Bridges,
        store: LmdbStore,
        log: Any,
        file: ConfigFile | None = None,
    ) -> None:
        super().__init__(config, bridges, store, log)
        self.pulse = Pulse(self)
        self.flow = OutletPort(self)
        self.outlet_desk = OutletDesk(self)
        self.http = HttpPort(self, self.pulse, self.outlet_desk)
        self.keeper = OutletKeeper(self, self.flow, self.rerouting)
        self.life = Life(self, self.pulse, self.keeper, self.http)
        self.verbs = Verbs()
        """What may be asked through the control door."""
        add_outlet_verbs(self.verbs, self.outlet_desk)
        add_directory_verbs(self.verbs, self.annex)
        add_callback_verbs(self.verbs, self.callbacks)
        self.reloader: Reloader | None = None
        """What reads the configuration file again; None without a file."""
        if file is not None:
            self.reloader = Reloader(self, self.keeper, file)
            add_reload_verbs(self.verbs, self.reloader)

    def reload_soon(self, nursery: trio.Nursery) -> None:
        """SIGHUP came."""
        if self.reloader is None:
            self.server.reload_certificates()
        else:
            nursery.start_soon(self.reloader.reload, "SIGHUP")


async def run(
    config: Config,
    bridges: Bridges,
    log: Any,
    *,
    stop: trio.Event | None = None,
    signals: bool = True,
    file: ConfigFile | None = None,
    task_status: trio.TaskStatus[tuple[Gateway, Addresses]] = trio.TASK_STATUS_IGNORED,
) -> int:
    """Run a gateway to its end; the exit status: 0 after a stop, 1 when the disk failed.

    The first SIGTERM or SIGINT (or `stop`) drains; a second signal ends at once.
    `file` is where `config` was read from, so that it can be read again.
    """
    stop = trio.Event() if stop is None else stop
    failure: list[Exception] = []
    with trio.CancelScope() as life:

        def failed(error: Exception) -> None:
            log.error("store.failed", why=str(error))
            failure.append(error)
            life.cancel()

        async with (
            open_store(
                config.node.data_dir,
                node=config.node.id,
                failed=failed,
                map_size=MapSize(
                    config.store.map_size_mb, config.store.map_growth_mb, config.store.map_limit_mb
                ),
            ) as store,
            trio.open_nursery() as nursery,
        ):
            gateway = Gateway(config, bridges, store, log, file)
            if signals:
                reload = partial(gateway.reload_soon, nursery)
                await nursery.start(watch_signals, stop, life, reload)
            if gateway.reloader is not None:
                nursery.start_soon(gateway.reloader.watch)
            await nursery.start(Door(config.node.data_dir, gateway.verbs, log).serve)
            await gateway.life.run(
                stop=stop, started=lambda addresses: task_status.started((gateway, addresses))
            )
            nursery.cancel_scope.cancel()
    log.info("gateway.stopped")
    return 1 if failure else 0
