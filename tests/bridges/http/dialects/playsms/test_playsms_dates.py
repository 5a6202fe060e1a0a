"""Dates and time zones as playSMS writes them."""

import datetime as dt
from zoneinfo import ZoneInfo, available_timezones

import pytest

from bridges.http.dialects.playsms import dates

NOW_MS = 1_700_000_000_000  # 2023-11-14 22:13:20 UTC
JAKARTA = ZoneInfo("Asia/Jakarta")


def test_written() -> None:
    assert dates.written(NOW_MS, dt.UTC) == "2023-11-14 22:13:20"
    assert dates.written(NOW_MS, JAKARTA) == "2023-11-15 05:13:20"
    assert dates.written(0, JAKARTA) == ""


@pytest.mark.parametrize(
    ("text", "due_ms"),
    [
        ("", 0),
        ("2023-11-15 05:13:21", NOW_MS + 1000),
        ("2023-11-15 05:14", NOW_MS + 40_000),
        ("2023-11-15 05:13:20", 0),
        ("1970-01-01 00:00:00", 0),
        ("0001-01-01 00:00:00", 0),
        ("2026-01-01 00:00:00", None),
        ("2023-11-31 00:00:00", None),
        ("2023-11-15T05:13:21", None),
        ("2023-11-15", None),
        ("٢٠٢٣-11-15 05:13:21", None),
    ],
)
def test_due(text: str, due_ms: int | None) -> None:
    assert dates.due_ms(text, JAKARTA, NOW_MS) == due_ms


@pytest.mark.parametrize(
    ("text", "name", "offset_h"),
    [
        ("+0700", "Etc/GMT-7", 7.0),
        ("-0500", "Etc/GMT+5", -5.0),
        ("+0000", "UTC", 0.0),
        ("+05:30", "Asia/Kolkata", 5.5),
        ("+0545", "Asia/Kathmandu", 5.75),
        ("-0930", "Pacific/Marquesas", -9.5),
        ("+0330", "Asia/Tehran", 3.5),
        ("+0430", "Asia/Kabul", 4.5),
        ("+0630", "Asia/Yangon", 6.5),
        ("+0845", "Australia/Eucla", 8.75),
        ("+0930", "Australia/Darwin", 9.5),
        ("Europe/Zurich", "Europe/Zurich", None),
    ],
)
def test_zone_names(text: str, name: str, offset_h: float | None) -> None:
    assert dates.zone_name(text) == name
    assert name in available_timezones()
    if offset_h is not None:
        for month in (1, 7):
            offset = dt.datetime(2026, month, 1, tzinfo=ZoneInfo(name)).utcoffset()
            assert offset == dt.timedelta(hours=offset_h)


def test_what_is_no_zone() -> None:
    assert dates.zone_name("+0799") == "+0799"
    assert dates.zone("no/such") is dt.UTC
    assert dates.zone("../../etc/passwd") is dt.UTC
