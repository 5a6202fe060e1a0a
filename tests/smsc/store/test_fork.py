"""A forked child must not touch the store, nor keep its lock when the parent is gone."""

import os
import queue
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from smsc.store.lmdb_store import LmdbStore
from tests.contracts.store_contract import NOW_MS

FORKER = """
import os, queue, sys
from pathlib import Path
from smsc.message import MessageId
from smsc.store.lmdb_store import ForkedError, LmdbStore
from tests.contracts.store_contract import QUEUED, a_message

calls = queue.SimpleQueue()
store = LmdbStore(Path(sys.argv[1]), node=1, soon=calls.put, failed=print)

def accept(id_):
    batch = store.batch()
    batch.accept_many([a_message(id_)], QUEUED)
    answers = []
    store.commit_nowait(batch, answers.append)
    while not answers:
        calls.get()()

accept(5)
child = os.fork()
if not child:
    uses = [
        lambda: store.message(MessageId(5)),
        lambda: store.waiting(),
        lambda: store.commit_nowait(store.batch()),
        lambda: store.is_full,
        store.counts,
        store.close,
    ]
    said = set()
    for use in uses:
        try:
            use()
        except ForkedError as error:
            said.add(str(error))
        else:
            said.add("a use was let through")
    # One write for each line: two processes write to one pipe, and print makes several.
    os.write(1, "".join(f"{one}\\n" for one in said).encode())
    sys.stdin.read()  # lives on
    os._exit(0)
accept(6)
assert store.message(MessageId(5)) == a_message(5)
os.write(1, f"parent {os.getpid()}\\n".encode())
os.kill(os.getpid(), 9)
"""


def open_store(data_dir: Path) -> LmdbStore:
    calls: queue.SimpleQueue[Callable[[], None]] = queue.SimpleQueue()
    return LmdbStore(data_dir, node=1, soon=calls.put, failed=_raise)


def _raise(error: Exception) -> None:
    raise error


def test_a_forked_child_is_refused_with_a_sentence_and_holds_no_lock(tmp_path: Path) -> None:
    with subprocess.Popen(
        [sys.executable, "-W", "ignore::DeprecationWarning", "-c", FORKER, str(tmp_path)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    ) as parent:
        assert parent.stdout is not None
        assert parent.stdin is not None
        lines = sorted(parent.stdout.readline().strip() for _ in range(2))
        parent.wait(timeout=30)
        assert lines[0] == f"parent {parent.pid}"
        assert lines[1].startswith(f"this process was forked from {parent.pid}, whose store")
        store = open_store(tmp_path)  # the parent is dead, the child alive
        assert [id_ for id_, _ in store.waiting()] == [5, 6]
        store.close()
        parent.stdin.close()


def test_a_closed_store_costs_a_later_fork_nothing(tmp_path: Path) -> None:
    store = open_store(tmp_path)
    store.ids.take(1, NOW_MS)
    store.close()
    store.forked()  # what the hook does for each store that still exists
    with pytest.raises(RuntimeError, match=f"forked from {os.getpid()}"):
        store.counts()
