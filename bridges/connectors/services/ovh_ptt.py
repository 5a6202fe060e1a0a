"""What OVH tells of a message's end: the ptt codes, and its shorter `deliveryReceipt` words.

*In*: numbers. *Out*: `State`. *Never*: a request.
"""

from collections.abc import Mapping
from typing import Final

from bridges.connectors.service import EMPTY_REPLY, Callback, Called, Rejected, Report
from smsc.message import State

PTT: Final[Mapping[int, State]] = {
    **dict.fromkeys((1, 2, 3), State.ENROUTE),
    4: State.DELIVERED,
    **dict.fromkeys((5, 20, 23, 27, 33, 73, 74), State.UNDELIVERABLE),
    6: State.UNKNOWN,
    **dict.fromkeys((8, 21), State.EXPIRED),
    **dict.fromkeys((24, 25, 26, 39), State.UNDELIVERABLE),
    **dict.fromkeys((28, 29, 76, 202), State.REJECTED),
}
DESCRIPTIONS: Final[Mapping[int, State]] = {
    0: State.ENROUTE,
    1: State.DELIVERED,
    2: State.UNDELIVERABLE,
    4: State.ENROUTE,
    8: State.ENROUTE,
    16: State.REJECTED,
}


def report_of(upstream_id: str, ptt: object, description: object) -> Report:
    """What both say together: the ptt is finer, and counts where it is known."""
    number, told = _number(ptt), _number(description)
    state = PTT.get(number) or DESCRIPTIONS.get(told, State.UNKNOWN)
    is_error = state in {State.UNDELIVERABLE, State.REJECTED, State.EXPIRED, State.UNKNOWN}
    return Report(upstream_id, state, max(number, 0) if is_error else 0)


def receipt_called(callback: Callback) -> Called | Rejected:
    """The GET that OVH makes to the URL in `callBack` of the user or the account."""
    fields = callback.parameters
    upstream_id = fields.get("id", "")
    if not upstream_id or not ("ptt" in fields or "description" in fields):
        return Rejected(400, "expected id, ptt and description")
    report = report_of(upstream_id, fields.get("ptt"), fields.get("description"))
    return Called(EMPTY_REPLY, (report,))


def _number(value: object) -> int:
    if isinstance(value, int) and not isinstance(value, bool):
        return value
    if isinstance(value, str) and value.isascii() and value.isdecimal() and len(value) < 6:
        return int(value)
    return -1
