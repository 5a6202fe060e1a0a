"""Transaction mode: the response waits for the end of the message.

*In*: messages that are on disk and whose client waits; ends of messages; the time.
*Out*: for each one answer: command_status and the TLVs that explain it.
*Never*: a client's window blocked; a wait without an end.

esm_class mode 2, in data_sm since 3.4 and in submit_sm since 5.0 (SMPP 3.4 §4.7, 5.0 §4.2.4).
The message is stored like any other before anything else happens, and tried once.
When the time is up it has failed for its client: if it still waits it is cancelled, so that the
answer is true; if a network has it, its message_id lets the client ask what became of it.
"""

from collections import deque
from collections.abc import Callable
from typing import Final

import attrs

from pdu.status import Status
from pdu.tlvs import Tag, pack_tlv
from smsc.flow.finals import Finals
from smsc.message import Message, MessageId, Progress, State
from smsc.operations.pending_flags import DPF_SET, wants_flag

MODE: Final = 0x03
TRANSACTION: Final = 0x02

_ADDRESS_FAULTS: Final = frozenset(
    {int(Status.ESME_RINVDSTADR), int(Status.ESME_RINVDSTTON), int(Status.ESME_RINVDSTNPI)}
)
# delivery_failure_reason, 3.4 §5.3.2.33
_ADDRESS_INVALID, _PERMANENT, _TEMPORARY = 1, 2, 3
_SMPP_ERROR: Final = b"\x07"  # network_error_code octet 1: the code is an SMPP command_status

Answer = Callable[[int, bytes], None]
"""Gets command_status and TLVs."""


@attrs.define(slots=True, eq=False)
class _Waiting:
    ends_at: float
    id: MessageId
    answer: Answer
    owner: object


class Transactions:
    """Everyone who waits for the end of a message.

    :param drop: cancels a message if it still waits.
    :ivar timeout_s: how long a message may take.
    """

    def __init__(self, finals: Finals, drop: Callable[[MessageId], None], timeout_s: float) -> None:
        self._finals = finals
        self._drop = drop
        self.timeout_s = timeout_s
        self._waiting: dict[MessageId, _Waiting] = {}
        self._by_time: deque[_Waiting] = (
            deque()
        )  # all wait about equally long: the oldest ends first

    def __len__(self) -> int:
        return len(self._waiting)

    def wait(self, id_: MessageId, owner: object, answer: Answer, now: float) -> None:
        """Answer when the message ends, or the time is up."""
        waiting = _Waiting(now + self.timeout_s, id_, answer, owner)
        self._waiting[id_] = waiting
        self._by_time.append(waiting)
        self._finals.wait(id_, self._ended)

    def tick(self, now: float) -> None:
        """Give up those whose time is up; called by the sweeper."""
        while self._by_time and (
            self._by_time[0].ends_at <= now or self._by_time[0].id not in self._waiting
        ):
            self._give_up(self._by_time.popleft())

    def hurry(self, owner: object) -> None:
        """The owner wants to go: answer all of its own now."""
        for waiting in self._of(owner):
            self._give_up(waiting)

    def forget(self, owner: object) -> None:
        """The owner is gone: nobody is there to be answered."""
        for waiting in self._of(owner):
            del self._waiting[waiting.id]
            self._finals.forget(waiting.id)

    # --- helpers -------------------------------------------------------------------------------

    def _of(self, owner: object) -> list[_Waiting]:
        return [one for one in self._waiting.values() if one.owner is owner]

    def _ended(self, message: Message, progress: Progress) -> None:
        waiting = self._waiting.pop(message.id, None)
        if waiting is not None:
            waiting.answer(*result(message, progress))

    def _give_up(self, waiting: _Waiting) -> None:
        if self._waiting.pop(waiting.id, None) is None:
            return
        self._finals.forget(waiting.id)
        self._drop(waiting.id)
        reason = pack_tlv(Tag.DELIVERY_FAILURE_REASON, b"%c" % _TEMPORARY)
        waiting.answer(int(Status.ESME_RDELIVERYFAILURE), reason)


def result(message: Message, progress: Progress) -> tuple[int, bytes]:
    """command_status and TLVs for a message that ended so."""
    if progress.state is State.DELIVERED:
        return int(Status.ESME_ROK), b""
    tlvs = [pack_tlv(Tag.DELIVERY_FAILURE_REASON, b"%c" % _reason(progress))]
    if progress.error:
        code = min(progress.error, 0xFFFF).to_bytes(2, "big")
        tlvs.append(pack_tlv(Tag.NETWORK_ERROR_CODE, _SMPP_ERROR + code))
    if wants_flag(message):
        tlvs.append(DPF_SET)
    return int(Status.ESME_RDELIVERYFAILURE), b"".join(tlvs)


def _reason(progress: Progress) -> int:
    if progress.error in _ADDRESS_FAULTS:
        return _ADDRESS_INVALID
    return _PERMANENT if progress.state in {State.REJECTED, State.DELETED} else _TEMPORARY
