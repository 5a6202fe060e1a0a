"""SMPP times: both forms, every fault by name, calendar months."""

from contextlib import suppress
from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pdu.timefmt import (
    Absolute,
    Relative,
    TimeError,
    TimeFault,
    format_absolute,
    parse_parts,
    parse_time,
)


def ms(*parts: int) -> int:
    return int(datetime(*parts, tzinfo=UTC).timestamp() * 1000)  # type: ignore[misc,arg-type]


NOW_MS = ms(2026, 11, 22, 3, 1, 5)


@pytest.mark.parametrize(
    ("text", "at_ms"),
    [
        ("", None),
        ("261231235959000+", ms(2026, 12, 31, 23, 59, 59)),
        ("261231235959904+", ms(2026, 12, 31, 22, 59, 59) + 900),
        ("270301003000048-", ms(2027, 3, 1, 12, 30)),
        ("000101000000000-", ms(2000, 1, 1)),
        ("240229000000000+", ms(2024, 2, 29)),
        ("000000000500000R", NOW_MS + 300_000),
        ("000007000000000R", NOW_MS + 7 * 86_400_000),
        ("000000000000000R", NOW_MS),
        ("020000000000000R", ms(2028, 11, 22, 3, 1, 5)),
        ("000300000000000R", ms(2027, 2, 22, 3, 1, 5)),
        ("999999999999000R", NOW_MS + ms(2134, 2, 22) - ms(2026, 11, 22) + 99 * 90_061_000),
    ],
)
def test_times(text: str, at_ms: int | None) -> None:
    assert parse_time(text, NOW_MS) == at_ms


@pytest.mark.parametrize(
    ("start", "months", "end"),
    [
        ((2026, 1, 31), "01", (2026, 2, 28)),
        ((2024, 1, 31), "01", (2024, 2, 29)),
        ((2026, 12, 31), "02", (2027, 2, 28)),
        ((2026, 12, 1), "12", (2027, 12, 1)),
    ],
)
def test_months_go_by_the_calendar(
    start: tuple[int, ...], months: str, end: tuple[int, ...]
) -> None:
    assert parse_time(f"00{months}00000000000R", ms(*start)) == ms(*end)


def test_days_count_from_the_moved_month() -> None:
    assert parse_time("000101000000000R", ms(2026, 1, 31)) == ms(2026, 3, 1)


@pytest.mark.parametrize(
    ("text", "fault"),
    [
        ("2612312359", TimeFault.LENGTH),
        ("261231235959000+0", TimeFault.LENGTH),
        ("26123123595900A+", TimeFault.DIGITS),
        ("2612312359590 0+", TimeFault.DIGITS),
        ("26123123595900٣+", TimeFault.DIGITS),
        ("-26123123595900+", TimeFault.DIGITS),
        ("261231235959000Z", TimeFault.SIGN),
        ("261231235959000r", TimeFault.SIGN),
        ("2612312359590000", TimeFault.SIGN),
        ("261301000000000+", TimeFault.MONTH),
        ("260001000000000+", TimeFault.MONTH),
        ("261200000000000+", TimeFault.DAY),
        ("260431000000000+", TimeFault.DAY),
        ("260229000000000+", TimeFault.DAY),
        ("261231240000000+", TimeFault.HOUR),
        ("261231236000000+", TimeFault.MINUTE),
        ("261231235960000+", TimeFault.SECOND),
        ("261231235959049+", TimeFault.OFFSET),
    ],
)
def test_faults_have_names(text: str, fault: TimeFault) -> None:
    with pytest.raises(TimeError) as caught:
        parse_time(text, NOW_MS)
    assert (caught.value.fault, caught.value.text) == (fault, text)
    assert fault in str(caught.value)


@given(st.text(alphabet="0123456789+-R", max_size=18))
def test_any_text_is_a_time_or_a_fault(text: str) -> None:
    with suppress(TimeError):
        parse_time(text, NOW_MS)


@given(st.integers(ms(2000, 1, 1), ms(2100, 1, 1) - 1))
def test_absolute_round_trip(at_ms: int) -> None:
    text = format_absolute(at_ms)
    assert len(text) == 16
    assert parse_parts(text) == Absolute(at_ms - at_ms % 100)


def test_years_that_the_form_cannot_tell() -> None:
    for at_ms in (ms(1999, 12, 31), ms(2100, 1, 1)):
        with pytest.raises(TimeError) as caught:
            format_absolute(at_ms)
        assert caught.value.fault is TimeFault.YEAR


def test_parts() -> None:
    assert parse_parts("") is None
    assert parse_parts("020610233429000R") == Relative(2, 6, 10, 23, 34, 29)
