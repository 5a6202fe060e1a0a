"""Mailboxes of a bridge: attached while it runs, whenever they were asked for."""

from collections.abc import Sequence

import attrs

from smsc.attendance import Attendance
from smsc.message import Delivery, Mailbox, MessageId
from smsc.ports import DeliveryOutcome, Receiver

A, B = Mailbox("mail:a"), Mailbox("mail:b")


class Boxes:
    """Notes who came and went."""

    def __init__(self) -> None:
        self.told: list[tuple[str, Mailbox, Receiver]] = []

    def attach(self, mailbox: Mailbox, receiver: Receiver) -> None:
        self.told.append(("attach", mailbox, receiver))

    def detach(self, mailbox: Mailbox, receiver: Receiver) -> None:
        self.told.append(("detach", mailbox, receiver))

    def delivered(self, mailbox: Mailbox, outcomes: Sequence[DeliveryOutcome]) -> None:
        raise NotImplementedError

    def taken(self, mailbox: Mailbox, ids: Sequence[MessageId]) -> None:
        raise NotImplementedError


@attrs.define(eq=False)
class Taker:
    mailbox: Mailbox

    def room(self) -> int:
        return 1

    def deliver(self, batch: Sequence[Delivery]) -> None:
        raise NotImplementedError


def test_attached_while_it_runs() -> None:
    boxes = Boxes()
    attendance = Attendance(boxes, Taker)
    attendance.open(A)
    attendance.open(A)
    assert boxes.told == []
    with attendance.attached():
        assert boxes.told == [("attach", A, attendance.receivers[A])]
        attendance.open(B)
        attendance.open(B)
        assert boxes.told[1:] == [("attach", B, attendance.receivers[B])]
    assert boxes.told[2:] == [("detach", one, attendance.receivers[one]) for one in (A, B)]
    attendance.open(Mailbox("mail:c"))
    assert len(boxes.told) == 4, "nobody takes anything after the end"
