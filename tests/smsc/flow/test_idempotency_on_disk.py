"""A key and its messages on the LMDB store, when the process is killed around their commit."""

import os
import queue
import signal
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from smsc.flow.idempotency import IdempotencyKeys
from smsc.message import AccountId
from smsc.ports import Answer
from smsc.store.lmdb_store import LmdbStore
from tests.contracts.store_contract import NOW_MS

DEMO = AccountId("demo")
DAY_MS = 24 * 3600 * 1000
DIES = """
import os, queue, signal, sys
from pathlib import Path
from smsc.flow.idempotency import IdempotencyKeys
from smsc.message import AccountId
from smsc.ports import Admitted, Answer
from smsc.store.lmdb_store import LmdbStore
from tests.contracts.store_contract import NOW_MS, QUEUED, a_message

data_dir, when = Path(sys.argv[1]), sys.argv[2]
calls = queue.SimpleQueue()
store = LmdbStore(data_dir, node=1, soon=calls.put, failed=print)
keys = IdempotencyKeys(store, 86_400_000, 10)
claim = keys.begin(AccountId("demo"), "k", b"r", lambda _: Answer(202, "t", b"first"), NOW_MS)
id_ = store.ids.take(1, NOW_MS)[0]
batch = store.batch()
batch.accept_many([a_message(id_)], QUEUED)
claim.write(batch, [Admitted(id_)])
done = []
if when != "before":
    store.commit_nowait(batch, done.append)
while when == "after" and not done:
    calls.get()()
os.kill(os.getpid(), signal.SIGKILL)  # nobody was answered
"""


@pytest.mark.parametrize("when", ["before", "during", "after"])
def test_a_kill_loses_both_or_neither(tmp_path: Path, when: str) -> None:
    root = Path(__file__).parents[3]
    died = subprocess.run(
        [sys.executable, "-c", DIES, str(tmp_path), when],
        check=False,
        timeout=60,
        env=os.environ | {"PYTHONPATH": str(root)},
    )
    assert died.returncode == -signal.SIGKILL
    calls: queue.SimpleQueue[Callable[[], None]] = queue.SimpleQueue()
    store = LmdbStore(tmp_path, node=1, soon=calls.put, failed=print)
    try:
        keys = IdempotencyKeys(store, DAY_MS, 10)
        keys.restore(store.remembered())
        counts = store.counts()
        assert counts["message"] == counts["answer"] == len(keys)
        if when != "during":
            assert len(keys) == (1 if when == "after" else 0)
        again = keys.begin(DEMO, "k", b"r", lambda _: Answer(500, "t", b"second"), NOW_MS + 1)
        if len(keys):
            assert again == Answer(202, "t", b"first")
        else:
            assert not isinstance(again, Answer)
    finally:
        store.close()
