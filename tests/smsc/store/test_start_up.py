"""Start-up with messages of an earlier run: clients are served while queues are rebuilt."""

import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from pdu.codec import encode_body
from pdu.message_pdus import SubmitSm
from smsc.message import AccountId, Message, MessageId, OutletName, Progress, State
from smsc.store.batch import WriteBatch
from smsc.store.lmdb_store import LmdbStore
from smsc.store.records import encode_message, encode_progress
from tests.contracts.store_contract import NOW_MS
from tests.fakes.house import ACCOUNT, SIMULATOR, RunningGateway
from tests.foreign.esme import Esme
from tests.smsc.store.houses import LmdbHouse

BODY = encode_body(
    SubmitSm(source_addr="Shop", destination_addr="41791234567", short_message=b"x" * 100)
)
FAR_MS = 1 << 45
QUEUED = Progress(State.QUEUED, OutletName(""))


def a_message(id_: int) -> Message:
    account = AccountId("demo")
    return Message(
        MessageId(id_), account, "smpp", NOW_MS, 0, FAR_MS, 0, 0, None, None, None, (), BODY
    )


def fill(data_dir: Path, n: int, progress: Progress = QUEUED) -> list[int]:
    """A store with `n` messages of an earlier run."""
    house = LmdbHouse(data_dir, map_size_mb=2048)
    record, status = encode_message(a_message(1)), encode_progress(progress)
    ids: list[int] = list(house.ids.take(n, NOW_MS))
    for at in range(0, n, 10_000):
        some = ids[at : at + 10_000]
        batch = WriteBatch()
        keys = [id_.to_bytes(8, "big") for id_ in some]
        batch.keys = keys
        batch.messages = [record] * len(keys)
        batch.statuses = [status] * len(keys)
        batch.defer(FAR_MS, MessageId(some[0]), MessageId(some[-1]))
        house.commit(batch)
    house.close()
    return ids


def test_clients_bind_and_submit_while_queues_are_rebuilt(
    tmp_path: Path,
    start_gateway: Callable[..., RunningGateway],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    old = fill(tmp_path / "a", 1000)
    held = True
    live = LmdbStore.live

    def slow_live(
        self: LmdbStore, until: MessageId, rows: int
    ) -> Iterator[list[tuple[MessageId, Progress]]]:
        for some in live(self, until, rows):
            while held:
                yield []
            yield some

    monkeypatch.setattr(LmdbStore, "live", slow_live)
    gateway = start_gateway(ACCOUNT + SIMULATOR)
    client = Esme(gateway.port)
    try:
        assert client.bind().command == "bind_transceiver_resp"
        client.submit(b"new")
        client.read_until(responses=1)
        new = int(client.responses[0].message_id)
        assert gateway.call(lambda: gateway.gateway.http.health().facts["restoring"])
        store = gateway.gateway.store
        assert gateway.call(lambda: store.progress(MessageId(new))) == QUEUED
        held = False
        client.read_until(delivered=1)
    finally:
        client.close()
    gateway.wait_until(
        lambda: all(
            progress is not None and progress.state is State.DELIVERED
            for progress in store.progresses([*map(MessageId, old), MessageId(new)])
        ),
        "all delivered, the old ones too",
    )
    (restored,) = gateway.log.named("queues.restored")
    assert restored["messages"] == 1000, "the new one was queued once, by its accept"
    assert gateway.gateway.outlets[OutletName("sim")].statistics()["taken"] == 1001
    assert not gateway.call(lambda: gateway.gateway.http.health().facts["restoring"])


def test_a_stop_while_queues_are_rebuilt_is_heard(
    tmp_path: Path,
    start_gateway: Callable[..., RunningGateway],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def endless(
        _self: LmdbStore, _until: MessageId, _rows: int
    ) -> Iterator[list[tuple[MessageId, Progress]]]:
        while True:
            yield []

    old = fill(tmp_path / "a", 10)
    with monkeypatch.context() as patch:
        patch.setattr(LmdbStore, "live", endless)
        assert start_gateway(ACCOUNT + SIMULATOR).stop() == 0
    again = start_gateway(ACCOUNT + SIMULATOR)
    again.wait_for_event("queues.restored")
    assert again.log.named("queues.restored")[0]["messages"] == len(old)


@pytest.mark.slow
@pytest.mark.timeout(300)
def test_a_million_waiting_messages_are_queued_within_20_s_beside_binds(
    tmp_path: Path, start_gateway: Callable[..., RunningGateway]
) -> None:
    fill(tmp_path / "a", 1_000_000)
    down = """
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
    started = time.perf_counter()
    gateway = start_gateway(ACCOUNT + down)
    open_s = time.perf_counter() - started
    binds_s: list[float] = []
    while "queues.restored" not in gateway.log.events:
        asked = time.perf_counter()
        client = Esme(gateway.port)
        assert client.bind().command == "bind_transceiver_resp"
        binds_s.append(time.perf_counter() - asked)
        client.close()
        time.sleep(0.05)  # a client that binds on and on would measure itself
    took_s = time.perf_counter() - started
    assert gateway.call(gateway.gateway.dispatch.waiting) == {"gone": 1_000_000}
    assert open_s < 5
    assert took_s < 20
    assert binds_s
    assert max(binds_s) < 2
