"""One message cancelled or written anew by its id, as HTTP clients ask for it."""

from typing import Any

import attrs
import pytest

from pdu.status import Status, Vendor
from smsc.flow.owner_changes import OwnerChanges
from smsc.message import AccountId, Draft, MessageId, State
from smsc.ports import Refused
from tests.flow.house import DEMO, START_MS, House, draft_to
from tests.smsc.flow.test_commands import down, message, submit_sm, up

ROOT = AccountId("root")
OTHER = AccountId("other")
HOUR_MS = 3600 * 1000


def changes(house: House) -> OwnerChanges:
    return OwnerChanges(
        house.commands._accounts,
        house.store,
        house.dispatch,
        house.commands._recent,
        house.commands,
        lambda account: account == ROOT,
        lambda: house.now_ms,
    )


def cancel(house: House, account: AccountId, id_: MessageId) -> int | None:
    answers: list[Refused | None] = []
    changes(house).cancel_nowait(account, id_, answers.append)
    house.commit()
    return answers[0].status if answers[0] is not None else None


def replace(house: House, account: AccountId, id_: MessageId, draft: Draft) -> int | None:
    answers: list[Refused | None] = []
    changes(house).replace_nowait(account, id_, draft, answers.append)
    assert answers == [] or answers[0] is not None, "a change is answered when it is on disk"
    house.commit()
    return answers[0].status if answers[0] is not None else None


def draft(text: str, **fields: Any) -> Draft:
    return attrs.evolve(draft_to(short_message=text.encode()), **fields)


@pytest.mark.parametrize(
    ("account", "status"), [(DEMO, None), (ROOT, None), (OTHER, Vendor.SMSC_UNKNOWN)]
)
def test_its_owner_and_an_admin_end_a_message_that_waits(
    account: AccountId, status: int | None
) -> None:
    house = down()
    (id_,) = house.admit(draft_to())
    assert cancel(house, account, id_) == status
    assert house.state(id_) is (State.QUEUED if status else State.DELETED)
    assert len(house.parked()) == (0 if status else 1)
    assert len(up(house)) == (1 if status else 0)


def test_what_left_or_ended_is_neither_cancelled_nor_replaced() -> None:
    house = House()
    (id_,) = house.admit(draft_to())
    house.dispatch.pump_all()
    assert cancel(house, DEMO, id_) == Status.ESME_RCANCELFAIL
    assert replace(house, DEMO, id_, draft("new")) == Status.ESME_RREPLACEFAIL
    assert cancel(house, DEMO, MessageId(5)) == Vendor.SMSC_UNKNOWN
    assert replace(house, OTHER, id_, draft("new")) == Vendor.SMSC_UNKNOWN


def test_text_schedule_validity_and_receipt_wish_change_and_addresses_stay() -> None:
    house = down()
    (id_,) = house.admit(draft_to())
    due_ms, ends_ms = START_MS + HOUR_MS, START_MS + 2 * HOUR_MS
    new = draft("new", due_ms=due_ms, expires_ms=ends_ms, reference="r2")
    assert replace(house, DEMO, id_, new) is None
    found = message(house, id_)
    assert submit_sm(found).short_message == b"new"
    assert (found.due_ms, found.expires_ms, found.reference) == (due_ms, ends_ms, "r2")
    assert submit_sm(found).destination_addr == "4179000001"
    assert house.state(id_) is State.SCHEDULED
    assert up(house) == []
    house.advance(3601)
    assert up(house) == [id_]


def test_due_0_lets_a_scheduled_message_go_at_once() -> None:
    house = down()
    (id_,) = house.admit(draft("old", due_ms=START_MS + HOUR_MS))
    assert replace(house, DEMO, id_, draft("now")) is None
    assert up(house) == [id_]


def test_another_recipient_is_another_message() -> None:
    house = down()
    (id_,) = house.admit(draft_to())
    assert replace(house, DEMO, id_, draft_to("4179000002")) == Status.ESME_RREPLACEFAIL
    assert submit_sm(message(house, id_)).destination_addr == "4179000001"


def test_what_admission_refuses_changes_nothing() -> None:
    house = down()
    (id_,) = house.admit(draft_to())
    before = message(house, id_)
    wrong = draft("x", due_ms=START_MS + 2 * HOUR_MS, expires_ms=START_MS + HOUR_MS)
    assert replace(house, DEMO, id_, wrong) == Status.ESME_RINVEXPIRY
    assert message(house, id_) == before
