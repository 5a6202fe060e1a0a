"""Bodies that change before they are stored: a canned text, or what replace_sm asks for.

*In*: a submit_sm body, and what is to stand in it. *Out*: another one.
*Never*: I/O, a clock; addresses, coding or esm_class of a replaced message changed.

SMPP 3.4 §4.10 (replace_sm), §5.2.22 (sm_default_msg_id). Rare enough to go by whole objects.
"""

from typing import Any, Final

import attrs

from pdu.codec import decode, encode_body
from pdu.commands import Command
from pdu.compose import SHORT_MESSAGE_OCTETS
from pdu.errors import BodyError
from pdu.message_pdus import SubmitSm
from pdu.status import Status
from pdu.text.coding import choose
from pdu.timefmt import format_absolute
from pdu.tlvs import Tag, Tlvs, tlv_value
from smsc.message import Message

_UDHI: Final = 0x40


@attrs.frozen(kw_only=True)
class Change:
    """What replace_sm asks for; empty times keep the old ones, and so does no text at all."""

    schedule_delivery_time: str = ""
    validity_period: str = ""
    registered_delivery: int = 0
    sm_default_msg_id: int = 0
    short_message: bytes = b""
    message_payload: bytes | None = None


def canned_body(body: bytes, text: str) -> bytes:
    """The body with a text of ours in place of its own, in the coding that fits it."""
    return encode_body(_with_canned(_read(body), text))


def changed_body(old: Message, change: Change, canned: str) -> bytes:
    """The body of a message after `change`; `canned` is the text that it names, if any.

    :raises BodyError: two texts at once.
    """
    pdu = _read(old.body)
    if canned:
        pdu = _with_canned(pdu, canned)
    elif change.short_message and change.message_payload is not None:
        raise BodyError(Status.ESME_RINVMSGLEN, "short_message and message_payload together")
    elif change.short_message:
        pdu = _with_text(pdu, change.short_message)
    elif change.message_payload is not None:
        payload = (int(Tag.MESSAGE_PAYLOAD), change.message_payload)
        pdu = _evolve(pdu, short_message=b"", tlvs=(*_without_payload(pdu.tlvs), payload))
    return encode_body(
        _evolve(
            pdu,
            registered_delivery=change.registered_delivery,
            **_times(pdu, old, change),
            tlvs=tuple(one for one in pdu.tlvs if one[0] != Tag.QOS_TIME_TO_LIVE),
        )
    )


def _times(pdu: SubmitSm, old: Message, change: Change) -> dict[str, str]:
    """Times that are kept become absolute: a relative one would start anew now."""
    schedule, validity = change.schedule_delivery_time, change.validity_period
    if not schedule and old.due_ms:
        schedule = format_absolute(old.due_ms)
    has_validity = pdu.validity_period or tlv_value(pdu.tlvs, Tag.QOS_TIME_TO_LIVE)
    if not validity and has_validity:
        validity = format_absolute(old.expires_ms)
    return {"schedule_delivery_time": schedule, "validity_period": validity}


def _read(body: bytes) -> SubmitSm:
    pdu: Any = decode(Command.SUBMIT_SM, body)
    assert isinstance(pdu, SubmitSm)
    return pdu


def _evolve(pdu: SubmitSm, **fields: Any) -> SubmitSm:
    changed: SubmitSm = attrs.evolve(pdu, **fields)  # type: ignore[misc]  # @pdu makes attrs classes
    return changed


def _with_canned(pdu: SubmitSm, text: str) -> SubmitSm:
    choice = choose(text)
    return _with_text(
        _evolve(
            pdu,
            sm_default_msg_id=0,
            data_coding=choice.data_coding,
            esm_class=pdu.esm_class & ~_UDHI,
        ),
        choice.data,
    )


def _with_text(pdu: SubmitSm, text: bytes) -> SubmitSm:
    tlvs = _without_payload(pdu.tlvs)
    if len(text) > SHORT_MESSAGE_OCTETS:
        return _evolve(pdu, short_message=b"", tlvs=(*tlvs, (int(Tag.MESSAGE_PAYLOAD), text)))
    return _evolve(pdu, short_message=text, tlvs=tlvs)


def _without_payload(tlvs: Tlvs) -> Tlvs:
    return tuple(one for one in tlvs if one[0] != Tag.MESSAGE_PAYLOAD)
