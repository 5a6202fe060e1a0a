"""What a service tells, on its way into the flow: receipts, and messages of handsets.

*In*: `Report`s and `Mobile`s. *Out*: the values of `smsc.ports`, and their command_status.
*Never*: an answer before it is on disk.
"""

from collections.abc import Sequence
from typing import Any

import trio

from bridges.connectors.service import Callback, Called, Mobile, Rejected, Report, Service
from bridges.http.dialects.base import Reply
from pdu.address import guess_destination, guess_source
from pdu.codec import encode_body
from pdu.compose import compose
from pdu.message_pdus import DeliverSm
from pdu.status import status_class
from pdu.text.coding import choose
from smsc.message import OutletName
from smsc.ports import Flow, MobileOriginated, UpstreamReceipt

_OCTETS_CODING = 4


async def take_call(
    flow: Flow, outlet: OutletName, service: Service, callback: Callback, log: Any
) -> Called:
    """What a service tells in one request, and the answer to it; never raises."""
    try:
        told = service.called(callback)
        if isinstance(told, Called):
            for mobile in told.messages:
                deliver_sm_body(mobile)  # what cannot be one is refused here
    except Exception:  # strangers may post anything: what a service's file chokes on is refused
        log.exception("connector.callback_broke")
        told = Rejected(400, "not understood")
    if isinstance(told, Rejected):
        log.warning("connector.callback_refused", status=told.status, why=told.why)
        return Called(Reply(told.status, told.why.encode(), "text/plain"))
    statuses = await hand_in(flow, outlet, told.reports, told.messages)
    if any(status and status_class(status) == "retryable" for status in statuses):
        return Called(Reply(503, b"try again", "text/plain"), told.reports)
    return told


async def hand_in(
    flow: Flow, outlet: OutletName, reports: Sequence[Report], messages: Sequence[Mobile]
) -> list[int]:
    """Give all of it to the flow; the command_status of each, once it is on disk."""
    waiting = int(bool(reports)) + int(bool(messages))
    statuses: list[int] = []
    done = trio.Event()

    def told(some: list[int]) -> None:
        nonlocal waiting
        statuses.extend(some)
        waiting -= 1
        if not waiting:
            done.set()

    if reports:
        flow.receipts_nowait(
            [
                UpstreamReceipt(outlet, one.upstream_id, one.state, one.error, one.done_ms)
                for one in reports
            ],
            told,
        )
    if messages:
        bodies = [MobileOriginated(outlet, deliver_sm_body(one)) for one in messages]
        flow.mobile_originated_nowait(bodies, told)
    if reports or messages:
        await done.wait()
    return statuses


def deliver_sm_body(mobile: Mobile) -> bytes:
    """One deliver_sm body, however long the text is: services join the parts themselves."""
    if mobile.data:
        data, data_coding = mobile.data, _OCTETS_CODING
    else:
        choice = choose(mobile.text)
        data, data_coding = choice.data, choice.data_coding
    from_, to = guess_source(mobile.source), guess_destination(mobile.destination)
    return encode_body(compose(DeliverSm, from_, to, data, data_coding=data_coding))
