"""Places for each destination: none is lost, none is given twice."""

import hypothesis.strategies as st
from hypothesis import given

from smsc.flow.destinations import Destinations
from smsc.message import MessageId

X, Y = "4179", "4178"


def ids(*numbers: int) -> list[MessageId]:
    """Message ids."""
    return [MessageId(one) for one in numbers]


def test_what_is_over_the_limit_is_held_back_and_others_pass() -> None:
    places = Destinations(2)
    assert [places.enter(one, X) for one in ids(1, 2, 3)] == [True, True, False]
    assert places.enter(MessageId(4), Y)
    assert (len(places), list(places.held())) == (1, [3])


def test_a_free_place_is_kept_for_the_oldest_that_was_held_back() -> None:
    places = Destinations(1)
    assert [places.enter(one, X) for one in ids(1, 2, 3)] == [True, False, False]
    assert places.leave(X) == 2
    assert not places.enter(MessageId(9), X), "the place is reserved"
    assert places.enter(MessageId(2), X)
    assert places.leave(X) == 3


def test_an_heir_that_does_not_come_passes_the_place_on() -> None:
    places = Destinations(1)
    for one in ids(1, 2, 3):
        places.enter(one, X)
    places.leave(X)
    assert places.give_up(ids(7)) == []
    assert places.give_up(ids(2)) == [3]
    assert places.give_up(ids(3)) == []
    assert places.enter(MessageId(4), X), "nobody waits: the place is free"


@given(
    st.integers(1, 3),
    st.lists(st.tuples(st.sampled_from(["enter", "leave", "skip"]), st.booleans())),
)
def test_never_more_than_the_limit_and_nobody_is_forgotten(
    limit: int, steps: list[tuple[str, bool]]
) -> None:
    places = Destinations(limit)
    flying: list[tuple[MessageId, str]] = []
    queued: list[tuple[MessageId, str]] = []
    entered = 0

    def queue(heirs: list[MessageId], to: str) -> None:
        queued.extend((heir, to) for heir in heirs)

    for number, (step, is_x) in enumerate(steps):
        to = X if is_x else Y
        if step == "enter":
            entered += 1
            one = (MessageId(number), to)
            if queued:
                queued.append(one)
                one = queued.pop(0)
            if places.enter(*one):
                flying.append(one)
        elif step == "leave" and flying:
            entered -= 1
            _, to = flying.pop(0)
            heir = places.leave(to)
            queue([] if heir is None else [heir], to)
        elif step == "skip" and queued:
            entered -= 1
            id_, to = queued.pop(0)
            queue(places.give_up([id_]), to)
        for to in (X, Y):
            assert sum(of == to for _, of in flying) <= limit
        assert len(flying) + len(queued) + len(places) == entered
    if len(places):
        assert flying or queued, "held back, and nobody will ever leave"
