"""What HTTP clients may ask of the gateway, led to the rooms that know.

*In*: questions of the HTTP bridge (see `bridges.http.gateway`, its side of this port).
*Out*: their answers. *Never*: HTTP; a decision about a message.
"""

from collections.abc import Callable, Sequence
from typing import Any

import trio

from pdu.originate import deliver_bodies
from pdu.status import Status, Vendor, status_name
from pdu.text.errors import TooManyParts
from smsc.directory.accounts import Account, AuthRefused
from smsc.directory.durable import written
from smsc.gateway.health import Pulse
from smsc.gateway.outlet_desk import OutletDesk
from smsc.gateway.rooms import Rooms
from smsc.message import AccountId, OutletName
from smsc.ports import (
    Answer,
    Claim,
    Health,
    Lookup,
    MobileOriginated,
    Refused,
    Submit,
    Telling,
    UpstreamReceipt,
)
from smsc.ports.idempotency import AnswerOf


class HttpPort:
    """See the module."""

    def __init__(self, rooms: Rooms, pulse: Pulse, desk: OutletDesk) -> None:
        self._rooms = rooms
        self._desk = desk
        self._pulse = pulse
        self.now_ms = rooms.now_ms
        self.directory, self.credits = rooms.directory, rooms.credits
        self.contacts, self.inbox = rooms.contacts, rooms.inbox
        self.cancel, self.replace = rooms.owner_changes.cancel, rooms.owner_changes.replace
        self.idempotency_keys = rooms.idempotency
        self.preview = rooms.previewer.preview
        self._mo_reference = 0

    @property
    def submit(self) -> Submit:
        """The one door in."""
        return self._rooms.intake

    @property
    def lookup(self) -> Lookup:
        """Questions about stored messages."""
        return self._rooms.lookup

    def number_reader(self, account: AccountId) -> Callable[[str], str]:
        """What reads numbers as that account writes them; `str` without a region."""
        return self._rooms.guide.number_reader(account)

    def begin(
        self, account: AccountId, key: str, request: bytes, answer_of: AnswerOf
    ) -> Claim | Answer | Refused:
        """What an Idempotency-Key stands for."""
        return self._rooms.idempotency.begin(account, key, request, answer_of, self.now_ms())

    async def authenticate(self, account: str, password: str, peer: str) -> Account | Refused:
        """Who is calling."""
        return _told(await self._rooms.directory.authenticate(account, password, peer))

    async def authenticate_token(self, account: str, token: str, peer: str) -> Account | Refused:
        """Who is calling, by the account's token."""
        return _told(await self._rooms.directory.authenticate_token(account, token, peer))

    async def inject_mo(
        self, outlet: str, from_: str, to: str, text: str, *, key: str = ""
    ) -> Refused | None:
        """Route a message as if the network of `outlet` had brought it (any outlet's name).

        The same `key` again within a day is the same message.
        """
        outlets = self._rooms.outlets
        if OutletName(outlet) not in outlets:
            known = ", ".join(outlets) or "none"
            why = f"outlet {outlet!r} is unknown; known ones: {known}"
            return Refused(Vendor.SMSC_UNKNOWN, why)
        try:
            bodies = deliver_bodies(from_, to, text, self._mo_reference)
        except TooManyParts:
            return Refused(Status.ESME_RINVMSGLEN, "the text needs more than 255 parts: shorten it")
        self._mo_reference = (self._mo_reference + 1) & 0xFF
        answered = trio.Event()
        answers: list[int] = []

        def done(statuses: list[int]) -> None:
            answers.extend(statuses)
            answered.set()

        self._rooms.inbound.mobile_originated_nowait(
            [
                MobileOriginated(OutletName(outlet), body, f"{key}/{part}" if key else "")
                for part, body in enumerate(bodies)
            ],
            done,
        )
        await answered.wait()
        status = next(filter(None, answers), 0)
        if not status:
            return None
        if status == Status.ESME_RX_R_APPN:
            return Refused(status, f"no mo_route takes a message to {to}")
        return Refused(status, f"the message was answered {status_name(status)}")

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

    async def take_receipt(self, receipt: UpstreamReceipt) -> Refused | None:
        """Match what a network says by HTTP; None once it is on disk."""
        if receipt.outlet not in self._rooms.outlets:
            return Refused(Status.ESME_RSYSERR, f"outlet {receipt.outlet!r} is unknown")
        answered = trio.Event()
        answers: list[int] = []

        def done(statuses: list[int]) -> None:
            answers.extend(statuses)
            answered.set()

        self._rooms.receipts.receipts_nowait([receipt], done)
        await answered.wait()
        if not answers[0]:
            return None
        return Refused(answers[0], "too many receipts wait for their messages; send it again later")

    async def tell(self, tellings: Sequence[Telling]) -> None:
        """Park words for callbacks; return after the commit that holds them was fsynced."""
        batch = self._rooms.store.batch()
        deliveries = self._rooms.receipts.callbacks.told(batch, tellings)
        arrived = self._rooms.mailboxes.arrived
        await written(self._rooms.store, batch, then=lambda: arrived(deliveries))

    async def control_outlet(self, outlet: str, action: str) -> str | None:
        """Start, stop or drain an outlet, or decide on what it holds; a sentence if it cannot."""
        return self._desk.control(outlet, action)

    def health(self) -> Health:
        """Can the gateway take messages, and what is behind by how much."""
        return self._pulse.health()


def _told(verdict: Account | AuthRefused) -> Account | Refused:
    """A verdict as the HTTP bridge wants it."""
    if not isinstance(verdict, AuthRefused):
        return verdict
    if verdict.is_closed:
        return Refused(Vendor.SMSC_ACCOUNT_CLOSED, verdict.why)
    if verdict.is_unavailable:
        return Refused(Vendor.SMSC_UNAVAILABLE, verdict.why)
    if verdict.is_network:
        return Refused(Status.ESME_RPROHIBITED, verdict.why)
    return Refused(verdict.status, verdict.why)
