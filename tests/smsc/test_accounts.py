"""Who may speak: names, networks and passwords in clear and hashed."""

import threading
from typing import Any

import pytest
import trio
import trio.testing
from argon2 import PasswordHasher

from pdu.status import Status
from smsc.config_accounts import AccountConfig
from smsc.directory.accounts import Account, AuthRefused, Directory
from smsc.directory.passwords import PasswordChecker
from smsc.directory.slowdown import CEILING_S, FIRST_S, FREE
from tests.fakes.house import read_config

LOOPBACK = "127.0.0.1"


def accounts(tmp_path: Any) -> dict[str, AccountConfig]:
    hashed = PasswordHasher(time_cost=1, memory_cost=8, parallelism=1).hash("secret")
    toml = f"""
[accounts.demo]
password = "demo"
admin = true
[accounts.near]
password = "near"
networks = ["127.0.0.0/8", "::1/128"]
[accounts.hashed]
password_hash = "{hashed}"
"""
    return dict(read_config(toml, tmp_path).accounts)


@pytest.fixture
def directory(tmp_path: Any) -> Directory:
    return Directory(accounts(tmp_path))


async def test_the_right_password_proves_it(directory: Directory) -> None:
    verdict = await directory.authenticate("demo", "demo", LOOPBACK)
    assert isinstance(verdict, Account)
    assert (verdict.name, verdict.admin) == ("demo", True)


@pytest.mark.parametrize("name", ["demo", "hashed"])
@pytest.mark.parametrize("password", ["", "Demo", "demo ", "secret\0", "sécret"])
async def test_no_other_password_does(directory: Directory, name: str, password: str) -> None:
    verdict = await directory.authenticate(name, password, LOOPBACK)
    assert verdict == AuthRefused(Status.ESME_RINVPASWD, "wrong password")


@pytest.mark.parametrize("name", ["nobody", "", "DEMO", "demo\0"])
async def test_names_are_as_written(directory: Directory, name: str) -> None:
    verdict = await directory.authenticate(name, "demo", LOOPBACK)
    assert isinstance(verdict, AuthRefused)
    assert verdict.status == Status.ESME_RINVSYSID


@pytest.mark.parametrize(
    ("peer", "may"),
    [
        (LOOPBACK, True),
        ("127.8.9.1", True),
        ("::1", True),
        ("::ffff:127.0.0.1", True),
        ("10.0.0.1", False),
        ("::2", False),
        ("", False),
    ],
)
async def test_where_an_account_may_come_from(directory: Directory, peer: str, may: bool) -> None:
    verdict = await directory.authenticate("near", "near", peer)
    assert isinstance(verdict, Account) is may
    if isinstance(verdict, AuthRefused):
        assert verdict.is_network
        assert verdict.status == Status.ESME_RBINDFAIL


async def test_the_wrong_network_is_refused_before_the_password_is_looked_at(
    directory: Directory,
) -> None:
    verdict = await directory.authenticate("near", "wrong", "10.0.0.1")
    assert isinstance(verdict, AuthRefused)
    assert verdict.is_network


async def test_a_hash_is_checked_beside_the_loop_one_at_a_time_and_once(
    directory: Directory, monkeypatch: pytest.MonkeyPatch
) -> None:
    verify = PasswordChecker.verify
    threads: list[int] = []

    def noting(*args: Any) -> bool:
        threads.append(threading.get_ident())
        return verify(*args)

    monkeypatch.setattr(PasswordChecker, "verify", noting)
    async with trio.open_nursery() as nursery:
        for _ in range(3):
            nursery.start_soon(directory.authenticate, "hashed", "secret", LOOPBACK)
    assert len(threads) == 3
    assert threading.get_ident() not in threads
    assert directory._limiter.total_tokens == 1
    # Verified before: no thread is needed any more, for right and for wrong.
    threads.clear()
    assert isinstance(await directory.authenticate("hashed", "secret", LOOPBACK), Account)
    assert isinstance(await directory.authenticate("hashed", "wrong", LOOPBACK), AuthRefused)
    assert threads == [threading.get_ident()] * 2


async def test_guessing_gets_slower_and_slower(
    directory: Directory, autojump_clock: trio.testing.MockClock
) -> None:
    took = []
    for _ in range(12):
        began = trio.current_time()
        verdict = await directory.authenticate("demo", "guess", "192.0.2.1")
        assert verdict == AuthRefused(Status.ESME_RINVPASWD, "wrong password")
        took.append(trio.current_time() - began)
    assert took[: FREE + 2] == [0.0] * FREE + [FIRST_S, 2 * FIRST_S]
    assert took[-1] == CEILING_S
    # Unknown names are no quicker way to try, and the right password waits no longer than a guess.
    began = trio.current_time()
    await directory.authenticate("nobody", "guess", "192.0.2.1")
    assert trio.current_time() - began == CEILING_S
    assert isinstance(await directory.authenticate("demo", "demo", "192.0.2.1"), Account)
    assert trio.current_time() - began <= 2 * CEILING_S


async def test_a_good_address_does_not_wait_for_the_sins_of_others(
    directory: Directory, autojump_clock: trio.testing.MockClock
) -> None:
    assert isinstance(await directory.authenticate("demo", "demo", LOOPBACK), Account)
    for number in range(50):
        await directory.authenticate("demo", "guess", f"192.0.2.{number}")
    began = trio.current_time()
    assert isinstance(await directory.authenticate("demo", "demo", LOOPBACK), Account)
    assert trio.current_time() == began


async def test_one_address_guesses_no_faster_over_many_connections(
    directory: Directory, autojump_clock: trio.testing.MockClock
) -> None:
    verdicts: list[str] = []

    async def guess() -> None:
        verdict = await directory.authenticate("demo", "guess", "192.0.2.1")
        assert isinstance(verdict, AuthRefused)
        verdicts.append(verdict.why)

    for _ in range(20):
        await guess()
    verdicts.clear()
    began = trio.current_time()
    async with trio.open_nursery() as nursery:
        for _ in range(100):
            nursery.start_soon(guess)
    looked_at = verdicts.count("wrong password")
    assert looked_at == 2
    assert trio.current_time() - began == looked_at * CEILING_S
    assert all("try again" in why for why in verdicts if why != "wrong password")
