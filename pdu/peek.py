"""HOT: the lazy decode of submit_sm and deliver_sm: what routing and admission must know.

*In*: the body of a submit_sm or deliver_sm (same layout).
*Out*: :class:`SubmitPeek`: mandatory fields, and where text and TLVs stand; the text is not
    copied, the body stays as it came.
*Never*: raises anything but the :class:`BodyError` that the slow twin raises for these octets.

Written by :mod:`pdu.generate_decoder` from the same tables as the full decode, so both agree. SMPP 3.4 §4.4.1, §4.6.1.
"""

from collections.abc import Callable
from typing import Final

import pdu.message_pdus  # noqa: F401  # fills the tables
from pdu.commands import Command
from pdu.fields import TABLES
from pdu.generate_decoder import compile_decoder


class SubmitPeek:
    """The mandatory fields of one body, by the names of the specification.

    :ivar text_at: offset of short_message in the body.
    :ivar tlvs_at: offset of the first TLV; equals the body's length when there is none.
    """

    __slots__ = (
        "data_coding",
        "dest_addr_npi",
        "dest_addr_ton",
        "destination_addr",
        "esm_class",
        "priority_flag",
        "protocol_id",
        "registered_delivery",
        "replace_if_present_flag",
        "schedule_delivery_time",
        "service_type",
        "sm_default_msg_id",
        "sm_length",
        "source_addr",
        "source_addr_npi",
        "source_addr_ton",
        "text_at",
        "tlvs_at",
        "validity_period",
    )
    service_type: str
    source_addr_ton: int
    source_addr_npi: int
    source_addr: str
    dest_addr_ton: int
    dest_addr_npi: int
    destination_addr: str
    esm_class: int
    protocol_id: int
    priority_flag: int
    schedule_delivery_time: str
    validity_period: str
    registered_delivery: int
    replace_if_present_flag: int
    data_coding: int
    sm_default_msg_id: int
    sm_length: int
    text_at: int
    tlvs_at: int


# Bound, not wrapped: one more call would cost a twentieth of the whole.
peek_submit_sm: Final[Callable[[bytes], SubmitPeek]] = compile_decoder(
    TABLES[Command.SUBMIT_SM], SubmitPeek, lazy=True
)
"""The mandatory fields of a submit_sm, checked, and its TLV area walked if there is one.

:raises BodyError: the status of the first field at fault, as :func:`pdu.codec.decode` does.
"""

peek_deliver_sm: Final[Callable[[bytes], SubmitPeek]] = compile_decoder(
    TABLES[Command.DELIVER_SM], SubmitPeek, lazy=True
)
"""The same for a deliver_sm, whose values are taken as they come from a message centre.

:raises BodyError: only when the layout itself is broken.
"""
