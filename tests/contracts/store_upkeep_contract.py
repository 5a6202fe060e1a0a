"""What every store must do for its upkeep: start, history, corrupt records."""

from smsc.message import MessageId, Progress, State
from smsc.ports import Alarm
from smsc.store.batch import WriteBatch
from tests.contracts.store_contract import (
    DEMO,
    NOW_MS,
    QUEUED,
    SIM,
    OpenStore,
    a_delivery,
    a_message,
)


class UpkeepContract:
    """Inherit, and give a fixture `house`."""

    def test_corrupt_records_are_set_aside_and_counted_once(self, house: OpenStore) -> None:
        ids = house.accept(3)
        batch = WriteBatch()
        batch.park(a_delivery(1))
        batch.park(a_delivery(2))
        batch.upstream(SIM, "1", ids[0], 0)
        for first in (1, 2):
            batch.defer(NOW_MS, MessageId(first), MessageId(9))
        house.commit(batch)
        house.reopen()  # what was handed in a moment ago is not read from disk
        house.spoil("message", ids[0].to_bytes(8, "big"))
        house.spoil("status", ids[1].to_bytes(8, "big"))
        house.spoil("parked", b"demo\x00" + (1).to_bytes(8, "big"))
        house.spoil("upstream", b"sim\x001")
        house.spoil("due", NOW_MS.to_bytes(8, "big") + (1).to_bytes(8, "big"))
        store = house.store
        for _ in range(2):
            assert store.messages(ids) == [None, a_message(ids[1]), a_message(ids[2])]
            assert store.upstream(SIM, "1") is None
            assert store.parked(DEMO, MessageId(0), 1) == [a_delivery(2)]
            assert store.due(NOW_MS, 9) == [Alarm(NOW_MS, MessageId(2), MessageId(9))]
            assert [id_ for id_, _ in store.waiting()] == [ids[2]]
            assert store.corrupt == 5
        house.commit(WriteBatch())
        house.reopen()
        store = house.store
        counts = store.counts()
        assert counts["corrupt"] == 5
        assert (counts["message"], counts["status"]) == (2, 3)
        assert (counts["upstream"], counts["parked"], counts["due"]) == (0, 1, 1)
        states = [progress and progress.state for progress in store.progresses(ids)]
        assert states == [State.UNKNOWN, State.UNKNOWN, State.QUEUED]
        assert store.corrupt == 0

    def test_live_messages_come_in_lists_that_are_as_new_as_the_store(
        self, house: OpenStore
    ) -> None:
        ids = house.accept(7)
        until = house.ids.newest
        batch = WriteBatch()
        batch.progress(ids[0], Progress(State.DELIVERED, SIM))
        house.commit(batch)
        lists = house.store.live(until, 3)
        assert [id_ for id_, _ in next(lists)] == ids[1:3]
        batch = WriteBatch()
        enroute = Progress(State.ENROUTE, SIM, 1, parts=b"\x01")
        batch.progress(ids[3], enroute)
        batch.progress(ids[4], Progress(State.EXPIRED, SIM))
        newer = [MessageId(id_) for id_ in house.ids.take(1, NOW_MS)]
        batch.accept_many([a_message(newer[0])], QUEUED)
        with house.stalled():
            house.hand_in(batch, None)
            assert next(lists) == [(ids[3], enroute), (ids[5], QUEUED)]
        house.commit(WriteBatch())
        assert next(lists) == [(ids[6], QUEUED)]
        assert list(lists) == []
        assert ids[-1] <= until < newer[0]

    def test_history_is_forgotten_oldest_first_with_all_that_belongs_to_it(
        self, house: OpenStore
    ) -> None:
        ids = house.accept(5)
        batch = WriteBatch()
        for place in (0, 2, 3, 4):
            names = (f"u{place}", "again", "")
            done_ms = NOW_MS + place
            progress = Progress(
                State.DELIVERED, SIM, 1, done_ms=done_ms, parts=b"222", upstream_ids=names
            )
            batch.progress(ids[place], progress)
            for part, name in enumerate(names[:2]):
                batch.upstream(SIM, name, ids[place], part)
        house.commit(batch)
        store = house.store

        def finished(after: int, before: int, done_by_ms: int, rows: int = 9) -> list[MessageId]:
            found, _ = store.finished(MessageId(after), MessageId(before), done_by_ms, rows)
            return [id_ for id_, _ in found]

        late = NOW_MS + 100
        assert finished(0, ids[4], late) == [ids[0], ids[2], ids[3]]
        assert finished(0, ids[4] + 1, late) == [ids[0], *ids[2:]]
        assert finished(0, ids[4], NOW_MS + 2) == [ids[0], ids[2]]
        assert finished(ids[0], ids[4], late) == ids[2:4]
        found, after = store.finished(MessageId(0), ids[4], late, 2)
        assert ([id_ for id_, _ in found], after) == ([ids[0]], ids[1])
        old, after = store.finished(MessageId(0), ids[3], late, 9)
        assert ([id_ for id_, _ in old], after) == ([ids[0], ids[2]], None)
        batch = WriteBatch()
        store.forget(batch, old)
        for _ in house.before_and_after_commit(batch):
            store = house.store
            assert [m and m.id for m in store.messages(ids)] == [None, ids[1], None, *ids[3:]]
            assert store.progress(ids[0]) is None
            assert finished(0, ids[4], late) == [ids[3]]
            assert store.upstream(SIM, "u0") is None
            assert store.upstream(SIM, "u3") == (ids[3], 0)
            assert store.upstream(SIM, "again") == (ids[4], 1)
            assert [id_ for id_, _ in store.waiting()] == [ids[1]]
