"""Putting the parts of a long message together again.

*In*: parts as they come (any order, repeated, some never), with the time as an argument.
*Out*: the whole message once, or what was given up. *Never*: a clock; more memory than its two
limits; a lost octet: parts that are given up are handed back.

TS 23.040 §9.2.3.24.1 (UDH), SMPP 3.4 §5.3.2.22-24 (SAR). Where both come in one PDU the header
counts. A message is known by peer, kind and width of the reference, reference and total; a set of
parts lives `timeout_ms` from its first part on.
"""

from array import array
from collections import OrderedDict
from collections.abc import Hashable
from typing import Final, NamedTuple

from pdu.text.alphabet import Alphabet
from pdu.text.coding import decode_text
from pdu.text.udh import Concat, take_concat

TIMEOUT_MS: Final = 10 * 60 * 1000
PART_OVERHEAD_OCTETS: Final = 256
"""What a kept part costs beside its text: many empty parts must not slip under the limit."""


class Part(NamedTuple):
    """One part without its concatenation."""

    data: bytes
    """Text octets, as coded."""
    data_coding: int = 0
    udh: bytes = b""
    """The rest of its header, UDHL first; empty when nothing is left."""


class Sar(NamedTuple):
    """The three SAR TLVs of a PDU, all present."""

    sar_msg_ref_num: int
    sar_total_segments: int
    sar_segment_seqnum: int


class Joined(NamedTuple):
    """The message is whole."""

    parts: tuple[Part, ...]

    @property
    def data(self) -> bytes:
        """All text octets; one text only if the parts have one data_coding."""
        return b"".join(part.data for part in self.parts)

    def text(self, default: Alphabet = Alphabet.GSM7) -> str:
        """The text; `default` is what the account means by data_coding 0.

        Neighbours of one coding are joined as octets first: some senders tear surrogate pairs.
        """
        runs: list[Part] = []
        for part in self.parts:
            last = runs[-1] if runs else None
            if last and (last.data_coding, last.udh) == (part.data_coding, part.udh):
                runs[-1] = last._replace(data=last.data + part.data)
            else:
                runs.append(part)
        return "".join(decode_text(r.data, r.data_coding, default, udh=r.udh) for r in runs)


class Incomplete(NamedTuple):
    """A set of parts that was given up: time or room ran out, or its reference was used anew."""

    peer: Hashable
    reference: int
    total: int
    parts: dict[int, Part]
    """What had come, by number (1-total)."""


class Waiting(NamedTuple):
    """The part is kept; others are missing. `given_up` made room for it."""

    missing: tuple[int, ...]
    given_up: tuple[Incomplete, ...] = ()


class Duplicate(NamedTuple):
    """The part had come before, now or in a message already whole: drop it."""

    seqnum: int


class Alone(NamedTuple):
    """No part of anything: handle the message as it is."""


Outcome = Joined | Waiting | Duplicate | Alone


class _Key(NamedTuple):
    peer: Hashable
    kind: str
    reference: int
    total: int


class _Set(NamedTuple):
    deadline_ms: int
    parts: dict[int, Part]


class Joiner:
    """Keeps the parts of unfinished messages, oldest first.

    `limit_messages` sets and `limit_octets` at most (text, headers and `PART_OVERHEAD_OCTETS` a
    part); beyond it the oldest set is given up.
    Finished messages are remembered as fingerprints, `limit_messages` of them at most, until their
    time is over, so that a repeated part does not open a set that can never be filled.
    """

    __slots__ = ("_done", "_limit_messages", "_limit_octets", "_octets", "_sets", "_timeout_ms")

    def __init__(
        self,
        *,
        timeout_ms: int = TIMEOUT_MS,
        limit_messages: int = 10_000,
        limit_octets: int = 16 * 1024 * 1024,
    ) -> None:
        self._timeout_ms = timeout_ms
        self._limit_messages = limit_messages
        self._limit_octets = limit_octets
        self._sets: OrderedDict[_Key, _Set] = OrderedDict()
        self._done: OrderedDict[_Key, tuple[int, array[int]]] = OrderedDict()
        self._octets = 0

    def __len__(self) -> int:
        """Return the number of unfinished messages."""
        return len(self._sets)

    @property
    def octets(self) -> int:
        """Octets kept, as `limit_octets` counts them."""
        return self._octets

    @property
    def deadline_ms(self) -> int | None:
        """When `expire` has something to do; None while nothing waits."""
        return next(iter(self._sets.values())).deadline_ms if self._sets else None

    def add(
        self,
        peer: Hashable,
        short_message: bytes,
        *,
        now_ms: int,
        data_coding: int = 0,
        has_udh: bool = False,
        sar: Sar | None = None,
    ) -> Outcome:
        """Take one PDU's text. `peer` tells senders apart: link, source and destination address.

        `has_udh` is UDHI of esm_class. A header that does not add up, and numbers that make no
        sense (total 0, part 0, part > total), leave the message `Alone`.
        """
        found = _read(peer, short_message, data_coding, has_udh, sar)
        if found is None:
            return Alone()
        key, seqnum, part = found
        if key.total == 1:
            return Joined((part,))
        self._forget(now_ms)
        done = self._done.get(key)
        if done is not None and done[1][seqnum - 1] == hash(part):
            return Duplicate(seqnum)
        given_up = []
        kept = self._sets.get(key)
        if kept is not None and seqnum in kept.parts:
            if kept.parts[seqnum] == part:
                return Duplicate(seqnum)
            # Other content under the same number: the reference was used anew.
            given_up.append(self._give_up(key))
            kept = None
        if kept is None:
            kept = self._sets[key] = _Set(now_ms + self._timeout_ms, {})
        kept.parts[seqnum] = part
        self._octets += _cost(part)
        if len(kept.parts) == key.total:
            return self._finish(key, now_ms)
        while len(self._sets) > self._limit_messages or self._octets > self._limit_octets:
            given_up.append(self._give_up(next(iter(self._sets))))
        missing = tuple(n for n in range(1, key.total + 1) if n not in kept.parts)
        return Waiting(missing, tuple(given_up))

    def expire(self, now_ms: int) -> list[Incomplete]:
        """Give up the sets whose time is over at `now_ms`, and return them."""
        self._forget(now_ms)
        over = []
        while self._sets and next(iter(self._sets.values())).deadline_ms <= now_ms:
            over.append(self._give_up(next(iter(self._sets))))
        return over

    def _finish(self, key: _Key, now_ms: int) -> Joined:
        parts = self._sets[key].parts
        ordered = tuple(parts[seqnum] for seqnum in range(1, key.total + 1))
        self._give_up(key)
        self._done.pop(key, None)
        self._done[key] = (now_ms + self._timeout_ms, array("q", map(hash, ordered)))
        if len(self._done) > self._limit_messages:
            self._done.popitem(last=False)
        return Joined(ordered)

    def _give_up(self, key: _Key) -> Incomplete:
        parts = self._sets.pop(key).parts
        self._octets -= sum(map(_cost, parts.values()))
        return Incomplete(key.peer, key.reference, key.total, parts)

    def _forget(self, now_ms: int) -> None:
        while self._done and next(iter(self._done.values()))[0] <= now_ms:
            self._done.popitem(last=False)


def _cost(part: Part) -> int:
    return PART_OVERHEAD_OCTETS + len(part.data) + len(part.udh)


def _read(
    peer: Hashable, short_message: bytes, data_coding: int, has_udh: bool, sar: Sar | None
) -> tuple[_Key, int, Part] | None:
    """Find the concatenation: of the header if it has one, else of the SAR TLVs."""
    header, text = b"", short_message
    concat: Concat | None = None
    if has_udh:
        taken = take_concat(short_message)
        if taken is None:
            return None
        concat, header, text = taken
    part = Part(text, data_coding, header)
    if concat is not None:
        kind = "udh-16" if concat.wide else "udh-8"
        return _Key(peer, kind, concat.reference, concat.total), concat.seqnum, part
    if sar is not None and 0 < sar.sar_segment_seqnum <= sar.sar_total_segments:
        key = _Key(peer, "sar", sar.sar_msg_ref_num, sar.sar_total_segments)
        return key, sar.sar_segment_seqnum, part
    return None
