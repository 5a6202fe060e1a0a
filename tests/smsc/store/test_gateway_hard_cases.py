"""What clients and operators of a whole gateway see when its disk is full, broken or taken."""

import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from pdu.status import Status
from smsc.message import MessageId, Progress, State
from smsc.store.audit import audit
from smsc.store.batch import TABLES
from tests.fakes.house import ACCOUNT, SIMULATOR, RunningGateway
from tests.foreign.esme import Esme
from tests.smsc.store.houses import flipped
from tests.smsc.store.small_disk import mounted, resize

StartGateway = Callable[..., RunningGateway]
HELD = """
[outlets.gone]
kind = "smpp"
host = "127.0.0.1"
port = 9
system_id = "gw"
password = "gw"
[[routes]]
name = "default"
outlets = ["gone"]
"""
RUN = "from smsc.cli import main; main()"


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    """Where a gateway named "a" has its data: a file system of 4 MiB."""
    with mounted(tmp_path / "a", 4) as disk:
        yield disk


def submit_until(client: Esme, is_enough: Callable[[int], bool]) -> list[int]:
    """Submit in rounds until a round's last answer is enough; the ids that were answered OK."""
    accepted: list[int] = []
    for _ in range(100):
        sent = [client.submit(b"", message_payload=b"x" * 20_000).sequence for _ in range(10)]
        answers: dict[int, Any] = {}
        while answers.keys() != set(sent):  # smpplib tells of an error status twice
            client.read_once(auto_send_enquire_link=False)
            answers = {one.sequence: one for one in client.responses if one.sequence in sent}
        accepted += [int(one.message_id) for one in answers.values() if not one.status]
        if is_enough(answers[sent[-1]].status):
            return accepted
    raise AssertionError("it never came")


def test_on_a_full_disk_clients_hear_queue_full_and_nothing_accepted_is_lost(
    small_disk: Path, start_gateway: StartGateway
) -> None:
    gateway = start_gateway(ACCOUNT + HELD)
    client = Esme(gateway.port)
    client.bind("transmitter")
    accepted = submit_until(client, lambda status: status == Status.ESME_RMSGQFUL)
    assert accepted
    health = gateway.call(gateway.gateway.http.health)
    assert not health.ready
    assert "disk" in health.why
    resize(small_disk, 64)
    gateway.wait_until(lambda: gateway.gateway.http.health().ready, "room was noticed")
    accepted += submit_until(client, lambda status: status == Status.ESME_ROK)
    client.close()
    assert gateway.stop() == 0
    report = audit(small_disk)
    assert report.is_sound
    assert report.accepted == len(accepted)


def test_the_map_grows_as_configured_and_full_is_full_at_its_limit(
    tmp_path: Path, start_gateway: StartGateway
) -> None:
    sizes = "[store]\nmap_size_mb = 16\nmap_growth_mb = 1\nmap_limit_mb = 17\n"
    gateway = start_gateway(sizes + ACCOUNT + HELD)
    store = gateway.gateway.store
    assert gateway.call(lambda: store.map_octets) == 16 << 20
    client = Esme(gateway.port)
    client.bind("transmitter")
    accepted = submit_until(client, lambda status: status == Status.ESME_RMSGQFUL)
    client.close()
    assert gateway.call(lambda: store.map_octets) == 17 << 20
    assert "17 MiB" in gateway.call(gateway.gateway.http.health).why
    gateway.kill()
    assert audit(tmp_path / "a").accepted == len(accepted)


def test_a_corrupt_record_of_an_earlier_run_stops_nothing(
    tmp_path: Path, start_gateway: StartGateway
) -> None:
    gateway = start_gateway(ACCOUNT + HELD)
    client = Esme(gateway.port)
    client.bind("transmitter")
    for _ in range(3):
        client.submit()
    client.read_until(responses=3)
    client.close()
    ids = [MessageId(int(one.message_id)) for one in client.responses]
    disk = gateway.gateway.store._disk

    def spoil() -> None:
        for table, id_ in (("message", ids[0]), ("status", ids[1])):
            key, db = id_.to_bytes(8, "big"), disk._tables[TABLES.index(table)]
            with disk._env.begin(write=True, db=db) as txn:
                txn.put(key, flipped(txn.get(key)))

    gateway.call(spoil)
    gateway.kill()
    again = start_gateway(ACCOUNT + SIMULATOR)
    store = again.gateway.store

    def ended() -> bool:
        third: Progress | None = store.progress(ids[2])
        return third is not None and third.state is State.DELIVERED

    again.wait_until(ended, "the sound one is delivered")
    assert again.call(lambda: [p and p.state for p in store.progresses(ids[:2])]) == [
        State.UNKNOWN,
        State.UNKNOWN,
    ]
    assert again.stop() == 0
    report = audit(tmp_path / "a")
    assert report.is_sound
    assert (report.accepted, report.final, report.set_aside) == (3, 3, 2)


def test_a_second_gateway_on_the_same_directory_ends_with_a_sentence(
    tmp_path: Path, start_gateway: StartGateway
) -> None:
    start_gateway()
    config = tmp_path / "second.toml"
    config.write_text(f'[node]\ndata_dir = "{tmp_path}/a"\n' + ACCOUNT + SIMULATOR)
    second = subprocess.run(
        [sys.executable, "-c", RUN, "run", "--config", str(config)],
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert second.returncode == 1
    assert "is in use by another smsc process" in second.stderr
    assert "Traceback" not in second.stderr
