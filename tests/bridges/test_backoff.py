"""How long to wait before the next try."""

import random

from bridges.backoff import Backoff


def test_delays_double_up_to_the_ceiling_and_are_cut_by_half_at_most() -> None:
    backoff = Backoff(random.Random(1), first_s=1.0, ceiling_s=60.0)
    wholes = [1, 2, 4, 8, 16, 32, 60, 60]
    for whole in wholes:
        assert whole / 2 <= backoff.next_s() <= whole


def test_a_success_starts_anew() -> None:
    backoff = Backoff(random.Random(1), first_s=1.0)
    for _ in range(5):
        backoff.next_s()
    backoff.succeeded()
    assert backoff.next_s() <= 1


def test_many_failures_never_overflow() -> None:
    backoff = Backoff(random.Random(1), first_s=0.01, ceiling_s=60.0)
    assert max(backoff.next_s() for _ in range(5000)) <= 60


def test_two_links_do_not_come_back_at_once() -> None:
    delays = {Backoff(random.Random(seed)).next_s() for seed in range(20)}
    assert len(delays) == 20
