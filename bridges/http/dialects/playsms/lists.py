"""Lists of playSMS web services: outgoing (ds), incoming (in), inbox (ix), sandbox (sx), contacts.

*In*: `Parameters`; reports, received messages, contacts. *Out*: filters, rows.
*Never*: I/O, a clock.

Newest first, 100 unless `c` says otherwise; `last` leaves out what is not above it; `src` and
`dst` are compared by their ends, `dt` is part of the date as it is shown.
"""

import datetime as dt
import re
from collections.abc import Callable, Mapping, Sequence
from typing import Final

import attrs

from bridges.http.dialects.base import read_body
from bridges.http.dialects.playsms import dates
from bridges.http.dialects.playsms.parameters import Parameters
from pdu.address import Ton
from smsc.message import LIVE, MessageId, State
from smsc.ports import Contact, ContactGroup, MessageReport, Received

ReceivedRow = Callable[[Received, dt.tzinfo], dict[str, str]]

ROWS: Final = 100
_MAX_ID: Final = (1 << 63) - 1
_WHOLE_DIGITS: Final = 6
"""Numbers that short are compared whole; of longer ones the prefix may be written in two ways."""

_STATUS: Final[Mapping[State, str]] = {
    State.SCHEDULED: "0",
    State.QUEUED: "0",
    State.ENROUTE: "1",
    State.HELD: "1",
    State.ACCEPTED: "1",
    State.DELIVERED: "3",
}
_FAILED: Final = "2"


@attrs.frozen
class Filter:
    """Which rows a list is asked for."""

    count: int
    above: MessageId | None
    source: str
    destination: str
    date: str


def parse_filter(asked: Parameters, max_rows: int) -> Filter | None:
    """What a list is asked for; None if `c` or `last` is no number."""
    count, last = _number(asked.get("c"), ROWS), _number(asked.get("last"), 0)
    if count is None or last is None:
        return None
    return Filter(
        count=min(count or ROWS, max_rows),
        above=MessageId(last) if last else None,
        source=_ending(asked.get("src")),
        destination=_ending(asked.get("dst")),
        date=asked.get("dt"),
    )


def parse_id(text: str) -> MessageId | None:
    """A smslog_id; None for what was never one of ours."""
    number = _number(text, 0)
    return MessageId(number) if number else None


def outgoing_row(report: MessageReport, at: dt.tzinfo) -> dict[str, str]:
    """One row of ds."""
    message, progress = report.message, report.progress
    spoken, peek = read_body(message.body), message.peek
    return {
        "smslog_id": str(message.id),
        "src": _shown(spoken.source, peek.source_addr_ton),
        "dst": _shown(spoken.destination, peek.dest_addr_ton),
        "msg": _quoted(spoken.text()),
        "dt": dates.written(message.accepted_ms, at),
        "update": dates.written(progress.done_ms, at),
        "status": _STATUS.get(progress.state, _FAILED),
    }


def fits(wanted: Filter, row: Mapping[str, str]) -> bool:
    """Is a row of ds among those that were asked for?"""
    return (
        row["src"].endswith(wanted.source)
        and row["dst"].endswith(wanted.destination)
        and wanted.date in row["dt"]
        and (wanted.above is None or int(row["smslog_id"]) > wanted.above)
    )


def is_waiting(reports: Sequence[MessageReport]) -> bool:
    """Is there a message that has not ended yet?"""
    return any(one.progress.state in LIVE for one in reports)


def received_row(one: Received, at: dt.tzinfo) -> dict[str, str]:
    """One row of ix and sx."""
    return {
        "id": str(one.id),
        "src": one.source,
        "dst": one.destination,
        "msg": _quoted(one.text),
        "dt": dates.written(one.received_ms, at),
    }


def incoming_row(one: Received, at: dt.tzinfo) -> dict[str, str]:
    """One row of in: the text without the keyword that it came in by."""
    words, text = one.text.split(None, 1), one.text
    if one.keyword and words and words[0].casefold() == one.keyword.casefold():
        text = words[1] if len(words) > 1 else ""
    return {
        "id": str(one.id),
        "src": one.source,
        "dst": one.destination,
        "kwd": one.keyword.upper(),
        "msg": _quoted(text),
        "dt": dates.written(one.received_ms, at),
        "status": "1",
    }


def contact_row(contact: Contact, groups: Mapping[str, ContactGroup]) -> dict[str, str]:
    """One row of get_contact: playSMS's members and JunubSMS's, of the first group it is in."""
    group = groups.get(contact.groups[0]) if contact.groups else None
    return {
        "pid": str(contact.id),
        "gpid": str(group.id) if group else "",
        "p_desc": contact.name,
        "p_num": contact.number,
        "email": contact.email,
        "tags": contact.tags,
        "group_name": group.name if group else "",
        "code": group.code if group else "",
    }


def group_row(group: ContactGroup) -> dict[str, str]:
    """One row of get_contact_group."""
    return {
        "gpid": str(group.id),
        "group_name": group.name,
        "code": group.code,
        "flag_sender": str(group.flag_sender),
    }


def _ending(written: str) -> str:
    """What a number ends with: without its leading 0, or its first three characters."""
    number = re.sub(r"[ ()./\-]", "", written)
    if not re.fullmatch(r"\+?[0-9]+", number, re.ASCII) or len(number) <= _WHOLE_DIGITS:
        return written
    return number[1:] if number.startswith("0") else number[3:]


def _number(text: str, default: int) -> int | None:
    if not text:
        return default
    if not (text.isascii() and text.isdigit() and len(text) <= 19):
        return None
    return min(int(text), _MAX_ID)


def _quoted(text: str) -> str:
    return text.replace('"', "'")


def _shown(addr: str, ton: int) -> str:
    return f"+{addr}" if ton == Ton.INTERNATIONAL and not addr.startswith("+") else addr
