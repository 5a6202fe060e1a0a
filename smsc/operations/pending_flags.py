"""Delivery pending flags: who wants to hear when a handset can be reached again.

*In*: messages that ended, numbers that showed a sign of life. *Out*: alert_notification bodies.
*Never*: a message; more than a bounded number of flags; a flag after a restart (an alert is never
answered and never repeated, so it promises nothing).

A message with the TLV set_dpf = 1 that the network could not deliver sets the flag for its
recipient (SMPP 3.4 §5.3.2.28). A later message delivered to that number, or one that comes from
it, shows that the handset is back: the account is told once, and the flag is cleared (§4.12).
"""

from collections.abc import Callable, Sequence
from typing import Any, Final

from pdu.codec import SubmitPeek, encode_body
from pdu.session_pdus import AlertNotification
from pdu.tlvs import Tag, find_tlv, pack_tlv
from smsc.message import DELIVERED, AccountId, Message, Progress, State

_LIMIT: Final = 100_000
"""Numbers with a flag; beyond it the oldest flag is forgotten."""
_UNREACHED: Final = frozenset({State.UNDELIVERABLE, State.EXPIRED})
_AVAILABLE: Final = b"\0"  # ms_availability_status, §5.3.2.30
DPF_SET: Final = pack_tlv(Tag.DPF_RESULT, b"\1")

Alert = Callable[[AccountId, bytes], Any]


def wants_flag(message: Message) -> bool:
    """Did the client ask for the flag?"""
    body, at = message.body, message.peek.tlvs_at
    return at < len(body) and find_tlv(body, at, Tag.SET_DPF) == b"\1"


class PendingFlags:
    """Flags by number.

    :param alert: sends an alert_notification to the bound receivers of an account.
    """

    def __init__(self, alert: Alert) -> None:
        self._alert = alert
        # number → who wants to know, each with the alert_notification that says it; oldest first.
        self._flags: dict[str, dict[tuple[AccountId, str], bytes]] = {}

    def __len__(self) -> int:
        return len(self._flags)

    def ended(self, finals: Sequence[tuple[Message, Progress]]) -> None:
        """Messages ended: failures may set flags, deliveries may end them."""
        if not (self._flags or [1 for _, progress in finals if progress.state in _UNREACHED]):
            return  # as mostly
        for message, progress in finals:
            if progress.state is DELIVERED:
                self.seen(message.peek.destination_addr)
            elif progress.state in _UNREACHED and wants_flag(message):
                self._set(message)

    def seen(self, number: str) -> None:
        """The handset with this number is there."""
        for (account, _), body in self._flags.pop(_plain(number), {}).items():
            self._alert(account, body)

    def _set(self, message: Message) -> None:
        peek = message.peek
        number = _plain(peek.destination_addr)
        wishes = self._flags.pop(number, {})
        wishes[message.account, peek.source_addr] = alert_body(peek)
        self._flags[number] = wishes
        if len(self._flags) > _LIMIT:
            del self._flags[next(iter(self._flags))]


def alert_body(peek: SubmitPeek) -> bytes:
    """The alert_notification for a message: source is the handset, esme_addr its sender."""
    return encode_body(
        AlertNotification(
            source_addr_ton=peek.dest_addr_ton,
            source_addr_npi=peek.dest_addr_npi,
            source_addr=peek.destination_addr,
            esme_addr_ton=peek.source_addr_ton,
            esme_addr_npi=peek.source_addr_npi,
            esme_addr=peek.source_addr,
            tlvs=((int(Tag.MS_AVAILABILITY_STATUS), _AVAILABLE),),
        )
    )


def _plain(number: str) -> str:
    return number.removeprefix("+")
