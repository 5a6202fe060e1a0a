"""Ids ascend, never repeat, and tell their time and node."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from smsc.message import MessageId
from smsc.store.ids import EPOCH_MS, MAX_NODE, IdAllocator, first_id_at, id_time_ms, node_of

NOW_MS = 1_790_000_000_000


def test_an_id_holds_time_and_node() -> None:
    (id_,) = IdAllocator(513, MessageId(0)).take(1, NOW_MS)
    assert id_time_ms(MessageId(id_)) == NOW_MS
    assert node_of(MessageId(id_)) == 513


def test_ids_fit_63_bits_and_19_digits_until_2093() -> None:
    allocator = IdAllocator(MAX_NODE, MessageId(0))
    id_ = allocator.take(4096, EPOCH_MS + (1 << 41) - 1)[-1]
    assert id_ == (1 << 63) - 1
    assert len(str(id_)) == 19


def test_more_than_a_millisecond_holds_borrows_from_the_next() -> None:
    allocator = IdAllocator(1, MessageId(0))
    ids = [*allocator.take(5000, NOW_MS), *allocator.take(5000, NOW_MS)]
    assert len(set(ids)) == 10_000
    assert ids == sorted(ids)
    assert id_time_ms(MessageId(ids[-1])) == NOW_MS + 2


def test_the_first_id_at_a_time_parts_older_from_newer() -> None:
    allocator = IdAllocator(0, MessageId(0))
    older, newer = allocator.take(1, NOW_MS - 1)[0], allocator.take(1, NOW_MS)[0]
    assert older < first_id_at(NOW_MS) <= newer


@pytest.mark.parametrize("node", [-1, 1024])
def test_a_node_out_of_range_is_refused(node: int) -> None:
    with pytest.raises(ValueError, match="must be 0"):
        IdAllocator(node, MessageId(0))


@given(
    st.lists(st.tuples(st.integers(0, 9000), st.integers(-86_400_000, 86_400_000)), max_size=20),
    st.integers(0, MAX_NODE),
    st.booleans(),
)
def test_ids_ascend_whatever_the_clock_does(
    steps: list[tuple[int, int]], node: int, restart: bool
) -> None:
    allocator = IdAllocator(node, MessageId(0))
    last = 0
    for n, drift_ms in steps:
        if restart:
            allocator = IdAllocator((node + 1) % 1024, MessageId(last))
        ids = allocator.take(n, NOW_MS + drift_ms)
        assert len(ids) == n
        if n:
            assert ids[0] > last
            assert list(ids) == sorted(ids)
            last = ids[-1]


def test_two_nodes_never_meet() -> None:
    one, two = IdAllocator(1, MessageId(0)), IdAllocator(2, MessageId(0))
    assert not set(one.take(1000, NOW_MS)) & set(two.take(1000, NOW_MS))
