"""Copies of received messages on their way to the mobiles of accounts: submitted by the one door.

*In*: deliveries of the mailboxes "mobile:ACCOUNT", whose bodies are submit_sm bodies.
*Out*: drafts of the account itself, which pays and is judged as for any message of its own.
*Never*: a copy twice: it leaves its mailbox in the commit that holds the message.

What is refused for now comes again; what is refused for good is set aside with the reason.
"""

from collections.abc import Callable, Mapping, Sequence
from typing import Final

import attrs
import trio

from pdu.status import Status
from smsc.attendance import Attendance
from smsc.flow.forwarding import MOBILE
from smsc.message import AccountId, Delivery, Draft, Mailbox
from smsc.ports import (
    Admission,
    Admitted,
    Again,
    Batch,
    DeliveryOutcome,
    Done,
    Mailboxes,
    SetAside,
    Submit,
)

SOURCE: Final = "forward"
"""The door that rules see (`sources`)."""
_WINDOW: Final = 20
"""Copies of one account that are not answered yet."""
_FIRST_DELAY_S: Final = 2.0
_MAX_DELAY_S: Final = 300.0
_FOR_NOW: Final = frozenset(
    {int(Status.ESME_RTHROTTLED), int(Status.ESME_RMSGQFUL), int(Status.ESME_RSYSERR)}
)


@attrs.define(slots=True)
class _Leaving:
    """The companion of a copy: it leaves its mailbox with the commit that holds the message."""

    copy: Delivery

    def write(self, batch: Batch, _answers: Sequence[Admission]) -> None:
        """The message is in this batch."""
        batch.unpark(self.copy.mailbox, self.copy.id)

    def ended(self, *, is_on_disk: bool) -> None:
        """The answer tells as much."""


@attrs.define(slots=True, eq=False)
class _Account:
    """The receiver of one account's mailbox."""

    _copies: "SmsCopies"
    mailbox: Mailbox
    in_flight: int = 0
    last_failure: str = ""

    def room(self) -> int:
        """How many more copies may be submitted now."""
        return max(0, _WINDOW - self.in_flight)

    def deliver(self, batch: Sequence[Delivery]) -> None:
        """Submit them."""
        self.in_flight += len(batch)
        for copy in batch:
            self._copies.submit(self, copy)


class SmsCopies:
    """Implements `smsc.callback_desk.CallbackBridge`.

    :param is_account: is there an account of that name?
    """

    prefix = MOBILE

    def __init__(
        self, mailboxes: Mailboxes, intake: Submit, is_account: Callable[[AccountId], bool]
    ) -> None:
        self._mailboxes = mailboxes
        self._intake = intake
        self._is_account = is_account
        self._accounts = Attendance(mailboxes, lambda mailbox: _Account(self, mailbox))

    def open(self, mailbox: Mailbox) -> None:
        """Take copies of this account from now on; again is harmless."""
        self._accounts.open(mailbox)

    async def run(self) -> None:
        """Live until cancelled."""
        with self._accounts.attached():
            await trio.sleep_forever()

    def statistics(self) -> Mapping[str, Mapping[str, object]]:
        """By mailbox: what is under way, and why the last copy was refused, if it was."""
        return {
            str(mailbox): {"in_flight": one.in_flight, "last_failure": one.last_failure}
            for mailbox, one in self._accounts.receivers.items()
        }

    def forgive(self, mailbox: Mailbox) -> None:
        """Nothing is held back here."""

    def submit(self, account: _Account, copy: Delivery) -> None:
        """Hand in one copy, as a message of its account."""
        if not self._is_account(copy.account):
            self._answer(account, SetAside(copy.id, f"there is no account {copy.account}"))
            return

        def done(answers: list[Admission]) -> None:
            self._answer(account, _outcome(copy, answers[0]))

        draft = Draft(copy.account, SOURCE, copy.body)
        self._intake.submit_many_nowait([draft], done, _Leaving(copy))

    def _answer(self, account: _Account, outcome: DeliveryOutcome) -> None:
        account.in_flight -= 1
        account.last_failure = "" if isinstance(outcome, Done) else outcome.why
        self._mailboxes.delivered(account.mailbox, [outcome])


def _outcome(copy: Delivery, answer: Admission) -> DeliveryOutcome:
    if isinstance(answer, Admitted):
        return Done(copy.id)
    if answer.status in _FOR_NOW:
        delay_s = min(_MAX_DELAY_S, _FIRST_DELAY_S * 2 ** min(copy.attempt, 16))
        return Again(copy.id, delay_s, answer.why)
    return SetAside(copy.id, answer.why)
