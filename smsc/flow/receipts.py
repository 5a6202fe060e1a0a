"""From what a network says of a part to what the client hears of its message.

*In*: upstream receipts; messages that reached a final state in dispatch.
*Out*: journalled progress; a Delivery in the account's mailbox when one was asked for.
*Never*: a final state overwritten; a receipt acknowledged before it is on disk.

Station of the flow: outlet → **receipts** → mailboxes. SMPP 3.4 §5.2.17, appendix B.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from itertools import takewhile
from typing import Any, Final

from pdu.receipt_ids import IdHabit
from pdu.status import Status
from smsc.flow.early import MATCHED, Early, letters_key
from smsc.flow.parts import ONE_ENROUTE, ONE_OCTET, aggregate, with_part
from smsc.flow.receipt_writer import ReceiptWriter
from smsc.flow.recent import Recent
from smsc.message import (
    ENROUTE,
    FINAL,
    LIVE,
    NOTICE_WISH,
    AccountId,
    Delivery,
    Mailbox,
    MessageId,
    OutletName,
    Progress,
    State,
)
from smsc.ports import (
    Batch,
    CommitResult,
    Store,
    UpstreamReceipt,
)
from smsc.store.ids import IdAllocator

EARLY_KEEP_MS: Final = 3600 * 1000
"""How long a receipt waits for the response that names its message."""
OLDEST_DONE_MS: Final = 30 * 24 * 3600 * 1000
"""A receipt may come so long after the end that it tells of; see `Receipts.receipts_nowait`."""
NEWEST_DONE_MS: Final = 24 * 3600 * 1000
"""So far may the clock of a carrier, in whatever zone it is, be ahead of ours."""
_ROK: Final = int(Status.ESME_ROK)
_UNDER_WAY: Final = LIVE | {State.ACCEPTED}
_EARLY_LIMIT: Final = 100_000


class Receipts(ReceiptWriter):
    """Matches receipts; `ReceiptWriter` writes those of our own.

    A receipt that overtook the response with its upstream id is *early*: it is parked in a
    mailbox of the outlet's own until `responded` names that id.

    :param arrived: told of receipts for clients once they are on disk.
    """

    def __init__(
        self,
        store: Store,
        ids: IdAllocator,
        recent: Recent,
        arrived: Callable[[Sequence[Delivery]], None],
        now_ms: Callable[[], int],
        log: Any,
    ) -> None:
        super().__init__(ids, now_ms)
        self._store = store
        self._recent = recent
        self._arrived = arrived
        self._log = log
        self._early = Early(store)
        self.habits: Mapping[OutletName, IdHabit] = {}
        """How the ids of receipts differ from those of responses, for carriers that may differ."""
        self.progresses: Callable[[Sequence[MessageId]], list[Progress | None]] = store.progresses
        """How far messages are; dispatch knows better of those in flight."""
        self.duplicates = 0
        self.unmatched = 0
        self._told_nameless: set[OutletName] = set()

    @property
    def early(self) -> int:
        """Receipts that wait for their response."""
        return len(self._early)

    # --- from the network ----------------------------------------------------------------------

    def restore(self, outlets: Iterable[OutletName]) -> None:
        """Take up the early receipts of an earlier run.

        It may have ended between journalling a response and matching the receipt.
        """
        for outlet in outlets:
            keys = []
            for early in self._store.parked(early_mailbox(outlet), MessageId(0), _EARLY_LIMIT):
                keys.append(self._key(outlet, early.reference or ""))
                self._early.add((outlet, keys[-1]), early, self._now_ms())
            known = zip(keys, self._store.upstreams(outlet, keys), strict=True)
            self.responded(outlet, [key for key, hit in known if hit is not None])

    def receipts_nowait(
        self, receipts: Sequence[UpstreamReceipt], done: Callable[[list[int]], None]
    ) -> None:
        """Match receipts; `done` gets a status for each after fsync (see `smsc.ports.Flow`).

        A time of the end that cannot be true (more than `OLDEST_DONE_MS` ago, or `NEWEST_DONE_MS`
        ahead) is as none: the message ended now.
        """
        if not receipts:
            done([])
            return
        batch = self._store.batch()
        answers, deliveries = self._match(batch, receipts)

        def committed(_result: CommitResult) -> None:
            self._arrived(deliveries)
            done(answers)

        self._store.commit_nowait(batch, committed)

    def responded(self, outlet: OutletName, upstream_ids: Iterable[str]) -> None:
        """Responses named these parts: their early receipts, if any, can be matched now."""
        if not self._early:
            return
        self._match_early(
            outlet,
            [
                early
                for upstream_id in upstream_ids
                if (early := self._early.pop((outlet, upstream_id))) is not None
            ],
        )

    def forget_old(self) -> None:
        """Look for early receipts under other spellings of their ids, then drop those too old.

        Called by the sweeper, so that no receipt in time pays for ids that differ.
        """
        now_ms = self._now_ms()
        if not self._early:
            return
        self._search(now_ms)
        old = list(takewhile(lambda entry: entry[1].expires_ms <= now_ms, self._early.items()))
        if not old:
            return
        batch = self._store.batch()
        for key, early in old:
            self._early.pop(key)
            batch.unpark(early.mailbox, early.id)
            self.unmatched += 1
            self._log.info("receipt.unmatched", outlet=key[0], upstream_id=early.reference)
        self._store.commit_nowait(batch)

    def _search(self, now_ms: int) -> None:
        """Find messages whose ids the carrier spells otherwise in receipts; learn how."""
        for outlet, found, learned in self._early.search(self.habits, now_ms):
            if learned:
                self._log.warning(
                    "link.ids_learned", outlet=outlet, ids=self.habits[outlet].word, by=learned
                )
            self._match_early(outlet, [early for early, _ in found], [hit for _, hit in found])
        for outlet, word, by in self._early.doubts:
            said = self.habits[outlet].word
            self._log.warning("link.ids_differ", outlet=outlet, ids=said, expected=word, by=by)
        self._early.doubts.clear()

    def _match_early(
        self,
        outlet: OutletName,
        found: Sequence[Delivery],
        hits: Sequence[tuple[MessageId, int]] | None = None,
    ) -> None:
        """Match receipts that were parked, and forget them, in one commit."""
        if not found:
            return
        batch = self._store.batch()
        for early in found:
            batch.unpark(early.mailbox, early.id)
        _, deliveries = self._match(batch, [_receipt_of(outlet, early) for early in found], hits)
        self._store.commit_nowait(batch, lambda _: self._arrived(deliveries))

    def _key(self, outlet: OutletName, upstream_id: str) -> str:
        """What the id of a receipt was kept under."""
        habit = self.habits.get(outlet)
        return upstream_id if habit is None or habit.is_exact else habit.receipt_key(upstream_id)

    def _match(
        self,
        batch: Batch,
        receipts: Sequence[UpstreamReceipt],
        hits: Sequence[tuple[MessageId, int] | None] | None = None,
    ) -> tuple[list[int], list[Delivery]]:
        """Enter receipts of one outlet where they belong, or where `hits` says.

        Returns the status to answer the network with for each, and the receipts for clients.
        """
        if hits is None:
            outlet = receipts[0].outlet
            keys = [one.upstream_id for one in receipts]
            habit = self.habits.get(outlet)
            if habit is not None and not habit.is_exact:
                keys = [*map(habit.receipt_key, keys)]
            hits = self._store.upstreams(outlet, keys)
            habit = habit and (habit.doubt or habit)
            if habit is not None and habit.is_curious:
                habit.note_receipts(keys, hits)
                if habit.receipts_have_letters:  # the next run should not have to wait for one
                    batch.meta(letters_key(outlet), MATCHED)
        known = [hit[0] for hit in hits if hit is not None]
        # One Progress for each message: a second receipt in the same read sees the first.
        progresses = dict(zip(known, self.progresses(known), strict=True))
        now_ms = self._now_ms()
        oldest_ms, newest_ms = now_ms - OLDEST_DONE_MS, now_ms + NEWEST_DONE_MS
        answers: list[int] = [_ROK] * len(receipts)
        changed: list[tuple[MessageId, Progress]] = []
        ended: dict[MessageId, Progress] = {}  # parts of one message may have come in one read
        notices: list[Delivery] = []
        for place, (receipt, hit) in enumerate(zip(receipts, hits, strict=True)):
            said = receipt.state
            if said in _UNDER_WAY and receipt.upstream_id:
                # The network says that it is on its way; that is known.
                if hit is not None:
                    notices += self._pass_on(batch, hit[0], progresses[hit[0]])
                elif receipt.is_notice:
                    answers[place] = self._park_early(batch, receipt, now_ms)
                continue
            done_ms = receipt.done_ms
            if not oldest_ms <= done_ms <= newest_ms:  # also when the network did not say: 0
                done_ms = now_ms
            if hit is None:
                answers[place] = self._park_early(batch, receipt, done_ms)
                continue
            id_, part = hit
            progress = progresses[id_]
            if progress is None:
                continue
            if progress.parts == ONE_ENROUTE and progress.state is ENROUTE and not part:
                # Most messages have one part, and it is under way: what `_enter` does, in short.
                progress.parts = ONE_OCTET[said]
                progress.error = receipt.error or progress.error
                progress.state = said
                progress.done_ms = done_ms
                ended[id_] = progress
            elif self._enter(receipt, progress, part, done_ms):
                if progress.state in FINAL:
                    ended[id_] = progress
                else:
                    changed.append((id_, progress))
        batch.progress_many(changed)
        batch.end_many(ended)
        messages = self._recent.take([*ended])
        finals = [
            (message, progress)
            for message, progress in zip(messages, ended.values(), strict=True)
            if message is not None
        ]
        return answers, notices + self.write(batch, finals)

    def _pass_on(
        self, batch: Batch, id_: MessageId, progress: Progress | None
    ) -> Sequence[Delivery]:
        """An intermediate notification of the network, for a client that asked for it."""
        message = self._recent.get(id_)
        if message is None or progress is None or progress.state in FINAL:
            return ()
        if message.callback_style:
            return self.callbacks.noticed(batch, message, progress)
        if not message.registered_delivery & NOTICE_WISH:
            return ()
        return self.write_notice(batch, message, progress)

    def _park_early(self, batch: Batch, receipt: UpstreamReceipt, done_ms: int) -> int:
        """Keep a receipt until a response names its upstream id; without one, nothing can."""
        if not receipt.upstream_id:
            return self._nameless(receipt.outlet)
        key = (receipt.outlet, self._key(receipt.outlet, receipt.upstream_id))
        first = self._early.get(key)
        if first is not None:
            if first.state not in _UNDER_WAY or receipt.state in _UNDER_WAY:
                self.duplicates += 1
                return _ROK
            # The end is known before a client could hear of the attempt: that is no news any more.
            batch.unpark(first.mailbox, first.id)
            self._early.pop(key)
        if len(self._early) >= _EARLY_LIMIT:
            return Status.ESME_RX_T_APPN
        now_ms = self._now_ms()
        early = Delivery(
            id=MessageId(self._ids.take(1, now_ms)[0]),
            mailbox=early_mailbox(receipt.outlet),
            account=AccountId(""),
            kind="early",
            created_ms=done_ms,
            expires_ms=now_ms + EARLY_KEEP_MS,
            body=b"",
            state=receipt.state,
            error=receipt.error,
            reference=receipt.upstream_id,
        )
        batch.park(early)
        self._early.add(key, early, now_ms)
        return _ROK

    def _nameless(self, outlet: OutletName) -> int:
        """Count a receipt that names no message, and say so once for each outlet."""
        self.unmatched += 1
        if outlet not in self._told_nameless:
            self._told_nameless.add(outlet)
            self._log.warning("receipt.nameless", outlet=outlet)
        return _ROK

    def _enter(self, receipt: UpstreamReceipt, progress: Progress, part: int, done_ms: int) -> bool:
        """Write one receipt into the progress of its message; False if it says nothing new."""
        parts = progress.parts
        if progress.state in FINAL or part >= len(parts) or parts[part] != ENROUTE:
            self.duplicates += 1
            return False
        ids = progress.upstream_ids
        parts = with_part(parts, part, receipt.state)
        if ids.count(ids[part]) > 1:  # a carrier that calls the whole text by one id
            for twin, id_ in enumerate(ids):
                if id_ == ids[part] and parts[twin] == ENROUTE:
                    parts = with_part(parts, twin, receipt.state)
        progress.parts = parts
        if receipt.error:
            progress.error = receipt.error
        state = aggregate(parts)
        if progress.state is ENROUTE and state in FINAL:
            progress.state = state
            progress.done_ms = done_ms
        return True


def early_mailbox(outlet: OutletName) -> Mailbox:
    """Where receipts of an outlet wait for the response that names them."""
    return Mailbox(f"early:{outlet}")


def _receipt_of(outlet: OutletName, early: Delivery) -> UpstreamReceipt:
    return UpstreamReceipt(
        outlet, early.reference or "", early.state, early.error, early.created_ms
    )
