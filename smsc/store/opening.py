"""Opening a data directory: everything that must be true before the first record is read.

*In*: a path. *Out*: an LMDB environment whose tables exist, held by this process alone.
*Never*: a bare traceback for what an operator can mend: `StoreOpenError` is one sentence.

LMDB itself lets several processes in; two writers with one queue each would send everything
twice. So the file `lock` in the directory is flocked for as long as the store is open.
LMDB on a network file system loses data silently (no coherent mmap), so that is refused.
"""

import fcntl
import os
from pathlib import Path
from typing import Any, Self

import attrs
import lmdb

from smsc.store.batch import TABLES

SCHEMA = 1
DATA_FILE = "store.mdb"
LOCK_FILE = "lock"

_READING_MAP_OCTETS = 1 << 40
"""Address space for a reader: more than a gateway beside it will ever grow its map to."""
_NETWORK_FILE_SYSTEMS = frozenset(
    {"nfs", "nfs4", "cifs", "smb3", "smbfs", "afs", "ncpfs", "9p", "fuse.sshfs", "fuse.glusterfs"}
)


class StoreOpenError(Exception):
    """The store cannot be opened; the text is one sentence for the operator."""


@attrs.frozen
class MapSize:
    """How large the file may be, MiB: at start, how much it grows at a time, and at most."""

    start_mb: int = 1024
    growth_mb: int = 1024
    """0: it never grows."""
    limit_mb: int = 65_536

    def at_start(self, file_octets: int) -> int:
        """Octets of the map for a file that grew in earlier runs: always with room to write."""
        grown = file_octets + (self.growth_mb << 20) if file_octets else 0
        return max(self.start_mb << 20, min(grown, self.limit_mb << 20), file_octets)


class Opened:
    """An open environment: `env`, its `tables` in the order of `TABLES`, and the lock."""

    def __init__(self, data_dir: Path, map_size: MapSize, *, sync: bool) -> None:
        """Make or open the store in `data_dir`. `StoreOpenError` says what is in the way."""
        self._lock = -1
        try:
            data_dir.mkdir(mode=0o700, parents=True, exist_ok=True)
            self._lock = _lock(data_dir)
            _refuse_network(data_dir)
            self.env, self.tables = _open(data_dir, map_size, sync=sync)
        except OSError as error:
            self._unlock()
            raise StoreOpenError(f"cannot use data_dir {data_dir}: {error.strerror}.") from error
        except lmdb.ReadersFullError as error:
            self._unlock()
            raise StoreOpenError(_crowded(data_dir)) from error
        except lmdb.Error as error:
            self._unlock()
            raise StoreOpenError(
                f"{data_dir / DATA_FILE} is not a store that this program can open ({error}); "
                "restore it from a backup or name another data_dir."
            ) from error
        except BaseException:
            self._unlock()
            raise

    def close(self) -> None:
        """Close the environment and let the next process in."""
        self.env.close()
        self._unlock()

    def forked(self) -> None:
        """In a forked child: let go of the lock, which else outlives the parent with the child.

        The environment is not closed: that is the parent's, and LMDB would touch its readers.
        """
        self._unlock()

    def _unlock(self) -> None:
        if self._lock >= 0:
            os.close(self._lock)
            self._lock = -1


class Reading:
    """A store opened to look at, by a process that is not its gateway; a context manager."""

    def __init__(self, data_dir: Path) -> None:
        """Open the store in `data_dir`. `StoreOpenError` says what is in the way."""
        file = data_dir / DATA_FILE
        if not file.is_file():
            raise StoreOpenError(f"there is no store in {data_dir}: {DATA_FILE} is missing.")
        try:
            self.env = lmdb.open(
                str(file),
                subdir=False,
                readonly=True,
                max_dbs=len(TABLES),
                map_size=max(_READING_MAP_OCTETS, file.stat().st_size),
            )
            self.tables = tuple(self.env.open_db(name.encode(), create=False) for name in TABLES)
        except lmdb.NotFoundError as error:
            self.env.close()
            raise StoreOpenError(
                f"{file} was written by an older version: start a gateway of this one on it once."
            ) from error
        except lmdb.ReadersFullError as error:
            raise StoreOpenError(_crowded(data_dir)) from error
        except (OSError, lmdb.Error) as error:
            raise StoreOpenError(f"{file} cannot be read as a store: {error}.") from error
        self._data_dir = data_dir

    def __enter__(self) -> Self:
        return self

    def __exit__(self, _kind: object, error: BaseException | None, _trace: object) -> None:
        """Close it; what LMDB says of a damaged page becomes a `StoreOpenError`."""
        self.env.close()
        if isinstance(error, lmdb.Error):
            raise StoreOpenError(
                f"the store in {self._data_dir} is damaged: {error}; restore it from a backup."
            ) from error


def _crowded(data_dir: Path) -> str:
    return f"too many other processes read the store in {data_dir}: end some of them."


def file_system_of(path: str, mounts: str) -> str:
    """The type of the file system that holds `path`, by the text of /proc/mounts."""
    best, kind = -1, "unknown"
    for line in mounts.splitlines():
        fields = line.split(" ")
        if len(fields) < 3:
            continue
        point = fields[1].encode().decode("unicode_escape").rstrip("/")
        if (path == point or path.startswith(point + "/")) and len(point) >= best:
            best, kind = len(point), fields[2]
    return kind


def _lock(data_dir: Path) -> int:
    descriptor = os.open(data_dir / LOCK_FILE, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError as error:
        holder = os.pread(descriptor, 32, 0).decode("ascii", "replace").strip() or "unknown"
        os.close(descriptor)
        raise StoreOpenError(
            f"data_dir {data_dir} is in use by another smsc process (pid {holder}): "
            "stop that one first, or give this one a data_dir of its own."
        ) from error
    os.truncate(descriptor, 0)
    os.pwrite(descriptor, b"%d\n" % os.getpid(), 0)
    return descriptor


def _refuse_network(data_dir: Path) -> None:
    try:
        mounts = Path("/proc/self/mounts").read_text(errors="replace")
    except OSError:  # no /proc: not Linux, nothing to ask
        return
    kind = file_system_of(str(data_dir.resolve()), mounts)
    if kind in _NETWORK_FILE_SYSTEMS:
        raise StoreOpenError(
            f"data_dir {data_dir} lies on a network file system ({kind}), where the store could "
            "lose messages: choose a directory on a local disk."
        )


def _open(data_dir: Path, map_size: MapSize, *, sync: bool) -> tuple[Any, tuple[Any, ...]]:
    file = data_dir / DATA_FILE
    old_octets = file.stat().st_size if file.exists() else 0
    env = lmdb.open(
        str(file),
        subdir=False,
        map_size=map_size.at_start(old_octets),
        max_dbs=len(TABLES),
        max_spare_txns=1,  # the loop's read transaction, begun again: 0.3 instead of 1.1 µs
        mode=0o600,
        sync=sync,
        metasync=sync,
    )
    try:
        env.reader_check()
        tables = tuple(env.open_db(name.encode()) for name in TABLES)
        with env.begin(write=True, db=tables[TABLES.index("meta")]) as txn:
            _check_schema(txn, data_dir)
        if not old_octets:
            sync_directory(data_dir)
    except BaseException:
        env.close()
        raise
    return env, tables


def sync_directory(directory: Path) -> None:
    """Make names made in `directory` durable; a file's own fsync need not do that."""
    descriptor = os.open(directory, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def _check_schema(txn: lmdb.Transaction, data_dir: Path) -> None:
    found = int(txn.get(b"schema", b"0"))
    if found > SCHEMA:
        raise StoreOpenError(
            f"the store in {data_dir} was written by a newer version of this program "
            f"(schema {found}, this one knows {SCHEMA}): upgrade, or name another data_dir."
        )
    if found < SCHEMA:
        txn.put(b"schema", b"%d" % SCHEMA)
