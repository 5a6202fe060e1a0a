"""congestion_state for peers of 5.0."""

from collections.abc import Callable

import pytest

from smsc.session.congestion import CONGESTED, congestion_state, state_of
from tests.fakes.wire import SUBMIT, C, frames, mc_bound, pdu

TLV = b"\x04\x28\x00\x01"


@pytest.mark.parametrize(
    ("in_hand", "is_full", "low", "high"),
    [
        (0, False, 0, 0),
        (100, False, 1, 29),
        (500, False, 30, 49),
        (800, False, 50, 79),
        (1000, False, 80, 89),
        (1100, False, 90, 99),
        (10**6, False, 99, 99),
        (0, True, CONGESTED, CONGESTED),
    ],
)
def test_the_bands_of_the_specification(in_hand: int, is_full: bool, low: int, high: int) -> None:
    assert low <= congestion_state(in_hand, 1000, is_full=is_full) <= high


def answers(version: int, congestion: Callable[[], int] | None) -> list[bytes]:
    session = mc_bound(version=version, hold=9)
    session.congestion = congestion
    session.receive(b"".join(pdu(C.SUBMIT_SM, number, SUBMIT) for number in (2, 3, 4)), 0.0)
    session.accept_many([2, 3], [b"17", b"18"])
    session.answer_many([(4, 0x58, b"")])
    heard = frames(session.take_output())
    assert [frame[1:3] for frame in heard] == [(0, 2), (0, 3), (0x58, 4)]
    return [body for *_, body in heard]


def test_answers_to_5_0_tell_it() -> None:
    state = iter((42, 100))
    assert answers(0x50, lambda: next(state)) == [
        b"17\0" + TLV + b"\x2a",
        b"18\0" + TLV + b"\x2a",
        b"\0" + TLV + b"\x64",
    ]


@pytest.mark.parametrize(("version", "refusal"), [(0x33, b"\0"), (0x34, b"")])
def test_answers_to_earlier_versions_carry_no_tlv(version: int, refusal: bytes) -> None:
    assert answers(version, lambda: 42) == [b"17\0", b"18\0", refusal]


def test_who_does_not_know_says_nothing() -> None:
    assert answers(0x50, None) == [b"17\0", b"18\0", b"\0"]


@pytest.mark.parametrize(("version", "tail"), [(0x34, b""), (0x50, TLV + b"\x2a")])
def test_answers_to_every_request_tell_it(version: int, tail: bytes) -> None:
    session = mc_bound(version=version, hold=9)
    session.congestion = lambda: 42
    session.receive(pdu(C.QUERY_SM, 2, b"1\0\0\0\0") + pdu(C.CANCEL_SM, 3, bytes(8)), 0.0)
    session.answer(C.QUERY_SM, 2, 0, b"1\0\0\2\0")
    session.answer(C.CANCEL_SM, 3, 0x11)
    session.receive(pdu(C.ENQUIRE_LINK, 4), 0.0)
    bodies = [body for *_, body in frames(session.take_output())]
    assert bodies == [b"1\0\0\2\0" + tail, tail, b""]


@pytest.mark.parametrize(
    ("body", "state"),
    [
        (b"", 0),
        (b"17", 0),
        (b"17\0", 0),
        (b"17\0" + TLV + b"\x5f", 0x5F),
        (b"\0" + TLV + b"\x5f", 0x5F),
        (b"17\0" + TLV, 0),
        (b"17\0\x04\x28\0\0", 0),
        (b"17\0\x04", 0),
    ],
)
def test_what_a_response_says_and_nothing_for_what_cannot_be_read(body: bytes, state: int) -> None:
    assert state_of(body) == state
