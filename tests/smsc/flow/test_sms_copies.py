"""Copies to mobiles: submitted as their account, each once, set aside where that cannot be."""

from decimal import Decimal
from typing import Any

import pytest
import trio
from trio.testing import wait_all_tasks_blocked

from pdu.codec import peek_submit_sm
from smsc.callback_desk import CallbackBridge, CallbackDesk
from smsc.flow.inbound import text_of
from smsc.flow.sms_copies import SmsCopies
from smsc.message import AccountId, Delivery, Mailbox, Message, MessageId, State
from tests.flow.house import DEMO, FAR_MS, A, House, body_to

BOX = Mailbox("mobile:demo")
ASIDE = Mailbox("aside:mobile:demo")


def park(
    house: House, to: str = "4179000001", account: str = "demo", n: int = 1, **fields: Any
) -> list[MessageId]:
    """Copies on disk, as `Forwarding` parks them."""
    batch = house.store.batch()
    ids = [MessageId(id_) for id_ in house.store.ids.take(n, house.now_ms)]
    copies = [
        Delivery(
            id=id_,
            mailbox=Mailbox(f"mobile:{account}"),
            account=AccountId(account),
            kind="mo",
            created_ms=house.now_ms,
            expires_ms=FAR_MS,
            body=body_to(to, short_message=b"41791234567: hi", registered_delivery=0, **fields),
        )
        for id_ in ids
    ]
    for copy in copies:
        batch.park(copy)
    house.store.commit_nowait(batch, lambda _: house.mailboxes.arrived(copies))
    house.store.retry()  # this commit, and not those that it begets
    return ids


class Running:
    """The bridge over a house."""

    def __init__(self, house: House, nursery: trio.Nursery, known: str = "demo") -> None:
        self.house = house
        self.copies = SmsCopies(house.mailboxes, house.intake, {AccountId(known)}.__contains__)
        self.desk = CallbackDesk(house.mailboxes, {self.copies.prefix: self.copies})
        self.bridge: CallbackBridge = self.copies  # mypy proves it
        house.mailboxes.unattended = self.desk.attend
        for mailbox in house.store.mailboxes():
            self.desk.attend(mailbox)
        nursery.start_soon(self.copies.run)

    def messages(self) -> list[Message]:
        found = self.house.store.messages(list(self.house.on_disk()))
        return [one for one in found if one is not None]


async def run(house: House, nursery: trio.Nursery, **settings: Any) -> Running:
    running = Running(house, nursery, **settings)
    await wait_all_tasks_blocked()
    return running


async def test_a_copy_is_a_message_of_its_account(nursery: trio.Nursery) -> None:
    house = House(credit={"": Decimal(5)})
    running = await run(house, nursery)
    (id_,) = park(house)
    assert not running.messages(), "not before the disk"
    assert house.mailboxes.in_hand == 1
    house.commit()
    (message,) = running.messages()
    peek = message.peek
    assert (message.account, message.source) == ("demo", "forward")
    assert (peek.destination_addr, text_of(message.body, peek)) == (
        "4179000001",
        "41791234567: hi",
    )
    assert house.outlets[A].in_hand, "it leaves"
    assert house.credits.balances(DEMO) == {"": Decimal(4)}
    assert house.parked(BOX) == []
    assert house.mailboxes.in_hand == 0
    assert running.desk.report() == {BOX: {"in_flight": 0, "last_failure": ""}}
    assert id_ != message.id


async def test_without_a_sender_the_accounts_default_is_taken(nursery: trio.Nursery) -> None:
    house = House(default_sender="Shop2")
    running = await run(house, nursery)
    park(house, source_addr="")
    house.commit()
    (message,) = running.messages()
    assert peek_submit_sm(message.body).source_addr == "Shop2"


@pytest.mark.parametrize("committed", [0, 1])
async def test_a_crash_neither_loses_nor_repeats_a_copy(committed: int) -> None:
    house = House()
    async with trio.open_nursery() as nursery:
        await run(house, nursery)
        park(house)
        assert house.store.unwritten == 1, "message and unparking are one commit"
        nursery.cancel_scope.cancel()
    house.restart(committed)
    assert len(house.on_disk()) == committed
    assert len(house.parked(BOX)) == 1 - committed
    async with trio.open_nursery() as nursery:
        running = await run(house, nursery)
        house.commit()
        assert len(running.messages()) == 1
        assert house.parked(BOX) == []
        nursery.cancel_scope.cancel()


async def test_what_is_refused_for_now_comes_again(nursery: trio.Nursery) -> None:
    house = House(rate=1.0)
    running = await run(house, nursery)
    park(house, n=2)
    assert "rate" in str(running.desk.report()[BOX]["last_failure"])
    house.commit()
    assert len(running.messages()) == 1
    assert len(house.parked(BOX)) == 1
    house.intake._buckets.clear()
    house.advance(2.1)
    house.commit()
    assert len(running.messages()) == 2
    assert house.parked(BOX) == house.parked(ASIDE) == []


async def test_a_full_store_and_a_stop_lose_no_copy(nursery: trio.Nursery) -> None:
    house = House()
    running = await run(house, nursery)
    house.intake.is_stopping = True
    park(house)
    house.intake.is_stopping = False
    house.store.why_full = "no room"
    house.advance(2.1)
    house.commit()
    assert not running.messages()
    assert len(house.parked(BOX)) == 1
    house.store.why_full = None
    house.advance(600)
    house.commit()
    assert len(running.messages()) == 1
    assert house.parked(BOX) == []


@pytest.mark.parametrize(
    ("to", "why"),
    [("7700000001", "no route"), ("47x", "no route"), ("", "destination")],
)
async def test_what_is_refused_for_good_is_set_aside_and_tried_again_when_people_ask(
    nursery: trio.Nursery, to: str, why: str
) -> None:
    house = House()
    running = await run(house, nursery)
    (id_,) = park(house, to)
    house.commit()
    assert not running.messages()
    assert [one.id for one in house.parked(ASIDE)] == [id_]
    row = running.desk.report()[BOX]
    assert row["set_aside"] == 1
    assert why in str(row["last_failure"])
    assert running.desk.retry("demo") == 1
    house.advance(1)
    house.commit()
    assert len(house.parked(ASIDE)) == 1, "it was tried, and refused again"


async def test_no_credit_sets_aside(nursery: trio.Nursery) -> None:
    house = House(credit={"": Decimal(0)})
    running = await run(house, nursery)
    park(house)
    house.commit()
    assert len(house.parked(ASIDE)) == 1
    assert "credit" in str(running.desk.report()[BOX]["last_failure"])


async def test_copies_of_an_account_that_is_gone_or_closed_are_set_aside(
    nursery: trio.Nursery,
) -> None:
    house = House()
    await run(house, nursery)
    park(house, account="gone")
    house.intake.closed = {DEMO: "account demo is closed"}
    park(house)
    house.commit()
    assert len(house.parked(Mailbox("aside:mobile:gone"))) == 1
    assert len(house.parked(ASIDE)) == 1


async def test_two_messages_that_say_the_same_are_two_copies(nursery: trio.Nursery) -> None:
    house = House(duplicates_s=60.0)
    running = await run(house, nursery)
    park(house, n=2)
    house.commit()
    assert house.parked(BOX) == house.parked(ASIDE) == []
    assert len(running.messages()) == 2


async def test_many_copies_of_one_account_go_a_few_at_a_time(nursery: trio.Nursery) -> None:
    house = House()
    running = await run(house, nursery)
    park(house, n=55)
    assert house.mailboxes.in_hand == 20
    house.commit()
    assert len(running.messages()) == 55
    assert house.parked(BOX) == []
    assert {house.state(one.id) for one in running.messages()} <= {State.QUEUED, State.ENROUTE}
