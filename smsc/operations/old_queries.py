"""query_msg_details and query_last_msgs, which only SMPP 3.3 has.

*In*: the messages that a request names. *Out*: response PDUs. *Never*: looks for messages itself.
"""

from collections.abc import Sequence
from typing import Final

from pdu.message_pdus import SmeAddress
from pdu.operations import V33
from pdu.retired_pdus import LastMessage, QueryLastMsgsResp, QueryMsgDetailsResp
from pdu.timefmt import format_absolute
from routing.rewrite import data_of
from smsc.message import MessageId
from smsc.operations.message_states import combined, final_date, shown_state
from smsc.ports import MessageReport

MOST_LAST_MESSAGES: Final = 100
"""How many ids query_last_msgs may ask for."""
_HIGHEST_ERROR: Final = 0xFF
_LONGEST_TEXT_OCTETS: Final = 254


def details(
    message_id: str, text_octets: int, reports: Sequence[MessageReport]
) -> QueryMsgDetailsResp:
    """All about the messages of one id; they differ in nothing but the destination.

    :param text_octets: how much of the text is wanted.
    """
    message = reports[0].message
    progress = combined(reports)
    peek = message.peek
    header, text = data_of(message.body, peek)
    return QueryMsgDetailsResp(
        service_type=peek.service_type,
        source_addr_ton=peek.source_addr_ton,
        source_addr_npi=peek.source_addr_npi,
        source_addr=peek.source_addr,
        dest_address=tuple(
            SmeAddress(
                dest_addr_ton=one.message.peek.dest_addr_ton,
                dest_addr_npi=one.message.peek.dest_addr_npi,
                destination_addr=one.message.peek.destination_addr,
            )
            for one in reports
        ),
        protocol_id=peek.protocol_id,
        priority_flag=peek.priority_flag,
        schedule_delivery_time=format_absolute(message.due_ms) if message.due_ms else "",
        validity_period=format_absolute(message.expires_ms),
        registered_delivery=message.registered_delivery,
        data_coding=peek.data_coding,
        short_message=(header + text)[: min(text_octets, _LONGEST_TEXT_OCTETS)],
        message_id=message_id,
        final_date=final_date(progress),
        message_state=shown_state(progress.state, V33),
        error_code=min(progress.error, _HIGHEST_ERROR),
    )


def last_messages(ids: Sequence[MessageId]) -> QueryLastMsgsResp:
    """Their ids, the newest first."""
    return QueryLastMsgsResp(message=tuple(LastMessage(message_id=str(one)) for one in ids))
