"""The circuit breaker, with time as the test tells it."""

from bridges.connectors.breaker import Breaker


def opened(failures: int = 3, open_s: float = 10.0) -> Breaker:
    breaker = Breaker(failures, open_s)
    for _ in range(failures):
        breaker.failed(0.0, "gone")
    return breaker


def test_it_opens_at_failures_in_a_row() -> None:
    breaker = Breaker(3, 10.0)
    assert not breaker.failed(0.0, "x")
    assert not breaker.failed(0.0, "x")
    breaker.succeeded()
    assert not breaker.failed(0.0, "x")
    assert not breaker.failed(0.0, "x")
    assert breaker.state(0.0) == "closed"
    assert breaker.failed(0.0, "gone")
    assert (breaker.state(0.0), breaker.why, breaker.opened) == ("open", "gone", 1)
    assert not breaker.may_go(9.9)
    assert breaker.wait_s(4.0) == 6.0


def test_half_open_lets_one_go_and_its_success_closes() -> None:
    breaker = opened()
    assert breaker.state(10.0) == "half-open"
    assert breaker.may_go(10.0)
    breaker.began()
    assert not breaker.may_go(10.0)
    assert breaker.succeeded()
    assert breaker.state(10.0) == "closed"
    assert breaker.may_go(10.0)
    assert breaker.why == ""


def test_a_failed_probe_opens_for_twice_as_long_up_to_five_minutes() -> None:
    breaker, now, waits = opened(), 0.0, []
    for _ in range(8):
        wait_s = breaker.wait_s(now)
        assert wait_s is not None
        waits.append(wait_s)
        now += wait_s
        assert breaker.may_go(now)
        breaker.began()
        assert breaker.failed(now, "gone")
    assert waits == [10.0, 20.0, 40.0, 80.0, 160.0, 300.0, 300.0, 300.0]
    breaker.reset()
    for _ in range(3):
        breaker.failed(now, "gone")
    assert breaker.wait_s(now) == 10.0


def test_attempts_from_before_it_opened_are_no_news() -> None:
    breaker = opened()
    assert not breaker.failed(1.0, "late")
    assert breaker.wait_s(1.0) == 9.0
    assert breaker.succeeded(), "an answer closes it, whenever it was asked for"


def test_a_probe_that_was_taken_back_leaves_room_for_another() -> None:
    breaker = opened()
    breaker.began()
    breaker.gave_up()
    assert breaker.may_go(10.0)


def test_an_error_for_people_stops_it_at_once() -> None:
    breaker = Breaker(3, 10.0, stopped_s=300.0)
    assert breaker.misconfigured(0.0, "wrong key")
    assert not breaker.misconfigured(0.0, "wrong key"), "one alarm, not one for each message"
    assert (breaker.state(299.0), breaker.opened) == ("stopped", 1)
    assert not breaker.may_go(299.0)
    assert breaker.may_go(300.0)
    breaker.began()
    assert not breaker.misconfigured(300.0, "wrong key"), "still the same"
    assert breaker.state(301.0) == "stopped"


def test_it_can_wait_for_people_for_ever() -> None:
    breaker = Breaker(stopped_s=0.0)
    breaker.misconfigured(0.0, "wrong key")
    assert not breaker.may_go(1e9)
    assert breaker.wait_s(1e9) is None
    breaker.reset()
    assert breaker.may_go(1e9)


def test_a_stopped_one_whose_probe_finds_nobody_is_open() -> None:
    breaker = Breaker(3, 10.0, stopped_s=300.0)
    breaker.misconfigured(0.0, "wrong key")
    breaker.began()
    assert breaker.failed(300.0, "gone")
    assert breaker.wait_s(300.0) == 10.0
