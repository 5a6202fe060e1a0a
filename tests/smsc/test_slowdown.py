"""Guessing is slow, and good addresses do not feel it."""

import pytest

from smsc.directory import slowdown
from smsc.directory.slowdown import CEILING_S, FIRST_S, FORGIVEN_S, FREE, REMEMBERED, Slowdown

BAD, GOOD = "192.0.2.1", "198.51.100.7"


def after(failures: int, account: str = "demo", address: str = BAD) -> Slowdown:
    one = Slowdown()
    for _ in range(failures):
        one.failed(address, account, 0.0)
    return one


def test_the_first_mistakes_cost_nothing() -> None:
    assert after(FREE - 1).delay_s(BAD, "demo", 0.0) == 0.0
    assert after(FREE).delay_s(BAD, "demo", 0.0) == FIRST_S


def test_the_delay_grows_and_ends() -> None:
    delays = [after(count).delay_s(BAD, "demo", 0.0) for count in range(FREE, FREE + 40)]
    assert delays[:4] == [FIRST_S, 2 * FIRST_S, 4 * FIRST_S, 8 * FIRST_S]
    assert delays[-1] == CEILING_S


def test_an_address_that_fails_on_many_accounts_is_slowed_down_on_all() -> None:
    one = Slowdown()
    for number in range(FREE):
        one.failed(BAD, f"account{number}", 0.0)
    assert one.delay_s(BAD, "demo", 0.0) == FIRST_S
    assert one.delay_s(GOOD, "demo", 0.0) == 0.0


def test_an_account_that_many_addresses_guess_at_is_slow_for_strangers_only() -> None:
    one = Slowdown()
    one.succeeded(GOOD, "demo")
    for number in range(100):
        one.failed(f"203.0.113.{number}", "demo", 0.0)
    assert one.delay_s("192.0.2.99", "demo", 0.0) == CEILING_S
    assert one.delay_s("192.0.2.99", "other", 0.0) == 0.0
    assert one.delay_s(GOOD, "demo", 0.0) == 0.0


def test_a_good_address_that_fails_is_a_stranger_again() -> None:
    one = after(20)
    one.succeeded(BAD, "demo")
    assert one.delay_s(BAD, "demo", 0.0) == 0.0
    one.failed(BAD, "demo", 0.0)
    assert one.delay_s(BAD, "demo", 0.0) == CEILING_S


def test_attempts_of_one_address_take_turns_and_too_many_are_refused() -> None:
    one = after(100)
    assert [one.delay_s(BAD, "demo", 0.0) for _ in range(3)] == [CEILING_S, 2 * CEILING_S, None]
    assert one.delay_s(BAD, "demo", CEILING_S) == 2 * CEILING_S
    assert one.delay_s(BAD, "demo", 3 * CEILING_S) == CEILING_S


def test_failures_are_forgiven() -> None:
    one = after(FREE + 2)
    assert one.delay_s(BAD, "demo", 2 * FORGIVEN_S) == FIRST_S
    assert one.delay_s(BAD, "demo", 3 * FORGIVEN_S) == 0.0


def test_memory_is_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    assert REMEMBERED <= 10_000
    monkeypatch.setattr(slowdown, "REMEMBERED", 10)
    one = after(FREE + 9)
    for number in range(100):
        one.failed(f"203.0.113.{number}", f"a{number}", 0.0)
        one.succeeded(f"203.0.113.{number}", f"b{number}")
    assert len(one) == 30


@pytest.mark.parametrize(
    ("first", "second", "alike"),
    [
        ("2001:db8:1:2::1", "2001:db8:1:2:ffff::9", True),
        ("2001:db8:1:2::1", "2001:db8:1:3::1", False),
        ("fe80::1%eth0", "fe80::2%eth0", True),
        ("::ffff:192.0.2.1", "::ffff:192.0.2.2", False),
        ("192.0.2.1", "192.0.2.2", False),
        ("unix:a", "unix:a", True),
    ],
)
def test_in_ipv6_a_host_has_a_whole_64(first: str, second: str, alike: bool) -> None:
    one = after(FREE, account="other", address=first)
    assert (one.delay_s(second, "demo", 0.0) == FIRST_S) is alike
