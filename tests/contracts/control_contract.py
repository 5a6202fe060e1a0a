"""What every store must do with the records of the directory."""

from collections.abc import Iterable

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from smsc.ports import Control
from smsc.store import keys
from smsc.store.batch import TABLES, WriteBatch
from tests.contracts.store_contract import NOW_MS, OpenStore

LEDGER, INBOX = Control.LEDGER, Control.INBOX


def entered(*numbers: int, owner: str = "demo", table: Control = LEDGER) -> WriteBatch:
    batch = WriteBatch()
    for number in numbers:
        batch.control(table, keys.owned_key(owner, number), ("n", number, None, ("a",), {"k": 1}))
    return batch


def found(
    house: OpenStore, *bounds: int | None, limit: int = 99, backwards: bool = False
) -> list[int]:
    start, stop = keys.owned_range("demo", *bounds)
    rows = house.store.control(LEDGER, start, stop, limit, backwards=backwards)
    return [keys.owned_of(key)[1] for key, _ in rows]


class ControlContract:
    """The tests; a subclass gives the fixture `house`."""

    def test_the_tables_have_their_places(self, house: OpenStore) -> None:
        assert [TABLES[table] for table in Control] == [one.name.lower() for one in Control]

    def test_a_record_is_read_back_whole_at_once_and_for_ever(self, house: OpenStore) -> None:
        for _ in house.before_and_after_commit(entered(7)):
            rows = house.store.control(LEDGER, b"", keys.END, 9)
            assert rows == [(keys.owned_key("demo", 7), ("n", 7, None, ("a",), {"k": 1}))]

    def test_an_owner_sees_its_own_records_between_bounds_both_ways(self, house: OpenStore) -> None:
        for owner in ("dem", "demo2", "demp", ""):
            house.commit(entered(1, 2**63, owner=owner))
        for _ in house.before_and_after_commit(entered(3, 1, 2**62, 2)):
            assert found(house) == [1, 2, 3, 2**62]
            assert found(house, backwards=True) == [2**62, 3, 2, 1]
            assert found(house, 1, 2**62) == [2, 3]
            assert found(house, None, 3, limit=1, backwards=True) == [2]
            assert found(house, limit=2) == [1, 2]
            start, stop = keys.owned_range("demo")
            assert house.store.control_keys(LEDGER, start, stop, 3) == [
                keys.owned_key("demo", number) for number in (1, 2, 3)
            ]

    def test_none_deletes(self, house: OpenStore) -> None:
        house.commit(entered(1, 2, 3))
        batch = WriteBatch()
        batch.control(LEDGER, keys.owned_key("demo", 2), None)
        for _ in house.before_and_after_commit(batch):
            assert found(house) == [1, 3]
            assert found(house, backwards=True, limit=2) == [3, 1]

    def test_a_spoilt_record_is_set_aside_and_the_others_are_found(self, house: OpenStore) -> None:
        for backwards in (False, True):
            house.commit(entered(1, 2, 3))
            house.spoil("ledger", keys.owned_key("demo", 2))
            assert found(house, limit=2, backwards=backwards) == ([3, 1] if backwards else [1, 3])
        assert house.store.corrupt == 2
        house.commit(WriteBatch())
        assert house.store.counts()["corrupt"] == 1  # the same key, twice

    def test_the_check_sum_covers_the_key(self, house: OpenStore) -> None:
        from smsc.store.records import CorruptRecordError, decode_control, encode_control

        record = encode_control(b"mine", ("x",))
        assert decode_control(b"mine", record) == ("x",)
        with pytest.raises(CorruptRecordError):
            decode_control(b"your", record)

    def test_ids_of_received_messages_are_never_given_out_again(self, house: OpenStore) -> None:
        far = house.ids.take(1, NOW_MS + 10**9)[0]
        house.commit(entered(far, table=INBOX))
        batch = WriteBatch()
        batch.control(INBOX, keys.owned_key("demo", far), None)
        house.commit(batch)
        house.reopen()
        assert house.ids.take(1, NOW_MS)[0] > far

    # Each input begins by deleting what the one before it left.
    @settings(
        max_examples=40,
        deadline=None,
        suppress_health_check=[HealthCheck.function_scoped_fixture],
    )
    @given(data=st.data())
    def test_what_is_handed_in_lies_over_what_is_on_disk(
        self, house: OpenStore, data: st.DataObject
    ) -> None:
        numbers = st.integers(0, 12)
        house.commit(_deleted(range(13)))
        house.commit(entered(*(on_disk := data.draw(st.sets(numbers)))))
        gone, new = data.draw(st.sets(numbers)), data.draw(st.sets(numbers))
        expected = sorted((on_disk - gone) | new)
        limit = data.draw(st.integers(1, 14))
        with house.stalled():
            house.hand_in(_deleted(gone), None)
            house.hand_in(entered(*new), None)
            assert found(house, limit=limit) == expected[:limit]
            assert found(house, limit=limit, backwards=True) == expected[::-1][:limit]
        house.commit(WriteBatch())
        assert found(house) == expected


def _deleted(numbers: Iterable[int]) -> WriteBatch:
    batch = WriteBatch()
    for number in numbers:
        batch.control(LEDGER, keys.owned_key("demo", number), None)
    return batch
