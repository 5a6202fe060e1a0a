"""Messages that were set aside, for an operator to find."""

from smsc.flow.dead_letters import KEPT, DeadLetters
from smsc.message import MessageId, OutletName, Progress, State
from tests.flow.house import House, Log


def add(house: House, letters: DeadLetters, *ids: int) -> None:
    """Set messages aside and commit."""
    for id_ in ids:
        batch = house.store.batch()
        progress = Progress(State.REJECTED, OutletName("a"), attempt=3, done_ms=5, error=8)
        letters.add(batch, MessageId(id_), progress, "because " + "x" * 1000)
        house.store.commit_nowait(batch)
    house.commit()


def test_the_newest_are_known_after_a_restart_and_all_are_counted() -> None:
    house, log = House(), Log()
    letters = DeadLetters(house.store, log)
    assert (letters.count, letters.newest()) == (0, [])
    add(house, letters, *range(1, KEPT + 6))
    again = DeadLetters(house.store, log)
    assert again.newest(KEPT) == letters.newest(KEPT)
    assert (again.count, len(again.newest(KEPT + 9))) == (KEPT + 5, KEPT)
    newest = again.newest(2)
    assert [one.id for one in newest] == [KEPT + 5, KEPT + 4]
    assert (newest[0].outlet, newest[0].attempts, newest[0].error, newest[0].at_ms) == (
        "a",
        3,
        8,
        5,
    )
    assert len(newest[0].why) == 200
    assert log.names() == ["message.set_aside"] * (KEPT + 5)
