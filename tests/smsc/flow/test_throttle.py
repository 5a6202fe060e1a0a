"""Token buckets."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pdu.codec import encode_body, peek_submit_sm
from pdu.message_pdus import SubmitSm
from pdu.tlvs import Tag
from smsc.flow.throttle import TokenBucket, parts_of


def test_no_rate_grants_all() -> None:
    assert TokenBucket(0, 0.0).take(1000, 0.0) == 1000


def test_a_full_bucket_then_the_rate() -> None:
    bucket = TokenBucket(8, 0.0)
    assert bucket.take(100, 0.0) == 8
    assert bucket.take(100, 0.0625) == 0
    assert bucket.take(100, 0.3125) == 2
    assert bucket.take(1, 0.375) == 1
    assert bucket.take(100, 60.0) == 8


def test_less_than_one_a_second() -> None:
    bucket = TokenBucket(0.5, 0.0)
    assert bucket.take(5, 0.0) == 1
    assert bucket.take(5, 1.9) == 0
    assert bucket.take(5, 2.1) == 1


@given(
    rate=st.floats(0.1, 100),
    waits=st.lists(st.tuples(st.floats(0, 5), st.integers(1, 50)), max_size=50),
)
def test_never_more_than_burst_and_rate_allow(rate: float, waits: list[tuple[float, int]]) -> None:
    bucket, now, granted = TokenBucket(rate, 0.0), 0.0, 0
    for wait_s, wanted in waits:
        now += wait_s
        granted += bucket.take(wanted, now)
    assert granted <= bucket.burst + now * rate + 1e-6


def test_all_or_nothing() -> None:
    bucket = TokenBucket(4, 0.0, burst=8)
    assert bucket.take_all(6, 0.0)
    assert not bucket.take_all(3, 0.0)
    assert bucket.take_all(3, 0.25)
    assert TokenBucket(0, 0.0).take_all(10**9, 0.0)


def test_what_is_larger_than_the_burst_passes_when_the_bucket_is_full_and_is_owed() -> None:
    bucket = TokenBucket(1, 0.0, burst=4)
    assert bucket.take_all(1, 0.0)
    assert not bucket.take_all(10, 0.5)
    assert bucket.take_all(10, 1.0)
    assert not bucket.take_all(1, 7.5)
    assert bucket.take(5, 7.5) == 0
    assert bucket.take_all(1, 8.0)


@pytest.mark.parametrize(
    ("fields", "parts"),
    [
        ({"short_message": b"a" * 160}, 1),
        ({"short_message": b"a" * 161}, 2),
        ({"short_message": b"a" * 141, "data_coding": 8}, 2),
        ({"short_message": b""}, 1),
        ({"tlvs": ((Tag.MESSAGE_PAYLOAD, b"a" * 500),)}, 4),
        ({"short_message": b"\x05\x00\x03\x01\x02\x01" + b"a" * 134, "esm_class": 0x40}, 1),
    ],
)
def test_parts_are_what_goes_on_the_air(fields: dict[str, Any], parts: int) -> None:
    body = encode_body(SubmitSm(source_addr="Shop", destination_addr="4179", **fields))
    assert parts_of(body, peek_submit_sm(body)) == parts
