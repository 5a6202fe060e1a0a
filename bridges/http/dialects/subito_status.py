"""The status of SubitoSMS messages: the ids a client asks for, and what became of each message.

*In*: `data` of `action=status`; reports of the gateway. *Out*: ids; `Reply` with an array.
*Never*: I/O, a clock.
"""

from collections.abc import Mapping, Sequence

from bridges.http.dialects.base import Reply, read_body
from bridges.http.dialects.subito import (
    GATEWAY_ERROR,
    Fault,
    SubitoConfig,
    list_of,
    ok,
    syntax,
)
from pdu.address import Ton
from smsc.message import Message, Progress, State
from smsc.ports import MessageReport


def parse_ids(data: object, config: SubitoConfig) -> list[int | str] | Fault:
    """The ids of `action=status`: `{"id":N}`, an array of such, or the same below `data` again."""
    if isinstance(data, dict) and "id" not in data and "data" in data:
        data = data["data"]  # as the PHP sample of the document nests it
    found: list[object] = []
    for item in list_of(data, "id"):
        ids = item.get("id") if isinstance(item, dict) else None
        found += ids if isinstance(ids, list) and ids else [ids]
    if len(found) > config.max_messages:
        return syntax(f"data names {len(found)} ids; a request may have {config.max_messages}")
    named: list[int | str] = []
    for one in found:
        if isinstance(one, bool) or not isinstance(one, int | str) or one == "":
            return _no_id()
        named.append(int(one) if isinstance(one, str) and _is_id(one) else one)
    return named or _no_id()


def batch_of(id_: int | str) -> int | None:
    """The batch that an id may name; None for what never was one of ours."""
    return id_ if isinstance(id_, int) and 0 < id_ < 1 << 63 else None


def status_reply(groups: Sequence[tuple[int | str, Sequence[MessageReport]]]) -> Reply:
    """The answer to `action=status`; an id that is not known has an empty array."""
    return ok(
        [
            {"id": id_, "messages": [_message(one.message, one.progress) for one in reports]}
            for id_, reports in groups
        ]
    )


def status_of(message: Message, progress: Progress) -> int:
    """The document's status value of a message."""
    match progress.state:
        case State.QUEUED:
            return 4 if progress.attempt else 0  # refused for now by a network: it waits
        case State.DELETED:
            if progress.outlet:
                return 2  # a network deleted it
            # Dropped by a rule at once, or cancelled later on.
            return -50 if progress.done_ms <= message.accepted_ms else -2
        case state:
            return _STATUS[state]


_STATUS: Mapping[State, int] = {
    State.SCHEDULED: 0,
    State.ENROUTE: 8,
    State.HELD: 8,
    State.ACCEPTED: 8,
    State.DELIVERED: 1,
    State.EXPIRED: 2,
    State.UNDELIVERABLE: 2,
    State.REJECTED: 16,
    State.UNKNOWN: GATEWAY_ERROR,
}


def _message(message: Message, progress: Progress) -> dict[str, object]:
    spoken, peek = read_body(message.body), message.peek
    return {
        "sender": _shown(spoken.source, peek.source_addr_ton),
        "dest": _shown(spoken.destination, peek.dest_addr_ton),
        "text": spoken.text(),
        "status": str(status_of(message, progress)),
        "code": message.id,
    }


def _shown(addr: str, ton: int) -> str:
    return f"+{addr}" if ton == Ton.INTERNATIONAL and not addr.startswith("+") else addr


def _is_id(text: str) -> bool:
    return len(text) <= 19 and text.isascii() and text.isdigit()


def _no_id() -> Fault:
    return Fault(6, "Action status requires a id to be set")
