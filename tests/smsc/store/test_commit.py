"""Group commit on a scripted disk: order, merging, refusals, the latch."""

import queue
import threading
from collections.abc import Callable, Iterator

import pytest

from smsc.message import MessageId, OutletName, Progress, State
from smsc.ports import CommitResult, Committed, StoreFull
from smsc.store.batch import META, STATUS, WriteBatch
from smsc.store.commit import CAP, FullError, Group, GroupCommit
from smsc.store.keys import id_key
from smsc.store.records import decode_progress
from tests.contracts.store_contract import QUEUED, a_message

ID = MessageId(7)

Script = list[Exception | None]


class ScriptedDisk:
    """Keeps what was committed; fails as the scripts say, then works."""

    def __init__(self) -> None:
        self.groups: list[Group] = []
        self.put_script: Script = []
        self.commit_script: Script = []
        self.threads: set[str] = set()
        self.tries = 0

    def put(self, group: Group) -> None:
        self.tries += 1
        self.threads.add(threading.current_thread().name)
        self.group = group
        self._play(self.put_script)

    def commit(self) -> None:
        self.threads.add(threading.current_thread().name)
        self._play(self.commit_script)
        self.groups.append(self.group)

    def _play(self, script: Script) -> None:
        if script and (error := script.pop(0)) is not None:
            raise error


class Loop:
    """A group commit and the event loop that it answers into, turned by hand."""

    def __init__(self) -> None:
        self.calls: queue.SimpleQueue[Callable[[], None]] = queue.SimpleQueue()
        self.disk = ScriptedDisk()
        self.failures: list[Exception] = []
        self.answers: list[tuple[str, CommitResult]] = []
        self.commit = GroupCommit(
            self.disk, soon=self.calls.put, failed=self.failures.append, retry_s=0.001
        )

    def hand_in(self, name: str, batch: WriteBatch | None = None) -> None:
        self.commit.commit_nowait(
            batch or changing(name), lambda result: self.answers.append((name, result))
        )

    def turn_until(self, reached: Callable[[], bool]) -> None:
        while not reached():
            self.calls.get(timeout=30)()


@pytest.fixture
def loop() -> Iterator[Loop]:
    loop = Loop()
    yield loop
    loop.commit.close()


def accepting(id_: int, n: int = 1) -> WriteBatch:
    batch = WriteBatch()
    for place in range(n):
        batch.accept_many([a_message(id_ + place)], QUEUED)
    batch.meta("accepting", b"%d" % id_)
    return batch


def changing(name: str) -> WriteBatch:
    batch = WriteBatch()
    batch.meta("last", name.encode())
    batch.meta(name, b"")
    return batch


def test_batches_of_one_turn_share_a_commit_and_are_answered_in_order(loop: Loop) -> None:
    names = [str(number) for number in range(50)]
    for name in names:
        loop.hand_in(name)
    loop.turn_until(lambda: len(loop.answers) == 50)
    assert loop.answers == [(name, Committed()) for name in names]
    assert len(loop.disk.groups) == 1
    assert loop.disk.groups[0].rows[META][b"last"] == b"49"
    assert loop.disk.threads == {"store-writer"}


def test_nothing_is_answered_before_the_commit_returned(loop: Loop) -> None:
    seen: list[int] = []
    loop.commit.commit_nowait(changing("a"), lambda _: seen.append(len(loop.disk.groups)))
    assert seen == []
    loop.turn_until(lambda: bool(seen))
    assert seen == [1]


def test_what_comes_during_a_commit_waits_for_the_next_one(loop: Loop) -> None:
    loop.hand_in("a")
    loop.calls.get(timeout=30)()  # the disk has "a" from here on
    loop.hand_in("b")
    loop.hand_in("c")
    assert [b"a" in group.rows[META] for group in loop.commit.layers] == [True, False]
    loop.turn_until(lambda: len(loop.answers) == 3)
    assert [sorted(group.rows[META]) for group in loop.disk.groups] == [
        [b"a", b"last"],
        [b"b", b"c", b"last"],
    ]
    assert loop.commit.layers == ()


def test_a_group_closes_at_the_cap_and_batches_stay_whole(loop: Loop) -> None:
    for number in range(5):
        loop.hand_in(str(number), accepting(CAP * number, CAP // 2))
    loop.turn_until(lambda: len(loop.answers) == 5)
    sizes = [len(group.messages) for group in loop.disk.groups]
    assert sizes == [CAP, CAP, CAP // 2]
    keys = [key for group in loop.disk.groups for key in group.keys]
    assert keys == sorted(keys)


def states(group: Group) -> list[State]:
    """What the records of one message say, if it has any."""
    record = group.rows[STATUS].get(id_key(ID))
    return [] if record is None else [decode_progress(record).state]


def moving(progress: Progress, state: State) -> WriteBatch:
    """The one message is in another state now."""
    progress.state = state
    batch = WriteBatch()
    batch.progress_many([(ID, progress)])
    return batch


def test_a_message_that_moves_on_twice_before_a_commit_is_written_once(loop: Loop) -> None:
    progress = Progress(State.QUEUED, OutletName("a"))
    loop.hand_in("left", moving(progress, State.ENROUTE))
    loop.hand_in("receipt", moving(progress, State.DELIVERED))
    (group,) = loop.commit.layers
    assert (group.size, states(group)) == (2, [])
    loop.turn_until(lambda: len(loop.answers) == 2)
    assert [states(group) for group in loop.disk.groups] == [[State.DELIVERED]]


def test_a_group_says_what_was_so_when_it_closed(loop: Loop) -> None:
    progress = Progress(State.QUEUED, OutletName("a"))
    loop.hand_in("left", moving(progress, State.ENROUTE))
    loop.hand_in("many", accepting(1, CAP))
    loop.hand_in("receipt", moving(progress, State.DELIVERED))
    assert [group.is_closed for group in loop.commit.layers] == [True, False]
    loop.turn_until(lambda: len(loop.answers) == 3)
    assert [states(group) for group in loop.disk.groups] == [[State.ENROUTE], [State.DELIVERED]]


def test_a_batch_that_nobody_waits_for_closes_no_group(loop: Loop) -> None:
    """A read may hand one in between a change of an object and the batch that journals it."""
    progress = Progress(State.QUEUED, OutletName("a"))
    loop.hand_in("left", moving(progress, State.ENROUTE))
    loop.hand_in("many", accepting(1, CAP - 3))
    receipt = moving(progress, State.DELIVERED)
    loop.commit.commit_nowait(changing("set aside"), None)
    loop.hand_in("receipt", receipt)
    assert [group.is_closed for group in loop.commit.layers] == [True]
    loop.turn_until(lambda: len(loop.answers) == 3)
    assert [states(group) for group in loop.disk.groups] == [[State.DELIVERED]]


def test_a_batch_handed_in_by_an_answer_is_committed_too(loop: Loop) -> None:
    loop.commit.commit_nowait(changing("a"), lambda _: loop.hand_in("b"))
    loop.turn_until(lambda: bool(loop.answers))
    assert loop.answers == [("b", Committed())]


@pytest.mark.parametrize("script", ["put_script", "commit_script"])
def test_without_room_new_messages_are_refused_and_other_changes_kept(
    loop: Loop, script: str
) -> None:
    getattr(loop.disk, script).extend([FullError("full"), FullError("full"), FullError("full")])
    loop.hand_in("before")
    loop.hand_in("accept", accepting(7))
    loop.hand_in("after")
    loop.turn_until(lambda: len(loop.answers) == 3)
    assert loop.answers == [
        ("accept", StoreFull("full")),
        ("before", Committed()),
        ("after", Committed()),
    ]
    (group,) = loop.disk.groups
    assert group.messages == []
    assert group.rows[META] == {b"before": b"", b"after": b"", b"last": b"after"}
    assert loop.disk.tries == 4
    assert loop.failures == []


def test_new_messages_do_not_wait_behind_changes_that_found_no_room(loop: Loop) -> None:
    loop.disk.put_script += [FullError("full")] * 3
    loop.hand_in("change")
    loop.calls.get(timeout=30)()
    loop.hand_in("accept", accepting(7))
    loop.turn_until(lambda: bool(loop.answers))
    assert loop.answers == [("accept", StoreFull("full"))]
    loop.turn_until(lambda: len(loop.answers) == 2)
    assert loop.answers[1] == ("change", Committed())


@pytest.mark.parametrize("script", ["put_script", "commit_script"])
def test_a_broken_disk_trips_the_latch_and_nothing_is_answered(loop: Loop, script: str) -> None:
    broken = OSError(5, "Input/output error")
    getattr(loop.disk, script).append(broken)
    loop.hand_in("a", accepting(7))
    loop.turn_until(lambda: bool(loop.failures))
    loop.hand_in("b")
    loop.commit.close()
    while not loop.calls.empty():
        loop.calls.get()()
    assert loop.failures == [broken]
    assert loop.answers == []
    assert loop.disk.groups == []
    assert loop.commit.latched


def test_a_raising_answer_is_reported_and_the_others_are_given(loop: Loop) -> None:
    bug = ZeroDivisionError()

    def raising(_: CommitResult) -> None:
        raise bug

    loop.commit.commit_nowait(changing("a"), raising)
    loop.hand_in("b")
    loop.turn_until(lambda: bool(loop.answers))
    assert loop.answers == [("b", Committed())]
    assert loop.failures == [bug]


def test_close_writes_and_answers_what_was_handed_in(loop: Loop) -> None:
    for number in range(3):
        loop.hand_in(str(number), accepting(CAP * number, CAP))
    loop.commit.close()
    assert [name for name, _ in loop.answers] == ["0", "1", "2"]
    assert len(loop.disk.groups) == 3
    with pytest.raises(RuntimeError, match="closed"):
        loop.hand_in("late")
    while not loop.calls.empty():  # what was on its way finds nothing left to do
        loop.calls.get()()
    assert len(loop.answers) == 3


def test_close_writes_what_the_last_answers_hand_in(loop: Loop) -> None:
    loop.commit.commit_nowait(changing("a"), lambda _: loop.hand_in("b"))
    loop.commit.close()
    assert loop.answers == [("b", Committed())]
    assert loop.disk.groups[-1].rows[META][b"last"] == b"b"


def test_close_gives_up_what_finds_no_room(loop: Loop) -> None:
    loop.disk.put_script += [FullError("full")] * 9
    loop.hand_in("change")
    loop.hand_in("accept", accepting(7))
    loop.commit.close()
    assert loop.disk.tries == 2
    assert loop.answers == [("accept", StoreFull("full")), ("change", StoreFull("full"))]


def test_a_batch_tells_its_highest_id(loop: Loop) -> None:
    loop.hand_in("a", accepting(7, 3))
    loop.hand_in("b")
    loop.turn_until(lambda: len(loop.answers) == 2)
    assert loop.disk.groups[0].highest_id == MessageId(9)
