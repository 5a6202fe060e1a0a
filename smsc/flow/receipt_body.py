"""The deliver_sm of a receipt of ours.

*In*: a message and how it stands. *Out*: one deliver_sm body. *Never*: who gets it.

SMPP 3.4 §4.6.1, appendix B.
"""

from typing import Final

from pdu.receipt_text import MessageState, format_receipt
from pdu.tlvs import Tag, find_tlv, pack_tlv
from smsc.message import DELIVERED, Message, MessageId, Progress

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
_BODY: Final = b"\0%c%c%b\0%c%c%b\0%b%c%b" + b"\x00\x1e\x00%c%b\0" + b"\x04\x27\x00\x01%c"
_MESSAGE_STATES: Final = {int(state): state for state in MessageState}
_SMPP_ERROR: Final = b"\x07"  # network_error_code octet 1: the code is an SMPP command_status


def client_id(message: Message) -> MessageId:
    """What the client calls the message: those of one submit_multi share the id of the first."""
    shares_id = message.batch is not None and message.source == "smpp"
    return MessageId(message.batch or message.id) if shares_id else message.id


def receipt_body(message: Message, progress: Progress, head: bytes = AS["receipt"]) -> bytes:
    """The deliver_sm body of a receipt: addresses swapped, standard text, and the TLVs.

    Written octet by octet, since one is made for each message; `encode_body` of a `DeliverSm`
    gives the same (tests compare them).
    """
    peek = message.peek
    id_ = b"%d" % client_id(message)
    text = format_receipt(
        id_.decode(),
        submitted_ms=message.accepted_ms,
        done_ms=progress.done_ms,
        state=_MESSAGE_STATES[progress.state],
        error=f"{progress.error % 1000:03d}",
        sub=len(progress.parts) or 1,
        dlvrd=progress.parts.count(DELIVERED),
    )
    body = _BODY % (
        peek.dest_addr_ton,
        peek.dest_addr_npi,
        _octets(peek.destination_addr),
        peek.source_addr_ton,
        peek.source_addr_npi,
        _octets(peek.source_addr),
        head,
        len(text),
        text,
        len(id_) + 1,
        id_,
        progress.state,
    )
    if progress.error:
        code = min(progress.error, 0xFFFF).to_bytes(2, "big")
        body += pack_tlv(Tag.NETWORK_ERROR_CODE, _SMPP_ERROR + code)
    if peek.tlvs_at < len(message.body):
        reference = find_tlv(message.body, peek.tlvs_at, Tag.USER_MESSAGE_REFERENCE)
        if reference is not None:
            body += pack_tlv(Tag.USER_MESSAGE_REFERENCE, reference)
    return body


def _octets(address: str) -> bytes:
    return address.encode("latin-1")
