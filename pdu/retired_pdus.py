"""Operations that only SMPP 3.3 has: param_retrieve, query_last_msgs, query_msg_details.

*In*: nothing; these are tables.
*Out*: one class for each PDU, fields in wire order; ``number_of_dests``, ``no_of_msgs`` of the
    response and the last ``sm_length`` are counted, so never stored.
*Never*: used in a session of 3.4 or 5.0, where these command_ids are reserved.

SMPP 3.3 §6; names that 3.4 kept are spelled as there.
"""

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
)
from pdu.message_pdus import (
    DISTRIBUTION_LIST,
    NPIS,
    SME_ADDRESS,
    TONS,
    DistributionList,
    SmeAddress,
)
from pdu.status import Status
from pdu.tlvs import Tlvs


@element
class LastMessage:
    """One message in query_last_msgs_resp."""

    message_id: str = c_octet_string(65, Status.ESME_RINVMSGID, default="")


@pdu(Command.PARAM_RETRIEVE)
class ParamRetrieve(Pdu):
    """param_retrieve: the value of a parameter of the message centre, by name."""

    param_name: str = c_octet_string(32, Status.ESME_RINVCMDLEN, default="")
    tlvs: Tlvs = tlv_area(default=())


@pdu(Command.PARAM_RETRIEVE_RESP, tolerant=True)
class ParamRetrieveResp(Pdu):
    """param_retrieve_resp."""

    param_value: str = c_octet_string(101, Status.ESME_RINVCMDLEN, default="")
    tlvs: Tlvs = tlv_area(default=())
    bodiless: bool = bodiless_flag(default=False)


@pdu(Command.QUERY_LAST_MSGS)
class QueryLastMsgs(Pdu):
    """query_last_msgs: the ids of the last messages from a source, 1 to 100 of them."""

    source_addr_ton: int = u1(Status.ESME_RINVSRCTON, TONS, default=0)
    source_addr_npi: int = u1(Status.ESME_RINVSRCNPI, NPIS, default=0)
    source_addr: str = c_octet_string(21, Status.ESME_RINVSRCADR, default="")
    no_of_msgs: int = u1(default=0)
    tlvs: Tlvs = tlv_area(default=())


@pdu(Command.QUERY_LAST_MSGS_RESP, tolerant=True)
class QueryLastMsgsResp(Pdu):
    """query_last_msgs_resp: the newest first."""

    message: tuple[LastMessage, ...] = group(
        "no_of_msgs", {None: LastMessage}, Status.ESME_RINVCMDLEN, default=()
    )
    tlvs: Tlvs = tlv_area(default=())
    bodiless: bool = bodiless_flag(default=False)


@pdu(Command.QUERY_MSG_DETAILS)
class QueryMsgDetails(Pdu):
    """query_msg_details: all about one message, and ``sm_length`` octets of its text."""

    message_id: str = c_octet_string(65, Status.ESME_RINVMSGID, default="")
    source_addr_ton: int = u1(Status.ESME_RINVSRCTON, TONS, default=0)
    source_addr_npi: int = u1(Status.ESME_RINVSRCNPI, NPIS, default=0)
    source_addr: str = c_octet_string(21, Status.ESME_RINVSRCADR, default="")
    sm_length: int = u1(default=0)
    tlvs: Tlvs = tlv_area(default=())


@pdu(Command.QUERY_MSG_DETAILS_RESP, tolerant=True)
class QueryMsgDetailsResp(Pdu):
    """query_msg_details_resp. final_date is empty until the state is final."""

    service_type: str = c_octet_string(6, Status.ESME_RINVSERTYP, default="")
    source_addr_ton: int = u1(Status.ESME_RINVSRCTON, default=0)
    source_addr_npi: int = u1(Status.ESME_RINVSRCNPI, default=0)
    source_addr: str = c_octet_string(21, Status.ESME_RINVSRCADR, default="")
    dest_address: tuple[SmeAddress | DistributionList, ...] = group(
        "number_of_dests",
        {SME_ADDRESS: SmeAddress, DISTRIBUTION_LIST: DistributionList},
        Status.ESME_RINVNUMDESTS,
        Status.ESME_RINVDESTFLAG,
        default=(),
    )
    protocol_id: int = u1(default=0)
    priority_flag: int = u1(Status.ESME_RINVPRTFLG, default=0)
    schedule_delivery_time: str = time_string(Status.ESME_RINVSCHED, default="")
    validity_period: str = time_string(Status.ESME_RINVEXPIRY, default="")
    registered_delivery: int = u1(Status.ESME_RINVREGDLVFLG, default=0)
    data_coding: int = u1(default=0)
    short_message: bytes = counted_octets("sm_length", Status.ESME_RINVMSGLEN, default=b"")
    message_id: str = c_octet_string(65, Status.ESME_RINVMSGID, default="")
    final_date: str = time_string(Status.ESME_RINVEXPIRY, default="")
    message_state: int = u1(default=0)
    error_code: int = u1(default=0)
    tlvs: Tlvs = tlv_area(default=())
    bodiless: bool = bodiless_flag(default=False)
