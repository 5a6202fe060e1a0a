"""Requests that a client may send again: the same key gets the same answer, and sends nothing.

*Never*: behaviour; see `smsc.ports`.
"""

from collections.abc import Callable, Sequence
from typing import Protocol

import attrs

from smsc.message import AccountId
from smsc.ports.intake import Admission, Companion, Refused


@attrs.frozen
class Answer:
    """What was answered to a request, as it goes out again for the same key."""

    status: int
    media_type: str
    body: bytes
    headers: tuple[tuple[str, str], ...] = ()


AnswerOf = Callable[[Sequence[Admission]], Answer]
"""What is answered when the drafts of a request were judged so; pure, called before the commit."""


class Claim(Companion, Protocol):
    """A key that is new: hand it to `Submit.submit_many` with the drafts of its request."""

    def release(self) -> None:
        """The request came to its end; if nothing was stored, its key is free again."""


class Idempotency(Protocol):
    """The keys of each account."""

    def begin(
        self, account: AccountId, key: str, request: bytes, answer_of: AnswerOf
    ) -> Claim | Answer | Refused:
        """What a key stands for.

        A `Claim` if it is new (`release` it when the request ends); the `Answer` of the first
        request with the key, if this is the same `request`; else `Refused`: SMSC_INVALID for
        another request, SMSC_EXISTS while the first one is under way.
        """
