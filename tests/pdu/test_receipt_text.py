"""Receipts: canonical text out, every variant in; ids that changed base."""

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pdu.receipt_text import (
    IdMatch,
    MessageState,
    date_ms,
    format_receipt,
    iso_date,
    parse_receipt,
    relate_ids,
    state_of,
)

# 2026-11-22 03:01:05.678 UTC
CANONICAL = (
    "id:7 sub:001 dlvrd:001 submit date:2611220301 done date:2611220302 stat:UNDELIV err:000"
)
SUBMITTED_MS = 1_795_316_465_678
MINUTE_MS = 60_000


def test_canonical_text() -> None:
    text = format_receipt(
        "1234567890",
        submitted_ms=SUBMITTED_MS,
        done_ms=SUBMITTED_MS + MINUTE_MS,
        state=MessageState.DELIVERED,
        text=b"Hello world, this is cut",
    )
    assert text == (
        b"id:1234567890 sub:001 dlvrd:001 submit date:2611220301 done date:2611220302"
        b" stat:DELIVRD err:000 text:Hello world, this is"
    )


def test_dlvrd_follows_the_state_unless_told() -> None:
    def dlvrd(state: MessageState, given: int | None = None) -> bytes:
        text = format_receipt("1", submitted_ms=0, done_ms=0, state=state, sub=3, dlvrd=given)
        return text.split()[2]

    assert dlvrd(MessageState.DELIVERED) == b"dlvrd:003"
    assert dlvrd(MessageState.UNDELIVERABLE) == b"dlvrd:000"
    assert dlvrd(MessageState.UNDELIVERABLE, 2) == b"dlvrd:002"


@given(
    st.from_regex(r"[0-9A-Za-z-]{1,64}", fullmatch=True),
    st.integers(946_684_800_000, 3_000_000_000_000),
    st.sampled_from(MessageState),
    st.from_regex(re.compile(r"[0-9a-f]{1,5}", re.ASCII), fullmatch=True),
    st.binary(max_size=30),
)
def test_what_we_write_we_read(
    message_id: str, at_ms: int, state: MessageState, error: str, text: bytes
) -> None:
    data = format_receipt(
        message_id, submitted_ms=at_ms, done_ms=at_ms, state=state, error=error, text=text
    )
    found = parse_receipt(data)
    assert found is not None
    assert (found.message_id, found.state, found.err) == (message_id, state, error)
    assert found.text == text[:20].decode("latin-1")
    assert date_ms(found.submit_date) == date_ms(found.done_date) == at_ms - at_ms % MINUTE_MS


@given(st.binary(max_size=200))
def test_any_octets_are_a_receipt_or_none(data: bytes) -> None:
    parse_receipt(data)
    parse_receipt(b"id:1 stat:DELIVRD " + data)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("id:7 stat:DELIVRD", ("7", None, None, None, None, "DELIVRD", None, None)),
        (
            "id:7 stat:delivrd err:21b Text:hi",
            ("7", None, None, None, None, "DELIVRD", "21b", "hi"),
        ),
        ("ID: 7, Stat: Failed, Err: 1", ("7", None, None, None, None, "UNDELIV", "1", None)),
        ("id:7 sub:1 dlvrd:x stat:WEIRD", ("7", 1, None, None, None, "WEIRD", None, None)),
        (
            "id:7 submit_date:1 donedate:2 stat:EXPIRED err: text:",
            ("7", None, None, "1", "2", "EXPIRED", None, ""),
        ),
        (
            f"{CANONICAL} text:id:9 stat:DELIVRD",
            ("7", 1, 1, "2611220301", "2611220302", "UNDELIV", "000", "id:9 stat:DELIVRD"),
        ),
        (
            "stat:DELIVRD id:7 text:sub:5 err:1",
            ("7", None, None, None, None, "DELIVRD", None, "sub:5 err:1"),
        ),
        ("text:mid:3 id:7 stat:REJECTED", ("7", None, None, None, None, "REJECTD", None, "mid:3")),
        ("id:7 id:8 stat:DELIVRD", ("7", None, None, None, None, "DELIVRD", None, None)),
        ("id:7 stat:DELIVRD\x00", ("7", None, None, None, None, "DELIVRD", None, None)),
        (
            "id:7 sub:001 dlvrd:001 submit date:261122030105 done date:20261122030209 stat:DELIVERED err:5",
            ("7", 1, 1, "261122030105", "20261122030209", "DELIVRD", "5", None),
        ),
    ],
)
def test_variants(text: str, expected: tuple[object, ...]) -> None:
    assert parse_receipt(text.encode()) == expected


def test_utf16_receipts_are_read() -> None:
    found = parse_receipt("id:7 stat:DELIVRD text:я".encode("utf-16-be"))
    assert found is not None
    assert (found.message_id, found.state, found.text) == ("7", MessageState.DELIVERED, "я")


@pytest.mark.parametrize(
    "text",
    ["", "Hello", "id:7", "stat:DELIVRD", "id: stat:DELIVRD", "mid:7 stat:DELIVRD", "text:id:7"],
)
def test_no_receipt(text: str) -> None:
    assert parse_receipt(text.encode()) is None


@pytest.mark.parametrize("state", MessageState)
def test_states_by_every_name(state: MessageState) -> None:
    for word in (state.stat, state.name, state.stat.lower(), f" {state.name.title()} "):
        assert state_of(word) is state
    assert len(state.stat) == 7


@pytest.mark.parametrize(
    ("word", "state"),
    [
        ("FAILED", MessageState.UNDELIVERABLE),
        ("BUFFERD", MessageState.ENROUTE),
        ("SCHEDLD", MessageState.SCHEDULED),
        ("SKIPPED", MessageState.SKIPPED),
        ("REJECTED", MessageState.REJECTED),
        ("Delivered", MessageState.DELIVERED),
        ("nonsense", None),
        ("", None),
    ],
)
def test_words_met_in_the_field(word: str, state: MessageState | None) -> None:
    assert state_of(word) is state


def test_final_states() -> None:
    passing = [state for state in MessageState if not state.is_final]
    assert passing == [MessageState.SCHEDULED, MessageState.ENROUTE]


@pytest.mark.parametrize(
    ("digits", "iso"),
    [
        ("2611220301", "2026-11-22T03:01"),
        ("261122030105", "2026-11-22T03:01:05"),
        ("202611220301", "2026-11-22T03:01"),
        ("20261122030105", "2026-11-22T03:01:05"),
        ("0000000000", None),
        ("2613220301", None),
        ("26112203", None),
        ("2611x20301", None),
        ("", None),
        (None, None),
    ],
)
def test_dates(digits: str | None, iso: str | None) -> None:
    assert iso_date(digits) == iso
    assert (date_ms(digits) is None) is (iso is None)


def test_dates_in_the_carriers_zone() -> None:
    assert date_ms("2611220301") == SUBMITTED_MS - 5678
    assert date_ms("2611220401", ahead_minutes=60) == SUBMITTED_MS - 5678


@pytest.mark.parametrize(
    ("response", "receipt", "match"),
    [
        ("77", "77", IdMatch.SAME),
        ("1A2b", "1a2B", IdMatch.CASE),
        ("007a", "7A", IdMatch.PADDED),
        ("1a2b3c4d", "439041101", IdMatch.HEX_THEN_DECIMAL),
        ("1A2B3C4D", "0439041101", IdMatch.HEX_THEN_DECIMAL),
        ("439041101", "1a2b3c4d", IdMatch.DECIMAL_THEN_HEX),
        ("10", "16", IdMatch.AMBIGUOUS),
        ("16", "10", IdMatch.AMBIGUOUS),
        ("10", "17", IdMatch.DIFFERENT),
        ("abc-1", "99", IdMatch.DIFFERENT),
        ("", "0x", IdMatch.DIFFERENT),
        ("9" * 5000, "1", IdMatch.DIFFERENT),
    ],
)
def test_ids(response: str, receipt: str, match: IdMatch) -> None:
    assert relate_ids(response, receipt) is match
