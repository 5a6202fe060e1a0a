"""The rooms of the directory over a memory store that commits at once, or when it is told to."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

from smsc.directory import profiles
from smsc.directory.passwords import StoredPassword
from smsc.directory.rooms import DirectoryRooms, build_rooms
from smsc.message import AccountId, MessageId
from smsc.store.ids import IdAllocator
from smsc.store.memory_store import MemoryStore, MemoryTable
from tests.fakes.house import read_config
from tests.fakes.log import FakeLog

START_MS = 1_790_000_000_000
ADMIN, USER = AccountId("admin"), AccountId("user")
TOML = """
[accounts.admin]
password = "admin"
admin = true
[accounts.user]
password = "user"
credit = 10
[outlets.sim]
kind = "simulator"
"""


def quick_hash(password: str) -> StoredPassword:
    """argon2 as cheap as it gets."""
    from argon2 import PasswordHasher

    hasher = PasswordHasher(time_cost=1, memory_cost=8, parallelism=1)
    return StoredPassword(hasher.hash(password), is_hash=True)


class Annex:
    """The four rooms; `restart` reads the disk again, `toml` may have changed meanwhile."""

    def __init__(self, tmp_path: Path, monkeypatch: Any, toml: str = TOML) -> None:
        monkeypatch.setattr(profiles, "hash_password", quick_hash)
        self.toml = toml
        self.now_ms = START_MS
        self.is_slow = False
        """The disk answers only to `commit`."""
        self._tmp_path = tmp_path
        self._tables: tuple[MemoryTable, ...] | None = None
        self._last_id = MessageId(0)
        self.log = FakeLog()
        self.restart()

    rooms: DirectoryRooms
    store: MemoryStore

    def restart(self, toml: str | None = None) -> None:
        """As a restart of the process does; what was not committed is gone."""
        self.toml = toml or self.toml
        config = read_config(self.toml, self._tmp_path / "var")
        if self._tables is not None:
            self._last_id = MessageId(self.store.ids.newest)
        self.store = MemoryStore(node=1, soon=self._soon, last_id=self._last_id)
        self.ids: IdAllocator = self.store.ids
        if self._tables is not None:
            self.store.tables = self._tables
        self._tables = self.store.tables
        self.rooms = build_rooms(config, self.store, self.ids, lambda: self.now_ms, self.log.log)
        self.directory = self.rooms.directory
        self.opened: list[str] = []
        self.closed: list[str] = []
        self.directory.account_opened = lambda account: self.opened.append(account.name)
        self.directory.account_closed = lambda account, _why: self.closed.append(account)

    def commit(self) -> None:
        """The disk answers."""
        self.store.retry()

    def _soon(self, call: Callable[[], None]) -> None:
        if not self.is_slow:
            call()
