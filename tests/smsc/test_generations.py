"""Two generations against a plain dict: what is found is never stale."""

from hypothesis import given
from hypothesis import strategies as st

from smsc.generations import Generations

KEYS = st.lists(st.integers(0, 8), max_size=6)
STEPS = st.lists(
    st.tuples(st.sampled_from(["update", "many", "take", "drop", "get"]), KEYS), max_size=40
)


@given(limit=st.integers(1, 6), steps=STEPS)
def test_what_is_found_is_the_newest_and_was_not_taken_out(
    limit: int, steps: list[tuple[str, list[int]]]
) -> None:
    here: Generations[int, str] = Generations(limit)
    truth: dict[int, str] = {}
    for number, (step, keys) in enumerate(steps):
        match step:
            case "update":
                new = dict.fromkeys(keys, f"of step {number}")
                here.update(new)
                truth.update(new)
            case "many" | "get":
                found = here.many(keys) if step == "many" else [here.get(key) for key in keys]
                assert all(
                    one in {None, truth.get(key)} for key, one in zip(keys, found, strict=True)
                )
            case "take":
                for key, one in zip(keys, here.take(keys), strict=True):
                    assert one in {None, truth.pop(key, None)}
            case "drop":
                here.drop(keys)
                for key in keys:
                    truth.pop(key, None)


def test_the_young_are_all_found() -> None:
    here: Generations[int, str] = Generations(3)
    here.update({1: "a", 2: "b", 3: "c"})
    here.update({4: "d"})
    assert here.many([1, 4, 5, 3]) == ["a", "d", None, "c"]
    assert (here.get(2), here.get(4), here.get(5)) == ("b", "d", None)


def test_the_third_generation_is_gone() -> None:
    here: Generations[int, str] = Generations(2)
    for key in range(9):
        here.update({key: str(key)})
        assert len(here) <= 4
    assert here.many([0, 8]) == [None, "8"]


def test_what_was_taken_out_is_gone_with_its_older_self() -> None:
    here: Generations[str, str] = Generations(1)
    here.update({"x": "old"})
    here.update({"x": "new"})
    assert here.take(["x", "y"]) == ["new", None]
    assert here.many(["x"]) == [None]
