"""Times of the week in a zone: "08:00-18:30" on "mon" to "fri" in "Europe/Zurich".

*In*: what a rule says, and the time of a message in ms UTC as an argument.
*Out*: whether the message came in then.
*Never*: the clock. The zone's rules are read once, when the rule is built.

A span that ends before it begins goes on past midnight and belongs to the day it began on. Local
time is what the wall clock shows, so an hour that summer time repeats counts both times.
"""

from datetime import UTC, datetime, timedelta, tzinfo
from typing import Final, Literal, get_args
from zoneinfo import ZoneInfo

import attrs

Day = Literal["mon", "tue", "wed", "thu", "fri", "sat", "sun"]
DAYS: Final[tuple[str, ...]] = get_args(Day)

_DAY_MINUTES: Final = 24 * 60
_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
_MINUTES_IN: Final = 60
_CYCLE_MS: Final = 146_097 * 86_400_000
"""400 years: whole weeks, behind which the calendar begins again."""


@attrs.frozen
class Hours:
    """Spans of the day on some days of the week."""

    spans: tuple[tuple[int, int], ...]
    """(first minute, minute after the last) of the day; none = the whole day."""
    days: frozenset[int]
    """0 = Monday; none = every day."""
    zone: tzinfo

    def covers(self, at_ms: int) -> bool:
        """Whether the time lies within."""
        local = _local(at_ms, self.zone)
        minute = local.hour * _MINUTES_IN + local.minute
        day = local.weekday()
        if not self.spans:
            return self._on(day)
        return any(self._within(span, minute, day) for span in self.spans)

    def _within(self, span: tuple[int, int], minute: int, day: int) -> bool:
        first, end = span
        if first < end:
            return first <= minute < end and self._on(day)
        if minute >= first:
            return self._on(day)
        return minute < end and self._on((day - 1) % len(DAYS))

    def _on(self, day: int) -> bool:
        return not self.days or day in self.days


def local_time(at_ms: int, zone: tzinfo) -> str:
    """Day and time for people, as in "mon 08:15"."""
    local = _local(at_ms, zone)
    return f"{DAYS[local.weekday()]} {local:%H:%M}"


def _local(at_ms: int, zone: tzinfo) -> datetime:
    """Wall clock of the zone; beyond 2370, and before 1970, that of the same day of a later cycle.

    `datetime` ends with the year 9999 in UTC, and a day of the zone may lie behind it.
    """
    if not 0 <= at_ms < _CYCLE_MS:
        at_ms = _CYCLE_MS + at_ms % _CYCLE_MS
    return (_EPOCH + timedelta(milliseconds=at_ms)).astimezone(zone)


def find_zone(name: str) -> ZoneInfo | None:
    """The IANA zone of that name, None when there is none."""
    try:
        return ZoneInfo(name)
    except (OSError, ValueError, KeyError):  # no such file; "../x"; a directory
        return None


def read_span(written: str) -> tuple[int, int] | None:
    """Minutes of "22:00-06:00"; None when it is no span of a day."""
    first, dash, end = written.partition("-")
    minutes = _minute(first), _minute(end)
    if not dash or minutes[0] is None or minutes[1] is None:
        return None
    span = minutes[0], minutes[1]
    return None if span[0] == span[1] or span[0] == _DAY_MINUTES else span


def _minute(written: str) -> int | None:
    """Minute of the day of "08:30"; "24:00" is the end of the day."""
    hour, colon, minute = written.strip().partition(":")
    if not colon or not (hour + minute).isascii() or not (hour + minute).isdigit():
        return None
    at = int(hour) * _MINUTES_IN + int(minute)
    return at if len(minute) == 2 and int(minute) < _MINUTES_IN and at <= _DAY_MINUTES else None
