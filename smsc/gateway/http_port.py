"""What HTTP clients may ask of the gateway, led to the rooms that know.

*In*: questions of the HTTP bridge (see `bridges.http.gateway`, its side of this port).
*Out*: their answers. *Never*: HTTP; a decision about a message.
"""

from typing import Any

from pdu.status import Status, status_name
from smsc.directory.accounts import Account, AuthRefused
from smsc.gateway.health import Pulse
from smsc.gateway.outlet_desk import OutletDesk
from smsc.gateway.rooms import Rooms
from smsc.message import OutletName
from smsc.ports import Health, Lookup, Refused, Submit


class HttpPort:
    """See the module."""

    def __init__(self, rooms: Rooms, pulse: Pulse, desk: OutletDesk) -> None:
        self._rooms = rooms
        self._desk = desk
        self._pulse = pulse
        self.now_ms = rooms.now_ms

    @property
    def submit(self) -> Submit:
        """The one door in."""
        return self._rooms.intake

    @property
    def lookup(self) -> Lookup:
        """Questions about stored messages."""
        return self._rooms.lookup

    async def authenticate(self, account: str, password: str, peer: str) -> Account | Refused:
        """Who is calling."""
        verdict = await self._rooms.directory.authenticate(account, password, peer)
        if isinstance(verdict, AuthRefused):
            return Refused(verdict.status, verdict.why)
        return verdict

    async def simulate_mo(self, outlet: str, from_: str, to: str, text: str) -> str | None:
        """Make a simulator's handset send a message; a sentence if that cannot be."""
        outlets = self._rooms.outlets
        found: Any = outlets.get(OutletName(outlet))
        if found is None or not hasattr(found, "mobile_originated"):
            known = [name for name, one in outlets.items() if hasattr(one, "mobile_originated")]
            return f"outlet {outlet!r} is no simulator; known ones: {', '.join(known) or 'none'}"
        status = await found.mobile_originated(from_, to, text)
        if status == Status.ESME_RX_R_APPN:
            return f"no mo_route takes a message to {to}"
        return None if not status else f"the message was answered {status_name(status)}"

    async def control_outlet(self, outlet: str, action: str) -> str | None:
        """Start, stop or drain an outlet, or decide on what it holds; a sentence if it cannot."""
        return self._desk.control(outlet, action)

    def health(self) -> Health:
        """Can the gateway take messages, and what is behind by how much."""
        return self._pulse.health()
