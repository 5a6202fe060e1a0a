"""The index of what waits: whoever is added is found, whoever is discarded is not."""

from hypothesis import given
from hypothesis import strategies as st

from smsc.flow.pending import Pending
from smsc.message import AccountId, Message, MessageId
from tests.flow.house import DEMO, body_to


def message(id_: int, to: str = "4179000001", account: str = DEMO) -> Message:
    body = body_to(to)
    return Message(
        MessageId(id_), AccountId(account), "smpp", 0, 0, 1, 0, 0, None, None, None, (), body
    )


def test_those_with_the_same_account_and_addresses_are_found_oldest_first() -> None:
    pending = Pending()
    pending.add_many(message(id_) for id_ in (30, 10, 20, 10))
    pending.add_many([message(40, to="4179000002")])
    pending.add_many([message(50, account="other")])
    assert pending.find(DEMO, "Shop", "4179000001") == [10, 20, 30]
    assert pending.find(DEMO, "Shop", "4179000002") == [40]
    assert pending.find("other", "Shop", "4179000001") == [50]
    assert pending.find(DEMO, "Shopp", "4179000001") == []


@given(st.lists(st.tuples(st.booleans(), st.integers(1, 4), st.sampled_from("12"))))
def test_it_is_a_set_of_messages_and_empty_in_the_end(
    steps: list[tuple[bool, int, str]],
) -> None:
    pending = Pending()
    model: set[tuple[int, str]] = set()
    for is_added, id_, to in steps:
        if is_added:
            pending.add_many([message(id_, to=to)])
            model.add((id_, to))
        else:
            pending.discard(message(id_, to=to))
            model.discard((id_, to))
        for one in "12":
            assert pending.find(DEMO, "Shop", one) == sorted(i for i, to in model if to == one)
    for id_, to in model:
        pending.discard(message(id_, to=to))
    assert len(pending) == 0
