"""Message operations: submit, deliver, data, submit_multi, query, cancel, replace.

*In*: nothing; these are tables.
*Out*: one class for each PDU, fields in wire order under the names of the specification.
    ``sm_length``, ``number_of_dests`` and ``no_unsuccess`` are counted, so never stored.
*Never*: the meaning of a text, a time or an address.

SMPP 3.4 §4.4 to §4.10; 5.0 §4.2 to §4.5.
"""

from typing import Final

from pdu.commands import Command
from pdu.fields import (
    Pdu,
    bodiless_flag,
    c_octet_string,
    counted_octets,
    element,
    group,
    pdu,
    time_string,
    tlv_area,
    u1,
    u4,
)
from pdu.status import Status
from pdu.tlvs import Tlvs

# §5.2.5, §5.2.6; the gaps are reserved.
TONS: Final = frozenset(range(7))
NPIS: Final = frozenset({0, 1, 3, 4, 6, 8, 9, 10, 14, 18})
# §5.2.14
PRIORITIES: Final = frozenset(range(4))
# §5.2.18
REPLACE_FLAGS: Final = frozenset({0, 1})

SME_ADDRESS: Final = 1
DISTRIBUTION_LIST: Final = 2


@pdu(Command.SUBMIT_SM)
class SubmitSm(Pdu):
    """submit_sm, §4.4.1."""

    service_type: str = c_octet_string(6, Status.ESME_RINVSERTYP, default="")
    source_addr_ton: int = u1(Status.ESME_RINVSRCTON, TONS, default=0)
    source_addr_npi: int = u1(Status.ESME_RINVSRCNPI, NPIS, default=0)
    source_addr: str = c_octet_string(21, Status.ESME_RINVSRCADR, default="")
    dest_addr_ton: int = u1(Status.ESME_RINVDSTTON, TONS, default=0)
    dest_addr_npi: int = u1(Status.ESME_RINVDSTNPI, NPIS, default=0)
    destination_addr: str = c_octet_string(21, Status.ESME_RINVDSTADR, default="")
    esm_class: int = u1(Status.ESME_RINVESMCLASS, default=0)
    protocol_id: int = u1(default=0)
    priority_flag: int = u1(Status.ESME_RINVPRTFLG, PRIORITIES, default=0)
    schedule_delivery_time: str = time_string(Status.ESME_RINVSCHED, default="")
    validity_period: str = time_string(Status.ESME_RINVEXPIRY, default="")
    registered_delivery: int = u1(Status.ESME_RINVREGDLVFLG, default=0)
    replace_if_present_flag: int = u1(Status.ESME_RINVREPFLAG, REPLACE_FLAGS, default=0)
    data_coding: int = u1(default=0)
    sm_default_msg_id: int = u1(Status.ESME_RINVDFTMSGID, default=0)
    short_message: bytes = counted_octets("sm_length", Status.ESME_RINVMSGLEN, default=b"")
    tlvs: Tlvs = tlv_area(default=())


@pdu(Command.SUBMIT_SM_RESP, tolerant=True)
class SubmitSmResp(Pdu):
    """submit_sm_resp, §4.4.2. Refusals have no body in 3.4, one NUL in 3.3 and 5.0."""

    message_id: str = c_octet_string(65, Status.ESME_RINVMSGID, default="")
    tlvs: Tlvs = tlv_area(default=())
    bodiless: bool = bodiless_flag(default=False)


@pdu(Command.DELIVER_SM, tolerant=True)
class DeliverSm(Pdu):
    """deliver_sm, §4.6.1: same layout as submit_sm, values taken as they come."""

    service_type: str = c_octet_string(6, Status.ESME_RINVSERTYP, default="")
    source_addr_ton: int = u1(Status.ESME_RINVSRCTON, default=0)
    source_addr_npi: int = u1(Status.ESME_RINVSRCNPI, default=0)
    source_addr: str = c_octet_string(21, Status.ESME_RINVSRCADR, default="")
    dest_addr_ton: int = u1(Status.ESME_RINVDSTTON, default=0)
    dest_addr_npi: int = u1(Status.ESME_RINVDSTNPI, default=0)
    destination_addr: str = c_octet_string(21, Status.ESME_RINVDSTADR, default="")
    esm_class: int = u1(Status.ESME_RINVESMCLASS, default=0)
    protocol_id: int = u1(default=0)
    priority_flag: int = u1(Status.ESME_RINVPRTFLG, default=0)
    schedule_delivery_time: str = time_string(Status.ESME_RINVSCHED, default="")
    validity_period: str = time_string(Status.ESME_RINVEXPIRY, default="")
    registered_delivery: int = u1(Status.ESME_RINVREGDLVFLG, default=0)
    replace_if_present_flag: int = u1(Status.ESME_RINVREPFLAG, default=0)
    data_coding: int = u1(default=0)
    sm_default_msg_id: int = u1(Status.ESME_RINVDFTMSGID, default=0)
    short_message: bytes = counted_octets("sm_length", Status.ESME_RINVMSGLEN, default=b"")
    tlvs: Tlvs = tlv_area(default=())


@pdu(Command.DELIVER_SM_RESP, tolerant=True)
class DeliverSmResp(Pdu):
    """deliver_sm_resp, §4.6.2. message_id is unused; peers send none, an empty or a full one."""

    message_id: str = c_octet_string(65, Status.ESME_RINVMSGID, default="")
    tlvs: Tlvs = tlv_area(default=())
    bodiless: bool = bodiless_flag(default=False)


@pdu(Command.DATA_SM)
class DataSm(Pdu):
    """data_sm, §4.7.1. The text is in the TLV message_payload."""

    service_type: str = c_octet_string(6, Status.ESME_RINVSERTYP, default="")
    source_addr_ton: int = u1(Status.ESME_RINVSRCTON, TONS, default=0)
    source_addr_npi: int = u1(Status.ESME_RINVSRCNPI, NPIS, default=0)
    source_addr: str = c_octet_string(65, Status.ESME_RINVSRCADR, default="")
    dest_addr_ton: int = u1(Status.ESME_RINVDSTTON, TONS, default=0)
    dest_addr_npi: int = u1(Status.ESME_RINVDSTNPI, NPIS, default=0)
    destination_addr: str = c_octet_string(65, Status.ESME_RINVDSTADR, default="")
    esm_class: int = u1(Status.ESME_RINVESMCLASS, default=0)
    registered_delivery: int = u1(Status.ESME_RINVREGDLVFLG, default=0)
    data_coding: int = u1(default=0)
    tlvs: Tlvs = tlv_area(default=())


@pdu(Command.DATA_SM_RESP, tolerant=True)
class DataSmResp(Pdu):
    """data_sm_resp, §4.7.2. Its body means something with an error too (transaction mode)."""

    message_id: str = c_octet_string(65, Status.ESME_RINVMSGID, default="")
    tlvs: Tlvs = tlv_area(default=())
    bodiless: bool = bodiless_flag(default=False)


@element
class SmeAddress:
    """One destination of submit_multi with dest_flag 1, §4.5.1.1."""

    dest_addr_ton: int = u1(Status.ESME_RINVDSTTON, TONS, default=0)
    dest_addr_npi: int = u1(Status.ESME_RINVDSTNPI, NPIS, default=0)
    destination_addr: str = c_octet_string(21, Status.ESME_RINVDSTADR, default="")


@element
class DistributionList:
    """One destination of submit_multi with dest_flag 2, §4.5.1.2."""

    dl_name: str = c_octet_string(21, Status.ESME_RINVDLNAME, default="")


@element
class UnsuccessSme:
    """One refused destination in submit_multi_resp, §4.5.2.1."""

    dest_addr_ton: int = u1(Status.ESME_RINVDSTTON, default=0)
    dest_addr_npi: int = u1(Status.ESME_RINVDSTNPI, default=0)
    destination_addr: str = c_octet_string(21, Status.ESME_RINVDSTADR, default="")
    error_status_code: int = u4(default=0)


@pdu(Command.SUBMIT_MULTI)
class SubmitMulti(Pdu):
    """submit_multi, §4.5.1: up to 255 destinations."""

    service_type: str = c_octet_string(6, Status.ESME_RINVSERTYP, default="")
    source_addr_ton: int = u1(Status.ESME_RINVSRCTON, TONS, default=0)
    source_addr_npi: int = u1(Status.ESME_RINVSRCNPI, NPIS, default=0)
    source_addr: str = c_octet_string(21, Status.ESME_RINVSRCADR, default="")
    dest_address: tuple[SmeAddress | DistributionList, ...] = group(
        "number_of_dests",
        {SME_ADDRESS: SmeAddress, DISTRIBUTION_LIST: DistributionList},
        Status.ESME_RINVNUMDESTS,
        Status.ESME_RINVDESTFLAG,
        at_least=1,
        default=(),
    )
    esm_class: int = u1(Status.ESME_RINVESMCLASS, default=0)
    protocol_id: int = u1(default=0)
    priority_flag: int = u1(Status.ESME_RINVPRTFLG, PRIORITIES, default=0)
    schedule_delivery_time: str = time_string(Status.ESME_RINVSCHED, default="")
    validity_period: str = time_string(Status.ESME_RINVEXPIRY, default="")
    registered_delivery: int = u1(Status.ESME_RINVREGDLVFLG, default=0)
    replace_if_present_flag: int = u1(Status.ESME_RINVREPFLAG, REPLACE_FLAGS, default=0)
    data_coding: int = u1(default=0)
    sm_default_msg_id: int = u1(Status.ESME_RINVDFTMSGID, default=0)
    short_message: bytes = counted_octets("sm_length", Status.ESME_RINVMSGLEN, default=b"")
    tlvs: Tlvs = tlv_area(default=())


@pdu(Command.SUBMIT_MULTI_RESP, tolerant=True)
class SubmitMultiResp(Pdu):
    """submit_multi_resp, §4.5.2: one message_id for all, and who was refused."""

    message_id: str = c_octet_string(65, Status.ESME_RINVMSGID, default="")
    unsuccess_sme: tuple[UnsuccessSme, ...] = group(
        "no_unsuccess", {None: UnsuccessSme}, Status.ESME_RINVNUMDESTS, default=()
    )
    tlvs: Tlvs = tlv_area(default=())
    bodiless: bool = bodiless_flag(default=False)


@pdu(Command.QUERY_SM)
class QuerySm(Pdu):
    """query_sm, §4.8.1. The source must match that of the submit."""

    message_id: str = c_octet_string(65, Status.ESME_RINVMSGID, default="")
    source_addr_ton: int = u1(Status.ESME_RINVSRCTON, TONS, default=0)
    source_addr_npi: int = u1(Status.ESME_RINVSRCNPI, NPIS, default=0)
    source_addr: str = c_octet_string(21, Status.ESME_RINVSRCADR, default="")
    tlvs: Tlvs = tlv_area(default=())


@pdu(Command.QUERY_SM_RESP, tolerant=True)
class QuerySmResp(Pdu):
    """query_sm_resp, §4.8.2. final_date is empty until the state is final."""

    message_id: str = c_octet_string(65, Status.ESME_RINVMSGID, default="")
    final_date: str = time_string(Status.ESME_RINVEXPIRY, default="")
    message_state: int = u1(default=0)
    error_code: int = u1(default=0)
    tlvs: Tlvs = tlv_area(default=())
    bodiless: bool = bodiless_flag(default=False)


@pdu(Command.CANCEL_SM)
class CancelSm(Pdu):
    """cancel_sm, §4.9.1. An empty message_id cancels all of that source and destination."""

    service_type: str = c_octet_string(6, Status.ESME_RINVSERTYP, default="")
    message_id: str = c_octet_string(65, Status.ESME_RINVMSGID, default="")
    source_addr_ton: int = u1(Status.ESME_RINVSRCTON, TONS, default=0)
    source_addr_npi: int = u1(Status.ESME_RINVSRCNPI, NPIS, default=0)
    source_addr: str = c_octet_string(21, Status.ESME_RINVSRCADR, default="")
    dest_addr_ton: int = u1(Status.ESME_RINVDSTTON, TONS, default=0)
    dest_addr_npi: int = u1(Status.ESME_RINVDSTNPI, NPIS, default=0)
    destination_addr: str = c_octet_string(21, Status.ESME_RINVDSTADR, default="")
    tlvs: Tlvs = tlv_area(default=())


@pdu(Command.CANCEL_SM_RESP, tolerant=True)
class CancelSmResp(Pdu):
    """cancel_sm_resp, §4.9.2. No body."""

    tlvs: Tlvs = tlv_area(default=())


@pdu(Command.REPLACE_SM)
class ReplaceSm(Pdu):
    """replace_sm, §4.10.1. Empty times keep the old ones; the coding stays."""

    message_id: str = c_octet_string(65, Status.ESME_RINVMSGID, default="")
    source_addr_ton: int = u1(Status.ESME_RINVSRCTON, TONS, default=0)
    source_addr_npi: int = u1(Status.ESME_RINVSRCNPI, NPIS, default=0)
    source_addr: str = c_octet_string(21, Status.ESME_RINVSRCADR, default="")
    schedule_delivery_time: str = time_string(Status.ESME_RINVSCHED, default="")
    validity_period: str = time_string(Status.ESME_RINVEXPIRY, default="")
    registered_delivery: int = u1(Status.ESME_RINVREGDLVFLG, default=0)
    sm_default_msg_id: int = u1(Status.ESME_RINVDFTMSGID, default=0)
    short_message: bytes = counted_octets("sm_length", Status.ESME_RINVMSGLEN, default=b"")
    tlvs: Tlvs = tlv_area(default=())


@pdu(Command.REPLACE_SM_RESP, tolerant=True)
class ReplaceSmResp(Pdu):
    """replace_sm_resp, §4.10.2. No body."""

    tlvs: Tlvs = tlv_area(default=())
