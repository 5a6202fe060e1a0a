"""The deliver_sm of a receipt of ours.

*In*: a message and how it stands. *Out*: one deliver_sm body. *Never*: who gets it.

SMPP 3.4 §4.6.1, appendix B.
"""

from functools import lru_cache
from typing import Final

from pdu.receipt_text import MessageState, format_receipt
from pdu.tlvs import Tag, find_tlv, pack_tlv
from routing.facts import part_count
from smsc.flow.parts import new_parts
from smsc.message import DELIVERED, Message, MessageId, Progress, State

# esm_class: MC delivery receipt, or intermediate notification; then protocol_id up to
# sm_default_msg_id, times empty.
_RECEIPT: Final = b"\x04" + bytes(8)
_NOTICE: Final = b"\x20" + bytes(8)
AS: Final = {
    "receipt": _RECEIPT,
    "rejected": _RECEIPT,
    "notice": _NOTICE,
    "accepted": _NOTICE,
    "buffered": _NOTICE,
}
# service_type, the addresses, the head, the text; receipted_message_id and message_state.
_BODY: Final = b"\0%b%b%b%cid:%b%b" + b"\x00\x1e\x00%c%b\0" + b"\x04\x27\x00\x01%c"
_MINUTE_MS: Final = 60_000
_MESSAGE_STATES: Final = {int(state): state for state in MessageState}
_SMPP_ERROR: Final = b"\x07"  # network_error_code octet 1: the code is an SMPP command_status


def client_id(message: Message) -> MessageId:
    """What the client calls the message: those of one submit_multi share the id of the first."""
    shares_id = message.batch is not None and message.source == "smpp"
    return MessageId(message.batch or message.id) if shares_id else message.id


def receipt_body(message: Message, progress: Progress, head: bytes = AS["receipt"]) -> bytes:
    """The deliver_sm body of a receipt: the client's addresses swapped, standard text, the TLVs.

    Written octet by octet, since one is made for each message; `encode_body` of a `DeliverSm`
    gives the same (tests compare them).
    """
    stored, peek = message.submitted
    # The addresses stand behind service_type; TON, NPI, number and NUL each (SMPP 3.4 §4.4.1).
    source_at = len(peek.service_type) + 1
    destination_at = source_at + 3 + len(peek.source_addr)
    end = destination_at + 3 + len(peek.destination_addr)
    id_ = b"%d" % (message.id if message.batch is None else client_id(message))
    state, error = progress.state, progress.error
    # What never reached an outlet has no parts yet; `sub` counts what was submitted nevertheless.
    parts = progress.parts or new_parts(part_count(message.body, message.peek))
    behind_id = _behind_id(
        message.accepted_ms // _MINUTE_MS,
        progress.done_ms // _MINUTE_MS,
        state,
        error,
        parts,
    )
    body = _BODY % (
        stored[destination_at:end],
        stored[source_at:destination_at],
        head,
        3 + len(id_) + len(behind_id),
        id_,
        behind_id,
        len(id_) + 1,
        id_,
        state,
    )
    if error:
        code = min(error, 0xFFFF).to_bytes(2, "big")
        body += pack_tlv(Tag.NETWORK_ERROR_CODE, _SMPP_ERROR + code)
    if peek.tlvs_at < len(stored):
        reference = find_tlv(stored, peek.tlvs_at, Tag.USER_MESSAGE_REFERENCE)
        if reference is not None:
            body += pack_tlv(Tag.USER_MESSAGE_REFERENCE, reference)
    return body


@lru_cache(maxsize=1024)
def _behind_id(submitted_min: int, done_min: int, state: State, error: int, parts: bytes) -> bytes:
    """The text behind the id; cached: receipts come in bursts that differ in nothing else."""
    text = format_receipt(
        "",
        submitted_ms=submitted_min * _MINUTE_MS,
        done_ms=done_min * _MINUTE_MS,
        state=_MESSAGE_STATES[state],
        error=f"{error % 1000:03d}",
        sub=len(parts),
        dlvrd=parts.count(DELIVERED),
    )
    return text.removeprefix(b"id:")
