"""The reader table: crowds of other processes, dead ones, stuck ones."""

import os
from collections.abc import Iterator
from pathlib import Path

import pytest
from structlog.testing import capture_logs

from smsc.message import MessageId
from smsc.ports import CommitResult, Committed
from smsc.store.audit import audit
from smsc.store.batch import WriteBatch
from smsc.store.opening import StoreOpenError
from smsc.store.readers import reading
from tests.contracts.store_contract import NOW_MS, QUEUED, a_message
from tests.smsc.store.foreign_readers import line_of, readers
from tests.smsc.store.houses import LmdbHouse

BODY = bytes(1000)


@pytest.fixture
def house(tmp_path: Path) -> Iterator[LmdbHouse]:
    house = LmdbHouse(tmp_path / "var", map_size_mb=2, growth_mb=2, limit_mb=16)
    yield house
    house.close()


def accept(house: LmdbHouse, n: int) -> tuple[list[MessageId], CommitResult]:
    batch = WriteBatch()
    ids = [MessageId(id_) for id_ in house.ids.take(n, NOW_MS)]
    batch.accept_many([a_message(id_, BODY) for id_ in ids], QUEUED)
    return ids, house.commit(batch)


def test_a_crowd_of_readers_does_not_push_the_gateway_out(house: LmdbHouse) -> None:
    ids, _ = accept(house, 1)
    with readers(house.data_dir, 10_000) as crowd:
        taken = int(line_of(crowd).split()[0])
        assert 100 < taken < 10_000, "the crowd did not fill the reader table"
        assert house.store.message(ids[0]) == a_message(ids[0], BODY)
        more, result = accept(house, 10)  # writers need no slot
        assert result == Committed()
        assert house.store.message(more[0]) == a_message(more[0], BODY)
        house.store._disk._grow()  # gives the slot back for a moment: it is found again
        crowd.kill()
    assert house.store.message(ids[0]) == a_message(ids[0], BODY)
    assert house.store._disk.readers.clear_dead() >= taken - 1


def test_a_full_reader_table_is_told_at_start(tmp_path: Path) -> None:
    house = LmdbHouse(tmp_path / "var")
    accept(house, 1)
    with readers(house.data_dir, 10_000) as crowd:
        line_of(crowd)
        house.close()
        # The gateway's slot is free now and another process takes it.
        with readers(house.data_dir, 10_000) as last:
            line_of(last)
            for opening in (house.open, lambda: audit(house.data_dir)):
                with pytest.raises(StoreOpenError, match="too many other processes read the"):
                    opening()
            last.kill()
        crowd.kill()
    house.open()  # the lock was let go, and the dead are cleared
    house.close()


def test_slots_of_readers_that_died_are_cleared_while_we_run(house: LmdbHouse) -> None:
    accept(house, 1)
    with readers(house.data_dir, 5) as dead:
        assert line_of(dead) == "5 1"
        dead.kill()
    assert house.store._disk.readers.clear_dead() == 5
    assert str(dead.pid) not in house.store._disk._env.readers()
    assert str(os.getpid()) in house.store._disk._env.readers()


def test_a_process_that_reads_an_old_snapshot_on_and_on_is_told_once(house: LmdbHouse) -> None:
    accept(house, 1)
    with readers(house.data_dir, 1) as stuck:
        line_of(stuck)
        with capture_logs() as logs:
            house.store.look_after_readers()
            accept(house, 1)
            house.store.look_after_readers()
            accept(house, 1)
            house.store.look_after_readers()
            assert [(entry["event"], entry["pid"], entry["commits_behind"]) for entry in logs] == [
                ("store.reader_stale", stuck.pid, 1)
            ]
            assert stuck.stdin is not None
            print("again", file=stuck.stdin, flush=True)  # a new snapshot
            line_of(stuck)
            house.store.look_after_readers()
            accept(house, 1)
            house.store.look_after_readers()
            assert len(logs) == 2
            stuck.kill()
    house.store.look_after_readers()
    assert str(stuck.pid) not in house.store._disk._env.readers()


def test_the_text_of_the_reader_table() -> None:
    assert reading("(no active readers)\n") == []
    text = "    pid     thread     txnid\n      4711 7f01 12\n      4712 7f02 -\n"
    assert reading(text) == [(4711, 12)]
