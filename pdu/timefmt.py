"""SMPP times: sixteen characters, absolute or relative, or none.

*In*: the text of schedule_delivery_time, validity_period or final_date, and now as an argument.
*Out*: milliseconds UTC since 1970, or the named reason why not. *Never*: a clock; a guess at a
time that does not exist.

SMPP 3.4 §7.1.1. `YYMMDDhhmmsstnnp`: t tenths of a second, nn quarter hours between local time and
UTC, p "+" local ahead of UTC, "-" behind, "R" relative: counts of years, months, days, hours,
minutes, seconds. Years are 20YY. Relative years and months go by the calendar in UTC; a day that
the month has not becomes its last (31 January + 1 month = 28 February).
"""

from calendar import monthrange
from datetime import UTC, date, datetime, timedelta
from enum import StrEnum
from typing import Final, NamedTuple

EPOCH_ORDINAL: Final = date(1970, 1, 1).toordinal()
_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
_LENGTH: Final = 16
_DAY_MS: Final = 86_400_000
_QUARTER_HOUR_MS: Final = 900_000
_MAX_QUARTERS: Final = 48
_FIRST_MS: Final = (date(2000, 1, 1).toordinal() - EPOCH_ORDINAL) * _DAY_MS
_END_MS: Final = (date(2100, 1, 1).toordinal() - EPOCH_ORDINAL) * _DAY_MS


class TimeFault(StrEnum):
    """What is wrong with a time; the value is the sentence for a log."""

    LENGTH = "not 16 characters"
    DIGITS = "a character that is not a digit"
    SIGN = "the last character is not +, - or R"
    MONTH = "month outside 01-12"
    DAY = "a day that the month has not"
    HOUR = "hour outside 00-23"
    MINUTE = "minute outside 00-59"
    SECOND = "second outside 00-59"
    OFFSET = "more than 48 quarter hours from UTC"
    YEAR = "a year outside 2000-2099"


class TimeError(ValueError):
    """A time that cannot be read or written: `fault` names why, `text` is what was given.

    Answer with ESME_RINVSCHED or ESME_RINVEXPIRY, by the field.
    """

    def __init__(self, fault: TimeFault, text: str) -> None:
        super().__init__(f"SMPP time {text!r}: {fault}")
        self.fault = fault
        self.text = text


class Absolute(NamedTuple):
    """A point in time."""

    utc_ms: int
    """Milliseconds since 1970, UTC; tenths kept."""


class Relative(NamedTuple):
    """Counts from now on."""

    years: int
    months: int
    days: int
    hours: int
    minutes: int
    seconds: int

    def after(self, now_ms: int) -> int:
        """Milliseconds UTC of `now_ms` plus these counts; years and months by the calendar."""
        seconds = (self.hours * 60 + self.minutes) * 60 + self.seconds
        later_ms = self.days * _DAY_MS + seconds * 1000
        if not (self.years or self.months):
            return now_ms + later_ms
        days, within_ms = divmod(now_ms, _DAY_MS)
        start = date.fromordinal(days + EPOCH_ORDINAL)
        months = start.year * 12 + start.month - 1 + self.years * 12 + self.months
        year, month = months // 12, months % 12 + 1
        moved = date(year, month, min(start.day, monthrange(year, month)[1]))
        return (moved.toordinal() - EPOCH_ORDINAL) * _DAY_MS + within_ms + later_ms


def parse_time(text: str, now_ms: int) -> int | None:
    """Milliseconds UTC of a time; None for "" (at once, or the MC's default validity).

    Raises `TimeError`. A time in the past is not an error here: policy decides.
    """
    match parse_parts(text):
        case None:
            return None
        case Absolute(utc_ms):
            return utc_ms
        case relative:
            return relative.after(now_ms)


def parse_parts(text: str) -> Absolute | Relative | None:
    """Read a time without a clock; None for "". Raises `TimeError`.

    A relative time's tenths and quarters should be 000; other digits there are ignored.
    """
    if not text:
        return None
    if len(text) != _LENGTH:
        raise TimeError(TimeFault.LENGTH, text)
    digits, sign = text[:15], text[15]
    if not (digits.isascii() and digits.isdigit()):
        raise TimeError(TimeFault.DIGITS, text)
    numbers = [int(digits[at : at + 2]) for at in range(0, 12, 2)]
    if sign == "R":
        return Relative(*numbers)
    if sign not in "+-":
        raise TimeError(TimeFault.SIGN, text)
    quarters = int(digits[13:])
    if quarters > _MAX_QUARTERS:
        raise TimeError(TimeFault.OFFSET, text)
    local_ms = _local_ms(numbers, text) + int(digits[12]) * 100
    offset_ms = quarters * _QUARTER_HOUR_MS
    return Absolute(local_ms - offset_ms if sign == "+" else local_ms + offset_ms)


def format_absolute(ms: int) -> str:
    """`YYMMDDhhmmsst00+` of milliseconds UTC; below a tenth is cut off.

    Raises `TimeError` outside 2000-2099, which the form cannot tell apart.
    """
    if not _FIRST_MS <= ms < _END_MS:
        raise TimeError(TimeFault.YEAR, str(ms))
    at = _EPOCH + timedelta(milliseconds=ms)
    return f"{at:%y%m%d%H%M%S}{ms // 100 % 10}00+"


def _local_ms(numbers: list[int], text: str) -> int:
    year, month, day, hour, minute, second = numbers
    if not 1 <= month <= 12:
        raise TimeError(TimeFault.MONTH, text)
    try:
        days = date(2000 + year, month, day).toordinal() - EPOCH_ORDINAL
    except ValueError:
        raise TimeError(TimeFault.DAY, text) from None
    if hour >= 24:
        raise TimeError(TimeFault.HOUR, text)
    if minute >= 60:
        raise TimeError(TimeFault.MINUTE, text)
    if second >= 60:
        raise TimeError(TimeFault.SECOND, text)
    return days * _DAY_MS + ((hour * 60 + minute) * 60 + second) * 1000
