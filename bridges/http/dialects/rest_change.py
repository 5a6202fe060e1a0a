"""`PATCH /v1/messages/{id}`: a message that waits, as it shall be.

*In*: the message as it is stored, the members to change. *Out*: a Draft for `Gateway.replace`.
*Never*: I/O, a clock; addresses changed; TLVs of an SMPP client lost.
"""

from typing import Any

import attrs

from bridges.http.dialects.base import (
    UDH_INDICATOR,
    Content,
    Invalid,
    check_callback_url,
)
from bridges.http.dialects.rest import CHANGE, read_content, read_times
from bridges.http.dialects.rest_problem import Problem, problem_of
from bridges.http.dialects.rest_quick import Style
from pdu.codec import decode, encode_body
from pdu.commands import Command
from pdu.compose import SHORT_MESSAGE_OCTETS
from pdu.timefmt import format_absolute
from pdu.tlvs import Tag
from smsc.message import Draft, Message

_OF_CONTENT = ("text", "hex", "data_coding", "udh", "class", "flash", "footer")


def parse_change(payload: object, message: Message, now_ms: int, style: Style) -> Draft | Problem:
    """The message with the members of `payload` in place of its own; null takes one away."""
    members = CHANGE.read(payload)
    if not isinstance(members, Invalid) and not members:
        members = Invalid("", payload, "it changes nothing; name a member to change")
    if isinstance(members, Invalid):
        return problem_of(members)
    draft = _change(members, message, now_ms, style)
    return problem_of(draft) if isinstance(draft, Invalid) else draft


def _change(
    members: dict[str, Any], message: Message, now_ms: int, style: Style
) -> Draft | Invalid:
    content: Content | None = None
    if any(members.get(name) is not None for name in _OF_CONTENT):
        read = read_content(members, style)
        if isinstance(read, Invalid):
            return read
        content = read
    times = read_times(members, now_ms)
    if isinstance(times, Invalid):
        return times
    due_ms = times[0] if "schedule" in members else message.due_ms
    expires_ms = times[1] if "validity" in members else message.expires_ms
    callback_url = members.get("callback_url", message.callback_url)
    if callback_url is not None and callback_url != message.callback_url:
        wrong = check_callback_url(callback_url)
        if wrong is not None:
            return wrong
    return Draft(
        account=message.account,
        source=message.source,
        body=_body(members, message, content, expires_ms),
        due_ms=due_ms,
        expires_ms=expires_ms,
        callback_url=callback_url,
        callback_style="" if "callback_url" in members else message.callback_style,
        reference=members.get("reference", message.reference),
    )


def _body(
    members: dict[str, Any], message: Message, content: Content | None, expires_ms: int
) -> bytes:
    pdu: Any = decode(Command.SUBMIT_SM, message.body)
    fields: dict[str, Any] = {"schedule_delivery_time": "", "validity_period": ""}
    if pdu.validity_period and expires_ms:
        fields["validity_period"] = format_absolute(expires_ms)
    dropped = {int(Tag.QOS_TIME_TO_LIVE)}
    if "receipt" in members:
        fields["registered_delivery"] = int(members["receipt"] or 0)
    if "priority" in members:
        fields["priority_flag"] = members["priority"] or 0
    added: tuple[tuple[int, bytes], ...] = ()
    if content is not None:
        in_payload = len(content.data) > SHORT_MESSAGE_OCTETS
        dropped.add(int(Tag.MESSAGE_PAYLOAD))
        added = ((int(Tag.MESSAGE_PAYLOAD), content.data),) if in_payload else ()
        fields |= {
            "short_message": b"" if in_payload else content.data,
            "data_coding": content.data_coding,
            "esm_class": pdu.esm_class & ~UDH_INDICATOR | content.esm_class,
        }
    tlvs = (*(one for one in pdu.tlvs if one[0] not in dropped), *added)
    return encode_body(attrs.evolve(pdu, tlvs=tlvs, **fields))
