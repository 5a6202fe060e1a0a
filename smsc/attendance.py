"""The mailboxes that a bridge was asked to take from, each with its receiver.

*In*: mailboxes, as they first have deliveries. *Out*: receivers, attached while the bridge runs.
*Never*: a delivery: what a receiver does with it is the bridge's own.
"""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Generic, TypeVar

from smsc.message import Mailbox
from smsc.ports import Mailboxes, Receiver

R = TypeVar("R", bound=Receiver)


class Attendance(Generic[R]):
    """See the module.

    :param make: makes the receiver of a mailbox, once.
    :ivar receivers: by mailbox; `open` adds to it.
    """

    def __init__(self, mailboxes: Mailboxes, make: Callable[[Mailbox], R]) -> None:
        self._mailboxes = mailboxes
        self._make = make
        self.receivers: dict[Mailbox, R] = {}
        self._is_running = False

    def open(self, mailbox: Mailbox) -> None:
        """Take deliveries of this mailbox from now on; again is harmless."""
        if mailbox in self.receivers:
            return
        receiver = self.receivers[mailbox] = self._make(mailbox)
        if self._is_running:
            self._mailboxes.attach(mailbox, receiver)

    @contextmanager
    def attached(self) -> Iterator[None]:
        """The bridge runs within; at the end what its receivers had in hand is given back."""
        self._is_running = True
        try:
            for mailbox, receiver in list(self.receivers.items()):
                self._mailboxes.attach(mailbox, receiver)
            yield
        finally:
            self._is_running = False
            for mailbox, receiver in self.receivers.items():
                self._mailboxes.detach(mailbox, receiver)
