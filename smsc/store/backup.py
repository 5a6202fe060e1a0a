"""A copy of a store, taken while its gateway goes on writing.

*In*: a data directory, and one for the copy. *Out*: a copy that is a data directory itself.
*Never*: half a copy under the name of a whole one; a copy over something that is there.

LMDB copies what one read transaction sees, page by page and without the free ones, so the copy
is of the moment at which it began: all that was answered before is in it. Pages that are freed
while it runs cannot be used again until it ends: the file grows by that much.
"""

import os
from pathlib import Path

import attrs
import lmdb

from smsc.store.opening import DATA_FILE, Reading, StoreOpenError, sync_directory


@attrs.frozen
class Backup:
    """A finished copy."""

    file: Path
    octets: int


def back_up(data_dir: Path, target: Path) -> Backup:
    """Copy the store in `data_dir` into the directory `target`; return when it is on disk.

    `StoreOpenError` says what is in the way: nothing to copy, a copy there already, no room.
    """
    file = target / DATA_FILE
    part = file.with_suffix(".part")
    with Reading(data_dir) as store:
        if file.exists():
            raise StoreOpenError(f"{file} is there already: name another directory.")
        try:
            target.mkdir(mode=0o700, parents=True, exist_ok=True)
            part.unlink(missing_ok=True)
            os.close(os.open(part, os.O_WRONLY | os.O_CREAT, 0o600))
            with part.open("r+b") as copy:
                store.env.copyfd(copy.fileno(), compact=True)
                os.fsync(copy.fileno())
            part.rename(file)
            sync_directory(target)
        except (OSError, lmdb.Error) as error:
            part.unlink(missing_ok=True)
            raise StoreOpenError(f"cannot write {file}: {error}.") from error
    return Backup(file, file.stat().st_size)
