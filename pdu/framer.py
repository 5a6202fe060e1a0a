"""HOT: the octets of a TCP stream cut into PDUs.

*In*: what one read gave, in any pieces.
*Out*: every PDU that is complete now, header split, body untouched; or the framing error.
*Never*: reads a body, buffers a PDU over the limit, raises for what a peer sent.

SMPP 3.4 §3.2, §5.1.1. First station of the flow: bytes → link → **framer** → session.

Invariants: what is held back is less than one PDU, so less than ``limit_octets``; a PDU that
arrives in many small reads is joined once, when complete, so a dripping peer costs O(n).
A command_length is judged as soon as its four octets are here.

Responses, and receipts of one carrier, come in runs of one length: those are cut in C.
"""

from collections.abc import Callable, Iterator
from functools import lru_cache
from struct import Struct
from typing import Final

from pdu.errors import FramingError
from pdu.status import Status

# (command_id, command_status, sequence_number, body)
Frame = tuple[int, int, int, bytes]

HEADER_OCTETS: Final = 16
# 64 KiB of message_payload, and room for the fields and TLVs around it.
DEFAULT_LIMIT_OCTETS: Final = 65536 + 4096

_unpack_header = Struct(">IIII").unpack_from
_LENGTH_OCTETS: Final = 4
_RUN: Final = 8
"""PDUs of one length in a row from which cutting them together is quicker."""


class Framer:
    """One direction of one connection.

    :param limit_octets: the longest command_length accepted, header included.
    :ivar error: set once the position is lost; frames before it were still returned, and
        :meth:`feed` returns nothing from then on.
    :ivar pending_octets: how much of an unfinished PDU is held.
    """

    __slots__ = ("_chunks", "_wanted", "error", "limit_octets", "pending_octets")

    def __init__(self, limit_octets: int = DEFAULT_LIMIT_OCTETS) -> None:
        self.limit_octets = limit_octets
        self.error: FramingError | None = None
        self.pending_octets = 0
        self._chunks: list[bytes] = []
        # Below this many octets no new PDU can be complete, nor a length be judged.
        self._wanted = 0

    def feed(self, data: bytes) -> list[Frame]:
        """Every PDU that ``data`` completes, in order; see :attr:`error` when it ends early."""
        if self.error is not None:
            return []
        if self.pending_octets:
            self._chunks.append(data)
            self.pending_octets += len(data)
            if self.pending_octets < self._wanted:
                return []
            data = b"".join(self._chunks)
        frames: list[Frame] = []
        append = frames.append
        unpack = _unpack_header
        limit = self.limit_octets
        end = len(data)
        last_header = end - HEADER_OCTETS
        at = 0
        length_before = -1
        while at <= last_header:
            length, command_id, command_status, sequence_number = unpack(data, at)
            if length == length_before:
                following = _end_of_run(data, at, length)
                if following:
                    frames += _cutter(length)(memoryview(data)[at:following])
                    at = following
                    continue
            length_before = length
            start = at + 16
            if not 16 <= length <= limit:
                self._lose(length, sequence_number)
                return frames
            following = at + length
            if following > end:
                self._hold(data[at:], length)
                return frames
            append((command_id, command_status, sequence_number, data[start:following]))
            at = following
        self._hold_header(data[at:])
        return frames

    def _hold(self, rest: bytes, wanted: int) -> None:
        self._chunks = [rest] if rest else []
        self.pending_octets = len(rest)
        self._wanted = wanted

    def _hold_header(self, rest: bytes) -> None:
        """Keep less than a header; its length field, when whole, is judged now."""
        if len(rest) < _LENGTH_OCTETS:
            self._hold(rest, _LENGTH_OCTETS)
            return
        length = int.from_bytes(rest[:_LENGTH_OCTETS], "big")
        if HEADER_OCTETS <= length <= self.limit_octets:
            self._hold(rest, HEADER_OCTETS)
        else:
            self._lose(length, 0)

    def _lose(self, length: int, sequence_number: int) -> None:
        self._hold(b"", 0)
        if length < HEADER_OCTETS:
            why = f"command_length {length} is shorter than the header"
        else:
            why = f"command_length {length} is over the limit of {self.limit_octets} octets"
        self.error = FramingError(Status.ESME_RINVCMDLEN, sequence_number, why)


def _end_of_run(data: bytes, at: int, length: int) -> int:
    """Where the PDUs of this length that begin at `at` end; 0 if they are too few."""
    octets = data[at : at + _LENGTH_OCTETS]
    last = at + (_RUN - 1) * length
    if data[last : last + _LENGTH_OCTETS] != octets:
        return 0
    count = (len(data) - at) // length
    for place in range(_LENGTH_OCTETS):
        column = data[at + place : at + count * length : length]
        count = len(column) - len(column.lstrip(octets[place : place + 1]))
    return at + count * length if count >= _RUN else 0


@lru_cache(maxsize=256)
def _cutter(length: int) -> Callable[[memoryview], Iterator[Frame]]:
    """Cuts octets that are nothing but PDUs of this length."""
    return Struct(f">4xIII{length - HEADER_OCTETS}s").iter_unpack
