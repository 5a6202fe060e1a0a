"""Inboxes: kept, found in pages, bounded by number and age."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from smsc.directory.inbox import SANDBOX, InboxShelf
from smsc.message import AccountId, MessageId
from smsc.ports import Inbox, InboxKind, InboxQuery, Received, Refused
from smsc.store.ids import IdAllocator
from smsc.store.memory_store import MemoryStore
from tests.smsc.directory.rooms import START_MS, USER

OTHER = AccountId("other")
KEYWORD, BY_NUMBER, LOST = InboxKind.KEYWORD, InboxKind.INBOX, InboxKind.SANDBOX


class Shelf:
    """A shelf over a memory store, and the clock."""

    def __init__(self, keep_s: float = 0.0, limit: int = 1000) -> None:
        self.now_ms = START_MS
        self.store = MemoryStore(node=1, soon=lambda call: call())
        self.keep_s, self.limit = keep_s, limit
        self.reopen()

    def reopen(self) -> None:
        self.inbox = InboxShelf(
            self.store,
            self.store.ids,
            lambda: self.now_ms,
            {USER, OTHER}.__contains__,
            keep_s=self.keep_s,
            limit=self.limit,
        )
        self.port: Inbox = self.inbox  # mypy proves it

    def keep(self, *texts: str, account: AccountId = USER, kind: InboxKind = KEYWORD) -> None:
        """In one batch."""
        batch = self.store.batch()
        for text in texts:
            source, _, keyword = text.partition("/")
            self.inbox.keep(
                batch,
                self.inbox.make(
                    account, kind, source, "12345", text, keyword=keyword, outlet="sim"
                ),
            )
        self.store.commit_nowait(batch)

    def texts(self, query: InboxQuery | None = None, account: AccountId = USER) -> list[str]:
        found = (
            self.inbox.received(account, query or InboxQuery())
            if account
            else self.inbox.sandbox(query or InboxQuery())
        )
        return [one.text for one in found]


def test_newest_first_whole_and_after_a_restart() -> None:
    shelf = Shelf()
    shelf.keep("1", "2")
    shelf.keep("3", account=OTHER)
    shelf.keep("4", account=SANDBOX, kind=LOST)
    for _ in range(2):
        assert shelf.texts() == ["2", "1"]
        assert shelf.texts(account=OTHER) == ["3"]
        assert shelf.texts(account=SANDBOX) == ["4"]
        assert shelf.inbox.count(USER) == 2
        shelf.reopen()
    (newest, _) = shelf.inbox.received(USER, InboxQuery())
    assert newest == Received(
        id=newest.id,
        account=USER,
        kind=KEYWORD,
        source="2",
        destination="12345",
        text="2",
        received_ms=START_MS,
        outlet="sim",
    )


def test_nobody_reads_the_sandbox_as_an_inbox() -> None:
    shelf = Shelf()
    shelf.keep("1", account=SANDBOX, kind=LOST)
    assert shelf.inbox.received(SANDBOX, InboxQuery()) == []


@pytest.mark.parametrize(
    ("query", "expected"),
    [
        (InboxQuery(), ["79/Stop", "41791/start", "41790/STOP"]),
        (InboxQuery(source="79"), ["79/Stop"]),
        (InboxQuery(source="791"), ["41791/start"]),
        (InboxQuery(destination="345"), ["79/Stop", "41791/start", "41790/STOP"]),
        (InboxQuery(destination="9"), []),
        (InboxQuery(keyword="stop"), ["79/Stop", "41790/STOP"]),
        (InboxQuery(keyword="stop", limit=1), ["79/Stop"]),
        (InboxQuery(kinds=frozenset({BY_NUMBER})), []),
        (InboxQuery(kinds=frozenset({BY_NUMBER, KEYWORD}), limit=2), ["79/Stop", "41791/start"]),
    ],
)
def test_conditions(query: InboxQuery, expected: list[str]) -> None:
    shelf = Shelf()
    shelf.keep("41790/STOP", "41791/start", "79/Stop")
    assert shelf.texts(query) == expected


def test_pages() -> None:
    shelf = Shelf()
    shelf.keep(*"12345")
    first = shelf.inbox.received(USER, InboxQuery(limit=2))
    second = shelf.inbox.received(USER, InboxQuery(limit=2, below=first[-1].id))
    assert [one.text for one in (*first, *second)] == ["5", "4", "3", "2"]
    newer = shelf.inbox.received(USER, InboxQuery(above=second[-1].id))
    assert [one.text for one in newer] == ["5", "4", "3"]


async def test_accounts_write_to_each_other() -> None:
    shelf = Shelf()
    written = await shelf.inbox.write(OTHER, "", "hello", USER)
    assert isinstance(written, Received)
    assert (written.source, written.destination, written.kind) == ("user", "other", BY_NUMBER)
    assert shelf.texts(account=OTHER) == ["hello"]
    for to, text in (("nobody", "x"), (OTHER, ""), (OTHER, "x" * 10_001), ("", "x")):
        assert isinstance(await shelf.inbox.write(AccountId(to), "", text, USER), Refused)


async def test_what_is_deleted_is_gone() -> None:
    shelf = Shelf()
    shelf.keep(*"123")
    second = shelf.inbox.received(USER, InboxQuery())[1]
    assert not await shelf.inbox.remove(OTHER, second.id)
    assert await shelf.inbox.remove(USER, second.id)
    assert not await shelf.inbox.remove(USER, second.id)
    assert (shelf.texts(), shelf.inbox.count(USER)) == (["3", "1"], 2)


def test_above_the_limit_the_oldest_go_even_within_one_batch() -> None:
    shelf = Shelf(limit=3)
    shelf.keep("1", "2")
    shelf.keep(*"34567", account=OTHER)
    shelf.keep(*"3456")
    shelf.inbox.forget_old()
    assert (shelf.texts(), shelf.inbox.count(USER)) == (["6", "5", "4"], 3)
    assert shelf.texts(account=OTHER)[:3] == ["7", "6", "5"]
    shelf.reopen()
    shelf.keep("7")
    assert shelf.texts() == ["7", "6", "5"]


def test_old_ones_are_forgotten_some_at_a_time() -> None:
    shelf = Shelf(keep_s=10)
    shelf.keep(*map(str, range(600)))
    shelf.now_ms += 11_000
    shelf.keep("new", account=OTHER)
    shelf.keep("new")
    assert shelf.inbox.forget_old() == 500
    assert shelf.inbox.forget_old() == 100
    assert shelf.inbox.forget_old() == 0
    assert shelf.texts() == ["new"]
    assert shelf.inbox.count(USER) == shelf.inbox.count(OTHER) == 1


def test_without_keep_s_nothing_is_forgotten() -> None:
    shelf = Shelf()
    shelf.keep("1")
    shelf.now_ms *= 2
    assert shelf.inbox.forget_old() == 0


@settings(max_examples=50, deadline=None)
@given(
    batches=st.lists(st.lists(st.sampled_from([USER, OTHER]), max_size=6), max_size=12),
    limit=st.integers(1, 5),
)
def test_each_account_has_its_newest_up_to_the_limit(
    batches: list[list[AccountId]], limit: int
) -> None:
    shelf = Shelf(limit=limit)
    expected: dict[AccountId, list[str]] = {USER: [], OTHER: []}
    number = 0
    for accounts in batches:
        batch = shelf.store.batch()
        for account in accounts:
            number += 1
            shelf.inbox.keep(batch, shelf.inbox.make(account, KEYWORD, "", "", str(number)))
            expected[account].append(str(number))
        shelf.store.commit_nowait(batch)
    shelf.inbox.forget_old()
    for account, texts in expected.items():
        assert shelf.texts(account=account) == texts[::-1][:limit]
        assert shelf.inbox.count(account) == min(len(texts), limit)


def test_ids_come_from_the_series_of_the_node() -> None:
    ids = IdAllocator(1, 0)
    store = MemoryStore(node=1, soon=lambda call: call())
    shelf = InboxShelf(store, ids, lambda: START_MS, lambda _account: True)
    one = shelf.make(USER, KEYWORD, "", "", "x")
    assert one.id < MessageId(ids.take(1, START_MS)[0])
