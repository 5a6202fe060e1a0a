"""Where the control socket of a data directory is, however long the directory's name.

*In*: a data directory. *Out*: a path that fits a socket address. *Never*: the socket itself.

A socket address holds 107 octets. A longer path is reached through the directory's descriptor,
which Linux shows under /proc; where there is no /proc, the operating system says what is wrong.
"""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final

SOCKET_NAME: Final = "control"
_LONGEST: Final = 107
_DESCRIPTORS: Final = Path("/proc/self/fd")


@contextmanager
def socket_path(data_dir: Path) -> Iterator[str]:
    """The path to bind or to connect to, good within the block.

    :raises OSError: the directory is not there.
    """
    path = str(data_dir / SOCKET_NAME)
    if len(os.fsencode(path)) <= _LONGEST or not _DESCRIPTORS.exists():
        yield path
        return
    descriptor = os.open(data_dir, os.O_RDONLY | os.O_DIRECTORY)
    try:
        yield str(_DESCRIPTORS / str(descriptor) / SOCKET_NAME)
    finally:
        os.close(descriptor)
