"""Idempotency keys: a request that comes again gets the answer that the first one got.

*In*: an account, the key of its request, the request. *Out*: a claim, or the answer of old.
*Never*: an answer before the messages it tells of are on disk; a key without its messages: both
are written in one commit, so a crash between commit and answer loses neither.

draft-ietf-httpapi-idempotency-key-header-07 §2. A request of which nothing was stored leaves no
key: it may be sent again, and may then succeed. Keys share the table of `duplicates`; the answers,
which are long and rarely asked for, stay on disk, in `Control.ANSWER`.
"""

from collections.abc import Iterable, Sequence
from hashlib import blake2b
from itertools import islice
from typing import Any, Final

import attrs

from pdu.status import Vendor
from smsc.message import AccountId, MessageId
from smsc.ports import Admission, Admitted, Answer, Batch, Control, Refused, Store
from smsc.ports.idempotency import AnswerOf, Claim
from smsc.store.keys import idempotency_key

OWNER: Final = "key "
"""How the account's name begins in the table they share with submissions; no account has a space."""
_AGED: Final = 4
"""Old keys looked at with each new one; more than one, so they run out."""
_SWEEP: Final = 1000
_OTHER = Refused(
    Vendor.SMSC_INVALID,
    "this Idempotency-Key came with another request; give each request a key of its own",
)
_RUNNING = Refused(
    Vendor.SMSC_EXISTS,
    "the first request with this Idempotency-Key is under way; send it again in a moment",
)

Row = tuple[AccountId, bytes, MessageId, int]


class IdempotencyKeys:
    """Implements `smsc.ports.Idempotency`.

    :param keep_ms: how long an answer is kept.
    :param limit: keys that are kept, about 300 octets of memory each; more push out the oldest.
    """

    def __init__(self, store: Store, keep_ms: int, limit: int) -> None:
        self._store = store
        self.keep_ms = keep_ms
        self.limit = limit
        # By owner and digest, until when; oldest first.
        self._known: dict[tuple[AccountId, bytes], int] = {}
        # What is under way: by owner and digest, the fingerprint of its request.
        self._running: dict[tuple[AccountId, bytes], bytes] = {}
        self.replayed = 0

    def __len__(self) -> int:
        """Keys that are remembered."""
        return len(self._known)

    def restore(self, rows: Iterable[Row]) -> None:
        """Take up what an earlier run remembered."""
        ours = [row for row in rows if row[0].startswith(OWNER)]
        for owner, digest, _, until_ms in sorted(ours, key=lambda row: row[3]):
            self._known[owner, digest] = until_ms

    def begin(
        self, account: AccountId, key: str, request: bytes, answer_of: AnswerOf, now_ms: int
    ) -> Claim | Answer | Refused:
        """See `smsc.ports.Idempotency`."""
        place = AccountId(OWNER + account), _digest(key.encode(errors="surrogatepass"))
        fingerprint = _digest(request)
        running = self._running.get(place)
        if running is not None:
            return _RUNNING if running == fingerprint else _OTHER
        if self._known.get(place, 0) > now_ms:
            first = self._read(place)
            if first is not None:
                if first[0] != fingerprint:
                    return _OTHER
                self.replayed += 1
                return first[1]
        self._running[place] = fingerprint
        return _Claim(self, place, fingerprint, answer_of, now_ms)

    def forget_old(self, now_ms: int) -> None:
        """Drop what is too old; called by the sweeper."""
        batch = self._store.batch()
        if self._forget(batch, now_ms, _SWEEP):
            self._store.commit_nowait(batch)

    def _read(self, place: tuple[AccountId, bytes]) -> tuple[bytes, Answer] | None:
        """The fingerprint of the first request, and what it was answered; None if it is lost."""
        key = idempotency_key(*place)
        for _, fields in self._store.control(Control.ANSWER, key, key + b"\x00", 1):
            fingerprint, status, media_type, body, headers = fields
            pairs = tuple((name, value) for name, value in headers)
            return fingerprint, Answer(status, media_type, body, pairs)
        return None

    def write(self, batch: Batch, claim: "_Claim", answers: Sequence[Admission]) -> None:
        """Note the answer in the batch that stores the messages."""
        place, answer = claim.place, claim.answer_of(answers)
        first = next(one.id for one in answers if isinstance(one, Admitted))
        until_ms = claim.now_ms + self.keep_ms
        self._forget(batch, claim.now_ms, _AGED)
        self._known.pop(place, None)  # an old one would keep its place in the order
        self._known[place] = until_ms
        batch.remember(*place, first, until_ms)
        fields: tuple[Any, ...] = (
            claim.fingerprint,
            answer.status,
            answer.media_type,
            answer.body,
            answer.headers,
        )
        batch.control(Control.ANSWER, idempotency_key(*place), fields)

    def ended(self, claim: "_Claim", *, is_on_disk: bool) -> None:
        """The request is over, or its commit is."""
        self._running.pop(claim.place, None)
        if claim.is_written and not is_on_disk:
            self._known.pop(claim.place, None)

    def _forget(self, batch: Batch, now_ms: int, some: int) -> int:
        """Drop up to `some` of the oldest keys, if they are too old or too many."""
        too_many = len(self._known) - self.limit + 1
        oldest = list(islice(self._known.items(), some))
        gone = [
            place
            for nth, (place, until_ms) in enumerate(oldest)
            if (until_ms <= now_ms or nth < too_many) and place not in self._running
        ]
        for place in gone:
            del self._known[place]
            batch.forget_remembered(*place)
            batch.control(Control.ANSWER, idempotency_key(*place), None)
        return len(gone)


@attrs.define(slots=True, eq=False)
class _Claim:
    """A key whose first request is under way; see `smsc.ports.idempotency.Claim`."""

    keys: IdempotencyKeys
    place: tuple[AccountId, bytes]
    fingerprint: bytes
    answer_of: AnswerOf
    now_ms: int
    is_written: bool = False
    is_over: bool = False

    def write(self, batch: Batch, answers: Sequence[Admission]) -> None:
        """Something of the request is stored by this batch: so is its answer."""
        self.is_written = True
        self.keys.write(batch, self, answers)

    def ended(self, *, is_on_disk: bool) -> None:
        """The commit has ended."""
        if not self.is_over:
            self.is_over = True
            self.keys.ended(self, is_on_disk=is_on_disk)

    def release(self) -> None:
        """The client is answered, or gone; a commit that is under way still counts."""
        if not self.is_written:
            self.ended(is_on_disk=False)


def _digest(octets: bytes) -> bytes:
    return blake2b(octets, digest_size=16).digest()
