"""The transactions of one client: messages whose answer waits for their end.

*In*: the messages of one read. *Out*: those that wait for nothing; late answers to the others.
*Never*: a window filled by what only waits.

A late answer does not count for the client's window: else a client that filled it would not be
read any more, and neither would its deliver_sm_resp and enquire_link_resp. Instead as many
transactions as the window is wide may be open; what is above is refused with ESME_RTHROTTLED.
"""

from collections.abc import Callable, Sequence
from functools import partial

import trio

from pdu.operations import V50
from pdu.status import Status
from smsc.message import AccountId, Draft
from smsc.operations.transactions import MODE, TRANSACTION, Transactions
from smsc.ports import Admission, Admitted, Submit
from smsc.session.events import Request
from smsc.session.machine import Session


class LateAnswers:
    """Those of one client.

    :param flush: writes what the session has to say.
    """

    def __init__(
        self,
        session: Session,
        intake: Submit,
        transactions: Transactions,
        flush: Callable[[], None],
    ) -> None:
        self._session = session
        self._intake = intake
        self._transactions = transactions
        self._flush = flush
        self._open = 0
        self._is_gone = False

    def take(self, account: AccountId, requests: Sequence[Request]) -> Sequence[Request]:
        """Submit each message in transaction mode by itself; return the others.

        data_sm may ask for the mode, and in 5.0 submit_sm too.
        """
        session = self._session
        if not session.owes_data_sm and session.version < V50:
            return requests
        others: list[Request] = []
        for request in requests:
            sequence_number, peek, body = request
            if peek.esm_class & MODE != TRANSACTION or not session.may_wait(sequence_number):
                others.append(request)
            elif self._open >= session.hold:
                session.answer_many([(sequence_number, int(Status.ESME_RTHROTTLED), b"")])
            else:
                self._open += 1
                session.set_aside()
                draft = Draft(account, "smpp", body, peek=peek)
                self._intake.submit_many_nowait([draft], partial(self._stored, sequence_number))
        return others

    def hurry(self) -> None:
        """The client wants to go: answer all now."""
        self._is_gone = True
        self._transactions.hurry(self)

    def forget(self) -> None:
        """The client is gone: nobody is there to be answered."""
        self._is_gone = True
        self._transactions.forget(self)

    # --- helpers -------------------------------------------------------------------------------

    def _stored(self, sequence_number: int, answers: list[Admission]) -> None:
        """The message is on disk, or was refused."""
        (admission,) = answers
        if isinstance(admission, Admitted):
            answer = partial(self._answer, sequence_number, b"%d" % admission.id)
            self._transactions.wait(admission.id, self, answer, trio.current_time())
            if self._is_gone:
                self._transactions.hurry(self)
        else:
            self._answer(sequence_number, b"", admission.status, b"")

    def _answer(self, sequence_number: int, message_id: bytes, status: int, tlvs: bytes) -> None:
        self._open -= 1
        self._session.answer_late(sequence_number, status, message_id, tlvs)
        self._flush()
