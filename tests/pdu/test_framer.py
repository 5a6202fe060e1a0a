"""Cutting a stream: any split gives the same PDUs; no length is trusted."""

from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pdu.codec import encode, pack
from pdu.framer import DEFAULT_LIMIT_OCTETS, Frame, Framer
from pdu.message_pdus import SubmitSm
from pdu.session_pdus import EnquireLink
from pdu.status import Status

FRAMES = st.lists(
    st.tuples(
        st.integers(0, 0xFFFFFFFF),
        st.integers(0, 0xFFFFFFFF),
        st.integers(0, 0xFFFFFFFF),
        st.binary(max_size=60),
    ),
    max_size=6,
)


RUNS = st.lists(st.tuples(st.integers(0, 30), st.integers(1, 20)), min_size=1, max_size=5).map(
    lambda runs: [
        (0x80000004, number, place * 100 + number, bytes((number,)) * size)
        for place, (size, count) in enumerate(runs)
        for number in range(count)
    ]
)
"""PDUs of one length in a row, and again of another."""


def octets_of(frames: list[Frame]) -> bytes:
    return b"".join(pack(*frame) for frame in frames)


def split(octets: bytes, cuts: list[int]) -> list[bytes]:
    places = [0, *sorted(cut % (len(octets) + 1) for cut in cuts), len(octets)]
    return [octets[start:end] for start, end in pairwise(places)]


@given(FRAMES, st.lists(st.integers(0, 1000), max_size=12), st.binary(max_size=15))
def test_every_split_gives_the_same_pdus(frames: list[Frame], cuts: list[int], rest: bytes) -> None:
    rest = b"\0\0\0\x40"[: len(rest)] + rest[4:]
    framer = Framer()
    got = [frame for piece in split(octets_of(frames) + rest, cuts) for frame in framer.feed(piece)]
    assert got == frames
    assert framer.error is None
    assert framer.pending_octets == len(rest)


@given(RUNS, st.lists(st.integers(0, 10_000), max_size=4))
def test_runs_of_one_length_are_cut_as_others(frames: list[Frame], cuts: list[int]) -> None:
    framer = Framer()
    got = [frame for piece in split(octets_of(frames), cuts) for frame in framer.feed(piece)]
    assert got == frames
    assert framer.error is None
    assert framer.pending_octets == 0


@given(RUNS, st.sampled_from([0, 15, DEFAULT_LIMIT_OCTETS + 1]))
def test_a_run_before_a_bad_length(frames: list[Frame], length: int) -> None:
    framer = Framer()
    assert framer.feed(octets_of(frames) + length.to_bytes(4, "big") + bytes(12)) == frames
    assert framer.error is not None


@given(FRAMES)
def test_octet_by_octet(frames: list[Frame]) -> None:
    framer = Framer()
    octets = octets_of(frames)
    got = [frame for at in range(len(octets)) for frame in framer.feed(octets[at : at + 1])]
    assert got == frames
    assert framer.pending_octets == 0


@pytest.mark.parametrize("length", [0, 1, 15, DEFAULT_LIMIT_OCTETS + 1, 0xFFFFFFFF])
def test_a_bad_length_ends_the_stream_after_the_good_pdus(length: int) -> None:
    good = encode(EnquireLink(), 1)
    bad = length.to_bytes(4, "big") + bytes(8) + b"\0\0\0\x07"
    framer = Framer()
    assert framer.feed(good + bad + good) == [(0x15, 0, 1, b"")]
    assert framer.error is not None
    assert framer.error.status == Status.ESME_RINVCMDLEN
    assert framer.error.sequence_number == 7
    assert framer.pending_octets == 0
    assert framer.feed(good) == []


@given(st.lists(st.integers(0, 100), max_size=6))
def test_a_bad_length_is_found_in_any_split(cuts: list[int]) -> None:
    octets = encode(EnquireLink(), 1) + bytes(3) + b"\x08" + bytes(12)
    framer = Framer()
    got = [frame for piece in split(octets, cuts) for frame in framer.feed(piece)]
    assert got == [(0x15, 0, 1, b"")]
    assert framer.error is not None


def test_four_octets_are_enough_to_refuse() -> None:
    framer = Framer()
    assert framer.feed(b"\x16\x03\x01\x02") == []
    assert framer.error is not None
    assert framer.error.sequence_number == 0


def test_the_limit_is_the_last_length_accepted() -> None:
    framer = Framer(limit_octets=40)
    assert len(framer.feed(pack(4, 0, 1, bytes(24)))) == 1
    assert framer.feed(pack(4, 0, 2, bytes(25))[:16]) == []
    assert framer.error is not None
    assert "limit of 40" in framer.error.why


def test_an_unfinished_pdu_is_joined_once_when_complete() -> None:
    """A dripping peer: what is held is counted, and nothing comes out before the last octet."""
    octets = pack(4, 0, 9, bytes(60_000))
    framer = Framer()
    for at in range(0, len(octets) - 1, 1000):
        assert framer.feed(octets[at : min(at + 1000, len(octets) - 1)]) == []
    assert framer.pending_octets == len(octets) - 1
    assert framer.feed(octets[-1:]) == [(4, 0, 9, bytes(60_000))]
    assert framer.pending_octets == 0


def test_a_read_full_of_pdus_comes_out_whole() -> None:
    octets = encode(SubmitSm(destination_addr="447700900123", short_message=b"x" * 100), 5)
    count = 65536 // len(octets)
    framer = Framer()
    assert len(framer.feed(octets * count + octets[:50])) == count
    assert framer.pending_octets == 50
    assert len(framer.feed(octets[50:])) == 1
