"""What a well-formed request may still have wrong: meanings that no single field shows.

*In*: a decoded request, and now as an argument.
*Out*: the first :class:`Fault` with the status to answer, or None.
*Never*: an account's policy (senders, credit, limits), a clock, a message store.

SMPP 3.4 §5.2, §5.3; where the reference allows several answers the first of its list.
"""

from collections.abc import Iterator
from typing import Final, NamedTuple

from pdu.address import destination_fault, source_fault
from pdu.broadcast_pdus import BroadcastSm, CancelBroadcastSm, QueryBroadcastSm
from pdu.fields import Pdu
from pdu.message_pdus import (
    CancelSm,
    DataSm,
    DistributionList,
    QuerySm,
    ReplaceSm,
    SubmitMulti,
    SubmitSm,
)
from pdu.status import Status
from pdu.timefmt import TimeError, parse_time
from pdu.tlvs import Tag, Tlvs, tag_name, tlv_int, tlv_value


class Fault(NamedTuple):
    """Why a request is refused; ``status`` answers it."""

    status: Status
    why: str


# TLVs of one value out of few: (highest value, status).
_HIGHEST: Final[dict[int, tuple[int, Status]]] = {
    Tag.DEST_ADDR_SUBUNIT: (4, Status.ESME_RINVDSTADDRSUBUNIT),
    Tag.SOURCE_ADDR_SUBUNIT: (4, Status.ESME_RINVSRCADDRSUBUNIT),
    Tag.PAYLOAD_TYPE: (1, Status.ESME_RINVTLVVAL),
    Tag.PRIVACY_INDICATOR: (3, Status.ESME_RINVTLVVAL),
    Tag.NUMBER_OF_MESSAGES: (99, Status.ESME_RINVNUMMSGS),
    Tag.SET_DPF: (1, Status.ESME_RINVTLVVAL),
    Tag.MORE_MESSAGES_TO_SEND: (1, Status.ESME_RINVTLVVAL),
    Tag.DISPLAY_TIME: (2, Status.ESME_RINVTLVVAL),
    Tag.ALERT_ON_MESSAGE_DELIVERY: (3, Status.ESME_RINVTLVVAL),
    Tag.ITS_REPLY_TYPE: (8, Status.ESME_RINVTLVVAL),
    Tag.DEST_ADDR_NP_RESOLUTION: (2, Status.ESME_RINVTLVVAL),
    Tag.BROADCAST_CHANNEL_INDICATOR: (1, Status.ESME_RINVBCASTCHANIND),
    Tag.BROADCAST_MESSAGE_CLASS: (3, Status.ESME_RINVBCASTMSGCLASS),
}
# TLVs whose first octet says what the rest is: (values, status).
_FIRST_OCTET: Final[dict[int, tuple[frozenset[int], Status]]] = {
    Tag.BROADCAST_AREA_IDENTIFIER: (frozenset(range(3)), Status.ESME_RINVBCASTAREAFMT),
    Tag.BROADCAST_CONTENT_TYPE: (frozenset(range(4)), Status.ESME_RINVBCASTCNTTYPE),
    Tag.BROADCAST_FREQUENCY_INTERVAL: (
        frozenset({0, *range(8, 15)}),
        Status.ESME_RINVBCASTFREQINT,
    ),
}
# Required by broadcast_sm, 5.0 §4.4.1.
_BROADCAST_TLVS: Final = (
    Tag.BROADCAST_AREA_IDENTIFIER,
    Tag.BROADCAST_CONTENT_TYPE,
    Tag.BROADCAST_REP_NUM,
    Tag.BROADCAST_FREQUENCY_INTERVAL,
)


def check(pdu: Pdu, now_ms: int) -> Fault | None:
    """The first fault of a request, None when it is sound.

    :param now_ms: milliseconds UTC since 1970, for relative and past times.
    """
    for fault in _faults(pdu, now_ms):
        return fault
    return None


def check_tlvs(tlvs: Tlvs) -> Fault | None:
    """Values out of range, and a segment outside its message; incomplete SAR sets are ignored."""
    for tag, value in tlvs:
        highest = _HIGHEST.get(tag)
        if highest is not None and int.from_bytes(value, "big") > highest[0]:
            return Fault(highest[1], f"{tag_name(tag)} is above {highest[0]}")
        first = _FIRST_OCTET.get(tag)
        if first is not None and value[0] not in first[0]:
            return Fault(first[1], f"{tag_name(tag)} may not begin with {value[0]}")
    reference = tlv_value(tlvs, Tag.SAR_MSG_REF_NUM)
    total = tlv_int(tlvs, Tag.SAR_TOTAL_SEGMENTS)
    segment = tlv_int(tlvs, Tag.SAR_SEGMENT_SEQNUM)
    complete = reference is not None and total is not None and segment is not None
    if complete and not 1 <= (segment or 0) <= (total or 0):
        return Fault(Status.ESME_RINVTLVVAL, f"segment {segment} of {total}")
    return None


def _faults(pdu: Pdu, now_ms: int) -> Iterator[Fault]:
    match pdu:
        case SubmitSm() | DataSm():
            yield from _source(pdu)
            yield from _destination(pdu.dest_addr_ton, pdu.dest_addr_npi, pdu.destination_addr)
        case SubmitMulti():
            yield from _source(pdu)
            yield from _destinations(pdu)
        case QuerySm() | ReplaceSm():
            yield from _message_id(pdu.message_id)
        case CancelSm():
            yield from _cancel(pdu)
        case BroadcastSm():
            yield from _source(pdu)
            yield from _missing(pdu.tlvs, _BROADCAST_TLVS)
        case QueryBroadcastSm() | CancelBroadcastSm():
            yield from _broadcast_reference(pdu.message_id, pdu.tlvs)
    if isinstance(pdu, SubmitSm | SubmitMulti | ReplaceSm | BroadcastSm):
        yield from _times(pdu.schedule_delivery_time, pdu.validity_period, now_ms)
    if isinstance(pdu, SubmitSm | SubmitMulti | ReplaceSm):
        yield from _two_texts(pdu.short_message, pdu.tlvs)
    fault = check_tlvs(pdu.tlvs)
    if fault is not None:
        yield fault


def _source(pdu: SubmitSm | SubmitMulti | DataSm | BroadcastSm) -> Iterator[Fault]:
    fault = source_fault(pdu.source_addr_ton, pdu.source_addr_npi, pdu.source_addr)
    if fault is not None:
        yield Fault(Status(fault.source_status), f"source_addr {pdu.source_addr!r}: {fault}")


def _destination(ton: int, npi: int, addr: str) -> Iterator[Fault]:
    fault = destination_fault(ton, npi, addr)
    if fault is not None:
        yield Fault(Status(fault.destination_status), f"destination_addr {addr!r}: {fault}")


def _destinations(pdu: SubmitMulti) -> Iterator[Fault]:
    """One bad number among many is reported in the response; only an empty name is refused."""
    for destination in pdu.dest_address:
        if isinstance(destination, DistributionList) and not destination.dl_name:
            yield Fault(Status.ESME_RINVDLNAME, "dl_name is empty")


def _message_id(message_id: str) -> Iterator[Fault]:
    if not message_id:
        yield Fault(Status.ESME_RINVMSGID, "message_id is empty")


def _cancel(pdu: CancelSm) -> Iterator[Fault]:
    """Without a message_id all of one source and destination are meant, so both must be there."""
    if not pdu.message_id and not pdu.destination_addr:
        yield Fault(Status.ESME_RINVDSTADR, "neither message_id nor destination_addr")


def _missing(tlvs: Tlvs, tags: tuple[Tag, ...]) -> Iterator[Fault]:
    present = {tag for tag, _ in tlvs}
    for tag in tags:
        if tag not in present:
            yield Fault(Status.ESME_RMISSINGTLV, f"{tag_name(tag)} is missing")


def _broadcast_reference(message_id: str, tlvs: Tlvs) -> Iterator[Fault]:
    if not message_id and not tlvs:
        yield Fault(Status.ESME_RINVMSGID, "neither message_id nor TLV says which broadcast")


def _times(schedule: str, validity: str, now_ms: int) -> Iterator[Fault]:
    """A schedule in the past is sent at once; a validity in the past cannot be met."""
    due_ms = now_ms
    expires_ms: int | None = None
    try:
        due_ms = max(now_ms, parse_time(schedule, now_ms) or now_ms)
    except TimeError as error:
        yield Fault(Status.ESME_RINVSCHED, str(error))
    try:
        expires_ms = parse_time(validity, now_ms)
    except TimeError as error:
        yield Fault(Status.ESME_RINVEXPIRY, str(error))
    # A relative validity of nothing is the default of the message centre.
    if expires_ms is not None and expires_ms < due_ms:
        yield Fault(Status.ESME_RINVEXPIRY, "validity_period ends before the message is due")


def _two_texts(short_message: bytes, tlvs: Tlvs) -> Iterator[Fault]:
    if short_message and tlv_value(tlvs, Tag.MESSAGE_PAYLOAD) is not None:
        yield Fault(Status.ESME_RINVMSGLEN, "short_message and message_payload together")
