"""Broadcast operations of SMPP 5.0: broadcast_sm and its query and cancel.

*In*: nothing; these are tables.
*Out*: one class for each PDU, fields in wire order under the names of the specification.
*Never*: checks that the mandatory TLVs are there: see :mod:`pdu.semantics`.

SMPP 5.0 §4.4 and §4.6. The text is in the TLV message_payload.
"""

from typing import Final

from pdu.commands import Command
from pdu.fields import Pdu, bodiless_flag, c_octet_string, pdu, time_string, tlv_area, u1
from pdu.message_pdus import NPIS, REPLACE_FLAGS, TONS
from pdu.status import Status
from pdu.tlvs import Tlvs

# GSM cell broadcast adds 4, "priority background".
BROADCAST_PRIORITIES: Final = frozenset(range(5))


@pdu(Command.BROADCAST_SM)
class BroadcastSm(Pdu):
    """broadcast_sm. message_id is empty unless an earlier broadcast is replaced."""

    service_type: str = c_octet_string(6, Status.ESME_RINVSERTYP, default="")
    source_addr_ton: int = u1(Status.ESME_RINVSRCTON, TONS, default=0)
    source_addr_npi: int = u1(Status.ESME_RINVSRCNPI, NPIS, default=0)
    source_addr: str = c_octet_string(21, Status.ESME_RINVSRCADR, default="")
    message_id: str = c_octet_string(65, Status.ESME_RINVMSGID, default="")
    priority_flag: int = u1(Status.ESME_RINVPRTFLG, BROADCAST_PRIORITIES, default=0)
    schedule_delivery_time: str = time_string(Status.ESME_RINVSCHED, default="")
    validity_period: str = time_string(Status.ESME_RINVEXPIRY, default="")
    replace_if_present_flag: int = u1(Status.ESME_RINVREPFLAG, REPLACE_FLAGS, default=0)
    data_coding: int = u1(default=0)
    sm_default_msg_id: int = u1(Status.ESME_RINVDFTMSGID, default=0)
    tlvs: Tlvs = tlv_area(default=())


@pdu(Command.BROADCAST_SM_RESP, tolerant=True)
class BroadcastSmResp(Pdu):
    """broadcast_sm_resp. TLVs name each area that failed."""

    message_id: str = c_octet_string(65, Status.ESME_RINVMSGID, default="")
    tlvs: Tlvs = tlv_area(default=())
    bodiless: bool = bodiless_flag(default=False)


@pdu(Command.QUERY_BROADCAST_SM)
class QueryBroadcastSm(Pdu):
    """query_broadcast_sm. By message_id or by the TLV user_message_reference."""

    message_id: str = c_octet_string(65, Status.ESME_RINVMSGID, default="")
    source_addr_ton: int = u1(Status.ESME_RINVSRCTON, TONS, default=0)
    source_addr_npi: int = u1(Status.ESME_RINVSRCNPI, NPIS, default=0)
    source_addr: str = c_octet_string(21, Status.ESME_RINVSRCADR, default="")
    tlvs: Tlvs = tlv_area(default=())


@pdu(Command.QUERY_BROADCAST_SM_RESP, tolerant=True)
class QueryBroadcastSmResp(Pdu):
    """query_broadcast_sm_resp. State and areas are in TLVs."""

    message_id: str = c_octet_string(65, Status.ESME_RINVMSGID, default="")
    tlvs: Tlvs = tlv_area(default=())
    bodiless: bool = bodiless_flag(default=False)


@pdu(Command.CANCEL_BROADCAST_SM)
class CancelBroadcastSm(Pdu):
    """cancel_broadcast_sm. By message_id or by TLVs."""

    service_type: str = c_octet_string(6, Status.ESME_RINVSERTYP, default="")
    message_id: str = c_octet_string(65, Status.ESME_RINVMSGID, default="")
    source_addr_ton: int = u1(Status.ESME_RINVSRCTON, TONS, default=0)
    source_addr_npi: int = u1(Status.ESME_RINVSRCNPI, NPIS, default=0)
    source_addr: str = c_octet_string(21, Status.ESME_RINVSRCADR, default="")
    tlvs: Tlvs = tlv_area(default=())


@pdu(Command.CANCEL_BROADCAST_SM_RESP, tolerant=True)
class CancelBroadcastSmResp(Pdu):
    """cancel_broadcast_sm_resp. No body."""

    tlvs: Tlvs = tlv_area(default=())
