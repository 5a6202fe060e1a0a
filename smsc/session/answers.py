"""HOT: the answering half of a session: what the peer asked and we owe it.

*In*: the owner's answers, in any order. *Out*: octets to write.
*Never*: an answer to what is not owed; an end of the session while something is.

Failures have the form of the session's version: header only in 3.4, one NUL in 3.3 and 5.0 where
the response has a field to keep. SMPP 3.4 §4.4.2, 5.0 §4.2.1.2.
"""

from collections.abc import Callable, Sequence
from itertools import repeat
from struct import Struct
from typing import Final

from pdu.codec import pack, submit_sm_oks, submit_sm_resps
from pdu.commands import BINDS, RESPONSE, Command
from pdu.operations import V34, V50, Role, SessionState
from smsc.session.congestion import answers_with_state, state_tlv

DATA_SM: Final = int(Command.DATA_SM)
_EMPTY_RESP: Final = Struct(">IIIIx")  # a header, and the NUL of an empty message_id
_EMPTY_RESP_OCTETS: Final = _EMPTY_RESP.size
_empty_resp: Final = _EMPTY_RESP.pack
_DATA_SM_RESP: Final = int(Command.DATA_SM_RESP)
# Responses whose one field 3.3 and 5.0 keep, as an empty string, when the status is an error.
_KEEP_FIELD: Final = frozenset(
    {int(Command.SUBMIT_SM_RESP), _DATA_SM_RESP, *(bind | RESPONSE for bind in BINDS)}
)
# Responses that take no TLVs, and those that a session gives before it knows its peer.
_NO_TLVS: Final = frozenset(
    {
        int(Command.GENERIC_NACK),
        int(Command.UNBIND_RESP),
        int(Command.ENQUIRE_LINK_RESP),
        *(bind | RESPONSE for bind in BINDS),
    }
)


class Answers:
    """What is owed to the peer; `Session` is the rest.

    :ivar throttles: above `hold` requests are refused with ESME_RTHROTTLED instead.
    :ivar congestion: asked for the congestion_state that answers to a peer of 5.0 carry.
    """

    def __init__(self, role: Role, hold: int) -> None:
        self.role = role
        self.state = SessionState.OPEN
        self.version = V34
        self.hold = hold
        self.throttles = False
        self.congestion: Callable[[], int] | None = None
        self.closing: str | None = None
        self._out: list[bytes] = []
        self._owed = 0
        self._set_aside = 0
        self._as_data: set[int] = set()  # sequence_numbers of data_sm that we have not answered
        self._owed_unbind: int | None = None
        self._ending: str | None = None
        self._message_response = 0

    @property
    def owed(self) -> int:
        """Requests of the peer that we have not answered."""
        return self._owed

    @property
    def is_full(self) -> bool:
        """The peer is past its window: read no more until answers went out."""
        return self._owed - self._set_aside >= self.hold and not self.throttles

    @property
    def owes_data_sm(self) -> bool:
        """Is there a data_sm among the messages that we have not answered?"""
        return bool(self._as_data)

    def close(self, why: str) -> None:
        """Nothing more is to be read: the driver ends the connection. The first reason stays."""
        if self.closing is None:
            self.closing = why

    # --- messages ------------------------------------------------------------------------------

    def answer_many(self, entries: list[tuple[int, int, bytes]]) -> None:
        """Answer messages of the peer: (sequence_number, command_status, message_id)."""
        if self.state is SessionState.CLOSED:
            return
        self._owed -= len(entries)
        if self._as_data:
            entries = [entry for entry in entries if not self._answer_data_sm(*entry)]
        if self.congestion is not None and self.version >= V50:
            self._out.append(answers_with_state(entries, self.congestion()))
        elif self.role is Role.MC:
            self._out.append(submit_sm_resps(entries, error_body=self.version != V34))
        else:
            self._confirm([entry[0] for entry in entries], [entry[1] for entry in entries])
        self._close_if_answered()

    def confirm_many(self, sequence_numbers: Sequence[int], statuses: Sequence[int]) -> None:
        """Answer deliver_sm of the peer. The usual case of `answer_many` for an ESME."""
        if self._as_data:
            entries = zip(sequence_numbers, statuses, repeat(b""), strict=False)
            self.answer_many(list(entries))
            return
        if self.state is SessionState.CLOSED:
            return
        self._confirm(sequence_numbers, statuses)
        self._owed -= len(sequence_numbers)
        self._close_if_answered()

    def accept_many(self, sequence_numbers: Sequence[int], message_ids: Sequence[bytes]) -> None:
        """Answer submit_sm of the peer ESME_ROK; ids ascend. The usual case of `answer_many`."""
        if self._as_data or (self.congestion is not None and self.version >= V50):
            entries = zip(sequence_numbers, repeat(0), message_ids, strict=False)
            self.answer_many(list(entries))
            return
        if self.state is SessionState.CLOSED:
            return
        self._out.append(submit_sm_oks(sequence_numbers, message_ids))
        self._owed -= len(sequence_numbers)
        self._close_if_answered()

    def _confirm(self, sequence_numbers: Sequence[int], statuses: Sequence[int]) -> None:
        response = repeat(self._message_response)
        self._out += map(
            _empty_resp, repeat(_EMPTY_RESP_OCTETS), response, statuses, sequence_numbers
        )

    def may_wait(self, sequence_number: int) -> bool:
        """May the message ask for transaction mode: data_sm, and anything in 5.0?"""
        return self.version >= V50 or sequence_number in self._as_data

    def set_aside(self) -> None:
        """The answer to one message of the peer will take its time: it counts for no window."""
        self._set_aside += 1

    def answer_late(
        self, sequence_number: int, status: int, message_id: bytes, tlvs: bytes
    ) -> None:
        """Answer a message that was set aside; TLVs go where the version has a place for them."""
        self._set_aside -= 1
        command_id = int(Command.SUBMIT_SM)
        if sequence_number in self._as_data:
            self._as_data.discard(sequence_number)
            command_id = DATA_SM
        body = b"%b\0%b" % (message_id, tlvs) if message_id else b""
        self.answer(command_id, sequence_number, status, body)

    # --- anything else -------------------------------------------------------------------------

    def answer(self, command_id: int, sequence_number: int, status: int, body: bytes = b"") -> None:
        """Answer one request `command_id` of the peer; a failure without a body gets its form."""
        if self.state is SessionState.CLOSED:
            return
        self._owed -= 1
        if status and not body:
            self._put_error(command_id | RESPONSE, status, sequence_number)
        else:
            body += self._state_tlv()
            self._out.append(pack(command_id | RESPONSE, status, sequence_number, body))
        self._close_if_answered()

    # --- helpers -------------------------------------------------------------------------------

    def _answer_data_sm(self, sequence_number: int, status: int, message_id: bytes) -> bool:
        """Answer a message if it came as data_sm."""
        if sequence_number not in self._as_data:
            return False
        self._as_data.discard(sequence_number)
        if status and self.role is Role.MC:
            self._put_error(_DATA_SM_RESP, status, sequence_number)
        else:
            body = message_id + b"\0" + self._state_tlv()
            self._out.append(pack(_DATA_SM_RESP, status, sequence_number, body))
        return True

    def _state_tlv(self) -> bytes:
        """congestion_state where the peer knows it: any response of 5.0 may carry it."""
        if self.congestion is None or self.version < V50:
            return b""
        return state_tlv(self.congestion())

    def _put(self, command_id: int, status: int, sequence_number: int) -> None:
        self._out.append(pack(command_id, status, sequence_number, b""))

    def _put_error(self, response_id: int, status: int, sequence_number: int) -> None:
        """A failed response in the form of the session's version."""
        body = b"\0" if self.version != V34 and response_id in _KEEP_FIELD else b""
        if self.role is Role.MC and response_id not in _NO_TLVS:
            body += self._state_tlv()
        self._out.append(pack(response_id, status, sequence_number, body))

    def _close_if_answered(self) -> None:
        """Close a session that is ending, once nothing is owed any more."""
        if self._ending is None or self._owed:
            return
        if self._owed_unbind is not None:
            self._put(Command.UNBIND_RESP, 0, self._owed_unbind)
            self._owed_unbind = None
        self.close(self._ending)
