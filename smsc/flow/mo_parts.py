"""Messages from networks that come in parts: all parts go one way, and are one text in an inbox.

*In*: parts, with the time in ms. *Out*: the first word that decides their way; the whole text.
*Never*: a clock; memory without a bound; a part withheld: each is on disk when it is answered, and
stands in an inbox by itself until the last one makes them one.

Only the first part begins with the message's first word. A part that comes before it, or after
the gateway was restarted in between, goes by its number alone.
"""

from collections import OrderedDict
from collections.abc import Sequence
from typing import Final, NamedTuple

import attrs

from pdu.codec import SubmitPeek
from pdu.text.joiner import TIMEOUT_MS, Alone, Duplicate, Incomplete, Joined, Joiner, Sar, Waiting
from pdu.text.udh import take_concat
from pdu.tlvs import Tag, find_tlv
from smsc.message import MessageId, OutletName

LIMIT: Final = 10_000
"""Messages whose first word is remembered, for `TIMEOUT_MS` at most."""
_UDHI: Final = 0x40
_Peer = tuple[OutletName, str, str]


class _Set(NamedTuple):
    """Parts of one message."""

    peer: _Peer
    reference: int
    total: int


@attrs.frozen
class Part:
    """What a message is a part of."""

    whole: _Set
    number: int
    """From 1 on."""
    data: bytes
    """Header and text, as `Joiner.add` takes it."""
    data_coding: int
    has_udh: bool
    sar: Sar | None


@attrs.frozen
class Shelved:
    """What is to stand in the inbox now."""

    text: str
    replaces: Sequence[MessageId] = ()
    """Parts that stood there and are in it."""
    is_whole: bool = True
    """Nothing of it is still to come."""


def part_of(outlet: OutletName, body: bytes, peek: SubmitPeek) -> Part | None:
    """Which part of what the message is; None if it is whole."""
    has_udh, has_tlvs = bool(peek.esm_class & _UDHI), peek.tlvs_at < len(body)
    if not has_udh and not has_tlvs:
        return None
    data = body[peek.text_at : peek.text_at + peek.sm_length]
    if not data and has_tlvs:
        data = find_tlv(body, peek.tlvs_at, Tag.MESSAGE_PAYLOAD) or b""
    sar = _sar_of(body, peek) if has_tlvs else None
    taken = take_concat(data) if has_udh else None
    concat = taken[0] if taken is not None else None
    peer = (outlet, peek.source_addr, peek.destination_addr)
    if concat is not None:
        whole, number = _Set(peer, concat.reference, concat.total), concat.seqnum
    elif sar is not None:
        whole = _Set(peer, sar.sar_msg_ref_num, sar.sar_total_segments)
        number = sar.sar_segment_seqnum
    else:
        return None
    return Part(whole, number, data, peek.data_coding, has_udh, sar) if whole.total > 1 else None


class MoParts:
    """See the module."""

    def __init__(self) -> None:
        self._words: OrderedDict[_Set, tuple[int, str]] = OrderedDict()
        self._joiner = Joiner()
        self._kept: dict[_Set, list[MessageId]] = {}

    def first_word(self, part: Part, word: str, now_ms: int) -> str:
        """The first word of the whole message; `word` is that of the part."""
        if part.number == 1:
            self._words.pop(part.whole, None)  # an old one would keep its place in the order
            self._words[part.whole] = (now_ms + TIMEOUT_MS, word)
            if len(self._words) > LIMIT:
                self._words.popitem(last=False)
            return word
        until_ms, known = self._words.get(part.whole, (0, ""))
        return known if until_ms > now_ms else ""

    def shelve(self, part: Part, text: str, id_: MessageId, now_ms: int) -> Shelved | None:
        """What the inbox is to show for a part that is kept as `id_`; None: it is there already.

        :param text: that of the part.
        """
        outcome = self._joiner.add(
            part.whole.peer,
            part.data,
            now_ms=now_ms,
            data_coding=part.data_coding,
            has_udh=part.has_udh,
            sar=part.sar,
        )
        self._give_up(self._joiner.expire(now_ms))
        match outcome:
            case Alone():
                return Shelved(text)
            case Duplicate():
                return None
            case Joined():
                return Shelved(outcome.text(), self._kept.pop(part.whole, ()))
            case Waiting(_, given_up):
                self._give_up(given_up)
                self._kept.setdefault(part.whole, []).append(id_)
                return Shelved(text, is_whole=False)

    def _give_up(self, sets: Sequence[Incomplete]) -> None:
        """Parts of which some never came stay in the inbox as they are."""
        for one in sets:
            if isinstance(one.peer, tuple):
                self._kept.pop(_Set(one.peer, one.reference, one.total), None)


def _sar_of(body: bytes, peek: SubmitPeek) -> Sar | None:
    tags = (Tag.SAR_MSG_REF_NUM, Tag.SAR_TOTAL_SEGMENTS, Tag.SAR_SEGMENT_SEQNUM)
    values = [find_tlv(body, peek.tlvs_at, tag) for tag in tags]
    if None in values:
        return None
    sar = Sar(*(int.from_bytes(value or b"", "big") for value in values))
    return sar if 0 < sar.sar_segment_seqnum <= sar.sar_total_segments else None
