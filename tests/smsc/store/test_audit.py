"""`smsc store check`: sound stores pass, and each kind of damage is named."""

import json
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from smsc.cli import app
from smsc.message import MessageId, Progress, State
from smsc.ports import Control
from smsc.store import keys
from smsc.store.audit import Report, audit
from smsc.store.batch import MESSAGE, TABLES, WriteBatch
from smsc.store.opening import DATA_FILE, StoreOpenError
from tests.contracts.store_contract import NOW_MS, QUEUED, SIM, a_delivery, a_message
from tests.fakes.house import RunningGateway
from tests.foreign.esme import Esme
from tests.smsc.store.houses import LmdbHouse

ENROUTE = Progress(State.ENROUTE, SIM, 1, parts=b"\x01", upstream_ids=("up",))
FINAL = Progress(State.DELIVERED, SIM, 1, parts=b"\x02", upstream_ids=("old",))


class Stocked(LmdbHouse):
    """Ten messages: five queued, three final, two with a network; alarms and deliveries."""

    def __init__(self, data_dir: Path) -> None:
        super().__init__(data_dir)
        self.all = [MessageId(id_) for id_ in self.ids.take(10, NOW_MS)]
        batch = WriteBatch()
        batch.accept_many([a_message(id_) for id_ in self.all], QUEUED)
        batch.defer(NOW_MS, self.all[0], self.all[-1])
        for id_ in self.all[5:8]:
            batch.progress(id_, FINAL)
            batch.park(a_delivery(id_))
        for place in (8, 9):
            names = (f"up{place}",)
            progress = Progress(State.ENROUTE, SIM, 1, parts=b"\x01", upstream_ids=names)
            batch.progress(self.all[place], progress)
            batch.upstream(SIM, names[0], self.all[place], 0)
        self.commit(batch)

    def remove(self, table: str, key: bytes) -> None:
        db = self.store._disk._tables[TABLES.index(table)]
        with self.store._disk._env.begin(write=True, db=db) as txn:
            assert txn.delete(key)

    def report(self) -> Report:
        """Close the store and look at it."""
        self.close()
        try:
            return audit(self.data_dir)
        finally:
            self.open()


@pytest.fixture
def house(tmp_path: Path) -> Iterator[Stocked]:
    house = Stocked(tmp_path / "var")
    yield house
    house.close()


def key_of(id_: int) -> bytes:
    return id_.to_bytes(8, "big")


def test_a_sound_store_is_counted(house: Stocked) -> None:
    report = house.report()
    assert report.is_sound
    assert (report.accepted, report.final, report.live) == (10, 3, 7)
    assert report.states == {State.QUEUED: 5, State.DELIVERED: 3, State.ENROUTE: 2}
    assert report.records == {
        "message": 10,
        "status": 10,
        "upstream": 2,
        "due": 1,
        "parked": 3,
        "meta": 2,
        "corrupt": 0,
        "idempotency": 0,
        **dict.fromkeys(("account", "balance", "ledger", "contact", "inbox", "answer"), 0),
    }
    assert report.damages == []


@pytest.mark.parametrize("table", ["message", "status", "upstream", "due", "parked"])
def test_a_flipped_bit_in_any_record_is_found_and_changes_nothing(
    house: Stocked, table: str
) -> None:
    db = house.store._disk._tables[TABLES.index(table)]
    with house.store._disk._env.begin(db=db) as txn, txn.cursor() as cursor:
        assert cursor.first()
        key = cursor.key()
    house.spoil(table, key)
    for _ in range(2):
        report = house.report()
        assert not report.is_sound
        first = report.damages[0]
        assert first.what == f"records of {table!r} whose check sum does not fit"
        assert (first.count, first.examples) == (1, [key.hex()])
    assert (report.accepted == report.final + report.live) == (table != "status")


Spoil = Callable[[Stocked], None]


@pytest.mark.parametrize(
    ("spoil", "what", "count"),
    [
        (
            lambda house: house.remove("message", key_of(house.all[0])),
            "messages without their text",
            1,
        ),
        (
            lambda house: house.remove("status", key_of(house.all[5])),
            "messages of which nobody knows how far they are",
            1,
        ),
        (
            lambda house: house.remove("due", key_of(NOW_MS) + key_of(house.all[0])),
            "live messages without an alarm",
            7,
        ),
        (
            lambda house: house.remove("upstream", b"sim\x00up8"),
            "messages whose upstream id is unknown",
            1,
        ),
    ],
)
def test_what_does_not_add_up_is_named(house: Stocked, spoil: Spoil, what: str, count: int) -> None:
    spoil(house)
    report = house.report()
    assert [(one.what, one.count) for one in report.damages] == [(what, count)]
    assert not report.is_sound
    lost = what.startswith(("messages without", "messages of"))
    assert (report.accepted != report.final + report.live) == lost


def test_one_alarm_behind_another_covers_what_lies_under_both(house: Stocked) -> None:
    batch = WriteBatch()
    batch.undefer(house.store.due(NOW_MS, 1)[0])
    batch.defer(NOW_MS, house.all[0], house.all[8])
    batch.defer(NOW_MS, house.all[2], house.all[3])
    house.commit(batch)
    (damage,) = house.report().damages
    assert damage.examples == [key_of(house.all[9]).hex()]


def test_records_that_a_gateway_set_aside_are_told_and_no_damage(house: Stocked) -> None:
    house.spoil("message", key_of(house.all[0]))
    house.spoil("status", key_of(house.all[1]))
    house.spoil("upstream", b"sim\x00up8")
    assert house.store.message(house.all[0]) is None
    assert house.store.progress(house.all[1]) is None
    assert house.store.upstream(SIM, "up8") is None
    house.commit(WriteBatch())
    report = house.report()
    assert report.set_aside == 3
    assert (report.accepted, report.final, report.live) == (10, 5, 5)
    assert report.is_sound, report


def test_what_was_set_aside_is_listed_octet_by_octet(
    house: Stocked, capsys: pytest.CaptureFixture[str]
) -> None:
    key = key_of(house.all[0])
    house.spoil("message", key)
    with house.store._disk._env.begin(db=house.store._disk._tables[MESSAGE]) as txn:
        record = txn.get(key)
    assert house.store.message(house.all[0]) is None
    house.commit(WriteBatch())
    house.close()
    capsys.readouterr()  # the log of the store
    assert app(["store", "corrupt", "--data-dir", str(house.data_dir)]) == 0
    (line,) = capsys.readouterr().out.splitlines()
    assert json.loads(line) == {"table": "message", "key": key.hex(), "record": record.hex()}
    assert app(["store", "corrupt", "--data-dir", str(house.data_dir / "nowhere")]) == 1
    house.open()


def test_upstream_ids_of_messages_that_are_gone_are_counted_only(house: Stocked) -> None:
    batch = WriteBatch()
    batch.upstream(SIM, "stray", MessageId(1), 0)
    house.commit(batch)
    report = house.report()
    assert report.unused_upstream_ids == 1
    assert report.is_sound


def test_damaged_pages_are_a_sentence(house: Stocked) -> None:
    house.close()
    file = house.data_dir / DATA_FILE
    octets = bytearray(file.read_bytes())
    octets[2 * 4096 :] = b"\xaa" * (len(octets) - 2 * 4096)
    sound = file.read_bytes()
    file.write_bytes(octets)
    try:
        with pytest.raises(StoreOpenError, match=r"damaged|cannot be read"):
            audit(house.data_dir)
    finally:
        file.write_bytes(sound)
        house.open()


# --- the command --------------------------------------------------------------------------------


def test_the_command_prints_tables_and_json(
    house: Stocked, capsys: pytest.CaptureFixture[str]
) -> None:
    house.close()
    command = ["store", "check", "--data-dir", str(house.data_dir)]
    assert app(command) == 0
    out = capsys.readouterr().out
    assert "DELIVERED" in out
    assert "The store is sound." in out
    assert app([*command, "--json"]) == 0
    found = json.loads(capsys.readouterr().out)
    assert found["sound"]
    assert found["states"] == {"ENROUTE": 2, "DELIVERED": 3, "QUEUED": 5}
    house.open()


def test_the_command_ends_with_1_on_damage(
    house: Stocked, capsys: pytest.CaptureFixture[str]
) -> None:
    batch = WriteBatch()
    batch.progress(house.all[0], ENROUTE)
    house.commit(batch)
    house.close()
    command = ["store", "check", "--data-dir", str(house.data_dir)]
    assert app(command) == 1
    out = capsys.readouterr().out
    assert "DAMAGED" in out
    assert "upstream id is unknown" in out
    assert app([*command, "--json"]) == 1
    assert json.loads(capsys.readouterr().out)["damages"][0]["count"] == 1
    house.open()


def test_a_directory_without_a_store_is_told(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert app(["store", "check", "--data-dir", str(tmp_path)]) == 1
    assert "there is no store" in capsys.readouterr().err
    assert list(tmp_path.iterdir()) == []


def test_a_gateway_leaves_a_sound_store(
    start_gateway: Callable[..., RunningGateway], tmp_path: Path
) -> None:
    gateway = start_gateway()
    client = Esme(gateway.port)
    client.bind()
    for _ in range(20):
        client.submit()
    client.read_until(responses=20, delivered=20)
    client.close()
    gateway.kill()
    report = audit(tmp_path / "a")
    assert report.is_sound, report
    assert report.accepted == 20


def test_a_ledger_is_added_up(house: Stocked) -> None:
    def enter(**lines: str) -> WriteBatch:
        batch = WriteBatch()
        for name, amount in lines.items():
            number = int(name.removeprefix("line"))
            fields = (NOW_MS, "", amount, "0", "config", "why", None, None, 0)
            batch.control(Control.LEDGER, keys.owned_key("demo", number), fields)
        return batch

    def mark(amount: str, number: int, gone: str = "0") -> WriteBatch:
        batch = WriteBatch()
        batch.control(Control.BALANCE, keys.name_key("demo"), (amount, number, gone))
        return batch

    house.commit(enter(line2="10", line3="-2.5", line4="1"))
    assert damages(house) == {"lines of the ledger without a balance": 3}
    for batch, expected in (
        (mark("7.5", 3), {}),
        (mark("7.50", 3), {}),
        (mark("8.5", 4), {}),
        (mark("9.5", 4, gone="1"), {}),
        (mark("7.6", 3), {"balances that their ledger does not prove": 1}),
        (mark("8.5", 3), {"balances that their ledger does not prove": 1}),
        (mark("-10", 1, gone="-10"), {"balances that their ledger does not prove": 1}),
    ):
        house.commit(batch)
        assert damages(house) == expected


def damages(house: Stocked) -> dict[str, int]:
    return {one.what: one.count for one in house.report().damages}


@pytest.mark.parametrize("table", Control)
def test_spoilt_records_of_the_directory_are_found(house: Stocked, table: Control) -> None:
    batch = WriteBatch()
    key = keys.name_key("demo") if table is Control.BALANCE else keys.owned_key("demo", 1)
    fields: tuple[object, ...] = ("0", 0, "0")
    if table is Control.LEDGER:
        fields = (NOW_MS, "", "0", "0", "config", "why", None, None, 0)
        batch.control(Control.BALANCE, keys.name_key("demo"), ("0", 0, "0"))
    batch.control(table, key, fields)
    house.commit(batch)
    assert damages(house) == {}
    house.spoil(TABLES[table], key)
    what = f"records of {TABLES[table]!r} whose check sum does not fit"
    assert damages(house)[what] == 1
