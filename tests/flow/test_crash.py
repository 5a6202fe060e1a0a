"""Accepted means on disk: `smsc run`, killed under load before its simulator, loses nothing.

Death at named points, with a carrier that keeps its own books, is in `test_crash_points`.
"""

import random
from pathlib import Path

import pytest

from pdu.status import Status
from pdu.tlvs import Tag, pack_tlv
from smsc.message import FINAL, State
from smsc.store.keys import id_of
from smsc.store.lmdb_store import LmdbStore
from smsc.store.records import decode_progress
from tests.flow.house import body_to
from tests.flow.process import (
    CARRIER_DOWN,
    GatewayProcess,
    LoggingClient,
    write_config,
)

LONG = body_to(short_message=b"") + pack_tlv(Tag.MESSAGE_PAYLOAD, b"abcdefghi " * 40)
BEHIND_ALL = b"\xff" * 9
BODIES = [*[body_to()] * 9, LONG]


def read_store(data_dir: Path) -> dict[str, State]:
    """The state of every message in the store of a gateway that has ended."""

    def not_called(error: Exception) -> None:
        raise error

    store = LmdbStore(data_dir, node=1, soon=lambda _call: None, failed=not_called)
    try:
        states = {
            str(id_of(key)): decode_progress(record).state
            for key, record in store._all_statuses(BEHIND_ALL)
        }
        assert {str(id_) for id_, _ in store.waiting()} == {
            id_ for id_, state in states.items() if state not in FINAL
        }
        counts = store.counts()
        assert counts["message"] == counts["status"] == len(states), "accepted = final + queued"
    finally:
        store.close()
    return states


def kill_again_and_again(tmp_path: Path, cycles: int, seed: int) -> None:
    """Kill a gateway under load, so many times; then let it finish, and take stock."""
    draw = random.Random(seed)
    config = write_config(tmp_path)
    acknowledged: set[str] = set()
    told: set[str] = set()
    for _ in range(cycles):
        with GatewayProcess(config) as gateway:
            client = LoggingClient(gateway.port)
            enough = draw.randrange(1, 2000)
            client.submit(BODIES, lambda: len(client.acknowledged) >= enough)  # noqa: B023 - called at once
            gateway.kill()
            client.read_until(lambda: False)
            client.close()
            acknowledged.update(client.acknowledged)
            told.update(client.receipts)
    with GatewayProcess(config) as gateway:
        client = LoggingClient(gateway.port)
        client.read_until(lambda: acknowledged <= told.union(client.receipts))
        client.close()
        assert gateway.stop() == 0
    states = read_store(tmp_path / "var")
    assert acknowledged <= states.keys()
    assert {states[id_] for id_ in acknowledged} == {State.DELIVERED}
    assert acknowledged <= told.union(client.receipts), "a receipt was lost"


def test_killed_under_load(tmp_path: Path) -> None:
    kill_again_and_again(tmp_path, cycles=2, seed=1)


@pytest.mark.slow
@pytest.mark.timeout(300)
def test_killed_under_heavy_load_ten_times(tmp_path: Path) -> None:
    kill_again_and_again(tmp_path, cycles=10, seed=2)


def test_a_full_store_refuses_and_loses_none(tmp_path: Path) -> None:
    big = body_to() + pack_tlv(0x1400, bytes(30_000))  # a vendor's own TLV passes through
    config = write_config(
        tmp_path, outlet=CARRIER_DOWN, store="map_size_mb = 16\nmap_growth_mb = 0"
    )
    with GatewayProcess(config) as gateway:
        client = LoggingClient(gateway.port)
        client.submit([big], lambda: bool(client.refused), window=20)
        assert set(client.refused) == {Status.ESME_RMSGQFUL}
        status, problem = gateway.http("POST", "/v1/messages", {"to": "41791234567", "text": "x"})
        assert (status, problem["status"]) == (503, 503)
        status, health = gateway.http("GET", "/v1/health")
        assert (status, health["ready"]) == (503, False)
        oldest = client.acknowledged[0]
        assert gateway.http("GET", f"/v1/messages/{oldest}")[1]["state"] == "QUEUED"
        client.close()
        assert gateway.stop() == 0
    states = read_store(tmp_path / "var")
    assert set(client.acknowledged) <= states.keys()
    assert set(states.values()) == {State.QUEUED}

    config = write_config(tmp_path, store="map_size_mb = 256")
    with GatewayProcess(config) as gateway:
        again = LoggingClient(gateway.port)
        again.read_until(lambda: states.keys() <= set(again.receipts))
        again.submit_all([body_to()])
        assert again.refused == []
        again.read_until(lambda: set(again.acknowledged) <= set(again.receipts))
        again.close()
        assert gateway.stop() == 0
    assert set(read_store(tmp_path / "var").values()) == {State.DELIVERED}
