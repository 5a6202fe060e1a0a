"""The map grows while the store works, up to its limit; other processes may be reading."""

import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import lmdb
import pytest

from smsc.message import MessageId
from smsc.ports import CommitResult, Committed, StoreFull
from smsc.store.batch import WriteBatch
from smsc.store.commit import Group
from smsc.store.opening import DATA_FILE, MapSize, Opened, StoreOpenError
from tests.contracts.store_contract import NOW_MS, QUEUED, a_message
from tests.smsc.store.houses import LmdbHouse

BODY = bytes(1000)
MIB = 1 << 20


@pytest.fixture
def house(tmp_path: Path) -> Iterator[LmdbHouse]:
    house = LmdbHouse(tmp_path / "var", map_size_mb=2, growth_mb=2, limit_mb=16)
    yield house
    house.close()


def accept(house: LmdbHouse, n: int, body: bytes = BODY) -> tuple[list[MessageId], CommitResult]:
    batch = WriteBatch()
    ids = [MessageId(id_) for id_ in house.ids.take(n, NOW_MS)]
    batch.accept_many([a_message(id_, body) for id_ in ids], QUEUED)
    return ids, house.commit(batch)


def test_the_map_grows_under_load_and_refuses_at_its_limit_only(house: LmdbHouse) -> None:
    disk = house.store._disk
    accepted: list[MessageId] = []
    sizes = [disk.map_octets]
    while (answer := accept(house, 200))[1] == Committed():
        accepted += answer[0]
        if disk.map_octets < 16 * MIB:
            assert not house.store.is_full, "told to refuse though it can still grow"
        if disk.map_octets != sizes[-1]:
            sizes.append(disk.map_octets)
            assert house.store.message(accepted[0]) == a_message(accepted[0], BODY)
    assert sizes == [n * MIB for n in range(2, 17, 2)]
    assert isinstance(answer[1], StoreFull)
    assert "16 MiB" in answer[1].why
    assert house.store.is_full
    assert len(accepted) * len(BODY) > 9 * MIB
    assert house.failures == []
    house.reopen()
    assert [id_ for id_, _ in house.store.waiting()] == accepted
    assert house.store._disk.map_octets == 16 * MIB, "what grew is there at the next start"


def test_one_commit_larger_than_several_growths_fits(house: LmdbHouse) -> None:
    ids, result = accept(house, 1, bytes(9 * MIB))
    assert result == Committed()
    assert house.store.message(ids[0]) == a_message(ids[0], bytes(9 * MIB))


def test_a_map_full_at_commit_is_refused_and_grows_before_the_next(
    house: LmdbHouse, monkeypatch: pytest.MonkeyPatch
) -> None:
    disk = house.store._disk
    put = disk.put

    class Full:
        def __init__(self, txn: lmdb.Transaction) -> None:
            self.txn = txn

        def commit(self) -> None:
            self.txn.abort()
            raise lmdb.MapFullError("MDB_MAP_FULL")

    def put_once(group: Group) -> None:
        put(group)
        monkeypatch.undo()
        monkeypatch.setattr(disk, "_txn", Full(disk._txn))

    monkeypatch.setattr(disk, "put", put_once)
    assert accept(house, 1)[1] == StoreFull("the store's map is about to grow")
    assert accept(house, 1)[1] == Committed()
    assert disk.map_octets == 4 * MIB


def test_a_file_that_grew_starts_with_room(tmp_path: Path) -> None:
    assert MapSize(1, 2, 64).at_start(0) == MIB
    assert MapSize(1, 2, 64).at_start(10 * MIB) == 12 * MIB
    assert MapSize(1, 2, 11).at_start(10 * MIB) == 11 * MIB
    assert MapSize(1, 0, 64).at_start(10 * MIB) == 10 * MIB
    assert MapSize(1, 2, 8).at_start(10 * MIB) == 10 * MIB, "a lower limit cannot cut the file"


# --- other processes ----------------------------------------------------------------------------

READERS = """
import os, sys
import lmdb
env = lmdb.open(sys.argv[1], subdir=False, max_dbs=8, readonly=True, map_size=1 << 30)
db = env.open_db(b"message", create=False)
txns = []
try:
    while len(txns) < int(sys.argv[2]):
        txns.append(env.begin(db=db))
except lmdb.ReadersFullError:
    pass
first = dict(txns[0].cursor())
print(len(txns), len(first), flush=True)
for line in sys.stdin:
    assert dict(txns[0].cursor()) == first  # a snapshot
    txns[0].abort()
    txns[0] = env.begin(db=db)
    print(len(dict(txns[0].cursor())), flush=True)
"""


def readers(data_dir: Path, wanted: int) -> subprocess.Popen[str]:
    command = [sys.executable, "-c", READERS, str(data_dir / DATA_FILE), str(wanted)]
    return subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)


def line_of(process: subprocess.Popen[str]) -> str:
    assert process.stdout is not None
    return process.stdout.readline().strip()


def test_another_process_reads_on_while_the_map_grows(house: LmdbHouse) -> None:
    ids, _ = accept(house, 10)
    with readers(house.data_dir, 1) as reader:
        assert line_of(reader) == "1 10"
        while house.store._disk.map_octets < 8 * MIB:
            ids += accept(house, 200)[0]
        assert reader.stdin is not None
        print("again", file=reader.stdin, flush=True)
        assert line_of(reader) == str(len(ids))
        reader.stdin.close()
    assert reader.returncode == 0


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
    assert house.store._disk.clear_readers() >= taken - 1


def test_a_full_reader_table_is_told_at_start(tmp_path: Path) -> None:
    house = LmdbHouse(tmp_path / "var")
    accept(house, 1)
    with readers(house.data_dir, 10_000) as crowd:
        line_of(crowd)
        house.close()
        # The gateway's slot is free now and another process takes it.
        with readers(house.data_dir, 10_000) as last:
            line_of(last)
            with pytest.raises(StoreOpenError, match="too many other processes read the store"):
                house.open()
            last.kill()
        crowd.kill()
    house.open()  # the lock was let go, and the dead are cleared
    house.close()


def test_slots_of_readers_that_died_are_cleared_while_we_run(house: LmdbHouse) -> None:
    accept(house, 1)
    with readers(house.data_dir, 5) as dead:
        assert line_of(dead) == "5 1"
        dead.kill()
    assert house.store._disk.clear_readers() == 5
    assert str(dead.pid) not in house.store._disk._env.readers()
    assert str(os.getpid()) in house.store._disk._env.readers()


def test_the_default_sizes_open_a_sparse_file(tmp_path: Path) -> None:
    opened = Opened(tmp_path, MapSize(), sync=True)
    assert opened.env.info()["map_size"] == 1024 * MIB
    opened.close()
    assert (tmp_path / DATA_FILE).stat().st_blocks * 512 < MIB
