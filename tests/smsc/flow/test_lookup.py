"""Questions about messages: whose they are, which fit, page after page."""

from collections.abc import Sequence
from typing import Any

import attrs
import pytest

from bridges.http.dialects.base import Content, text_content, to_body
from smsc.flow import lookup
from smsc.flow.lookup import MessageLookup
from smsc.message import AccountId, Message, MessageId, OutletName, Progress, State
from smsc.ports import MessageQuery
from smsc.store.memory_store import MemoryStore

DEMO, OTHER, ROOT = AccountId("demo"), AccountId("other"), AccountId("root")
NOW_MS = 1_790_000_000_000


def a_message(id_: int, account: AccountId = DEMO, to: str = "41791234567", **more: Any) -> Message:
    content = text_content("hello")
    assert isinstance(content, Content)
    body = to_body("Shop", to, content)
    assert isinstance(body, bytes)
    message = Message(
        MessageId(id_),
        account,
        "rest",
        NOW_MS + id_,
        0,
        NOW_MS * 2,
        0,
        0,
        None,
        id_,
        None,
        (),
        body,
    )
    return attrs.evolve(message, **more)


@pytest.fixture
def store() -> MemoryStore:
    return MemoryStore(node=1, soon=lambda call: call())


def accept(store: MemoryStore, messages: Sequence[Message], state: State = State.QUEUED) -> None:
    batch = store.batch()
    batch.accept_many(messages, Progress(state, OutletName("")))
    store.commit_nowait(batch)


@pytest.fixture
def asked(store: MemoryStore) -> MessageLookup:
    return MessageLookup(store, lambda account: account == ROOT, store.progresses)


async def ids(asked: MessageLookup, **conditions: Any) -> list[int]:
    query = MessageQuery(**{"account": DEMO, **conditions})
    return [one.message.id for one in (await asked.reports(query)).reports]


async def test_a_message_is_shown_to_its_owner_and_to_admins(
    store: MemoryStore, asked: MessageLookup
) -> None:
    accept(store, [a_message(5)])
    for account, is_shown in ((DEMO, True), (ROOT, True), (OTHER, False)):
        assert (await asked.report(account, MessageId(5)) is not None) is is_shown
    assert await asked.report(DEMO, MessageId(6)) is None


async def test_a_request_is_found_whole_by_its_first_id(
    store: MemoryStore, asked: MessageLookup
) -> None:
    accept(store, [a_message(5), a_message(6, batch=5), a_message(7, batch=5), a_message(8)])
    assert [one.message.id for one in await asked.batch(DEMO, 5)] == [5, 6, 7]
    assert await asked.batch(OTHER, 5) == []
    assert await asked.batch(DEMO, 4) == []


@pytest.mark.parametrize("count", [1, 7, 8, 9, 72, 600, 2700])
async def test_a_request_of_any_length_is_found_whole(
    store: MemoryStore, asked: MessageLookup, count: int
) -> None:
    accept(store, [a_message(5 + place, batch=5) for place in range(count)])
    accept(store, [a_message(5 + count), a_message(6 + count)])
    assert len(await asked.batch(DEMO, 5)) == count


async def test_a_short_request_is_found_without_reading_much(
    store: MemoryStore, asked: MessageLookup, monkeypatch: pytest.MonkeyPatch
) -> None:
    accept(store, [a_message(place, batch=place) for place in range(1, 3000)])
    read: list[MessageId] = []
    messages = store.messages

    def counted(ids: Sequence[MessageId]) -> list[Message | None]:
        read.extend(ids)
        return messages(ids)

    monkeypatch.setattr(store, "messages", counted)
    await asked.batch(DEMO, 5)
    assert len(read) < 20


async def test_every_condition_that_is_given_must_hold(
    store: MemoryStore, asked: MessageLookup
) -> None:
    accept(store, [a_message(1), a_message(2, to="41780000001"), a_message(3, reference="r")])
    accept(store, [a_message(4), a_message(5, account=OTHER)], State.SCHEDULED)
    assert await ids(asked) == [4, 3, 2, 1]
    assert await ids(asked, account=None) == [5, 4, 3, 2, 1]
    assert await ids(asked, states=frozenset({State.SCHEDULED})) == [4]
    assert await ids(asked, destination="0000001") == [2]
    assert await ids(asked, source="hop", destination="4567") == [4, 3, 1]
    assert await ids(asked, source="shop") == []
    assert await ids(asked, reference="r") == [3]
    assert await ids(asked, from_ms=NOW_MS + 3) == [4, 3]
    assert await ids(asked, until_ms=NOW_MS + 3) == [2, 1]
    assert await ids(asked, above=MessageId(1), below=MessageId(4)) == [3, 2]


async def test_pages_follow_each_other_without_a_gap(
    store: MemoryStore, asked: MessageLookup, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(lookup, "_SLICE_ROWS", 3)
    accept(store, [a_message(id_, account=(DEMO, OTHER)[id_ % 2]) for id_ in range(1, 20)])
    seen: list[int] = []
    below: MessageId | None = None
    for _ in range(20):
        page = await asked.reports(MessageQuery(account=DEMO, below=below, limit=2))
        seen += [one.message.id for one in page.reports]
        below = page.below
        if below is None:
            break
    assert seen == [18, 16, 14, 12, 10, 8, 6, 4, 2]


async def test_a_question_looks_at_a_bounded_number_of_records(
    store: MemoryStore, asked: MessageLookup, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(lookup, "_SLICE_ROWS", 3)
    monkeypatch.setattr(lookup, "_LOOK_ROWS", 6)
    accept(store, [a_message(1)])
    accept(store, [a_message(id_, account=OTHER) for id_ in range(2, 12)])
    first = await asked.reports(MessageQuery(account=DEMO))
    assert (first.reports, first.below) == ([], 6)
    second = await asked.reports(MessageQuery(account=DEMO, below=first.below))
    assert [one.message.id for one in second.reports] == [1]
    assert second.below is None


def test_the_newest_of_a_source(store: MemoryStore, asked: MessageLookup) -> None:
    accept(store, [a_message(1), a_message(2, account=OTHER), a_message(3), a_message(4)])
    assert asked.newest(DEMO, {"Shop"}, 2) == [4, 3]
    assert asked.newest(DEMO, {"Shop", "Shoe"}, 9) == [4, 3, 1]
    assert asked.newest(DEMO, {"Bank"}, 9) == []
