"""The map grows while the store works, up to its limit; other processes may be reading."""

from collections.abc import Iterator
from pathlib import Path

import lmdb
import pytest

from smsc.message import MessageId
from smsc.ports import CommitResult, Committed, StoreFull
from smsc.store.batch import WriteBatch
from smsc.store.commit import Group
from smsc.store.opening import DATA_FILE, MapSize, Opened
from tests.contracts.store_contract import NOW_MS, QUEUED, a_message
from tests.smsc.store.foreign_readers import line_of, readers
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


def test_the_default_sizes_open_a_sparse_file(tmp_path: Path) -> None:
    opened = Opened(tmp_path, MapSize(), sync=True)
    assert opened.env.info()["map_size"] == 1024 * MIB
    opened.close()
    assert (tmp_path / DATA_FILE).stat().st_blocks * 512 < MIB
