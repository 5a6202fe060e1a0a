"""Passwords: right, wrong, and what they cost."""

import argon2
import pytest
from argon2.exceptions import InvalidHashError, VerificationError

from smsc.directory import passwords
from smsc.directory.passwords import (
    PasswordChecker,
    StoredPassword,
    hash_password,
    is_argon2_hash,
)

CHEAP = argon2.PasswordHasher(time_cost=1, memory_cost=8, parallelism=1)


def hashed(clear: str) -> StoredPassword:
    return StoredPassword(CHEAP.hash(clear), is_hash=True)


class CountingHasher:
    """Stands in for argon2 and counts how often it was paid for."""

    def __init__(self) -> None:
        self.calls = 0

    def verify(self, stored: str, given: bytes) -> bool:
        self.calls += 1
        return CHEAP.verify(stored, given)


def counted(monkeypatch: pytest.MonkeyPatch) -> tuple[PasswordChecker, CountingHasher]:
    hasher = CountingHasher()
    monkeypatch.setattr(passwords, "PasswordHasher", lambda: hasher)
    return PasswordChecker(), hasher


@pytest.mark.parametrize("given", ["", "demo ", "Demo", "dem", "demo\0", "dém\udce9"])
def test_clear_text_matches_itself_only(given: str) -> None:
    checker = PasswordChecker()
    stored = StoredPassword("demo")
    assert checker.is_cheap(stored)
    assert checker.verify(stored, "demo")
    assert not checker.verify(stored, given)


def test_a_clear_password_that_looks_like_a_hash_is_a_clear_password() -> None:
    text = hashed("demo").text
    checker = PasswordChecker()
    assert checker.verify(StoredPassword(text), text)
    assert not checker.verify(StoredPassword(text), "demo")


def test_argon2_is_paid_once_the_right_password_is_known(monkeypatch: pytest.MonkeyPatch) -> None:
    checker, hasher = counted(monkeypatch)
    stored = hashed("pässword")
    assert not checker.is_cheap(stored)
    assert not checker.verify(stored, "guess")
    assert not checker.is_cheap(stored)
    assert checker.verify(stored, "pässword")
    assert hasher.calls == 2
    assert checker.is_cheap(stored)
    assert checker.verify(stored, "pässword")
    assert not checker.verify(stored, "guess")
    assert hasher.calls == 2


def test_a_new_hash_of_the_same_account_is_checked_anew(monkeypatch: pytest.MonkeyPatch) -> None:
    checker, hasher = counted(monkeypatch)
    assert checker.verify(hashed("old"), "old")
    assert not checker.verify(hashed("new"), "old")
    assert hasher.calls == 2


def test_what_is_remembered_has_a_bound(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(passwords, "REMEMBERED", 2)
    checker, _ = counted(monkeypatch)
    first, second, third = hashed("a"), hashed("b"), hashed("c")
    for stored, given in ((first, "a"), (second, "b"), (third, "c")):
        assert checker.verify(stored, given)
    assert [checker.is_cheap(stored) for stored in (first, second, third)] == [False, True, True]


def test_hashes_are_recognised() -> None:
    stored = hash_password("demo")
    assert stored.is_hash
    assert is_argon2_hash(stored.text)
    assert PasswordChecker().verify(stored, "demo")


def test_what_argon2_would_choke_on_is_no_hash() -> None:
    text = hashed("demo").text
    head, salt, digest = text.rsplit("$", 2)
    for broken in (
        "",
        "demo",
        "$argon2id$",
        "$2b$12$abcdefghijklmnopqrstuv",
        f"{head}${salt}",
        f"{head}$${digest}",
        f"{head}${salt}$",
        f"{head}${salt}!${digest}",
        f"{head}${salt}${digest}=",
        text.replace("m=", "n="),
        text.replace("argon2id", "argon2x"),
    ):
        assert not is_argon2_hash(broken), broken
        with pytest.raises((VerificationError, InvalidHashError)):
            PasswordChecker().verify(StoredPassword(broken, is_hash=True), "demo")


def test_nothing_prints_a_password() -> None:
    assert "demo" not in repr(StoredPassword("demo"))
