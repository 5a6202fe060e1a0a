"""Deliveries to our own bound ESMEs: the receiver side of a mailbox.

*In*: deliveries of the account; deliver_sm_resp from the session.
*Out*: deliver_sm requests, or data_sm where the account wants it; for each what became of it.
*Never*: a delivery forgotten before its deliver_sm_resp said OK.

Station of the flow: mailboxes → **deliver** → session → link. SMPP 3.4 §4.6.
"""

from collections.abc import Callable, Sequence
from operator import itemgetter
from typing import Final

from pdu.commands import Command
from pdu.operations import V34
from pdu.status import Status, status_name
from smsc.config_accounts import Meaning0
from smsc.message import Delivery, Mailbox
from smsc.ports import Again, DeliveryOutcome, Done, Dropped, Mailboxes
from smsc.session.data_sm import data_body, without_tlvs
from smsc.session.events import Answer
from smsc.session.homeward import homeward_body
from smsc.session.machine import Session

RETRY_S: Final = 5.0
"""Delay after a temporary error of the ESME, doubled at each attempt up to the ceiling."""
_RETRY_CEILING_S: Final = 300.0
_STATUS: Final = itemgetter(1)
_DOUBLINGS: Final = 10  # more of them overflow a float in the week that a receipt waits
_TEMPORARY: Final = frozenset(
    {
        int(Status.ESME_RX_T_APPN),
        int(Status.ESME_RMSGQFUL),
        int(Status.ESME_RTHROTTLED),
        int(Status.ESME_RSYSERR),
    }
)


class BoundReceiver:
    """One bound session as a receiver of its account's mailbox.

    :param flush: writes what the session has to say.
    :param as_data: deliver by data_sm instead of deliver_sm, to a peer that knows it.
    :param data_coding_0: what the account means by data_coding 0.
    """

    def __init__(
        self,
        mailbox: Mailbox,
        session: Session,
        mailboxes: Mailboxes,
        now: Callable[[], float],
        flush: Callable[[], None],
        *,
        data_coding_0: Meaning0 = "gsm7",
        as_data: bool = False,
    ) -> None:
        self.mailbox = mailbox
        self._session = session
        self._mailboxes = mailboxes
        self._now = now
        self._flush = flush
        self.take_terms(data_coding_0, as_data=as_data)

    def take_terms(self, data_coding_0: Meaning0, *, as_data: bool) -> None:
        """What the account wants from now on."""
        self._data_coding_0 = data_coding_0
        self._as_data = as_data and self._session.version >= V34

    def room(self) -> int:
        """Free places of the session's window."""
        return self._session.room

    def deliver(self, batch: Sequence[Delivery]) -> None:
        """Send them all in one write."""
        bodies = [one.body for one in batch]
        if self._data_coding_0 != "gsm7":
            bodies = [homeward_body(body, self._data_coding_0) for body in bodies]
        if self._as_data:
            bodies = list(map(data_body, bodies))
            self._session.request_many(bodies, batch, self._now(), Command.DATA_SM)
        elif self._session.version < V34:
            # A 3.3 peer knows no TLVs; the receipt's text says the same.
            self._session.request_many(list(map(without_tlvs, bodies)), batch, self._now())
        else:
            self._session.request_many(bodies, batch, self._now())
        self._flush()

    def answered(self, answers: Sequence[Answer]) -> None:
        """Responses came in; contexts are the deliveries."""
        if not any(map(_STATUS, answers)):
            self._mailboxes.taken(self.mailbox, [answer[0].id for answer in answers])
            return
        outcomes = [judge(delivery, status) for delivery, status, _ in answers]
        self._mailboxes.delivered(self.mailbox, outcomes)

    def timed_out(self, deliveries: Sequence[Delivery]) -> None:
        """No response within the timer: offer them again."""
        outcomes = [Again(one.id, RETRY_S, "no deliver_sm_resp in time") for one in deliveries]
        self._mailboxes.delivered(self.mailbox, outcomes)


def judge(delivery: Delivery, status: int) -> DeliveryOutcome:
    """What a deliver_sm_resp command_status means for the delivery."""
    id_ = delivery.id
    if not status:  # ESME_ROK
        return Done(id_)
    why = f"the ESME answered {status_name(status)}"
    if status in _TEMPORARY:
        return Again(
            id_, min(RETRY_S * 2 ** min(delivery.attempt, _DOUBLINGS), _RETRY_CEILING_S), why
        )
    return Dropped(id_, why)
