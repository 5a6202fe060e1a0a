"""Opening a data directory: who is let in, and the sentence for who is not."""

import subprocess
import sys
from pathlib import Path

import lmdb
import pytest

from smsc.store import opening
from smsc.store.batch import META, TABLES
from smsc.store.opening import (
    DATA_FILE,
    MapSize,
    Opened,
    Reading,
    StoreOpenError,
    file_system_of,
)

HOLDER = """
import sys
from pathlib import Path
from smsc.store.opening import MapSize, Opened
opened = Opened(Path(sys.argv[1]), MapSize(16), sync=True)
print("open", flush=True)
sys.stdin.read()
"""


def test_a_new_directory_is_private_and_the_map_costs_nothing(tmp_path: Path) -> None:
    data_dir = tmp_path / "a" / "var"
    Opened(data_dir, MapSize(65_536), sync=True).close()
    assert data_dir.stat().st_mode & 0o777 == 0o700
    for file in data_dir.iterdir():
        assert file.stat().st_mode & 0o777 == 0o600
        assert file.stat().st_blocks * 512 < 1 << 17


def test_a_second_process_is_refused_until_the_first_is_gone(tmp_path: Path) -> None:
    with subprocess.Popen(
        [sys.executable, "-c", HOLDER, str(tmp_path)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
    ) as holder:
        assert holder.stdout is not None
        assert holder.stdout.readline() == b"open\n"
        with pytest.raises(StoreOpenError) as refused:
            Opened(tmp_path, MapSize(16), sync=True)
        assert str(refused.value) == (
            f"data_dir {tmp_path} is in use by another smsc process (pid {holder.pid}): "
            "stop that one first, or give this one a data_dir of its own."
        )
        holder.kill()
    Opened(tmp_path, MapSize(16), sync=True).close()


def test_the_same_process_is_refused_too_and_close_lets_go(tmp_path: Path) -> None:
    opened = Opened(tmp_path, MapSize(16), sync=True)
    with pytest.raises(StoreOpenError, match="in use"):
        Opened(tmp_path, MapSize(16), sync=True)
    opened.close()
    Opened(tmp_path, MapSize(16), sync=True).close()


def test_a_newer_schema_is_refused_and_the_lock_let_go(tmp_path: Path) -> None:
    opened = Opened(tmp_path, MapSize(16), sync=True)
    with opened.env.begin(write=True, db=opened.tables[META]) as txn:
        txn.put(b"schema", b"2")
    opened.close()
    for _ in range(2):
        with pytest.raises(StoreOpenError, match="newer version of this program"):
            Opened(tmp_path, MapSize(16), sync=True)


def test_a_file_that_is_no_store_is_refused(tmp_path: Path) -> None:
    (tmp_path / DATA_FILE).write_bytes(b"not a store" * 1000)
    with pytest.raises(StoreOpenError, match="is not a store that this program can open"):
        Opened(tmp_path, MapSize(16), sync=True)


def test_a_path_that_is_no_directory_is_refused(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(StoreOpenError, match="cannot use data_dir"):
        Opened(tmp_path / "file", MapSize(16), sync=True)


def test_a_network_file_system_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(opening, "file_system_of", lambda _path, _mounts: "nfs4")
    with pytest.raises(StoreOpenError, match="lies on a network file system"):
        Opened(tmp_path, MapSize(16), sync=True)
    assert not (tmp_path / DATA_FILE).exists()


@pytest.mark.parametrize(
    ("path", "kind"),
    [
        ("/", "ext4"),
        ("/srv", "ext4"),
        ("/srv/nfs", "nfs4"),
        ("/srv/nfs/var", "nfs4"),
        ("/srv/nfs2", "ext4"),
        ("/srv/nfs/local/x", "xfs"),
        ("/mnt/two words/x", "cifs"),
    ],
)
def test_the_longest_mount_point_above_a_path_tells_its_file_system(path: str, kind: str) -> None:
    mounts = (
        "/dev/sda / ext4 rw 0 0\n"
        "host:/x /srv/nfs nfs4 rw 0 0\n"
        "/dev/sdb /srv/nfs/local xfs rw 0 0\n"
        "//host/x /mnt/two\\040words cifs rw 0 0\n"
    )
    assert file_system_of(path, mounts) == kind


def test_the_newest_mount_on_a_point_counts() -> None:
    assert file_system_of("/a", "x /a ext4 rw 0 0\ny /a nfs rw 0 0\n") == "nfs"


READER = """
import os, sys
import lmdb
env = lmdb.open(sys.argv[1], subdir=False, max_dbs=8)
txn = env.begin()
if sys.argv[2] == "die":
    os._exit(0)
print("open", flush=True)
sys.stdin.read()
"""


def test_readers_that_died_are_cleared(tmp_path: Path) -> None:
    """Their slots stay while anybody else has the file open, and would pin old pages."""
    Opened(tmp_path, MapSize(16), sync=True).close()
    command = [sys.executable, "-c", READER, str(tmp_path / DATA_FILE)]
    with subprocess.Popen(
        [*command, "stay"], stdin=subprocess.PIPE, stdout=subprocess.PIPE
    ) as other:
        assert other.stdout is not None
        assert other.stdout.readline() == b"open\n"
        with subprocess.Popen([*command, "die"]) as dead:
            pass
        opened = Opened(tmp_path, MapSize(16), sync=True)
        readers = opened.env.readers()
        opened.close()
        other.kill()
    assert str(other.pid) in readers
    assert str(dead.pid) not in readers


def test_a_store_of_before_the_directory_is_opened_and_only_then_read(tmp_path: Path) -> None:
    env = lmdb.open(str(tmp_path / DATA_FILE), subdir=False, max_dbs=20)
    for name in TABLES[:8]:
        env.open_db(name.encode())
    env.close()
    with pytest.raises(StoreOpenError, match="written by an older version"):
        Reading(tmp_path)
    Opened(tmp_path, MapSize(), sync=True).close()
    with Reading(tmp_path) as store:
        assert len(store.tables) == len(TABLES)
