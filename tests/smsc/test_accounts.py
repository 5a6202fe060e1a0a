"""Who may speak: names, networks and passwords in clear and hashed."""

import threading
from typing import Any

import pytest
import trio
from argon2 import PasswordHasher

from pdu.status import Status
from smsc.config_accounts import AccountConfig
from smsc.directory.accounts import Account, AuthRefused, Directory
from smsc.directory.passwords import PasswordChecker
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
