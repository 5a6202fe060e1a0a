"""HOT: what came of the drafts of one call, from the first verdict to the answer.

*In*: drafts that were admitted, with their ids. *Out*: messages in a batch; one answer for each
draft, in order. *Never*: a verdict of its own; an answer before the batch has ended.
"""

from collections.abc import Callable, Sequence
from itertools import groupby
from operator import attrgetter
from typing import Final

from pdu.codec import SubmitPeek
from pdu.status import Status
from smsc.directory.credits import Charge
from smsc.flow.admission import Lifetime
from smsc.flow.duplicates import Entry
from smsc.flow.lanes import Plan
from smsc.message import (
    NEW_BATCH,
    QUEUED,
    AccountId,
    Draft,
    Message,
    MessageId,
    OutletName,
    Progress,
    State,
)
from smsc.ports import Admission, Admitted, Batch, Refused

FULL: Final = Refused(
    Status.ESME_RMSGQFUL, "the store is full; nothing was stored, send it again later"
)
_LIFETIME: Final = attrgetter("due_ms", "expires_ms")


class Submission:
    """Filled by intake, draft after draft.

    :ivar verdicts: for each draft the id of its message, or why there is none.
    :ivar accepted: messages that will leave, parallel to `plans`; `dropped` are on record only.
    :ivar unusual: those of them that leave later, or replace others.
    :ivar bill: what is to be paid: payer's account, message, price.
    :ivar firsts: messages that duplicates of them will be told.
    """

    __slots__ = (
        "_again",
        "_done",
        "accepted",
        "bill",
        "dropped",
        "firsts",
        "plans",
        "unusual",
        "verdicts",
    )

    def __init__(self, done: Callable[[list[Admission]], None]) -> None:
        self.verdicts: list[MessageId | Refused] = []
        self.accepted: list[Message] = []
        self.plans: list[Plan] = []
        self.dropped: list[Message] = []
        self.unusual: list[Message] = []
        self.bill: list[tuple[AccountId, MessageId, Charge]] = []
        self.firsts: list[Entry] = []
        self._again: list[tuple[int, Entry]] = []  # duplicates: place among the answers, the first
        self._done = done

    @property
    def stores_nothing(self) -> bool:
        """Was every draft refused, or a duplicate?"""
        return not (self.accepted or self.dropped)

    @property
    def duplicated(self) -> Sequence[Entry]:
        """The messages that drafts were duplicates of."""
        return [first for _, first in self._again]

    def repeat(self, first: Entry) -> None:
        """The draft is a duplicate of that message."""
        self._again.append((len(self.verdicts), first))
        self.verdicts.append(first.id)

    def admit(
        self,
        draft: Draft,
        id_: MessageId,
        now_ms: int,
        peek: SubmitPeek,
        lifetime: Lifetime,
        plan: Plan,
        charge: Charge | None = None,
    ) -> Message:
        """Make the message of a draft; without a plan a rule drops it: nothing comes of it."""
        batch, due_ms = draft.batch, lifetime.due_ms
        if batch == NEW_BATCH:
            batch = self._first_id(id_)
        message = Message(
            id_,
            draft.account,
            draft.source,
            now_ms,
            due_ms,
            lifetime.expires_ms,
            peek.priority_flag,
            peek.registered_delivery,
            draft.callback_url,
            batch,
            draft.reference,
            draft.tags,
            draft.body,
            peek,
            draft.session,
            draft.callback_style,
        )
        message.asked = draft.asked
        if charge is not None:
            message.charge = charge.note
            self.bill.append((draft.account, id_, charge))
        if plan:
            self.accepted.append(message)
            self.plans.append(plan)
            if due_ms or peek.replace_if_present_flag:
                self.unusual.append(message)
        else:
            self.dropped.append(message)
        self.verdicts.append(id_)
        return message

    def _first_id(self, id_: MessageId) -> MessageId:
        """The id of the first message admitted here; `id_` if that is the one."""
        return min((one[0].id for one in (self.accepted, self.dropped) if one), default=id_)

    def write(self, batch: Batch, now_ms: int) -> None:
        """Enter the messages; those that live alike share one alarm."""
        batch.accept_many(self.dropped, Progress(State.DELETED, OutletName(""), done_ms=now_ms))
        for (due_ms, expires_ms), alike in groupby(self.accepted, _LIFETIME):
            run = list(alike)
            state = State.SCHEDULED if due_ms else QUEUED
            batch.accept_many(run, Progress(state, OutletName(""), due_ms=due_ms))
            batch.defer(due_ms or expires_ms, run[0].id, run[-1].id)

    def lose(self) -> None:
        """There was no room: nothing of it is on disk."""
        lost = {message.id for message in (*self.accepted, *self.dropped)}
        self.verdicts = [
            one if isinstance(one, Refused) or one not in lost else FULL for one in self.verdicts
        ]

    def answer(self) -> None:
        """Give the answers; a duplicate of what was lost is lost as well."""
        for place, first in self._again:
            if first.is_lost:
                self.verdicts[place] = FULL
        self._done(self.answers())

    def answers(self) -> list[Admission]:
        """The verdicts as the client hears them."""
        return [one if isinstance(one, Refused) else Admitted(one) for one in self.verdicts]
