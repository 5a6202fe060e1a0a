"""Messages of a moment ago, in memory."""

from smsc.flow.recent import Recent
from smsc.message import Message, MessageId
from tests.flow.house import House, draft_to


def stored(house: House, n: int) -> list[MessageId]:
    """Messages on disk."""
    house.dispatch.is_stopping = True
    return house.admit(*[draft_to()] * n)


def test_what_was_kept_is_not_read_again() -> None:
    house = House()
    ids = stored(house, 3)
    recent = Recent(house.store)
    first = recent.many(ids)
    assert [one.id for one in first if one is not None] == ids
    house.store.tables[0].values.clear()
    assert [one is two for one, two in zip(recent.many(ids), first, strict=True)] == [True] * 3
    assert recent.get(ids[1]) is first[1]


def test_unknown_ones_keep_their_place() -> None:
    house = House()
    (id_,) = stored(house, 1)
    recent = Recent(house.store)
    found = recent.many([MessageId(7), id_, MessageId(8)])
    assert [one.id if one is not None else None for one in found] == [None, id_, None]
    assert recent.get(MessageId(7)) is None


def test_what_was_taken_is_read_from_disk_again() -> None:
    house = House()
    ids = stored(house, 3)
    recent = Recent(house.store)
    kept = recent.many(ids)
    assert [one is two for one, two in zip(recent.take(ids[:2]), kept, strict=False)] == [True] * 2
    assert recent.take([ids[0], MessageId(7)]) == [kept[0], None]
    house.store.tables[0].values.clear()
    assert recent.many(ids) == [None, None, kept[2]]


def test_it_holds_two_generations_at_most() -> None:
    house = House()
    ids = stored(house, 12)
    recent = Recent(house.store, limit=4)
    for id_ in ids:
        recent.get(id_)
    held: dict[MessageId, Message] = {**recent._here._young, **recent._here._old}
    assert set(ids[-4:]) <= held.keys()
    assert len(held) <= 8
    house.store.tables[0].values.clear()
    assert recent.get(ids[0]) is None
