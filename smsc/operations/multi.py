"""submit_multi: one request, a message for each destination, one id for all.

*In*: the request, the distribution lists. *Out*: Drafts; the response once they were judged.
*Never*: I/O; an answer ESME_ROK when nobody was taken.

SMPP 3.4 §4.5. The destinations are one batch: their ids follow each other, and the first of them
is the message_id of the response. What a distribution list stands for is no secret: a refused
member is named in the response as any other destination.
"""

from collections.abc import Iterator, Mapping, Sequence
from typing import Final

import attrs

from pdu.address import Address, destination_fault
from pdu.codec import encode_body
from pdu.message_pdus import (
    DistributionList,
    SmeAddress,
    SubmitMulti,
    SubmitMultiResp,
    SubmitSm,
    UnsuccessSme,
)
from pdu.status import Status
from smsc.message import NEW_BATCH, AccountId, Draft
from smsc.ports import Admission, Admitted, Refused

_LIMIT: Final = 254
_LIMIT_V50: Final = 255
_UNSUCCESS_LIMIT: Final = 255
"""no_unsuccess is one octet; further refusals of a long list are not named."""


@attrs.frozen
class Made:
    """Drafts with their destinations, and the destinations that no draft was made for."""

    drafts: list[Draft]
    destinations: list[Address]
    refused: list[tuple[Address, int]]


def drafts_of(
    request: SubmitMulti, account: AccountId, lists: Mapping[str, Sequence[Address]], *, v50: bool
) -> Made | Refused:
    """A draft for each destination; members of distribution lists included."""
    limit = _LIMIT_V50 if v50 else _LIMIT
    if len(request.dest_address) > limit:
        return Refused(Status.ESME_RINVNUMDESTS, f"more than {limit} destinations")
    made = Made([], [], [])
    for address, status in _addresses(request, lists):
        fault = destination_fault(*address)
        if status or fault is not None:
            made.refused.append((address, status or (fault.destination_status if fault else 0)))
            continue
        made.destinations.append(address)
        made.drafts.append(Draft(account, "smpp", _body(request, address), batch=NEW_BATCH))
    return made


def response_of(made: Made, answers: Sequence[Admission]) -> tuple[int, bytes]:
    """command_status and body; a failure of all is a failure, with the status they share."""
    refused = list(made.refused)
    first: Admitted | None = None
    for address, answer in zip(made.destinations, answers, strict=True):
        if isinstance(answer, Admitted):
            first = first or answer
        else:
            refused.append((address, answer.status))
    if first is None:
        statuses = {status for _, status in refused}
        return (statuses.pop() if len(statuses) == 1 else int(Status.ESME_RSUBMITFAIL)), b""
    unsuccess = tuple(
        UnsuccessSme(
            dest_addr_ton=address.ton,
            dest_addr_npi=address.npi,
            destination_addr=address.addr,
            error_status_code=status,
        )
        for address, status in refused[:_UNSUCCESS_LIMIT]
    )
    return 0, encode_body(SubmitMultiResp(message_id=str(first.id), unsuccess_sme=unsuccess))


def _addresses(
    request: SubmitMulti, lists: Mapping[str, Sequence[Address]]
) -> Iterator[tuple[Address, int]]:
    """Each address once, with the status that refuses it, or 0."""
    seen: set[Address] = set()
    for one in request.dest_address:
        match one:
            case DistributionList(dl_name=dl_name) if dl_name not in lists:
                yield Address(0, 0, dl_name), int(Status.ESME_RINVDLNAME)
                continue
            case DistributionList(dl_name=dl_name):
                found: Sequence[Address] = lists[dl_name]
            case SmeAddress():
                found = (Address(one.dest_addr_ton, one.dest_addr_npi, one.destination_addr),)
        for address in found:
            if address not in seen:
                seen.add(address)
                yield address, 0


def _body(request: SubmitMulti, address: Address) -> bytes:
    """The submit_sm that one destination gets."""
    return encode_body(
        SubmitSm(
            service_type=request.service_type,
            source_addr_ton=request.source_addr_ton,
            source_addr_npi=request.source_addr_npi,
            source_addr=request.source_addr,
            dest_addr_ton=address.ton,
            dest_addr_npi=address.npi,
            destination_addr=address.addr,
            esm_class=request.esm_class,
            protocol_id=request.protocol_id,
            priority_flag=request.priority_flag,
            schedule_delivery_time=request.schedule_delivery_time,
            validity_period=request.validity_period,
            registered_delivery=request.registered_delivery,
            replace_if_present_flag=request.replace_if_present_flag,
            data_coding=request.data_coding,
            sm_default_msg_id=request.sm_default_msg_id,
            short_message=request.short_message,
            tlvs=request.tlvs,
        )
    )
