"""What a well-formed request may still have wrong."""

from datetime import UTC, datetime

import pytest

from pdu.broadcast_pdus import BroadcastSm, CancelBroadcastSm, QueryBroadcastSm
from pdu.fields import Pdu
from pdu.message_pdus import (
    CancelSm,
    DataSm,
    DistributionList,
    QuerySm,
    ReplaceSm,
    SmeAddress,
    SubmitMulti,
    SubmitSm,
)
from pdu.semantics import check
from pdu.session_pdus import EnquireLink
from pdu.status import Status
from pdu.tlvs import Tag, Tlvs

NOW_MS = int(datetime(2026, 11, 22, 12, tzinfo=UTC).timestamp()) * 1000
BROADCAST: Tlvs = (
    (Tag.BROADCAST_AREA_IDENTIFIER, b"\0North"),
    (Tag.BROADCAST_CONTENT_TYPE, b"\1\0\x10"),
    (Tag.BROADCAST_REP_NUM, b"\0\3"),
    (Tag.BROADCAST_FREQUENCY_INTERVAL, b"\x09\0\5"),
)


def submit(**changes: object) -> SubmitSm:
    values: dict[str, object] = {"dest_addr_ton": 1, "dest_addr_npi": 1}
    values |= {"destination_addr": "447700900123"} | changes
    return SubmitSm(**values)  # type: ignore[arg-type]  # values by name


def sar(total: int, segment: int) -> Tlvs:
    return (
        (Tag.SAR_MSG_REF_NUM, b"\0\1"),
        (Tag.SAR_TOTAL_SEGMENTS, bytes((total,))),
        (Tag.SAR_SEGMENT_SEQNUM, bytes((segment,))),
    )


@pytest.mark.parametrize(
    "pdu",
    [
        submit(),
        submit(source_addr_ton=5, source_addr="MyBrand"),
        submit(schedule_delivery_time="261231235959000+", validity_period="270101000000000+"),
        submit(schedule_delivery_time="000001000000000R", validity_period="000002000000000R"),
        submit(schedule_delivery_time="200101000000000+"),
        submit(validity_period="000000000000000R"),
        submit(tlvs=sar(2, 2)),
        submit(tlvs=sar(0, 9)[1:]),
        submit(tlvs=((Tag.MESSAGE_PAYLOAD, b"text"),)),
        submit(tlvs=((0x1501, b"\xff"),)),
        DataSm(destination_addr="1234"),
        SubmitMulti(dest_address=(SmeAddress(1, 1, "44"), DistributionList("all"))),
        QuerySm(message_id="1"),
        CancelSm(destination_addr="1"),
        CancelSm(message_id="1"),
        ReplaceSm(message_id="1"),
        BroadcastSm(tlvs=BROADCAST),
        QueryBroadcastSm(tlvs=((Tag.USER_MESSAGE_REFERENCE, b"\0\7"),)),
        CancelBroadcastSm(message_id="1"),
        EnquireLink(),
    ],
)
def test_sound_requests_pass(pdu: Pdu) -> None:
    assert check(pdu, NOW_MS) is None


@pytest.mark.parametrize(
    ("pdu", "status"),
    [
        (submit(destination_addr=""), Status.ESME_RINVDSTADR),
        (submit(source_addr_ton=5, source_addr="ABCDEFGHIJKL"), Status.ESME_RINVSRCADR),
        (submit(schedule_delivery_time="261331235959000+"), Status.ESME_RINVSCHED),
        (submit(validity_period="261231235959049+"), Status.ESME_RINVEXPIRY),
        (submit(validity_period="261121000000000+"), Status.ESME_RINVEXPIRY),
        (
            submit(schedule_delivery_time="261231235959000+", validity_period="261230000000000+"),
            Status.ESME_RINVEXPIRY,
        ),
        (
            submit(short_message=b"a", tlvs=((Tag.MESSAGE_PAYLOAD, b"b"),)),
            Status.ESME_RINVMSGLEN,
        ),
        (submit(tlvs=sar(2, 3)), Status.ESME_RINVTLVVAL),
        (submit(tlvs=sar(2, 0)), Status.ESME_RINVTLVVAL),
        (submit(tlvs=((Tag.PRIVACY_INDICATOR, b"\4"),)), Status.ESME_RINVTLVVAL),
        (submit(tlvs=((Tag.NUMBER_OF_MESSAGES, b"\x64"),)), Status.ESME_RINVNUMMSGS),
        (DataSm(), Status.ESME_RINVDSTADR),
        (
            SubmitMulti(dest_address=(DistributionList(""),)),
            Status.ESME_RINVDLNAME,
        ),
        (QuerySm(), Status.ESME_RINVMSGID),
        (ReplaceSm(), Status.ESME_RINVMSGID),
        (CancelSm(), Status.ESME_RINVDSTADR),
        (BroadcastSm(tlvs=BROADCAST[1:]), Status.ESME_RMISSINGTLV),
        (BroadcastSm(tlvs=BROADCAST[:-1]), Status.ESME_RMISSINGTLV),
        (
            BroadcastSm(tlvs=((Tag.BROADCAST_AREA_IDENTIFIER, b"\7x"), *BROADCAST)),
            Status.ESME_RINVBCASTAREAFMT,
        ),
        (
            BroadcastSm(tlvs=(*BROADCAST[:-1], (Tag.BROADCAST_FREQUENCY_INTERVAL, b"\1\0\5"))),
            Status.ESME_RINVBCASTFREQINT,
        ),
        (QueryBroadcastSm(), Status.ESME_RINVMSGID),
    ],
)
def test_each_fault_has_its_status(pdu: Pdu, status: Status) -> None:
    fault = check(pdu, NOW_MS)
    assert fault is not None
    assert fault.status == status, fault.why
