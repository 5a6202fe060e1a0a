"""The TLVs of SMPP 3.4 and 5.0 as one table: tag, name, kind, length, since when, where, values.

*In*: the tag of a TLV.
*Out*: what the specification says about it.
*Never*: refuses a tag; unknown and vendor tags have no row and are carried untouched.

SMPP 3.4 §5.3.2, 5.0 §4.8.4. Lengths are those a careful reader accepts: where two editions or
common peers differ, the wider range stands.
"""

from enum import IntEnum
from typing import Final, Literal, NamedTuple

TlvKind = Literal["int", "bits", "octets", "cstring"]


class Tag(IntEnum):
    """Tags by their name in the specification."""

    DEST_ADDR_SUBUNIT = 0x0005
    DEST_NETWORK_TYPE = 0x0006
    DEST_BEARER_TYPE = 0x0007
    DEST_TELEMATICS_ID = 0x0008
    SOURCE_ADDR_SUBUNIT = 0x000D
    SOURCE_NETWORK_TYPE = 0x000E
    SOURCE_BEARER_TYPE = 0x000F
    SOURCE_TELEMATICS_ID = 0x0010
    QOS_TIME_TO_LIVE = 0x0017
    PAYLOAD_TYPE = 0x0019
    ADDITIONAL_STATUS_INFO_TEXT = 0x001D
    RECEIPTED_MESSAGE_ID = 0x001E
    MS_MSG_WAIT_FACILITIES = 0x0030
    PRIVACY_INDICATOR = 0x0201
    SOURCE_SUBADDRESS = 0x0202
    DEST_SUBADDRESS = 0x0203
    USER_MESSAGE_REFERENCE = 0x0204
    USER_RESPONSE_CODE = 0x0205
    SOURCE_PORT = 0x020A
    DESTINATION_PORT = 0x020B
    SAR_MSG_REF_NUM = 0x020C
    LANGUAGE_INDICATOR = 0x020D
    SAR_TOTAL_SEGMENTS = 0x020E
    SAR_SEGMENT_SEQNUM = 0x020F
    SC_INTERFACE_VERSION = 0x0210
    CALLBACK_NUM_PRES_IND = 0x0302
    CALLBACK_NUM_ATAG = 0x0303
    NUMBER_OF_MESSAGES = 0x0304
    CALLBACK_NUM = 0x0381
    DPF_RESULT = 0x0420
    SET_DPF = 0x0421
    MS_AVAILABILITY_STATUS = 0x0422
    NETWORK_ERROR_CODE = 0x0423
    MESSAGE_PAYLOAD = 0x0424
    DELIVERY_FAILURE_REASON = 0x0425
    MORE_MESSAGES_TO_SEND = 0x0426
    MESSAGE_STATE = 0x0427
    CONGESTION_STATE = 0x0428
    USSD_SERVICE_OP = 0x0501
    BROADCAST_CHANNEL_INDICATOR = 0x0600
    BROADCAST_CONTENT_TYPE = 0x0601
    BROADCAST_CONTENT_TYPE_INFO = 0x0602
    BROADCAST_MESSAGE_CLASS = 0x0603
    BROADCAST_REP_NUM = 0x0604
    BROADCAST_FREQUENCY_INTERVAL = 0x0605
    BROADCAST_AREA_IDENTIFIER = 0x0606
    BROADCAST_ERROR_STATUS = 0x0607
    BROADCAST_AREA_SUCCESS = 0x0608
    BROADCAST_END_TIME = 0x0609
    BROADCAST_SERVICE_GROUP = 0x060A
    BILLING_IDENTIFICATION = 0x060B
    SOURCE_NETWORK_ID = 0x060D
    DEST_NETWORK_ID = 0x060E
    SOURCE_NODE_ID = 0x060F
    DEST_NODE_ID = 0x0610
    DEST_ADDR_NP_RESOLUTION = 0x0611
    DEST_ADDR_NP_INFORMATION = 0x0612
    DEST_ADDR_NP_COUNTRY = 0x0613
    DISPLAY_TIME = 0x1201
    SMS_SIGNAL = 0x1203
    MS_VALIDITY = 0x1204
    ALERT_ON_MESSAGE_DELIVERY = 0x130C
    ITS_REPLY_TYPE = 0x1380
    ITS_SESSION_INFO = 0x1383


class TlvRow(NamedTuple):
    """One line of the table; ``len_min`` and ``len_max`` are octets of value."""

    tag: Tag
    kind: TlvKind
    len_min: int
    len_max: int
    since: str
    allowed_pdus: str
    values: str


# One row a line, as the specification prints it.
# fmt: off
TLV_TABLE: Final[tuple[TlvRow, ...]] = (
    TlvRow(Tag.DEST_ADDR_SUBUNIT, "int", 1, 1, "3.4", "submit_sm,submit_multi,data_sm;5.0: deliver_sm,broadcast_sm", "0 unknown(default),1 MS display,2 mobile equipment,3 smart card 1,4 external unit 1"),
    TlvRow(Tag.DEST_NETWORK_TYPE, "int", 1, 1, "3.4", "data_sm;5.0: submit_sm,submit_multi", "0 unknown,1 GSM,2 ANSI-136,3 IS-95,4 PDC,5 PHS,6 iDEN,7 AMPS,8 paging"),
    TlvRow(Tag.DEST_BEARER_TYPE, "int", 1, 1, "3.4", "data_sm;5.0: submit_sm,submit_multi", "0 unknown,1 SMS,2 CSD,3 packet data,4 USSD,5 CDPD,6 DataTAC,7 FLEX/ReFLEX,8 cell broadcast"),
    TlvRow(Tag.DEST_TELEMATICS_ID, "int", 2, 2, "3.4", "data_sm;5.0: submit_sm,submit_multi", "TP-PID style value"),
    TlvRow(Tag.SOURCE_ADDR_SUBUNIT, "int", 1, 1, "3.4", "submit_sm,submit_multi,data_sm;5.0: deliver_sm,broadcast_sm", "as dest_addr_subunit"),
    TlvRow(Tag.SOURCE_NETWORK_TYPE, "int", 1, 1, "3.4", "data_sm;5.0: submit_sm,submit_multi", "as dest_network_type"),
    TlvRow(Tag.SOURCE_BEARER_TYPE, "int", 1, 1, "3.4", "data_sm;5.0: submit_sm,submit_multi", "as dest_bearer_type"),
    TlvRow(Tag.SOURCE_TELEMATICS_ID, "int", 1, 2, "3.4", "data_sm;5.0: submit_sm,submit_multi", "1 octet by 3.4, smppex, tshark; 2 in Rusmpp, node-smpp: accept both, send 1"),
    TlvRow(Tag.QOS_TIME_TO_LIVE, "int", 4, 4, "3.4", "data_sm;5.0: submit_sm,submit_multi", "seconds; overrides validity_period"),
    TlvRow(Tag.PAYLOAD_TYPE, "int", 1, 1, "3.4", "submit_sm,submit_multi,deliver_sm,data_sm;5.0: broadcast_sm", "0 default (WDP),1 WCMP"),
    TlvRow(Tag.ADDITIONAL_STATUS_INFO_TEXT, "cstring", 1, 256, "3.4", "data_sm_resp;5.0: submit_sm_resp,submit_multi_resp,deliver_sm_resp", "free text for a failed response"),
    TlvRow(Tag.RECEIPTED_MESSAGE_ID, "cstring", 1, 65, "3.4", "deliver_sm,data_sm (receipts)", "the id given in the submit response, NUL-terminated (some peers omit the NUL: accept)"),
    TlvRow(Tag.MS_MSG_WAIT_FACILITIES, "bits", 1, 1, "3.4", "submit_sm,submit_multi,data_sm", "bit7 1=indication active; bits1-0 0 voicemail,1 fax,2 e-mail,3 other"),
    TlvRow(Tag.PRIVACY_INDICATOR, "int", 1, 1, "3.4", "submit_sm,submit_multi,deliver_sm,data_sm;5.0: broadcast_sm", "0 unrestricted,1 restricted,2 confidential,3 secret"),
    TlvRow(Tag.SOURCE_SUBADDRESS, "octets", 2, 23, "3.4", "submit_sm,submit_multi,deliver_sm,data_sm;5.0: broadcast_sm", "octet1 0x80 NSAP even,0x88 NSAP odd,0xA0 user specified"),
    TlvRow(Tag.DEST_SUBADDRESS, "octets", 2, 23, "3.4", "submit_sm,submit_multi,deliver_sm,data_sm;5.0: broadcast_sm", "as source_subaddress"),
    TlvRow(Tag.USER_MESSAGE_REFERENCE, "int", 2, 2, "3.4", "submit_sm,submit_multi,deliver_sm,data_sm;5.0: all broadcast requests,query_broadcast_sm_resp", "opaque; echoed in receipts by some MCs"),
    TlvRow(Tag.USER_RESPONSE_CODE, "int", 1, 1, "3.4", "submit_sm,deliver_sm,data_sm;5.0: submit_multi", "0..255 application value"),
    TlvRow(Tag.SOURCE_PORT, "int", 2, 2, "3.4", "submit_sm,submit_multi,deliver_sm,data_sm;5.0: broadcast_sm", "application port"),
    TlvRow(Tag.DESTINATION_PORT, "int", 2, 2, "3.4", "submit_sm,submit_multi,deliver_sm,data_sm;5.0: broadcast_sm", "application port (5.0 name dest_port)"),
    TlvRow(Tag.SAR_MSG_REF_NUM, "int", 2, 2, "3.4", "submit_sm,submit_multi,deliver_sm,data_sm", "same for all segments; needs both partners"),
    TlvRow(Tag.LANGUAGE_INDICATOR, "int", 1, 1, "3.4", "submit_sm,submit_multi,deliver_sm,data_sm;5.0: broadcast_sm", "0 unspecified,1 English,2 French,3 Spanish,4 German,5 Portuguese"),
    TlvRow(Tag.SAR_TOTAL_SEGMENTS, "int", 1, 1, "3.4", "submit_sm,submit_multi,deliver_sm,data_sm", "1..255"),
    TlvRow(Tag.SAR_SEGMENT_SEQNUM, "int", 1, 1, "3.4", "submit_sm,submit_multi,deliver_sm,data_sm", "1..total"),
    TlvRow(Tag.SC_INTERFACE_VERSION, "int", 1, 1, "3.4", "bind_transmitter_resp,bind_receiver_resp,bind_transceiver_resp", "0x34,0x50; absent = 3.3 or older"),
    TlvRow(Tag.CALLBACK_NUM_PRES_IND, "bits", 1, 1, "3.4", "submit_sm,submit_multi,data_sm;5.0: deliver_sm,broadcast_sm", "repeatable; bits3-2 presentation 0 allowed,1 restricted,2 not available; bits1-0 screening 0 not screened,1 passed,2 failed,3 network (Rusmpp has the pairs swapped)"),
    TlvRow(Tag.CALLBACK_NUM_ATAG, "octets", 1, 65, "3.4", "submit_sm,submit_multi,data_sm;5.0: deliver_sm,broadcast_sm", "repeatable; octet1 data_coding, rest display text"),
    TlvRow(Tag.NUMBER_OF_MESSAGES, "int", 1, 1, "3.4", "submit_sm,data_sm;5.0: submit_multi", "0..99"),
    TlvRow(Tag.CALLBACK_NUM, "octets", 4, 19, "3.4", "submit_sm,submit_multi,deliver_sm,data_sm;5.0: broadcast_sm", "repeatable; octet1 digit mode 0 TBCD/1 ASCII, octet2 TON, octet3 NPI, rest digits"),
    TlvRow(Tag.DPF_RESULT, "int", 1, 1, "3.4", "data_sm_resp;5.0: submit_sm_resp,submit_multi_resp,deliver_sm", "0 not set,1 set"),
    TlvRow(Tag.SET_DPF, "int", 1, 1, "3.4", "data_sm;5.0: submit_sm,submit_multi", "0 no,1 yes: set Delivery Pending Flag on failure"),
    TlvRow(Tag.MS_AVAILABILITY_STATUS, "int", 1, 1, "3.4", "alert_notification", "0 available(default),1 denied,2 unavailable"),
    TlvRow(Tag.NETWORK_ERROR_CODE, "octets", 3, 3, "3.4", "deliver_sm,data_sm,data_sm_resp;5.0: submit_sm_resp,submit_multi_resp,deliver_sm_resp", "octet1 network 1 ANSI-136 access denied,2 IS-95 access denied,3 GSM,5.0: 4 ANSI-136 cause,5 IS-95 cause,6 ANSI-41,7 SMPP error,8 MC specific; octets2-3 code big-endian"),
    TlvRow(Tag.MESSAGE_PAYLOAD, "octets", 0, 65535, "3.4", "submit_sm,submit_multi,deliver_sm,data_sm;5.0: broadcast_sm,replace_sm", "text when sm_length=0; real limits far lower (MC policy)"),
    TlvRow(Tag.DELIVERY_FAILURE_REASON, "int", 1, 1, "3.4", "data_sm_resp;5.0: submit_sm_resp,submit_multi_resp,deliver_sm_resp", "0 destination unavailable,1 address invalid,2 permanent network error,3 temporary network error"),
    TlvRow(Tag.MORE_MESSAGES_TO_SEND, "int", 1, 1, "3.4", "submit_sm,data_sm;5.0: submit_multi", "0 none,1 more (default)"),
    TlvRow(Tag.MESSAGE_STATE, "int", 1, 1, "3.4", "deliver_sm,data_sm;5.0: query_broadcast_sm_resp", "see smpp-values.md"),
    TlvRow(Tag.CONGESTION_STATE, "int", 1, 1, "5.0", "any response PDU", "0 idle,1-29 low,30-49 medium,50-79 high,80-89 optimum,90-99 near congestion,100 congested"),
    TlvRow(Tag.USSD_SERVICE_OP, "int", 1, 1, "3.4", "submit_sm;5.0: submit_multi,deliver_sm,data_sm", "0 PSSD ind,1 PSSR ind,2 USSR req,3 USSN req,16 PSSD resp,17 PSSR resp,18 USSR conf,19 USSN conf"),
    TlvRow(Tag.BROADCAST_CHANNEL_INDICATOR, "int", 1, 1, "5.0", "broadcast_sm", "0 basic(default),1 extended"),
    TlvRow(Tag.BROADCAST_CONTENT_TYPE, "octets", 3, 3, "5.0", "broadcast_sm (mandatory),cancel_broadcast_sm", "octet1 network 0 generic,1 GSM,2 TDMA,3 CDMA; octets2-3 service (0x0000 index,0x0001 emergency,0x0010.. news,0x0021.. info,0x0070.. carrier,0x0080.. care,0x0100 multi)"),
    TlvRow(Tag.BROADCAST_CONTENT_TYPE_INFO, "octets", 1, 255, "5.0", "broadcast_sm", "free"),
    TlvRow(Tag.BROADCAST_MESSAGE_CLASS, "int", 1, 1, "5.0", "broadcast_sm", "0 none(default),1,2 user classes,3 terminal equipment"),
    TlvRow(Tag.BROADCAST_REP_NUM, "int", 2, 2, "5.0", "broadcast_sm (mandatory)", "repetitions; meaning of 0 is MC policy. tshark 4.0 reads 1 octet: its bug"),
    TlvRow(Tag.BROADCAST_FREQUENCY_INTERVAL, "octets", 3, 3, "5.0", "broadcast_sm (mandatory)", "octet1 unit 0 asap,8 s,9 min,10 h,11 d,12 wk,13 mo,14 yr; octets2-3 count"),
    TlvRow(Tag.BROADCAST_AREA_IDENTIFIER, "octets", 1, 65535, "5.0", "broadcast_sm (mandatory),broadcast_sm_resp,query_broadcast_sm_resp", "repeatable; octet1 format 0 alias/name,1 ellipsoid arc,2 polygon; rest details"),
    TlvRow(Tag.BROADCAST_ERROR_STATUS, "int", 4, 4, "5.0", "broadcast_sm_resp", "repeatable; command_status per failed area, paired with broadcast_area_identifier"),
    TlvRow(Tag.BROADCAST_AREA_SUCCESS, "int", 1, 1, "5.0", "query_broadcast_sm_resp (mandatory)", "repeatable; 0-100 percent,255 unknown"),
    TlvRow(Tag.BROADCAST_END_TIME, "cstring", 17, 17, "5.0", "query_broadcast_sm_resp", "absolute time (Rusmpp: octet string up to 17)"),
    TlvRow(Tag.BROADCAST_SERVICE_GROUP, "octets", 1, 255, "5.0", "broadcast_sm", "free"),
    TlvRow(Tag.BILLING_IDENTIFICATION, "octets", 1, 1024, "5.0", "submit_sm,submit_multi,data_sm", "octet1 format (0x80-0xFF vendor), rest data"),
    TlvRow(Tag.SOURCE_NETWORK_ID, "cstring", 7, 66, "5.0", "submit_sm,submit_multi,deliver_sm,data_sm", "operator id"),
    TlvRow(Tag.DEST_NETWORK_ID, "cstring", 7, 66, "5.0", "submit_sm,submit_multi,deliver_sm,data_sm", "operator id"),
    TlvRow(Tag.SOURCE_NODE_ID, "octets", 6, 6, "5.0", "submit_sm,submit_multi,deliver_sm,data_sm", "decimal digits"),
    TlvRow(Tag.DEST_NODE_ID, "octets", 6, 6, "5.0", "submit_sm,submit_multi,deliver_sm,data_sm", "decimal digits"),
    TlvRow(Tag.DEST_ADDR_NP_RESOLUTION, "int", 1, 1, "5.0", "submit_sm,submit_multi,deliver_sm,data_sm", "0 no query done,1 done not ported,2 done ported"),
    TlvRow(Tag.DEST_ADDR_NP_INFORMATION, "octets", 0, 10, "5.0", "submit_sm,submit_multi,deliver_sm,data_sm", "national LRN form; accept 0..10"),
    TlvRow(Tag.DEST_ADDR_NP_COUNTRY, "octets", 1, 5, "5.0", "submit_sm,submit_multi,deliver_sm,data_sm", "E.164 region; node-smpp treats it as int4"),
    TlvRow(Tag.DISPLAY_TIME, "int", 1, 1, "3.4", "submit_sm,submit_multi,data_sm;5.0: broadcast_sm", "0 temporary,1 default,2 invoke"),
    TlvRow(Tag.SMS_SIGNAL, "int", 2, 2, "3.4", "submit_sm,submit_multi,data_sm;5.0: broadcast_sm", "TIA/EIA-136 alert"),
    TlvRow(Tag.MS_VALIDITY, "octets", 1, 4, "3.4", "submit_sm,submit_multi,data_sm;5.0: broadcast_sm", "3.4: 1 octet 0 store indefinitely,1 power down,2 registration area,3 display only; 5.0 adds 4 relative time + octet unit (0 s..6 yr) + 2 octets count (length 4 only then)"),
    TlvRow(Tag.ALERT_ON_MESSAGE_DELIVERY, "int", 0, 1, "3.4", "submit_sm,submit_multi,data_sm;5.0: broadcast_sm", "3.4: no value; 5.0: empty or 0 default,1 low,2 medium,3 high"),
    TlvRow(Tag.ITS_REPLY_TYPE, "int", 1, 1, "3.4", "submit_sm,data_sm;5.0: submit_multi,deliver_sm", "0 digit,1 number,2 phone,3 password,4 line,5 menu,6 date,7 time,8 continue"),
    TlvRow(Tag.ITS_SESSION_INFO, "octets", 2, 2, "3.4", "submit_sm,deliver_sm,data_sm;5.0: submit_multi", "octet1 session number; octet2 bits7-1 sequence, bit0 end of session"),
)
# fmt: on

ROW_BY_TAG: Final[dict[int, TlvRow]] = {int(row.tag): row for row in TLV_TABLE}
