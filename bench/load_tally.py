"""HOT: what a load run counts: answers, refusals, receipts, and how long they took.

*In*: lists of answers and of deliver_sm, all that one read brought, and `now`.
*Out*: counts and histograms.
*Never*: work for each message that can be done once for a read; a receipt counted twice.

A submit_sm's context is the moment it was sent, so the answer itself brings its latency. Messages
of one refill share that moment: a read has few different ones, and each is noted once.
"""

import re
from collections import Counter
from collections.abc import Sequence
from typing import Final

from bench.load_histogram import Histogram
from pdu.codec import SubmitPeek
from pdu.receipt_text import parse_receipt
from pdu.status import status_name
from pdu.tlvs import Tag, find_tlv
from smsc.session.events import Answer, Request

NO_ANSWER: Final = "no answer"
_EARLY_LIMIT: Final = 100_000
"""Receipts without a message that are remembered: they may have overtaken the response."""
_TYPE: Final = 0x3C
_IS_RECEIPT: Final = 0x04
_USUAL: Final = re.compile(
    rb"id:([^ ]+) sub:[0-9]+ dlvrd:[0-9]+ submit date:[0-9]+ done date:[0-9]+ stat:([A-Z]+)"
)
"""0.4 µs where a lenient pattern takes 0.9; what it does not fit is read by `pdu.receipt_text`."""


class Tally:
    """Everything that all sessions of a run count together.

    :param wants_receipts: remember message ids until their receipts come.
    """

    def __init__(self, *, wants_receipts: bool) -> None:
        self.wants_receipts = wants_receipts
        self.submitted = 0
        self.accepted = 0
        self.receipts = 0
        self.strays = 0
        """Receipts of messages that this run did not send, and repeated ones."""
        self.mobile_originated = 0
        self.errors: Counter[str] = Counter()
        self.states: Counter[str] = Counter()
        self.responses_s = Histogram()
        self.receipts_s = Histogram()
        self.last_answer_at = 0.0
        self.last_receipt_at = 0.0
        self._waiting: dict[bytes, float] = {}
        self._early: dict[bytes, tuple[float, bytes]] = {}

    @property
    def missing(self) -> int:
        """Accepted messages without a receipt so far."""
        return len(self._waiting)

    def answered(self, answers: Sequence[Answer], now: float) -> None:
        """submit_sm_resp came in; each context is the moment of its submit_sm."""
        self.last_answer_at = now
        refused = [status for _, status, _ in answers if status]
        self.accepted += len(answers) - len(refused)
        for status in refused:
            self.errors[status_name(status)] += 1
        for sent_at, count in Counter([sent_at for sent_at, _, _ in answers]).items():
            self.responses_s.add(now - sent_at, count)
        if self.wants_receipts:
            ids = {
                body.partition(b"\0")[0]: sent_at for sent_at, status, body in answers if not status
            }
            if self._early:
                self._match_early(ids)
            self._waiting.update(ids)

    def unanswered(self, count: int) -> None:
        """Requests that will have no answer: too late, or the connection is gone."""
        if count:
            self.errors[NO_ANSWER] += count

    def delivered(self, requests: Sequence[Request], now: float) -> None:
        """deliver_sm came in: receipts, and messages from handsets."""
        moments: list[float] = []
        states: list[bytes] = []
        pop = self._waiting.pop
        match = _USUAL.match
        for _, peek, body in requests:
            if peek.esm_class & _TYPE != _IS_RECEIPT:
                self.mobile_originated += 1
                continue
            found = match(body, peek.text_at)
            id_, state = found.groups() if found is not None else _read_odd(peek, body)
            sent_at = pop(id_, None)
            if sent_at is None:
                self._stray(id_, state, now)
            else:
                moments.append(sent_at)
                states.append(state)
        self._note(moments, states, now)

    def give_up(self) -> None:
        """The end of the run: receipts that nothing was sent for are strays."""
        self.strays += len(self._early)
        self._early.clear()

    # --- helpers -------------------------------------------------------------------------------

    def _note(self, moments: list[float], states: list[bytes], now: float) -> None:
        if not moments:
            return
        self.receipts += len(moments)
        self.last_receipt_at = now
        for sent_at, count in Counter(moments).items():
            self.receipts_s.add(now - sent_at, count)
        for state, count in Counter(states).items():
            self.states[state.decode("latin-1")] += count

    def _stray(self, id_: bytes, state: bytes, now: float) -> None:
        """No such message: it comes too early, again, or from an earlier run."""
        if id_ in self._early or len(self._early) >= _EARLY_LIMIT or not self.wants_receipts:
            self.strays += 1
        else:
            self._early[id_] = now, state

    def _match_early(self, ids: dict[bytes, float]) -> None:
        """Receipts that came before the response of their message."""
        for id_ in ids.keys() & self._early.keys():
            came_at, state = self._early.pop(id_)
            self._note([ids.pop(id_)], [state], came_at)


def _read_odd(peek: SubmitPeek, body: bytes) -> tuple[bytes, bytes]:
    """Id and state of a receipt that is not in the usual form; the TLV beats the text."""
    receipt = parse_receipt(body[peek.text_at : peek.text_at + peek.sm_length])
    id_ = find_tlv(body, peek.tlvs_at, Tag.RECEIPTED_MESSAGE_ID)
    if id_ is None and receipt is not None:
        id_ = receipt.message_id.encode("latin-1")
    state = receipt.stat if receipt is not None else "UNKNOWN"
    return (id_ or b"").rstrip(b"\0"), state.encode("latin-1")
