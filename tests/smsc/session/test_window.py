"""The window against a plain list of what was sent."""

from math import ceil

from hypothesis import given
from hypothesis import strategies as st

from pdu.commands import Command
from pdu.framer import Framer
from smsc.session.window import _LAST_SEQUENCE, UNKNOWN, Window

LIMIT_S = 5.0
STEPS = st.lists(
    st.one_of(
        st.tuples(st.just("put"), st.integers(1, 5)),
        st.tuples(st.just("pop"), st.integers(0, 30)),
        st.tuples(st.just("late"), st.sampled_from([0.001, 0.04, 0.5, 2.0, 5.0, 7.0])),
    ),
    max_size=60,
)


@given(steps=STEPS, first=st.sampled_from([0, _LAST_SEQUENCE - 4]))
def test_each_request_ends_once_and_late_ones_in_order(
    steps: list[tuple[str, float]], first: int
) -> None:
    window = Window(1000)
    window._sequence = first
    now, count = 100.0, 0
    sent: list[tuple[int, str, float]] = []  # what is under way: number, context, when
    moments: list[int] = []
    for step, how in steps:
        match step:
            case "put":
                contexts = [f"message {count + one}" for one in range(int(how))]
                count += len(contexts)
                pdus = window.put_many(Command.SUBMIT_SM, [b"x"] * len(contexts), contexts, now)
                frames = Framer().feed(b"".join(pdus))
                assert [frame[3] for frame in frames] == [b"x"] * len(contexts)
                sent += [
                    (frame[2], context, now)
                    for frame, context in zip(frames, contexts, strict=True)
                ]
                # What was answered is not remembered; what was sent together is one span, or two
                # where the numbers began anew.
                moments.append(ceil(now * 16))
                kept = {one for one in moments if one >= ceil(sent[0][2] * 16)}
                assert len(window._spans) <= len(kept) + bool(first)
            case "pop" if sent:
                number, context, _ = sent.pop(int(how) % len(sent))
                assert window.pop(number, UNKNOWN) == context
                assert window.pop(number, UNKNOWN) is UNKNOWN
            case "late":
                now += how
                late = window.take_late(now, LIMIT_S)
                ended, sent = sent[: len(late)], sent[len(late) :]
                assert late == [context for _, context, _ in ended]
                assert all(now - at > LIMIT_S - 1e-9 for _, _, at in ended)
                assert all(now - at < LIMIT_S + 1 / 16 + 1e-9 for _, _, at in sent)
        assert len(window) == len(sent)
        assert window.room == 1000 - len(sent)
    assert window.take_all() == [context for _, context, _ in sent]
    assert len(window) == 0


def test_numbers_begin_anew_behind_the_last_one() -> None:
    window = Window(10)
    window._sequence = _LAST_SEQUENCE - 2
    window.put_many(Command.SUBMIT_SM, [b""] * 2, "ab", 0.0)
    window.put_many(Command.SUBMIT_SM, [b""] * 2, "cd", 0.0)
    numbers = (_LAST_SEQUENCE - 1, _LAST_SEQUENCE, 1, 2)
    assert [window.pop(number, UNKNOWN) for number in numbers] == [*"abcd"]


def test_a_write_that_has_no_room_before_the_last_number_begins_at_one() -> None:
    window = Window(10)
    window._sequence = _LAST_SEQUENCE - 1
    window.put_many(Command.SUBMIT_SM, [b""] * 3, "abc", 0.0)
    assert [window.pop(number, UNKNOWN) for number in (1, 2, 3)] == [*"abc"]


def test_a_request_without_an_answer_keeps_few_spans() -> None:
    window = Window(10_000)
    window.put_many(Command.SUBMIT_SM, [b""], ["lost"], 0.0)
    for millisecond in range(1, 10_000):
        now = millisecond / 1000
        window.put_many(Command.SUBMIT_SM, [b""], [millisecond], now)
        assert window.pop(window._sequence, UNKNOWN) == millisecond
        assert window.take_late(now, 60.0) == []
    assert len(window._spans) <= 10 * 16 + 1
    assert window.take_late(60.0, 60.0) == ["lost"]
    window.put_many(Command.SUBMIT_SM, [b""], ["next"], 60.0)
    assert len(window._spans) == 1
