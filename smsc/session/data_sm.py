"""data_sm in the layout of submit_sm and deliver_sm, and back: one message, three envelopes.

*In*: the body of a data_sm, or of a deliver_sm. *Out*: the body of the other kind.
*Never*: an octet of the text changed; a TLV lost or moved behind another.

So the rooms behind the session know one layout only. The fields that data_sm has not are 0 or
empty; its text is the TLV message_payload, and stays there. SMPP 3.4 §4.7.
"""

from typing import Any, Final

from pdu.codec import decode, peek_deliver_sm
from pdu.commands import Command
from pdu.compose import SHORT_MESSAGE_OCTETS
from pdu.errors import BodyError
from pdu.status import Status
from pdu.tlvs import Tag, find_tlv, pack_tlv

_ADDRESS_LIMIT: Final = 20
"""Characters of an address in submit_sm and deliver_sm; data_sm would take 64."""
_SM_LENGTH: Final = 1  # octets of the field, right in front of the text


def message_body(body: bytes) -> bytes:
    """A data_sm as the body of a submit_sm or deliver_sm.

    :raises BodyError: the body is no data_sm, or an address is too long for a message.
    """
    pdu: Any = decode(Command.DATA_SM, body)
    if len(pdu.source_addr) > _ADDRESS_LIMIT:
        raise BodyError(Status.ESME_RINVSRCADR, "source_addr has more than 20 characters")
    if len(pdu.destination_addr) > _ADDRESS_LIMIT:
        raise BodyError(Status.ESME_RINVDSTADR, "destination_addr has more than 20 characters")
    at = _addresses_end(body)
    esm_class, registered_delivery, data_coding = body[at : at + 3]
    return b"".join(
        (
            body[:at],
            # esm_class; protocol_id, priority_flag, and the two times, all of them unset
            b"%c\0\0\0\0" % esm_class,
            # …; replace_if_present_flag; data_coding; sm_default_msg_id, sm_length
            b"%c\0%c\0\0" % (registered_delivery, data_coding),
            body[at + 3 :],
        )
    )


def data_body(body: bytes) -> bytes:
    """A deliver_sm as the body of a data_sm: a text in short_message moves to message_payload."""
    peek = peek_deliver_sm(body)
    at = _addresses_end(body)
    text = body[peek.text_at : peek.tlvs_at]
    return b"".join(
        (
            body[:at],
            b"%c%c%c" % (peek.esm_class, peek.registered_delivery, peek.data_coding),
            pack_tlv(Tag.MESSAGE_PAYLOAD, text) if text else b"",
            body[peek.tlvs_at :],
        )
    )


def without_tlvs(body: bytes) -> bytes:
    """A deliver_sm for a peer that knows no TLVs (3.3): a text in message_payload moves.

    What of it does not fit into short_message is cut off: there is no other place for it.
    """
    peek = peek_deliver_sm(body)
    text = b"" if peek.sm_length else find_tlv(body, peek.tlvs_at, Tag.MESSAGE_PAYLOAD) or b""
    if not text:
        return body[: peek.tlvs_at]
    text = text[:SHORT_MESSAGE_OCTETS]
    return b"%b%c%b" % (body[: peek.text_at - _SM_LENGTH], len(text), text)


def _addresses_end(body: bytes) -> int:
    """Where esm_class stands: behind service_type and two addresses with their TON and NPI."""
    at = body.index(0) + 1
    for _ in range(2):
        at = body.index(0, at + 2) + 1
    return at
