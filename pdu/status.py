"""command_status: every code of SMPP 3.3, 3.4 and 5.0, what it means and whether to try again.

*In*: the number of a response header.
*Out*: its name, its meaning, and the common practice: success, retryable or permanent.
*Never*: decides; an account or outlet may class a code otherwise.

SMPP 3.4 §5.1.3, 5.0 §4.7.6. Unknown numbers stay numbers: vendors use 0x400 and above, and
more.
"""

from enum import IntEnum
from typing import Final, Literal

StatusClass = Literal["success", "retryable", "permanent"]


class Status(IntEnum):
    """Names as the specification spells them; the value is what stands in the header."""

    ESME_ROK = 0x0
    ESME_RINVMSGLEN = 0x1
    ESME_RINVCMDLEN = 0x2
    ESME_RINVCMDID = 0x3
    ESME_RINVBNDSTS = 0x4
    ESME_RALYBND = 0x5
    ESME_RINVPRTFLG = 0x6
    ESME_RINVREGDLVFLG = 0x7
    ESME_RSYSERR = 0x8
    ESME_RINVSRCADR = 0xA
    ESME_RINVDSTADR = 0xB
    ESME_RINVMSGID = 0xC
    ESME_RBINDFAIL = 0xD
    ESME_RINVPASWD = 0xE
    ESME_RINVSYSID = 0xF
    ESME_RCANCELFAIL = 0x11
    ESME_RREPLACEFAIL = 0x13
    ESME_RMSGQFUL = 0x14
    ESME_RINVSERTYP = 0x15
    ESME_RINVNUMDESTS = 0x33
    ESME_RINVDLNAME = 0x34
    ESME_RINVDESTFLAG = 0x40
    ESME_RINVSUBREP = 0x42
    ESME_RINVESMCLASS = 0x43
    ESME_RCNTSUBDL = 0x44
    ESME_RSUBMITFAIL = 0x45
    ESME_RINVSRCTON = 0x48
    ESME_RINVSRCNPI = 0x49
    ESME_RINVDSTTON = 0x50
    ESME_RINVDSTNPI = 0x51
    ESME_RINVSYSTYP = 0x53
    ESME_RINVREPFLAG = 0x54
    ESME_RINVNUMMSGS = 0x55
    ESME_RTHROTTLED = 0x58
    ESME_RINVSCHED = 0x61
    ESME_RINVEXPIRY = 0x62
    ESME_RINVDFTMSGID = 0x63
    ESME_RX_T_APPN = 0x64
    ESME_RX_P_APPN = 0x65
    ESME_RX_R_APPN = 0x66
    ESME_RQUERYFAIL = 0x67
    ESME_RINVTLVSTREAM = 0xC0
    ESME_RTLVNOTALLWD = 0xC1
    ESME_RINVTLVLEN = 0xC2
    ESME_RMISSINGTLV = 0xC3
    ESME_RINVTLVVAL = 0xC4
    ESME_RDELIVERYFAILURE = 0xFE
    ESME_RUNKNOWNERR = 0xFF
    ESME_RSERTYPUNAUTH = 0x100
    ESME_RPROHIBITED = 0x101
    ESME_RSERTYPUNAVAIL = 0x102
    ESME_RSERTYPDENIED = 0x103
    ESME_RINVDCS = 0x104
    ESME_RINVSRCADDRSUBUNIT = 0x105
    ESME_RINVDSTADDRSUBUNIT = 0x106
    ESME_RINVBCASTFREQINT = 0x107
    ESME_RINVBCASTALIAS_NAME = 0x108
    ESME_RINVBCASTAREAFMT = 0x109
    ESME_RINVNUMBCAST_AREAS = 0x10A
    ESME_RINVBCASTCNTTYPE = 0x10B
    ESME_RINVBCASTMSGCLASS = 0x10C
    ESME_RBCASTFAIL = 0x10D
    ESME_RBCASTQUERYFAIL = 0x10E
    ESME_RBCASTCANCELFAIL = 0x10F
    ESME_RINVBCAST_REP = 0x110
    ESME_RINVBCASTSRVGRP = 0x111
    ESME_RINVBCASTCHANIND = 0x112


VENDOR_FIRST: Final = 0x400
VENDOR_LAST: Final = 0x4FF


class Vendor(IntEnum):
    """Our own codes, for refusals that the specification has no number for."""

    SMSC_NO_CREDIT = 0x400
    SMSC_ACCOUNT_CLOSED = 0x401
    SMSC_UNKNOWN = 0x402
    SMSC_EXISTS = 0x403
    SMSC_INVALID = 0x404
    SMSC_UNAVAILABLE = 0x405


# Value: (meaning, since, class by common practice).
_FACTS: Final[dict[int, tuple[str, str, StatusClass]]] = {
    Status.ESME_ROK: ("no error", "3.3", "success"),
    Status.ESME_RINVMSGLEN: (
        "message length invalid (short_message / message_payload too long or inconsistent)",
        "3.3",
        "permanent",
    ),
    Status.ESME_RINVCMDLEN: ("command_length invalid for the PDU", "3.3", "permanent"),
    Status.ESME_RINVCMDID: (
        "command_id unknown or unsupported (used in generic_nack)",
        "3.3",
        "permanent",
    ),
    Status.ESME_RINVBNDSTS: (
        "operation not allowed in this session state / bind type",
        "3.3",
        "permanent",
    ),
    Status.ESME_RALYBND: ("already bound", "3.3", "permanent"),
    Status.ESME_RINVPRTFLG: ("priority_flag invalid", "3.3", "permanent"),
    Status.ESME_RINVREGDLVFLG: ("registered_delivery invalid", "3.3", "permanent"),
    Status.ESME_RSYSERR: ("system error; part of the MC unavailable", "3.3", "retryable"),
    Status.ESME_RINVSRCADR: ("source address invalid", "3.3", "permanent"),
    Status.ESME_RINVDSTADR: ("destination address invalid", "3.3", "permanent"),
    Status.ESME_RINVMSGID: ("message_id invalid or unknown", "3.3", "permanent"),
    Status.ESME_RBINDFAIL: ("bind failed (generic)", "3.3", "retryable"),
    Status.ESME_RINVPASWD: (
        "password invalid (nominally malformed; widely used for wrong password)",
        "3.3",
        "permanent",
    ),
    Status.ESME_RINVSYSID: (
        "system_id invalid (nominally malformed; widely used for unknown id)",
        "3.3",
        "permanent",
    ),
    Status.ESME_RCANCELFAIL: ("cancel_sm failed", "3.3", "permanent"),
    Status.ESME_RREPLACEFAIL: ("replace_sm failed", "3.3", "permanent"),
    Status.ESME_RMSGQFUL: ("message queue full (destination or whole MC)", "3.3", "retryable"),
    Status.ESME_RINVSERTYP: ("service_type invalid", "3.3", "permanent"),
    Status.ESME_RINVNUMDESTS: ("number_of_dests invalid", "3.3", "permanent"),
    Status.ESME_RINVDLNAME: ("distribution list name invalid / unknown", "3.3", "permanent"),
    Status.ESME_RINVDESTFLAG: ("dest_flag invalid (submit_multi)", "3.3", "permanent"),
    Status.ESME_RINVSUBREP: (
        "submit with replace not possible / not supported",
        "3.3",
        "permanent",
    ),
    Status.ESME_RINVESMCLASS: ("esm_class invalid", "3.4", "permanent"),
    Status.ESME_RCNTSUBDL: ("cannot submit to distribution list", "3.3", "permanent"),
    Status.ESME_RSUBMITFAIL: ("submit_sm / submit_multi failed (generic)", "3.3", "retryable"),
    Status.ESME_RINVSRCTON: ("source TON invalid", "3.3", "permanent"),
    Status.ESME_RINVSRCNPI: ("source NPI invalid", "3.3", "permanent"),
    Status.ESME_RINVDSTTON: ("destination TON invalid", "3.3", "permanent"),
    Status.ESME_RINVDSTNPI: ("destination NPI invalid", "3.3", "permanent"),
    Status.ESME_RINVSYSTYP: ("system_type invalid", "3.3", "permanent"),
    Status.ESME_RINVREPFLAG: ("replace_if_present_flag invalid", "3.3", "permanent"),
    Status.ESME_RINVNUMMSGS: ("number_of_messages invalid", "3.3", "permanent"),
    Status.ESME_RTHROTTLED: ("rate limit exceeded", "3.3", "retryable"),
    Status.ESME_RINVSCHED: ("schedule_delivery_time invalid", "3.3", "permanent"),
    Status.ESME_RINVEXPIRY: ("validity_period invalid", "3.3", "permanent"),
    Status.ESME_RINVDFTMSGID: ("sm_default_msg_id invalid or not found", "3.3", "permanent"),
    Status.ESME_RX_T_APPN: (
        "ESME receiver temporary error (in deliver_sm_resp / data_sm_resp)",
        "3.3",
        "retryable",
    ),
    Status.ESME_RX_P_APPN: ("ESME receiver permanent error", "3.3", "permanent"),
    Status.ESME_RX_R_APPN: ("ESME receiver rejects the message", "3.3", "permanent"),
    Status.ESME_RQUERYFAIL: ("query_sm failed", "3.3", "permanent"),
    Status.ESME_RINVTLVSTREAM: (
        "TLV part of the body unparsable (3.4 name ESME_RINVOPTPARSTREAM)",
        "3.4",
        "permanent",
    ),
    Status.ESME_RTLVNOTALLWD: (
        "TLV not allowed here (3.4 ESME_ROPTPARNOTALLWD)",
        "3.4",
        "permanent",
    ),
    Status.ESME_RINVTLVLEN: ("TLV length invalid (3.4 ESME_RINVPARLEN)", "3.4", "permanent"),
    Status.ESME_RMISSINGTLV: (
        "required TLV missing (3.4 ESME_RMISSINGOPTPARAM)",
        "3.4",
        "permanent",
    ),
    Status.ESME_RINVTLVVAL: ("TLV value invalid (3.4 ESME_RINVOPTPARAMVAL)", "3.4", "permanent"),
    Status.ESME_RDELIVERYFAILURE: (
        "delivery failed (transaction mode; data_sm_resp, 5.0 also submit_sm_resp)",
        "3.4",
        "permanent",
    ),
    Status.ESME_RUNKNOWNERR: ("unknown error", "3.4", "retryable"),
    Status.ESME_RSERTYPUNAUTH: ("not authorised for this service_type", "5.0", "permanent"),
    Status.ESME_RPROHIBITED: ("operation prohibited for this ESME", "5.0", "permanent"),
    Status.ESME_RSERTYPUNAVAIL: ("service_type unavailable (temporarily)", "5.0", "retryable"),
    Status.ESME_RSERTYPDENIED: ("service_type denied", "5.0", "permanent"),
    Status.ESME_RINVDCS: ("data_coding invalid / unsupported", "5.0", "permanent"),
    Status.ESME_RINVSRCADDRSUBUNIT: ("source_addr_subunit invalid", "5.0", "permanent"),
    Status.ESME_RINVDSTADDRSUBUNIT: ("dest_addr_subunit invalid", "5.0", "permanent"),
    Status.ESME_RINVBCASTFREQINT: ("broadcast_frequency_interval invalid", "5.0", "permanent"),
    Status.ESME_RINVBCASTALIAS_NAME: ("broadcast alias name invalid", "5.0", "permanent"),
    Status.ESME_RINVBCASTAREAFMT: ("broadcast area format invalid", "5.0", "permanent"),
    Status.ESME_RINVNUMBCAST_AREAS: ("number of broadcast areas invalid", "5.0", "permanent"),
    Status.ESME_RINVBCASTCNTTYPE: ("broadcast_content_type invalid", "5.0", "permanent"),
    Status.ESME_RINVBCASTMSGCLASS: ("broadcast_message_class invalid", "5.0", "permanent"),
    Status.ESME_RBCASTFAIL: ("broadcast_sm failed", "5.0", "retryable"),
    Status.ESME_RBCASTQUERYFAIL: ("query_broadcast_sm failed", "5.0", "permanent"),
    Status.ESME_RBCASTCANCELFAIL: ("cancel_broadcast_sm failed", "5.0", "permanent"),
    Status.ESME_RINVBCAST_REP: ("broadcast_rep_num invalid", "5.0", "permanent"),
    Status.ESME_RINVBCASTSRVGRP: ("broadcast_service_group invalid", "5.0", "permanent"),
    Status.ESME_RINVBCASTCHANIND: ("broadcast_channel_indicator invalid", "5.0", "permanent"),
    Vendor.SMSC_NO_CREDIT: ("the account's credit does not pay for it", "", "permanent"),
    Vendor.SMSC_ACCOUNT_CLOSED: ("the account is closed", "", "permanent"),
    Vendor.SMSC_UNKNOWN: ("what it names does not exist", "", "permanent"),
    Vendor.SMSC_EXISTS: ("what it would create exists", "", "permanent"),
    Vendor.SMSC_INVALID: ("a value of it cannot be used", "", "permanent"),
    Vendor.SMSC_UNAVAILABLE: ("who you are cannot be found out now", "", "retryable"),
}

_NAMES: Final = {int(status): status.name for status in (*Status, *Vendor)}
_CLASSES: Final = {int(status): facts[2] for status, facts in _FACTS.items()}
# delivery_failure_reason 3: temporary network error (3.4 §5.3.2.33).
_TEMPORARY_NETWORK_ERROR: Final = 3


def status_name(command_status: int) -> str:
    """``ESME_ROK`` and so on; an unknown number as ``0x00000412``."""
    return _NAMES.get(command_status) or f"0x{command_status:08X}"


def status_meaning(command_status: int) -> str:
    """One line for people; says so when the number is vendor specific or reserved."""
    facts = _FACTS.get(command_status)
    if facts is not None:
        return facts[0]
    if VENDOR_FIRST <= command_status <= VENDOR_LAST:
        return "vendor specific error"
    return "reserved value"


def status_since(command_status: int) -> str:
    """The first version of the specification that we know to have the code; "" when unknown."""
    facts = _FACTS.get(command_status)
    return "" if facts is None else facts[1]


def status_class(command_status: int, delivery_failure_reason: int | None = None) -> StatusClass:
    """Whether a request so answered should be sent again.

    ESME_RDELIVERYFAILURE depends on the TLV delivery_failure_reason: 3 (temporary network
    error) is retryable, all else permanent.
    Unknown numbers are permanent: repeating what a peer refused for reasons we cannot read
    costs money and never ends.
    """
    if (
        command_status == Status.ESME_RDELIVERYFAILURE
        and delivery_failure_reason == _TEMPORARY_NETWORK_ERROR
    ):
        return "retryable"
    return _CLASSES.get(command_status, "permanent")
