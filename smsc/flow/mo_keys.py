"""What networks call the messages they brought: one that they bring again is not delivered again.

*In*: messages with a key, from networks that repeat what got no answer (HTTP providers).
*Out*: is it known? *Never*: a message without a key; one day and `LIMIT` keys are remembered.

The key is stored in the commit that parks the message, so a restart forgets none that counts.
"""

from collections.abc import Iterable
from hashlib import blake2b
from itertools import islice
from typing import Final

from smsc.message import AccountId, MessageId, OutletName
from smsc.ports import Batch, Store

MO_KEYS: Final = "mo "
"""How the account's name begins in the table they share with submissions; no account has a space."""
KEEP_MS: Final = 24 * 3600 * 1000
LIMIT: Final = 100_000
"""Keys that are remembered, 20 MB of memory; more push out the oldest."""
_AGED: Final = 4
"""Old keys looked at with each new one; more than one, so they run out."""

Row = tuple[AccountId, bytes, MessageId, int]


class MoKeys:
    """See the module."""

    def __init__(self, store: Store) -> None:
        self._store = store
        # By outlet and digest, until when; oldest first.
        self._known: dict[tuple[AccountId, bytes], int] = {}

    def __len__(self) -> int:
        """Keys that are remembered."""
        return len(self._known)

    def restore(self, rows: Iterable[Row]) -> None:
        """Take up what an earlier run remembered."""
        ours = [row for row in rows if row[0].startswith(MO_KEYS)]
        for owner, digest, _, until_ms in sorted(ours, key=lambda row: row[3]):
            self._known[owner, digest] = until_ms

    def is_known(self, outlet: OutletName, key: str, now_ms: int) -> bool:
        """Did the network bring a message of this name a short while ago?"""
        return self._known.get(_place(outlet, key), 0) > now_ms

    def remember(
        self, batch: Batch, outlet: OutletName, key: str, id_: MessageId, now_ms: int
    ) -> None:
        """Note it in the batch that parks the message."""
        place = _place(outlet, key)
        self._forget(batch, now_ms)
        self._known.pop(place, None)  # an old one would keep its place in the order
        self._known[place] = now_ms + KEEP_MS
        batch.remember(*place, id_, now_ms + KEEP_MS)

    def _forget(self, batch: Batch, now_ms: int) -> None:
        too_many = len(self._known) - LIMIT + 1
        oldest = list(islice(self._known.items(), _AGED))
        for nth, (place, until_ms) in enumerate(oldest):
            if until_ms <= now_ms or nth < too_many:
                del self._known[place]
                batch.forget_remembered(*place)


def _place(outlet: OutletName, key: str) -> tuple[AccountId, bytes]:
    digest = blake2b(key.encode(errors="surrogatepass"), digest_size=16).digest()
    return AccountId(MO_KEYS + outlet), digest
