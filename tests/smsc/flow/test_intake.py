"""The one door in."""

from typing import Any

import trio
import trio.testing

from pdu.status import Status
from smsc.message import AccountId, Draft, MessageId, State
from smsc.ports import Admission, Admitted, Refused
from smsc.store.ids import STEP
from tests.flow.house import DEMO, FAR_MS, START_MS, A, House, body_to, draft_to


def statuses(answers: list[Admission]) -> list[int]:
    """0 for an admission, else the status of the refusal."""
    return [one.status if isinstance(one, Refused) else 0 for one in answers]


def test_nothing_is_admitted_before_the_commit() -> None:
    house = House()
    answers = house.submit(draft_to(), draft_to())
    assert answers == []
    assert house.on_disk() == {}
    house.store.retry()
    assert statuses(answers) == [0, 0]
    assert [one.id for one in answers if isinstance(one, Admitted)] == list(house.on_disk())


def test_what_is_stored_is_what_was_sent() -> None:
    house = House()
    body = body_to(priority_flag=2, registered_delivery=0x11)
    draft = Draft(
        DEMO, "rest", body, 0, START_MS + 99, "https://shop.example/", 7, "order 7", ("vip",)
    )
    (id_,) = house.admit(draft)
    message = house.store.message(id_)
    assert message is not None
    assert message.body == body
    assert (message.account, message.source, message.accepted_ms) == (DEMO, "rest", START_MS)
    assert (message.due_ms, message.expires_ms) == (0, START_MS + 99)
    assert (message.priority, message.registered_delivery) == (2, 0x11)
    assert (message.callback_url, message.batch) == ("https://shop.example/", 7)
    assert (message.reference, message.tags) == ("order 7", ("vip",))


def test_each_gets_its_own_answer_in_order_and_refusals_leave_nothing() -> None:
    house = House()
    answers = house.submit(
        draft_to(""),
        draft_to(),
        draft_to("99"),
        Draft(DEMO, "smpp", b"\0\0"),
        draft_to(validity_period="x" * 16),
        draft_to(),
    )
    house.commit()
    refused = statuses(answers)
    assert refused[0] == Status.ESME_RINVDSTADR
    assert refused[2] == Status.ESME_RINVDSTADR
    assert refused[3] != 0
    assert refused[4] == Status.ESME_RINVEXPIRY
    assert (refused[1], refused[5]) == (0, 0)
    assert house.store.counts()["message"] == 2


def test_when_all_are_refused_nobody_waits_for_a_commit() -> None:
    house = House()
    assert statuses(house.submit(draft_to("99"))) == [Status.ESME_RINVDSTADR]
    assert house.store.unwritten == 0


def test_ids_ascend_over_a_restart_even_when_the_clock_was_set_back() -> None:
    house = House()
    first = house.admit(*[draft_to()] * 3)
    house.now_ms -= 3600 * 1000
    house.restart()
    second = house.admit(*[draft_to()] * 3)
    assert [*first, *second] == sorted({*first, *second})


def test_messages_that_live_alike_share_an_alarm() -> None:
    house = House()
    ids = house.admit(draft_to(), draft_to(), draft_to(due_ms=START_MS + 5000), draft_to())
    alarms = {(one.first, one.last) for one in house.store.due(FAR_MS, 10)}
    assert alarms == {(ids[0], ids[1]), (ids[2], ids[2]), (ids[3], ids[3])}
    assert ids[1] - ids[0] == STEP


class TestFull:
    def test_a_full_store_refuses_at_the_door(self) -> None:
        house = House()
        house.store.why_full = "full"
        assert statuses(house.submit(draft_to(), draft_to("99"))) == [Status.ESME_RMSGQFUL] * 2
        assert house.store.unwritten == 0
        house.store.why_full = None
        assert len(house.admit(draft_to())) == 1

    def test_a_commit_that_finds_no_room_refuses_what_it_would_have_admitted(self) -> None:
        house = House()
        answers = house.submit(draft_to(), draft_to("99"))
        house.store.why_full = "full"
        house.store.retry()
        assert statuses(answers) == [Status.ESME_RMSGQFUL, Status.ESME_RINVDSTADR]
        house.store.why_full = None
        house.commit()
        assert house.on_disk() == {}
        assert house.store.due(FAR_MS, 10) == []
        assert not house.outlets[A].taken


def test_a_stopping_gateway_refuses_for_now() -> None:
    house = House()
    house.intake.is_stopping = True
    assert statuses(house.submit(draft_to())) == [Status.ESME_RSYSERR]


async def test_the_rate_of_an_account_is_its_own(autojump_clock: Any) -> None:
    house = House(rate=3.0)
    answers = house.submit(*[draft_to()] * 5, draft_to(account=AccountId("other")))
    house.commit()
    throttled = int(Status.ESME_RTHROTTLED)
    assert statuses(answers) == [0, 0, 0, throttled, throttled, 0]
    await trio.sleep(0.7)
    answers = house.submit(*[draft_to()] * 3)
    house.commit()
    assert statuses(answers) == [0, 0, throttled]


async def test_who_can_wait_waits_for_the_disk(nursery: trio.Nursery) -> None:
    house = House()
    answers: list[Admission] = []

    async def submit() -> None:
        answers.extend(await house.intake.submit_many([draft_to()]))

    nursery.start_soon(submit)
    await trio.testing.wait_all_tasks_blocked()
    assert answers == []
    house.store.retry()
    await trio.testing.wait_all_tasks_blocked()
    assert statuses(answers) == [0]
    (id_,) = house.on_disk()
    assert house.state(MessageId(id_)) is State.QUEUED
