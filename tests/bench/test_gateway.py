"""The benchmark's own gateway, and every kind of load on it."""

import os
import subprocess
import sys
from pathlib import Path

import orjson
import pytest
import trio

from bench.gateway import CLOSED, PASSWORD, SIMULATOR, SYSTEM_ID, gateway
from bench.load import LoadPlan, run_load
from bench.load_http import post_load
from bench.load_smpplib import one_at_a_time


def test_the_command_loads_a_gateway_and_all_receipts_come_home(tmp_path: Path) -> None:
    with gateway(tmp_path, SIMULATOR.format(delay_s=0.01)) as server:
        command = [sys.executable, "-c", "from smsc.cli import main; main()", "load", "--json"]
        command += ["--port", str(server.smpp_port), "--system-id", SYSTEM_ID]
        command += ["--password", PASSWORD, "--sessions", "2", "--count", "300", "--receipts"]
        command += ["--from", "Shop"]
        done = subprocess.run(command, capture_output=True, text=True, check=False)
        assert done.returncode == 0, done.stderr
        report = orjson.loads(done.stdout)
        assert report["accepted"] == report["receipts"] == 300
        assert server.cpu_s() > 0
        assert server.memory().own > 1 << 20
        pid = server.pid
    with pytest.raises(ProcessLookupError):
        os.kill(pid, 0)
    assert not list(tmp_path.iterdir())


def test_messages_stay_queued_while_the_outlet_is_down(tmp_path: Path) -> None:
    with gateway(tmp_path, CLOSED) as server:
        plan = LoadPlan(
            port=server.smpp_port, system_id=SYSTEM_ID, password=PASSWORD, sessions=1, count=50
        )
        report = trio.run(run_load, plan)
        assert (report.accepted, report.errors) == (50, {})

        async def post() -> int:
            auth = (SYSTEM_ID, PASSWORD)
            tally = await post_load(server.http_port, auth, seconds=0.05, batch=10, connections=2)
            assert not tally.errors
            return tally.accepted

        assert trio.run(post) >= 20
        assert one_at_a_time(server.smpp_port, SYSTEM_ID, PASSWORD, 0.05) > 0


def test_a_gateway_that_does_not_start_is_told(tmp_path: Path) -> None:
    with pytest.raises(RuntimeError, match="did not start"), gateway(tmp_path, "[nonsense]"):
        pass
    assert not list(tmp_path.iterdir())
