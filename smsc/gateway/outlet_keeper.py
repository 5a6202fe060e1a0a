"""Keeps outlets running: starts them, again after a bug, and lets them go after a reload.

*In*: the outlets of the rooms; changes of a reload. *Out*: tasks, one for each outlet.
*Never*: two outlets of one name at a time, since a carrier may allow one bind; an outlet ended
while it has messages in hand, unless it takes longer than `DRAIN_S`; others disturbed.

An outlet that goes is given nothing more; its messages go to other outlets of their plans, or
wait. When it has answered what it had it ends, which for a link is an unbind. What it has not
answered then comes again: at most a window, as after a cut.
"""

from collections.abc import Callable, Mapping, Sequence
from typing import Any, Final

import attrs
import trio

from smsc.config_flow import OutletFlowConfig
from smsc.flow.rerouting import Rerouting
from smsc.gateway.reminding import remind
from smsc.gateway.rooms import Rooms
from smsc.message import OutletName
from smsc.ports import Flow, Outgoing, Outlet

DRAIN_S: Final = 30.0
"""How long an outlet that goes may take to answer what it has."""
_RESTART_S: Final = 5.0
_LOOK_S: Final = 0.02
_LIVE_ROWS: Final = 500
"""Records looked at in one go: about 4 ms."""


@attrs.frozen
class NewOutlet:
    """An outlet that is built, and does not run yet."""

    outlet: Outlet
    settings: OutletFlowConfig


@attrs.frozen(kw_only=True)
class OutletChanges:
    """What a reload does to outlets; those it does not name go on."""

    added: Mapping[OutletName, NewOutlet] = attrs.field(factory=dict)
    replaced: Mapping[OutletName, NewOutlet] = attrs.field(factory=dict)
    retuned: Mapping[OutletName, OutletFlowConfig] = attrs.field(factory=dict)
    """Only what follows their errors is another."""
    removed: frozenset[OutletName] = frozenset()


@attrs.define(eq=False)
class Leaving:
    """The place of an outlet that is given nothing more; see `smsc.ports.Outlet`."""

    outlet: Outlet
    name: OutletName
    remembers: bool = True
    is_up: bool = False

    def room(self) -> int:
        """None: it goes."""
        return 0

    def send(self, batch: Sequence[Outgoing]) -> None:
        """Nobody sends by an outlet without room."""
        raise AssertionError(f"{len(batch)} messages for {self.name}, which goes")

    async def run(self, flow: Flow) -> None:
        """The outlet itself runs still."""
        raise AssertionError(f"{self.name} runs already, for {flow}")

    def statistics(self) -> Mapping[str, object]:
        """Those of the outlet that goes."""
        return {**self.outlet.statistics(), "up": False, "state": "leaving"}


@attrs.define(eq=False)
class _Kept:
    """The task of one outlet."""

    outlet: Outlet
    scope: trio.CancelScope = attrs.field(factory=trio.CancelScope)
    ended: trio.Event = attrs.field(factory=trio.Event)


class OutletKeeper:
    """See the module."""

    def __init__(self, rooms: Rooms, flow: Flow, rerouting: Rerouting) -> None:
        self._rooms = rooms
        self._flow = flow
        self._rerouting = rerouting
        self._kept: dict[OutletName, _Kept] = {}
        self._leaving: set[OutletName] = set()
        self._nursery: trio.Nursery | None = None
        # Early receipts of an outlet are taken up once in a run.
        self._known = set(rooms.outlets)

    def start_in(self, nursery: trio.Nursery) -> None:
        """Start every outlet; they live until the nursery is cancelled."""
        self._nursery = nursery
        for outlet in list(self._rooms.outlets.values()):
            self._start(outlet)

    def change(self, changes: OutletChanges) -> None:
        """Let outlets go and come, without waiting for it; see `settled`."""
        for name, settings in changes.retuned.items():
            self._rooms.dispatch.retune(name, settings)
        for new in changes.added.values():
            self._enter(new)
        for name in changes.removed:
            self._let_go(name, None)
        for name, new in changes.replaced.items():
            self._let_go(name, new)

    @property
    def leaving(self) -> frozenset[OutletName]:
        """Outlets that were told to go and have something in hand."""
        return frozenset(self._leaving)

    async def settled(self) -> None:
        """Return when no outlet is about to go."""
        await _until(lambda: not self._leaving)

    # --- helpers -------------------------------------------------------------------------------

    def _start(self, outlet: Outlet) -> None:
        if self._nursery is not None:  # else `start_in` will
            kept = self._kept[outlet.name] = _Kept(outlet)
            self._nursery.start_soon(self._keep, kept)

    async def _keep(self, kept: _Kept) -> None:
        """An outlet that a bug ended is started again; the others do not notice."""
        with kept.scope:
            while True:
                try:
                    await kept.outlet.run(self._flow)
                except Exception:
                    # A bug in one outlet must not end the gateway; the log holds the traceback.
                    self._rooms.log.exception("outlet.crashed", outlet=kept.outlet.name)
                await trio.sleep(_RESTART_S)
        kept.ended.set()

    def _enter(self, new: NewOutlet) -> None:
        """From now on the outlet is one of ours."""
        rooms, outlet = self._rooms, new.outlet
        rooms.know_outlet(outlet)
        rooms.dispatch.put_outlet(outlet, new.settings)
        if outlet.name not in self._known:
            self._known.add(outlet.name)
            rooms.receipts.restore((outlet.name,))
        self._start(outlet)
        if self._nursery is not None and hasattr(outlet, "remind"):
            self._nursery.start_soon(self._remind, outlet)

    def _let_go(self, name: OutletName, heir: NewOutlet | None) -> None:
        kept = self._kept.get(name)
        if self._nursery is None or kept is None:
            self._succeed(name, heir)  # nothing runs yet, so nothing is in hand
            return
        self._leaving.add(name)
        self._rooms.outlets[name] = Leaving(kept.outlet, name)
        self._rooms.log.info("outlet.leaving", outlet=name, in_hand=self._in_hand(name))
        self._rooms.dispatch.pump_all()  # others may take what was meant for it
        self._nursery.start_soon(self._retire, name, kept, heir)

    async def _retire(self, name: OutletName, kept: _Kept, heir: NewOutlet | None) -> None:
        """Wait for what is owed, end the outlet, put its heir in its place."""
        with trio.move_on_after(DRAIN_S):
            await _until(lambda: not self._in_hand(name))
        kept.scope.cancel()
        await kept.ended.wait()
        lost = self._rooms.dispatch.take_back(name)
        if not kept.outlet.remembers:
            await self._send_again(name)
        await _until(lambda: not self._in_hand(name))  # the last outcomes are on disk
        self._leaving.discard(name)
        del self._kept[name]
        if heir is not None:
            _stay_stopped(kept.outlet, heir.outlet)
        self._rooms.log.info("outlet.left", outlet=name, unanswered=lost)
        self._succeed(name, heir)

    async def _send_again(self, name: OutletName) -> None:
        """Its network forgets what it took when it ends, as it does when the gateway restarts."""
        store = self._rooms.store
        for some in store.live(store.ids.newest, _LIVE_ROWS):
            self._rooms.waking.forgotten_by(name, some)
            await trio.lowlevel.checkpoint()

    async def _remind(self, outlet: Outlet) -> None:
        """What its network took from the outlet before it, it is to ask for."""
        store = self._rooms.store
        for some in store.live(store.ids.newest, _LIVE_ROWS):
            remind({outlet.name: outlet}, some)
            await trio.lowlevel.checkpoint()

    def _succeed(self, name: OutletName, heir: NewOutlet | None) -> None:
        if heir is not None:
            self._enter(heir)
        else:
            self._rooms.dispatch.drop_outlet(name)
        self._rerouting.stranded_soon()

    def _in_hand(self, name: OutletName) -> int:
        return self._rooms.dispatch.in_hand(name)


def _stay_stopped(old: Any, new: Any) -> None:
    """A link that people stopped is not started by a reload."""
    if not getattr(old, "may_bind", True) and hasattr(new, "may_bind"):
        new.may_bind = False


async def _until(is_so: Callable[[], bool]) -> None:
    """Look until it is so; outlets go so seldom that nobody on the hot path has to tell."""
    while not is_so():  # noqa: ASYNC110 - see the docstring
        await trio.sleep(_LOOK_S)
