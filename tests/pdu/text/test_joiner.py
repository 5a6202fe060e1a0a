"""Joining: any order, repeats, gaps, time, bounds, both kinds of concatenation."""

import random

from hypothesis import given
from hypothesis import strategies as st

from pdu.text.coding import choose
from pdu.text.joiner import (
    PART_OVERHEAD_OCTETS,
    Alone,
    Duplicate,
    Incomplete,
    Joined,
    Joiner,
    Part,
    Sar,
    Waiting,
)
from pdu.text.segmenter import segment, segment_sar

LONG = st.lists(
    st.one_of(st.text(max_size=60), st.sampled_from(["a" * 80, "€" * 40, "я" * 50, "👍🏽" * 20])),
    max_size=12,
).map("".join)


@given(LONG, st.randoms(use_true_random=False), st.booleans())
def test_text_segments_any_order_joiner_text(text: str, order: random.Random, wide: bool) -> None:
    choice = choose(text, national=["turkish"])
    parts = segment(choice.data, choice.data_coding, 300, wide_reference=wide, udh=choice.udh)
    has_udh = len(parts) > 1 or bool(choice.udh)
    # Some parts come twice.
    parts += [part for part in parts if len(parts) > 1 and order.random() < 0.3]
    order.shuffle(parts)
    joiner = Joiner()
    outcomes = [
        joiner.add("link", part, now_ms=0, data_coding=choice.data_coding, has_udh=has_udh)
        for part in parts
    ]
    whole = [outcome for outcome in outcomes if isinstance(outcome, Joined)]
    if len(parts) == 1:
        assert outcomes == [Alone()]
    else:
        assert [one.text() for one in whole] == [choice.text]
        assert whole[0].data == choice.data
    assert len(joiner) == joiner.octets == 0


@given(LONG, st.randoms(use_true_random=False))
def test_sar_parts_in_any_order(text: str, order: random.Random) -> None:
    choice = choose(text)
    parts = segment_sar(choice.data, choice.data_coding, 77)
    order.shuffle(parts)
    joiner = Joiner()
    outcomes = [
        joiner.add("l", p.short_message, now_ms=0, data_coding=choice.data_coding, sar=Sar(*p[:3]))
        for p in parts
    ]
    last = outcomes[-1]
    assert isinstance(last, Joined)
    assert last.text() == choice.text


def test_what_is_missing_is_told() -> None:
    joiner = Joiner()
    parts = segment(b"a" * 400, 0, 1)
    assert joiner.add("l", parts[1], now_ms=0, has_udh=True) == Waiting((1, 3))
    assert joiner.add("l", parts[1], now_ms=1, has_udh=True) == Duplicate(2)
    assert joiner.add("l", parts[2], now_ms=2, has_udh=True) == Waiting((1,))
    assert isinstance(joiner.add("l", parts[0], now_ms=3, has_udh=True), Joined)
    assert joiner.add("l", parts[0], now_ms=4, has_udh=True) == Duplicate(1), "already whole"
    assert len(joiner) == 0


def test_messages_are_told_apart() -> None:
    joiner = Joiner()
    first, second = segment(b"a" * 200, 0, 1)
    joiner.add("alice", first, now_ms=0, has_udh=True)
    # Another peer, another reference, another total, another width, SAR: never the same message.
    others = [
        joiner.add("bob", second, now_ms=0, has_udh=True),
        joiner.add("alice", segment(b"a" * 200, 0, 2)[1], now_ms=0, has_udh=True),
        joiner.add("alice", segment(b"a" * 400, 0, 1)[1], now_ms=0, has_udh=True),
        joiner.add(
            "alice", segment(b"a" * 200, 0, 1, wide_reference=True)[1], now_ms=0, has_udh=True
        ),
        joiner.add("alice", b"b", now_ms=0, sar=Sar(1, 2, 2)),
    ]
    assert [type(outcome) for outcome in others] == [Waiting] * 5
    assert len(joiner) == 6
    assert isinstance(joiner.add("alice", second, now_ms=0, has_udh=True), Joined)


def test_the_header_counts_where_sar_comes_too() -> None:
    joiner = Joiner()
    first, second = segment(b"a" * 200, 0, 1)
    joiner.add("l", first, now_ms=0, has_udh=True, sar=Sar(9, 3, 1))
    assert isinstance(joiner.add("l", second, now_ms=0, has_udh=True, sar=Sar(8, 3, 3)), Joined)
    # A header without concatenation leaves the word to SAR, and stays with its part.
    ports = bytes.fromhex("0605040b8423f0")
    joiner.add("l", ports + b"x", now_ms=0, has_udh=True, sar=Sar(1, 2, 1))
    outcome = joiner.add("l", ports + b"y", now_ms=0, has_udh=True, sar=Sar(1, 2, 2))
    assert outcome == Joined((Part(b"x", 0, ports), Part(b"y", 0, ports)))


def test_time_runs_out() -> None:
    joiner = Joiner(timeout_ms=1000)
    assert joiner.deadline_ms is None
    first, second = segment(b"a" * 200, 0, 1)
    joiner.add("l", first, now_ms=5000, has_udh=True)
    joiner.add("m", first, now_ms=5500, has_udh=True)
    assert joiner.deadline_ms == 6000
    assert joiner.expire(5999) == []
    assert joiner.expire(6000) == [Incomplete("l", 1, 2, {1: Part(b"a" * 153)})]
    assert joiner.deadline_ms == 6500
    assert joiner.add("l", second, now_ms=6001, has_udh=True) == Waiting((1,))


def test_a_finished_message_is_forgotten_in_time() -> None:
    joiner = Joiner(timeout_ms=1000)
    first, second = segment(b"a" * 200, 0, 1)
    joiner.add("l", first, now_ms=0, has_udh=True)
    joiner.add("l", second, now_ms=0, has_udh=True)
    assert joiner.add("l", first, now_ms=999, has_udh=True) == Duplicate(1)
    assert joiner.add("l", first, now_ms=1000, has_udh=True) == Waiting((2,))


def test_a_reference_used_anew_starts_a_new_message() -> None:
    joiner = Joiner()
    old, new = segment(b"a" * 200, 0, 1), segment(b"b" * 200, 0, 1)
    joiner.add("l", old[0], now_ms=0, has_udh=True)
    given_up = Incomplete("l", 1, 2, {1: Part(b"a" * 153)})
    assert joiner.add("l", new[0], now_ms=1, has_udh=True) == Waiting((2,), (given_up,))
    outcome = joiner.add("l", new[1], now_ms=2, has_udh=True)
    assert isinstance(outcome, Joined)
    assert outcome.data == b"b" * 200
    # After it was whole: other content is no duplicate.
    joiner.add("l", old[0], now_ms=3, has_udh=True)
    assert isinstance(joiner.add("l", old[1], now_ms=4, has_udh=True), Joined)


def test_sets_are_bounded_oldest_first() -> None:
    joiner = Joiner(limit_messages=2)
    parts = [segment(b"a" * 200, 0, reference)[0] for reference in range(3)]
    for part in parts[:2]:
        joiner.add("l", part, now_ms=0, has_udh=True)
    outcome = joiner.add("l", parts[2], now_ms=0, has_udh=True)
    assert isinstance(outcome, Waiting)
    assert [one.reference for one in outcome.given_up] == [0]
    assert len(joiner) == 2


def test_octets_are_bounded_empty_parts_included() -> None:
    limit = 3 * PART_OVERHEAD_OCTETS
    joiner = Joiner(limit_octets=limit)
    for number in range(1, 100):
        joiner.add("l", b"", now_ms=0, sar=Sar(number, 255, 1))
        assert joiner.octets <= limit
    assert len(joiner) == 3
    huge = joiner.add("l", bytes(limit), now_ms=0, sar=Sar(1, 2, 1))
    assert isinstance(huge, Waiting)
    assert [one.reference for one in huge.given_up] == [97, 98, 99, 1], "handed back, not lost"
    assert (len(joiner), joiner.octets) == (0, 0)


def test_fingerprints_are_bounded() -> None:
    joiner = Joiner(limit_messages=2)
    for reference in range(3):
        for part in segment(b"a" * 200, 0, reference):
            joiner.add("l", part, now_ms=0, has_udh=True)
    again = [
        joiner.add("l", segment(b"a" * 200, 0, reference)[0], now_ms=0, has_udh=True)
        for reference in (0, 1, 2)
    ]
    assert [type(outcome) for outcome in again] == [Waiting, Duplicate, Duplicate]


def test_no_part_of_anything() -> None:
    joiner = Joiner()
    for short_message, has_udh, sar in (
        (b"plain", False, None),
        (b"\x05\x00\x03\x01\x02\x01 looks like a header", False, None),
        (b"\x05\x00\x03\x01\x00\x00total 0", True, None),
        (b"\x05\x00\x03\x01\x02\x03part above total", True, None),
        (b"\x20overruns", True, None),
        (b"", True, None),
        (b"\x03\x24\x01\x01national", True, None),
        (b"x", False, Sar(1, 2, 0)),
        (b"x", False, Sar(1, 2, 3)),
    ):
        outcome = joiner.add("l", short_message, now_ms=0, has_udh=has_udh, sar=sar)
        assert outcome == Alone(), short_message
    assert len(joiner) == 0


def test_a_total_of_one_is_whole_at_once() -> None:
    joiner = Joiner()
    outcome = joiner.add("l", b"\x05\x00\x03\x01\x01\x01text", now_ms=0, has_udh=True)
    assert outcome == Joined((Part(b"text"),))
    assert len(joiner) == 0


def test_foreign_parts_that_tear_a_pair_still_join() -> None:
    joiner = Joiner()
    data = "😀".encode("utf-16-be")
    joiner.add("l", data[:2], now_ms=0, data_coding=8, sar=Sar(1, 2, 1))
    outcome = joiner.add("l", data[2:], now_ms=0, data_coding=8, sar=Sar(1, 2, 2))
    assert isinstance(outcome, Joined)
    assert outcome.text() == "😀"


def test_parts_of_different_coding_read_each_in_its_own() -> None:
    joiner = Joiner()
    joiner.add("l", b"\x00", now_ms=0, data_coding=0, sar=Sar(1, 2, 1))
    outcome = joiner.add("l", b"\x04\x1f", now_ms=0, data_coding=8, sar=Sar(1, 2, 2))
    assert isinstance(outcome, Joined)
    assert outcome.text() == "@П"


@given(
    st.lists(
        st.tuples(
            st.integers(0, 2),
            st.binary(max_size=12),
            st.booleans(),
            st.one_of(
                st.none(), st.builds(Sar, st.integers(0, 3), st.integers(0, 3), st.integers(0, 4))
            ),
        ),
        max_size=40,
    )
)
def test_any_input_keeps_the_books(inputs: list[tuple[int, bytes, bool, Sar | None]]) -> None:
    joiner = Joiner(timeout_ms=10, limit_messages=3, limit_octets=2000)
    for at, (peer, short_message, has_udh, sar) in enumerate(inputs):
        joiner.add(peer, short_message, now_ms=at, has_udh=has_udh, sar=sar)
        joiner.expire(at)
        assert len(joiner) <= 3
        assert joiner.octets <= 2000
    joiner.expire(10_000)
    assert (len(joiner), joiner.octets, joiner.deadline_ms) == (0, 0, None)
