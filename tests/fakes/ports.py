"""Fakes of the ports in `smsc.ports`: they record, and answer what a test told them to."""

from collections.abc import Callable, Sequence

import attrs

from smsc.message import AccountId, Delivery, Draft, Mailbox, MessageId
from smsc.ports import Admission, Admitted, DeliveryOutcome, Done, Receiver, Refused
from smsc.ports.intake import Companion

Answers = Callable[[list[Admission]], None]


@attrs.define
class FakeIntake:
    """Admits everything with ids from 1, at once; or holds the answers until `release`."""

    drafts: list[Draft] = attrs.Factory(list)
    refuse: Refused | None = None
    is_holding: bool = False
    is_broken: bool = False
    _held: list[tuple[Answers, list[Admission]]] = attrs.Factory(list)

    def submit_many_nowait(
        self, drafts: Sequence[Draft], done: Answers, companion: Companion | None = None
    ) -> None:
        if self.is_broken:
            raise ZeroDivisionError
        answers: list[Admission] = []
        for draft in drafts:
            self.drafts.append(draft)
            answers.append(self.refuse or Admitted(MessageId(len(self.drafts))))
        if self.is_holding:
            self._held.append((done, answers))
        else:
            done(answers)

    async def submit_many(
        self, drafts: Sequence[Draft], companion: Companion | None = None
    ) -> list[Admission]:
        raise AssertionError("the SMPP server never waits")

    def release(self) -> None:
        held, self._held = self._held, []
        for done, answers in held:
            done(answers)


@attrs.define
class FakeMailboxes:
    """Who is attached where, and what they said of deliveries."""

    attached: list[tuple[Mailbox, Receiver]] = attrs.Factory(list)
    outcomes: list[DeliveryOutcome] = attrs.Factory(list)

    def attach(self, mailbox: Mailbox, receiver: Receiver) -> None:
        self.attached.append((mailbox, receiver))

    def detach(self, mailbox: Mailbox, receiver: Receiver) -> None:
        self.attached.remove((mailbox, receiver))

    def delivered(self, mailbox: Mailbox, outcomes: Sequence[DeliveryOutcome]) -> None:
        self.outcomes += outcomes

    def taken(self, mailbox: Mailbox, ids: Sequence[MessageId]) -> None:
        self.outcomes += map(Done, ids)


def delivery(id_: int = 1, body: bytes = b"", attempt: int = 0) -> Delivery:
    """A receipt for account demo."""
    return Delivery(
        id=MessageId(id_),
        mailbox=Mailbox("demo"),
        account=AccountId("demo"),
        kind="receipt",
        created_ms=0,
        expires_ms=1,
        body=body,
        attempt=attempt,
    )
