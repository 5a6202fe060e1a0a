"""A queue of ids that costs what the ids cost."""

import tracemalloc
from collections import deque
from random import Random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from smsc.flow import id_queue as room
from smsc.flow.id_queue import IdQueue
from smsc.message import MessageId

ID = 1 << 62


@given(st.lists(st.tuples(st.sampled_from(["put", "many", "first", "take"]), st.integers(0, 9))))
def test_it_is_a_queue(steps: list[tuple[str, int]]) -> None:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(room, "CHUNK", 3)
        queue, model = IdQueue(), deque[int]()
        for number, (verb, n) in enumerate(steps, ID):
            if verb == "put":
                queue.put(MessageId(number))
                model.append(number)
            elif verb == "many":
                queue.put_many([MessageId(number)] * n)
                model.extend([number] * n)
            elif verb == "first":
                queue.put_first(MessageId(number))
                model.appendleft(number)
            else:
                assert queue.take(n) == [model.popleft() for _ in range(min(n, len(model)))]
            assert len(queue) == len(model)
            assert list(queue) == list(model)


@given(
    st.lists(
        st.tuples(st.sampled_from(["put", "first", "take", "look", "discard"]), st.integers(0, 9)),
        max_size=60,
    ),
    st.randoms(use_true_random=False),
)
def test_ids_are_taken_out_of_its_midst(steps: list[tuple[str, int]], draw: Random) -> None:
    """A portion may be looked at long before something is taken out of it."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(room, "CHUNK", 3)
        queue, model = IdQueue(), deque[int]()
        portions = queue.portions()
        for number, (verb, n) in enumerate(steps, ID):
            if verb == "put":
                queue.put(MessageId(number))
                model.append(number)
            elif verb == "first":
                queue.put_first(MessageId(number))
                model.appendleft(number)
            elif verb == "take":
                assert queue.take(n) == [model.popleft() for _ in range(min(n, len(model)))]
            elif verb == "look":
                portions = queue.portions()
                assert [id_ for one in portions for id_ in queue.still(one)] == list(model)
            elif portions:
                portion = draw.choice(portions)
                still = queue.still(portion)
                unwanted = {id_ for id_ in still if draw.random() < 0.6} | {MessageId(7)}
                gone = queue.discard(portion, unwanted)
                assert gone == [id_ for id_ in still if id_ in unwanted]
                model = deque(id_ for id_ in model if id_ not in unwanted)
            assert len(queue) == len(model)
            assert list(queue) == list(model)
            if model:
                assert queue.first == model[0]


def test_the_first_is_found_behind_a_portion_that_was_emptied() -> None:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(room, "CHUNK", 3)
        queue = IdQueue()
        queue.put_many([MessageId(one) for one in (1, 2, 3, 4)])
        queue.put_first(MessageId(0))
        _, midst, _ = queue.portions()
        assert queue.discard(midst, {MessageId(one) for one in (1, 2, 3)}) == [1, 2, 3]
        assert queue.take(1) == [0]
        assert (queue.first, list(queue)) == (4, [4])


def test_an_id_costs_eight_octets_and_they_are_given_back() -> None:
    n = 100_000
    tracemalloc.start()
    try:
        queue = IdQueue()
        for id_ in range(ID, ID + n):
            queue.put(MessageId(id_))
        held = tracemalloc.get_traced_memory()[0]
        assert held < 9 * n
        while queue.take(1000):
            pass
        assert tracemalloc.get_traced_memory()[0] < held / 4
    finally:
        tracemalloc.stop()
