"""What every store must do: run on the LMDB store and on the memory store."""

import queue
from abc import ABC, abstractmethod
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager

import attrs
import pytest

from smsc.message import (
    AccountId,
    Delivery,
    Mailbox,
    Message,
    MessageId,
    OutletName,
    Progress,
    State,
)
from smsc.ports import Alarm, CommitResult, Committed
from smsc.store.batch import WriteBatch
from smsc.store.ids import IdAllocator, id_time_ms
from smsc.store.reads import Reads

NOW_MS = 1_790_000_000_000
SIM = OutletName("sim")
DEMO = Mailbox("demo")
QUEUED = Progress(State.QUEUED, SIM)


def a_message(id_: int, body: bytes = b"body") -> Message:
    """A message with every field set."""
    return Message(
        MessageId(id_),
        AccountId("demo"),
        "smpp",
        NOW_MS,
        NOW_MS + 1,
        NOW_MS + 2,
        3,
        0x11,
        "https://example.org/dlr",
        7,
        "réf",
        ("bulk", "ch"),
        body,
    )


def an_alarm(due_ms: int, first: int) -> Alarm:
    return Alarm(NOW_MS + due_ms, MessageId(first), MessageId(first + 100))


def a_delivery(id_: int, mailbox: Mailbox = DEMO) -> Delivery:
    """A delivery with every field set."""
    return Delivery(
        MessageId(id_),
        mailbox,
        AccountId("demo"),
        "receipt",
        NOW_MS,
        NOW_MS + 1,
        b"\x00deliver",
        MessageId(5),
        State.UNDELIVERABLE,
        0x45,
        None,
        "ref",
        2,
    )


class OpenStore(ABC):
    """A store under test, and the loop it answers into: a queue that the test empties."""

    def __init__(self) -> None:
        self.calls: queue.SimpleQueue[Callable[[], None]] = queue.SimpleQueue()
        self.open()

    store: Reads
    ids: IdAllocator

    @abstractmethod
    def open(self) -> None:
        """Open it, as at the start of the process."""

    @abstractmethod
    def close(self) -> None:
        """Close it; what was handed in gets written."""

    def reopen(self) -> None:
        """As a restart of the process does."""
        self.close()
        self.open()

    @abstractmethod
    def hand_in(self, batch: WriteBatch, done: Callable[[CommitResult], None] | None) -> None:
        """commit_nowait."""

    @abstractmethod
    def stalled(self) -> AbstractContextManager[None]:
        """Inside, nothing reaches the disk."""

    @abstractmethod
    def spoil(self, table: str, key: bytes) -> None:
        """Flip a bit in the record on disk."""

    def before_and_after_commit(self, batch: WriteBatch) -> Iterator[None]:
        """Yield while the batch is not on disk, when it is, and after a restart."""
        with self.stalled():
            self.hand_in(batch, None)
            yield
        self.commit(WriteBatch())
        yield
        self.reopen()
        yield

    def commit(self, batch: WriteBatch) -> CommitResult:
        """Commit and wait for the answer."""
        results: list[CommitResult] = []
        self.hand_in(batch, results.append)
        while not results:
            self.calls.get(timeout=30)()
        return results[0]

    def accept(self, n: int = 1, progress: Progress = QUEUED) -> list[MessageId]:
        """Accept `n` messages and wait until they are on disk."""
        batch = WriteBatch()
        ids = [MessageId(id_) for id_ in self.ids.take(n, NOW_MS)]
        for id_ in ids:
            batch.accept_many([a_message(id_)], progress)
        assert self.commit(batch) == Committed()
        return ids


class StoreContract:
    """The tests; a subclass gives the fixture `house`."""

    def test_what_was_accepted_is_read_back_whole(self, house: OpenStore) -> None:
        (id_,) = house.accept()
        assert house.store.message(id_) == a_message(id_)
        assert house.store.progress(id_) == QUEUED
        house.reopen()
        assert house.store.message(id_) == a_message(id_)
        assert house.store.progress(id_) == QUEUED

    def test_messages_come_in_the_order_asked_with_gaps_for_the_unknown(
        self, house: OpenStore
    ) -> None:
        first, second = house.accept(2)
        found = house.store.messages([second, MessageId(1), first])
        assert [message and message.id for message in found] == [second, None, first]

    def test_unknown_things_are_none_or_empty(self, house: OpenStore) -> None:
        store = house.store
        assert store.message(MessageId(1)) is None
        assert store.progress(MessageId(1)) is None
        assert store.upstream(SIM, "1") is None
        assert list(store.waiting()) == []
        assert store.due(NOW_MS, 10) == []
        assert store.parked(DEMO, MessageId(0), 10) == []
        assert store.mailboxes() == []
        assert store.meta("nothing") is None

    def test_done_is_called_once_for_each_batch_in_order_even_for_an_empty_one(
        self, house: OpenStore
    ) -> None:
        order: list[int] = []
        for place in range(4):
            batch = WriteBatch()
            if place % 2:
                batch.progress(MessageId(place), QUEUED)
            house.hand_in(batch, lambda _, place=place: order.append(place))  # type: ignore[misc]
        house.commit(WriteBatch())
        assert order == [0, 1, 2, 3]

    def test_a_new_message_shows_only_once_it_is_committed(self, house: OpenStore) -> None:
        batch = WriteBatch()
        (id_,) = house.ids.take(1, NOW_MS)
        batch.accept_many([a_message(id_)], QUEUED)
        with house.stalled():
            house.hand_in(batch, None)
            assert house.store.message(MessageId(id_)) is None
            assert house.store.progress(MessageId(id_)) is None
            assert list(house.store.waiting()) == []
        house.commit(WriteBatch())
        assert house.store.message(MessageId(id_)) is not None

    def test_a_rewritten_message_shows_at_once_and_stays(self, house: OpenStore) -> None:
        first, second = house.accept(2)
        batch = WriteBatch()
        batch.rewrite(a_message(first, b"another body, longer than the one before"))
        for _ in house.before_and_after_commit(batch):
            bodies = [one and one.body for one in house.store.messages([first, second])]
            assert bodies == [b"another body, longer than the one before", b"body"]
            assert house.store.progress(first) == QUEUED
            assert [id_ for id_, _ in house.store.waiting()] == [first, second]

    def test_progress_shows_at_once_and_the_last_one_wins(self, house: OpenStore) -> None:
        (id_,) = house.accept()
        with house.stalled():
            for attempt in range(3):
                batch = WriteBatch()
                sent = Progress(State.ENROUTE, SIM, attempt, 4, 5, 6, b"\x01\x02", ("A1", "b2"))
                batch.progress(id_, sent)
                house.hand_in(batch, None)
                assert house.store.progress(id_) == sent
        house.reopen()
        assert house.store.progress(id_) == sent

    def test_progress_in_the_batch_that_accepts_wins_over_the_first(self, house: OpenStore) -> None:
        batch = WriteBatch()
        (id_,) = house.ids.take(1, NOW_MS)
        batch.progress(MessageId(id_), Progress(State.REJECTED, SIM))
        batch.accept_many([a_message(id_)], QUEUED)
        house.commit(batch)
        assert house.store.progress(MessageId(id_)) == Progress(State.REJECTED, SIM)

    def test_an_upstream_id_names_message_and_part_for_its_outlet_only(
        self, house: OpenStore
    ) -> None:
        names = ["0", "ABC", "é\udc80", "x" * 600, "x" * 601]
        batch = WriteBatch()
        for place, name in enumerate(names):
            batch.upstream(SIM, name, MessageId(100 + place), place)
        for _ in house.before_and_after_commit(batch):
            for place, name in enumerate(names):
                assert house.store.upstream(SIM, name) == (100 + place, place)
                assert house.store.upstream(OutletName("si"), name) is None

    @pytest.mark.parametrize("names", [("x", "y", "z"), ("", "y", ""), ("", "", "")])
    def test_many_left_at_once_some_without_a_name(
        self, house: OpenStore, names: tuple[str, ...]
    ) -> None:
        batch = WriteBatch()
        left = [
            (MessageId(place), name, Progress(State.ENROUTE, SIM, attempt=place))
            for place, name in enumerate(names, 1)
        ]
        batch.left_many(SIM, left)
        for _ in house.before_and_after_commit(batch):
            for id_, name, progress in left:
                assert house.store.progress(id_) == progress
                assert house.store.newest((id_,)) == [progress]
                for _ in range(2 if name else 0):  # what `Fresh` told once is on disk
                    assert house.store.upstream(SIM, name) == (id_, 0)
            assert house.store.upstream(SIM, "") is None

    def test_what_ended_is_read_from_disk(self, house: OpenStore) -> None:
        batch, id_ = WriteBatch(), MessageId(7)
        ended = {id_: Progress(State.DELIVERED, SIM, done_ms=NOW_MS)}
        batch.progress(id_, Progress(State.ENROUTE, SIM))
        batch.end_many(ended)
        for _ in house.before_and_after_commit(batch):
            (newest,) = house.store.newest((id_,))
            assert newest == ended[id_]
            assert newest is not ended[id_]

    def test_waiting_is_what_is_not_final_oldest_first(self, house: OpenStore) -> None:
        ids = house.accept(20)
        batch = WriteBatch()
        batch.progress(ids[3], Progress(State.DELIVERED, SIM))
        batch.progress(ids[4], Progress(State.ENROUTE, OutletName("other"), 1))
        house.commit(batch)
        batch = WriteBatch()
        batch.progress(ids[5], Progress(State.EXPIRED, SIM))
        expected = [
            (id_, Progress(State.ENROUTE, OutletName("other"), 1) if place == 4 else QUEUED)
            for place, id_ in enumerate(ids)
            if place not in {3, 5}
        ]
        for _ in house.before_and_after_commit(batch):
            waiting = house.store.waiting()
            assert list(waiting) == expected
            assert len(waiting) == 18
            assert [waiting[0], waiting[3], waiting[-1]] == [expected[0], expected[3], expected[-1]]
            assert list(waiting[2:5]) == expected[2:5]

    def test_messages_of_an_account_are_found_newest_first_in_slices(
        self, house: OpenStore
    ) -> None:
        batch = WriteBatch()
        named = ((11, "demo"), (12, "demo2"), (13, "demo"), (14, "dem"))
        theirs = [attrs.evolve(a_message(id_), account=AccountId(name)) for id_, name in named]
        batch.accept_many(theirs, QUEUED)
        house.commit(batch)
        demo, low, high = AccountId("demo"), MessageId(0), MessageId(99)
        store = house.store
        assert store.newest_of(demo, low, high, 9) == ([13, 11], None)
        assert store.newest_of(None, low, high, 9) == ([14, 13, 12, 11], None)
        assert store.newest_of(demo, low, high, 2) == ([13], 13)
        assert store.newest_of(demo, low, MessageId(13), 3) == ([11], None)
        assert store.newest_of(demo, low, MessageId(11), 2) == ([], None)
        assert store.newest_of(demo, MessageId(11), high, 9) == ([13], None)
        assert store.following(MessageId(12), 2) == [12, 13]

    def test_due_is_earliest_first_within_time_and_limit(self, house: OpenStore) -> None:
        batch = WriteBatch()
        for due_ms, id_ in [(30, 1), (10, 3), (10, 2), (20, 9), (41, 4)]:
            batch.defer(NOW_MS + due_ms, MessageId(id_), MessageId(id_ + 100))
        house.commit(batch)
        batch = WriteBatch()
        batch.undefer(an_alarm(20, 9))
        batch.undefer(an_alarm(99, 9))  # was never there
        batch.defer(NOW_MS + 15, MessageId(7), MessageId(107))
        expected = [an_alarm(10, 2), an_alarm(10, 3), an_alarm(15, 7), an_alarm(30, 1)]
        for _ in house.before_and_after_commit(batch):
            assert house.store.due(NOW_MS + 40, 10) == expected
            assert house.store.due(NOW_MS + 40, 3) == expected[:3]
            assert house.store.due(NOW_MS + 9, 10) == []

    def test_an_alarm_for_one_displaces_none_for_many(self, house: OpenStore) -> None:
        batch = WriteBatch()
        batch.defer(NOW_MS, MessageId(5), MessageId(9))
        batch.defer(NOW_MS + 1, MessageId(5), MessageId(5))
        batch.defer(NOW_MS + 2, MessageId(5), MessageId(6))
        for _ in house.before_and_after_commit(batch):
            assert house.store.lone_alarm_ms(NOW_MS, MessageId(4)) == NOW_MS
            assert house.store.lone_alarm_ms(NOW_MS, MessageId(5)) == NOW_MS + 1
            assert house.store.lone_alarm_ms(NOW_MS + 2, MessageId(5)) == NOW_MS + 3

    def test_parked_deliveries_stay_until_unparked(self, house: OpenStore) -> None:
        batch = WriteBatch()
        for id_ in range(1, 41):
            batch.park(a_delivery(id_))
        batch.park(a_delivery(17, Mailbox("dem")))
        batch.park(a_delivery(18, Mailbox("demo:x")))
        house.commit(batch)
        batch = WriteBatch()
        for id_ in range(1, 31):
            batch.unpark(DEMO, MessageId(id_))
        batch.park(a_delivery(50))
        expected = [a_delivery(id_) for id_ in [*range(31, 41), 50]]
        for _ in house.before_and_after_commit(batch):
            store = house.store
            assert store.parked(DEMO, MessageId(0), 100) == expected
            assert store.parked(DEMO, MessageId(0), 2) == expected[:2]
            assert store.parked(DEMO, MessageId(39), 100) == expected[-2:]
            assert store.parked(DEMO, MessageId(50), 100) == []
            assert store.mailboxes() == ["dem", "demo", "demo:x"]

    def test_a_mailbox_is_gone_with_its_last_delivery(self, house: OpenStore) -> None:
        batch = WriteBatch()
        batch.park(a_delivery(1))
        batch.park(a_delivery(2, Mailbox("other")))
        house.commit(batch)
        batch = WriteBatch()
        batch.unpark(DEMO, MessageId(1))
        for _ in house.before_and_after_commit(batch):
            assert house.store.mailboxes() == ["other"]

    def test_parking_again_overwrites(self, house: OpenStore) -> None:
        delivery = a_delivery(1)
        for attempt in range(3):
            delivery.attempt = attempt
            batch = WriteBatch()
            batch.park(delivery)
            house.commit(batch)
        assert house.store.parked(DEMO, MessageId(0), 9) == [delivery]

    def test_meta_keeps_control_values(self, house: OpenStore) -> None:
        batch = WriteBatch()
        batch.meta("colour", b"blue")
        for _ in house.before_and_after_commit(batch):
            assert house.store.meta("colour") == b"blue"

    def test_submissions_are_remembered_until_they_are_forgotten(self, house: OpenStore) -> None:
        batch = WriteBatch()
        for place, account in enumerate(("a", "ab", "a")):
            batch.remember(AccountId(account), bytes([place]) * 16, MessageId(place), NOW_MS)
        house.commit(batch)
        batch = WriteBatch()
        batch.forget_remembered(AccountId("a"), bytes(16))
        batch.remember(AccountId("ab"), b"\x01" * 16, MessageId(9), NOW_MS + 1)
        for _ in house.before_and_after_commit(batch):
            assert list(house.store.remembered()) == [
                ("a", b"\x02" * 16, 2, NOW_MS),
                ("ab", b"\x01" * 16, 9, NOW_MS + 1),
            ]

    def test_a_corrupt_submission_is_set_aside(self, house: OpenStore) -> None:
        batch = WriteBatch()
        batch.remember(AccountId("a"), bytes(16), MessageId(1), NOW_MS)
        house.commit(batch)
        house.spoil("idempotency", b"a\0" + bytes(16))
        assert list(house.store.remembered()) == []
        assert house.store.corrupt == 1

    def test_counts_tell_what_is_on_disk(self, house: OpenStore) -> None:
        house.accept(3)
        batch = WriteBatch()
        batch.defer(5, MessageId(1), MessageId(1))
        batch.park(a_delivery(1))
        batch.upstream(SIM, "1", MessageId(1), 0)
        house.commit(batch)
        counts = dict(house.store.counts())
        del counts["meta"]
        assert counts == {
            "message": 3,
            "status": 3,
            "upstream": 1,
            "due": 1,
            "parked": 1,
            "corrupt": 0,
            "idempotency": 0,
            **dict.fromkeys(("account", "balance", "ledger", "contact", "inbox", "answer"), 0),
        }

    def test_ids_ascend_over_restarts_even_if_the_clock_went_back(self, house: OpenStore) -> None:
        last = house.accept(3)[-1]
        batch = WriteBatch()
        (parked,) = house.ids.take(1, NOW_MS + 50)
        batch.park(a_delivery(parked))
        batch.unpark(DEMO, MessageId(parked))
        house.commit(batch)
        house.reopen()
        (new,) = house.ids.take(1, NOW_MS - 86_400_000)
        assert new > parked > last
        assert id_time_ms(MessageId(new)) >= NOW_MS + 50

    def test_odd_text_survives(self, house: OpenStore) -> None:
        (id_,) = house.ids.take(1, NOW_MS)
        odd = a_message(id_)
        odd.reference = "lone \ud800 surrogate"
        batch = WriteBatch()
        batch.accept_many([odd], QUEUED)
        house.commit(batch)
        assert house.store.message(MessageId(id_)) == odd
