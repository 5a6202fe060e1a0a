"""`smsc store backup`: a copy of a store that is being written, and a gateway started from it."""

import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from smsc.cli import app
from smsc.message import MessageId, Progress, State
from smsc.ports import Committed
from smsc.store.audit import audit
from smsc.store.backup import back_up
from smsc.store.batch import WriteBatch
from smsc.store.opening import DATA_FILE, StoreOpenError
from tests.contracts.store_contract import NOW_MS, QUEUED, SIM, a_message
from tests.fakes.house import RunningGateway
from tests.foreign.esme import Esme
from tests.smsc.store.houses import LmdbHouse

BODY = bytes(2000)


def accept(house: LmdbHouse, n: int) -> list[MessageId]:
    batch = WriteBatch()
    ids = [MessageId(id_) for id_ in house.ids.take(n, NOW_MS)]
    batch.accept_many([a_message(id_, BODY) for id_ in ids], QUEUED)
    batch.defer(NOW_MS, ids[0], ids[-1])
    assert house.commit(batch) == Committed()
    return ids


def smsc(*arguments: object) -> "subprocess.Popen[str]":
    """The command, as an operator starts it."""
    command = [sys.executable, "-c", "from smsc.cli import main; main()", *map(str, arguments)]
    return subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)


def test_a_copy_made_while_the_store_is_written_holds_all_that_was_answered_before(
    tmp_path: Path,
) -> None:
    house = LmdbHouse(tmp_path / "var", map_size_mb=64, growth_mb=64)
    before: list[MessageId] = []
    for _ in range(100):
        before += accept(house, 100)
    after: list[MessageId] = []
    with smsc("store", "backup", tmp_path / "copy", "--data-dir", tmp_path / "var") as backup:
        while backup.poll() is None:
            after += accept(house, 20)
            batch = WriteBatch()
            batch.progress(after[-1], Progress(State.DELIVERED, SIM))
            house.commit(batch)
        assert backup.stdout is not None
        assert "everything answered so far is in it" in backup.stdout.read()
    assert backup.returncode == 0
    assert after, "nothing was written meanwhile"
    house.close()

    report = audit(tmp_path / "copy")
    assert report.is_sound
    copy = LmdbHouse(tmp_path / "copy", map_size_mb=64, growth_mb=64)
    stored = [id_ for id_, _ in copy.store.waiting()]
    assert stored[: len(before)] == before
    copied = report.accepted - len(before)
    assert set(stored) <= {*before, *after[:copied]}, "a prefix of what came in meanwhile"
    new = accept(copy, 1)
    assert new[0] > max(stored)
    assert copy.store.message(before[-1]) == a_message(before[-1], BODY)
    copy.close()


def test_the_copy_leaves_out_free_pages_and_is_private(tmp_path: Path) -> None:
    house = LmdbHouse(tmp_path / "var")
    ids = accept(house, 5000)
    batch = WriteBatch()
    house.store.forget(batch, [(id_, QUEUED) for id_ in ids[:4000]])
    house.commit(batch)
    house.close()
    done = back_up(tmp_path / "var", tmp_path / "copy")
    assert done.octets < (tmp_path / "var" / DATA_FILE).stat().st_size / 3
    assert done.file.stat().st_mode & 0o777 == 0o600
    assert done.file.parent.stat().st_mode & 0o777 == 0o700
    assert audit(tmp_path / "copy").accepted == 1000


def test_nothing_is_copied_over_a_copy_or_from_nowhere(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    house = LmdbHouse(tmp_path / "var")
    accept(house, 1)
    house.close()
    command = ["store", "backup", str(tmp_path / "copy"), "--data-dir", str(tmp_path / "var")]
    assert app(command) == 0
    first = (tmp_path / "copy" / DATA_FILE).read_bytes()
    assert app(command) == 1
    assert "is there already" in capsys.readouterr().err
    assert (tmp_path / "copy" / DATA_FILE).read_bytes() == first
    assert app([*command[:-1], str(tmp_path / "nowhere")]) == 1
    assert "there is no store" in capsys.readouterr().err


def test_a_copy_that_fails_leaves_no_half_of_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    house = LmdbHouse(tmp_path / "var")
    accept(house, 1)
    house.close()

    def full(_descriptor: int) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("os.fsync", full)
    with pytest.raises(StoreOpenError, match="No space left on device"):
        back_up(tmp_path / "var", tmp_path / "copy")
    assert list((tmp_path / "copy").iterdir()) == []


def test_a_gateway_starts_from_a_copy_as_the_handbook_says(
    start_gateway: Callable[..., RunningGateway], tmp_path: Path
) -> None:
    gateway = start_gateway()
    client = Esme(gateway.port)
    client.bind()
    client.submit(b"hello")
    client.read_until(responses=1, delivered=1)
    client.close()
    id_ = MessageId(int(client.responses[0].message_id))
    with smsc("store", "backup", tmp_path / "copy", "--data-dir", tmp_path / "a") as backup:
        backup.communicate(timeout=30)
    assert backup.returncode == 0, "a gateway that runs does not mind"
    gateway.kill()

    (tmp_path / "a").rename(tmp_path / "a.damaged")
    shutil.copytree(tmp_path / "copy", tmp_path / "a")
    again = start_gateway()
    progress = again.call(lambda: again.gateway.store.progress(id_))
    assert progress is not None
    assert progress.state is State.DELIVERED
    client = Esme(again.port)
    client.bind()
    client.submit(b"after the restore")
    client.read_until(responses=1, delivered=1)
    client.close()
    assert int(client.responses[0].message_id) > id_
