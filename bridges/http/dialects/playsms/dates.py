"""Dates as playSMS writes them, YYYY-MM-DD hh:mm:ss in the account's time zone; and zones.

*In*: ms UTC, dates, names of zones. *Out*: the other one. *Never*: a clock.
"""

import datetime as dt
import re
from collections.abc import Mapping
from typing import Final
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from bridges.http.dialects.base import MAX_AHEAD_S

_WRITTEN: Final = re.compile(r"\d{4}-\d{2}-\d{2} \d{2}:\d{2}(:\d{2})?", re.ASCII)
_OFFSET: Final = re.compile(r"([+-])(\d{2}):?(\d{2})", re.ASCII)
_BETWEEN: Final[Mapping[str, str]] = {
    "+0330": "Asia/Tehran",
    "+0430": "Asia/Kabul",
    "+0530": "Asia/Kolkata",
    "+0545": "Asia/Kathmandu",
    "+0630": "Asia/Yangon",
    "+0845": "Australia/Eucla",
    "+0930": "Australia/Darwin",
    "-0930": "Pacific/Marquesas",
}
"""Zones between whole hours, each by a place that has no summer time."""


def zone(name: str) -> dt.tzinfo:
    """The zone of an account; UTC for one that this machine does not know."""
    try:
        return ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError, OSError):
        return dt.UTC


def written(at_ms: int, at: dt.tzinfo) -> str:
    """A moment as a list shows it; "" for 0, which means "not yet"."""
    return f"{dt.datetime.fromtimestamp(at_ms / 1000, at):%Y-%m-%d %H:%M:%S}" if at_ms else ""


def due_ms(schedule: str, at: dt.tzinfo, now_ms: int) -> int | None:
    """When a message is due; 0 = at once, also for a moment that is past; None if it is no date.

    An hour that a clock change repeats is the first of the two.
    """
    if not schedule:
        return 0
    if not _WRITTEN.fullmatch(schedule):
        return None
    try:
        moment = dt.datetime.fromisoformat(schedule).replace(tzinfo=at)
        due = int(moment.timestamp() * 1000)
    except (ValueError, OverflowError):
        return None
    if due > now_ms + MAX_AHEAD_S * 1000:
        return None
    return due if due > now_ms else 0


def zone_name(text: str) -> str:
    """IANA's name for what playSMS calls a zone: +0700 is Etc/GMT-7, whose sign is turned round.

    Anything else is left as it is, and judged by the directory.
    """
    offset = _OFFSET.fullmatch(text)
    if offset is None:
        return text
    sign, hours, minutes = offset.groups()
    if minutes != "00":
        return _BETWEEN.get(f"{sign}{hours}{minutes}", text)
    return f"Etc/GMT{'-' if sign == '+' else '+'}{int(hours)}" if int(hours) else "UTC"
