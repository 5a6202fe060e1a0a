"""What only the store on disk can do: run out of room, break, be killed."""

import errno
import os
import random
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import lmdb
import pytest
import trio

from smsc.message import MessageId, Progress, State
from smsc.ports import CommitResult, Committed, StoreFull
from smsc.store.batch import WriteBatch
from smsc.store.lmdb_store import LmdbStore, open_store
from smsc.store.opening import MapSize
from smsc.store.records import encode_message
from smsc.store.space import LOOK_S
from tests.contracts.store_contract import NOW_MS, QUEUED, SIM, a_delivery, a_message
from tests.smsc.store.houses import LmdbHouse
from tests.smsc.store.small_disk import mounted, resize

BODY = bytes(1000)
SMALL = MapSize(16, 0)


@pytest.fixture
def house(tmp_path: Path) -> Iterator[LmdbHouse]:
    house = LmdbHouse(tmp_path / "var")
    yield house
    house.close()


def accept(house: LmdbHouse, n: int) -> tuple[list[MessageId], CommitResult]:
    batch = WriteBatch()
    ids = [MessageId(id_) for id_ in house.ids.take(n, NOW_MS)]
    for id_ in ids:
        batch.accept_many([a_message(id_, BODY)], QUEUED)
    return ids, house.commit(batch)


def finish(house: LmdbHouse, ids: list[MessageId]) -> CommitResult:
    batch = WriteBatch()
    for id_ in ids:
        batch.progress(id_, Progress(State.DELIVERED, SIM, upstream_ids=(str(id_),)))
    return house.commit(batch)


# --- in a Trio loop ---------------------------------------------------------------------------


async def test_answers_come_in_the_loop_and_the_block_ends_with_all_on_disk(
    tmp_path: Path,
) -> None:
    failures: list[Exception] = []
    answers: list[CommitResult] = []
    answered = trio.Event()

    def done(result: CommitResult) -> None:
        trio.lowlevel.current_task()  # raises outside of the loop
        answers.append(result)
        answered.set()

    async with open_store(tmp_path, node=7, failed=failures.append, map_size=SMALL) as store:
        first, second = (MessageId(id_) for id_ in store.ids.take(2, NOW_MS))
        batch = store.batch()
        batch.accept_many([a_message(first)], QUEUED)
        store.commit_nowait(batch, done)
        await answered.wait()
        assert store.message(first) == a_message(first)
        batch = store.batch()
        batch.accept_many([a_message(second)], QUEUED)
        store.commit_nowait(batch, answers.append)
    assert answers == [Committed(), Committed()]
    assert failures == []
    async with open_store(tmp_path, node=7, failed=failures.append, map_size=SMALL) as store:
        assert [id_ for id_, _ in store.waiting()] == [first, second]


async def test_a_cancelled_block_writes_and_answers_too(tmp_path: Path) -> None:
    answers: list[CommitResult] = []
    with trio.CancelScope() as scope:
        async with open_store(tmp_path, node=7, failed=_raise, map_size=SMALL) as store:
            batch = store.batch()
            batch.accept_many([a_message(5)], QUEUED)
            store.commit_nowait(batch, answers.append)
            scope.cancel()
            await trio.sleep_forever()
    assert answers == [Committed()]


def _raise(error: Exception) -> None:
    raise error


def test_production_syncs_fully_and_never_maps_for_writing(house: LmdbHouse) -> None:
    flags = house.store._disk._env.flags()
    assert flags["sync"]
    assert flags["metasync"]
    assert flags["lock"]
    assert not flags["writemap"]
    assert not flags["map_async"]


def test_new_messages_are_not_kept_once_they_are_in_the_transaction(house: LmdbHouse) -> None:
    (id_,) = house.ids.take(1, NOW_MS)
    batch, results = WriteBatch(), list[CommitResult]()
    batch.accept_many([a_message(id_)], QUEUED)
    house.store.commit_nowait(batch, results.append)
    (group,) = house.store._writer.layers
    assert len(group.messages) == len(group.keys) == len(group.statuses) == 1
    house.calls.get(timeout=30)()  # put; the commit is under way
    assert group.messages == group.keys == group.statuses == []
    while not results:
        house.calls.get(timeout=30)()
    assert house.store.message(MessageId(id_)) == a_message(id_)


# --- no room ----------------------------------------------------------------------------------


def test_a_full_map_refuses_new_messages_keeps_the_rest_and_drains(tmp_path: Path) -> None:
    house = LmdbHouse(tmp_path / "var", map_size_mb=4)
    accepted: list[MessageId] = []
    result: CommitResult = Committed()
    said_full_at = None
    while result == Committed():
        ids, result = accept(house, 50)
        if result == Committed():
            accepted += ids
            if house.store.is_full and said_full_at is None:
                said_full_at = len(accepted)
    assert isinstance(result, StoreFull)
    assert "map" in result.why
    assert house.store.why_full is not None
    assert said_full_at is not None
    assert said_full_at < len(accepted)  # intake is told before the map is quite full

    assert house.store.message(ids[0]) is None
    assert finish(house, accepted) == Committed()  # the queue can still drain
    house.reopen()
    assert house.store.counts()["message"] == len(accepted)
    assert house.store.is_full
    assert len(house.store.waiting()) == 0

    while old := house.store.finished(MessageId(0), MessageId(1 << 62), 0, 50)[0]:
        batch = WriteBatch()
        house.store.forget(batch, old)
        assert house.commit(batch) == Committed()
    assert not house.store.is_full
    assert accept(house, 50)[1] == Committed()
    assert house.failures == []
    house.close()


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    with mounted(tmp_path / "disk", 4) as disk:
        yield disk


def test_a_full_disk_refuses_new_messages_and_loses_none(small_disk: Path) -> None:
    house = LmdbHouse(small_disk / "var")
    accepted: list[MessageId] = []
    result: CommitResult = Committed()
    while result == Committed():
        ids, result = accept(house, 20)
        if result == Committed():
            accepted += ids
    assert isinstance(result, StoreFull)
    assert "disk" in result.why
    assert house.store.is_full
    assert house.failures == []
    assert not house.store._writer.latched

    answers: list[CommitResult] = []
    batch = WriteBatch()
    for id_ in accepted:
        batch.progress(id_, Progress(State.ENROUTE, SIM, 1, upstream_ids=("x" * 60,)))
        batch.park(a_delivery(id_))
    house.hand_in(batch, answers.append)
    for _ in range(20):  # tries and rests
        house.calls.get(timeout=30)()
    assert answers == []  # kept
    assert house.store.progress(accepted[0]) == Progress(
        State.ENROUTE, SIM, 1, upstream_ids=("x" * 60,)
    )

    resize(small_disk, 64)
    while not answers:
        house.calls.get(timeout=30)()
    assert answers == [Committed()]
    house.store._space._looked_at -= LOOK_S
    assert not house.store.is_full
    assert accept(house, 20)[1] == Committed()
    house.reopen()
    assert house.store.counts()["message"] == len(accepted) + 20
    assert house.store.counts()["parked"] == len(accepted)
    assert house.store.message(accepted[-1]) == a_message(accepted[-1], BODY)
    house.close()


class FailingTransaction:
    """A transaction whose commit fails as the disk's would."""

    def __init__(self, txn: lmdb.Transaction, error: Exception) -> None:
        self.txn, self.error = txn, error

    def commit(self) -> None:
        self.txn.abort()
        raise self.error


def failing_commit(house: LmdbHouse, error: Exception, monkeypatch: pytest.MonkeyPatch) -> None:
    """The next commit fails."""
    disk = house.store._disk
    put = disk.put

    def put_once(group: object) -> None:
        put(group)  # type: ignore[arg-type]
        monkeypatch.undo()
        monkeypatch.setattr(disk, "_txn", FailingTransaction(disk._txn, error))

    monkeypatch.setattr(disk, "put", put_once)


def test_a_failed_fsync_trips_the_latch_and_is_never_answered(
    house: LmdbHouse, monkeypatch: pytest.MonkeyPatch
) -> None:
    failing_commit(house, lmdb.Error(os.strerror(errno.EIO)), monkeypatch)
    answers: list[CommitResult] = []
    batch = WriteBatch()
    batch.accept_many([a_message(5)], QUEUED)
    house.hand_in(batch, answers.append)
    while not house.failures:
        house.calls.get(timeout=30)()
    assert house.store.is_full
    house.hand_in(WriteBatch(), answers.append)
    house.store.close()
    assert answers == []
    assert [str(failure) for failure in house.failures] == ["Input/output error"]
    house.open()
    assert house.store.message(MessageId(5)) is None


def test_enospc_at_commit_refuses_and_goes_on(
    house: LmdbHouse, monkeypatch: pytest.MonkeyPatch
) -> None:
    failing_commit(house, lmdb.DiskError(os.strerror(errno.ENOSPC)), monkeypatch)
    _, result = accept(house, 1)
    assert result == StoreFull("the disk that holds the store is full")
    assert house.store.is_full
    house.store._space._looked_at -= LOOK_S
    assert not house.store.is_full  # the disk has room
    assert accept(house, 1)[1] == Committed()


# --- ids out of order -------------------------------------------------------------------------


def test_a_message_with_an_id_below_the_newest_is_stored_all_the_same(house: LmdbHouse) -> None:
    for id_ in (50, 40, 60):
        batch = WriteBatch()
        batch.accept_many([a_message(id_)], QUEUED)
        assert house.commit(batch) == Committed()
    assert [id_ for id_, _ in house.store.waiting()] == [40, 50, 60]
    assert house.store.message(MessageId(40)) == a_message(40)


# --- kill -9 ----------------------------------------------------------------------------------

CRASHER = """
import os, queue, sys
from pathlib import Path
from smsc.message import MessageId, Progress, State
from smsc.ports import Committed
from smsc.store.lmdb_store import LmdbStore
from smsc.store.opening import MapSize
from tests.contracts.store_contract import QUEUED, SIM, a_delivery, a_message

calls = queue.SimpleQueue()
def failed(error):
    raise error
grows = MapSize(1, 1, 1024)
store = LmdbStore(Path(sys.argv[1]), node=1, soon=calls.put, failed=failed, map_size=grows)
now_ms = int(sys.argv[2])

def hand_in():
    ids = [MessageId(id_) for id_ in store.ids.take(20, now_ms)]
    batch = store.batch()
    for id_ in ids:
        batch.accept_many([a_message(id_, str(id_).encode())], QUEUED)
    def accepted(result):
        assert result == Committed()
        os.write(1, b"".join(b"accepted %d\\n" % id_ for id_ in ids))
        final = store.batch()
        for id_ in ids[:10]:
            final.progress(id_, Progress(State.DELIVERED, SIM))
            final.park(a_delivery(id_))
        def finished(result):
            assert result == Committed()
            os.write(1, b"".join(b"final %d\\n" % id_ for id_ in ids[:10]))
        store.commit_nowait(final, finished)
        hand_in()
    store.commit_nowait(batch, accepted)

for _ in range(10):
    hand_in()
while True:
    calls.get()()
"""


def crash(data_dir: Path, now_ms: int, rng: random.Random) -> tuple[set[int], set[int]]:
    """Let a process write and kill it; what it said was (accepted, final)."""
    with subprocess.Popen(
        [sys.executable, "-c", CRASHER, str(data_dir), str(now_ms)], stdout=subprocess.PIPE
    ) as process:
        assert process.stdout is not None
        lines = [process.stdout.readline() for _ in range(rng.randrange(1, 3000))]
        process.kill()
        lines += process.stdout.readlines()
    said: dict[bytes, set[int]] = {b"accepted": set(), b"final": set()}
    for line in lines:
        words = line.split()  # the store's log stands between them
        if line.endswith(b"\n") and len(words) == 2 and words[0] in said:
            said[words[0]].add(int(words[1]))
    assert said[b"accepted"]
    return said[b"accepted"], said[b"final"]


def survive(data_dir: Path, cycles: int, seed: int) -> None:
    """Crash again and again; after each restart everything that was answered is there."""
    rng = random.Random(seed)
    accepted: set[int] = set()
    final: set[int] = set()
    for _ in range(cycles):
        new, done = crash(data_dir, NOW_MS + rng.randrange(-100_000, 100_000), rng)
        assert not new & accepted, "an id was given out twice"
        accepted |= new
        final |= done
        house = LmdbHouse(data_dir)
        store = house.store
        waiting = {id_: progress for id_, progress in store.waiting()}  # noqa: C416 - typed so
        parked = {d.id for d in store.parked(a_delivery(1).mailbox, MessageId(0), 1 << 30)}
        stored = {id_ for id_ in accepted if store.message(MessageId(id_)) is not None}
        assert stored == accepted
        assert all(id_ in waiting or _state(store, id_) is State.DELIVERED for id_ in accepted)
        assert final <= parked
        assert not final & waiting.keys()
        counts = store.counts()
        assert counts["message"] == counts["status"] == len(waiting) + len(parked)
        assert store.corrupt == 0
        house.close()


def _state(store: LmdbStore, id_: int) -> State | None:
    progress = store.progress(MessageId(id_))
    return progress.state if progress else None


def test_what_was_answered_survives_kill_9(tmp_path: Path) -> None:
    survive(tmp_path / "var", cycles=5, seed=1)


@pytest.mark.slow
def test_what_was_answered_survives_many_kills(tmp_path: Path) -> None:
    survive(tmp_path / "var", cycles=60, seed=2)


# --- size -------------------------------------------------------------------------------------


@pytest.mark.slow
def test_a_million_waiting_messages_are_found_quickly_and_leanly(tmp_path: Path) -> None:
    house = LmdbHouse(tmp_path / "var", map_size_mb=2048)
    record, status = encode_message(a_message(1)), b""
    for _ in range(100):
        batch = WriteBatch()
        batch.accept_many([a_message(1)], QUEUED)
        status = batch.statuses[0]
        keys = [id_.to_bytes(8, "big") for id_ in house.ids.take(10_000, NOW_MS)]
        batch.keys = keys
        batch.messages = [record] * len(keys)
        batch.statuses = [status] * len(keys)
        house.commit(batch)
    house.reopen()
    started = time.perf_counter()
    waiting = house.store.waiting()
    count = sum(1 for _ in waiting)
    took_s = time.perf_counter() - started
    assert count == len(waiting) == 1_000_000
    assert waiting.ids.itemsize * len(waiting.ids) == 8_000_000  # type: ignore[attr-defined]
    assert took_s < 10
    house.close()
