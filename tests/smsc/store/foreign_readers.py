"""Other processes that hold read transactions of a store."""

import subprocess
import sys
from pathlib import Path

from smsc.store.opening import DATA_FILE

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
