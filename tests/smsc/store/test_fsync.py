"""Accepted means on disk: proved on a whole gateway whose unsynced writes are thrown away.

And when the disk says that a sync failed: nobody is answered, and the process ends with 1.
"""

import os
import random
import socket
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
import smpplib.exceptions

from smsc.message import MessageId
from smsc.store.audit import audit
from tests.fakes.house import ACCOUNT, SIMULATOR
from tests.foreign.esme import Esme
from tests.smsc.store.houses import LmdbHouse
from tests.smsc.store.recorded import build_recorder, lost, moments

SYNCED = "from smsc.cli import main; main()"
UNSYNCED = (
    "from smsc.store.lmdb_store import LmdbStore; "
    f"LmdbStore.__init__.__kwdefaults__['sync'] = False; {SYNCED}"
)
ROUNDS, WINDOW = 25, 8


@pytest.fixture(scope="module")
def recorder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return build_recorder(tmp_path_factory.mktemp("recorder"))


def free_port() -> int:
    with socket.socket() as sock:
        sock.bind(("127.0.0.1", 0))
        port: int = sock.getsockname()[1]
        return port


def submit_on_and_on(client: Esme) -> None:
    for sent in range(1, 1000):
        client.submit()
        client.read_until(responses=sent)


@contextmanager
def a_gateway(
    directory: Path, program: str, **environment: str
) -> Iterator[tuple["subprocess.Popen[str]", int]]:
    """`smsc run` in a process of its own; killed at the end."""
    port = free_port()
    config = directory / "smsc.toml"
    head = f'[node]\ndata_dir = "{directory}/var"\n[smpp]\nlisten = ["127.0.0.1:{port}"]\n'
    config.write_text(head + ACCOUNT + SIMULATOR)
    with subprocess.Popen(
        [sys.executable, "-c", program, "run", "--config", str(config)],
        env={**os.environ, **environment},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    ) as process:
        try:
            assert process.stdout is not None
            assert process.stdout.readline() == "smsc is up.\n"
            yield process, port
        finally:
            process.kill()


def record(directory: Path, recorder: Path, program: str) -> Path:
    """Let a client submit, cut the power, and return what was recorded."""
    log = directory / "log"
    environment = {"LD_PRELOAD": str(recorder), "RECORD_LOG": str(log)}
    with a_gateway(directory, program, **environment) as (process, port):
        client = Esme(port)
        client.bind()
        for round_ in range(1, ROUNDS + 1):
            for _ in range(WINDOW):
                client.submit(b"x" * 100)
            client.read_until(responses=round_ * WINDOW)
        process.kill()
        client.close()
    return log


def test_what_was_answered_survives_the_loss_of_every_unsynced_write(
    tmp_path: Path, recorder: Path
) -> None:
    all_moments = list(moments(record(tmp_path, recorder, SYNCED)))
    assert len(all_moments[-1].answered) == ROUNDS * WINDOW
    rng = random.Random(1)
    told = rng.sample([one for one in all_moments if one.answered], 2 * ROUNDS)
    assert sum(bool(moment.pending) for moment in told) >= ROUNDS // 2, "too little to lose"
    for moment in (*told, all_moments[-1]):
        for torn in (None, rng):
            missing = lost(moment.disk(torn), moment.answered, tmp_path / "after")
            assert not missing, "torn" if torn else "dropped"


def test_the_same_proof_fails_when_sync_is_off(tmp_path: Path, recorder: Path) -> None:
    *_, last = moments(record(tmp_path, recorder, UNSYNCED))
    assert len(last.answered) == ROUNDS * WINDOW
    assert lost(last.disk(None), last.answered, tmp_path / "after")


def test_a_failed_sync_answers_nobody_and_ends_the_gateway_with_1(
    tmp_path: Path, recorder: Path
) -> None:
    environment = {"LD_PRELOAD": str(recorder), "RECORD_FAIL_AFTER": "30"}
    with a_gateway(tmp_path, SYNCED, **environment) as (process, port):
        client = Esme(port)
        client.bind()
        with pytest.raises((smpplib.exceptions.ConnectionError, OSError)):
            submit_on_and_on(client)
        client.close()
        assert process.stderr is not None
        log = process.stderr.read()
        assert process.wait(timeout=30) == 1
    assert '"event":"store.failed"' in log
    assert "Traceback" not in log
    answered = [MessageId(int(pdu.message_id)) for pdu in client.responses if not pdu.status]
    assert len(answered) > 3
    house = LmdbHouse(tmp_path / "var")
    assert None not in house.store.messages(answered)
    house.close()
    assert audit(tmp_path / "var").is_sound
