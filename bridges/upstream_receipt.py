"""From a carrier's deliver_sm to a receipt, if it is one.

*In*: a deliver_sm body, and what `pdu.usual_receipt` read of it. *Out*: `UpstreamReceipt`, or None for an MO message.
*Never*: which message it speaks of; that is for `smsc.flow.receipts`.

SMPP 3.4 §5.2.12 (esm_class), appendix B (text); TLVs say it better than the text where they stand.
"""

import re
from functools import lru_cache
from typing import Any, Final

from bridges.quirks import Quirks
from pdu.codec import SubmitPeek, peek_deliver_sm
from pdu.receipt_text import Receipt, date_ms, parse_receipt, state_of
from pdu.text.udh import split_header
from pdu.tlvs import Tag, find_tlv
from pdu.usual_receipt import ReceiptText
from smsc.message import OutletName, State
from smsc.ports import UpstreamReceipt

_TYPE: Final = 0x3C
_RECEIPT: Final = 0x04
_INTERMEDIATE: Final = 0x20
_MARKED: Final = frozenset({_RECEIPT, _INTERMEDIATE})
_UDHI: Final = 0x40
_ERR_DIGITS: Final = 9  # the usual is 3; no number of a network is longer than this
_FROM_A_HANDSET: Final = frozenset({0x08, 0x10, 0x18})
"""SME delivery and manual acknowledgement, conversation abort: messages, not receipts."""
_STATES: Final = tuple(map(State, range(State.REJECTED + 1)))
_BLANK: Final = "\0 "
"""What some carriers put where an id should be; it is none."""
_SKIPPED: Final = 9  # message_state of SMPP 5.0; nothing of it reached the handset


_NO_QUIRKS: Final = Quirks()
_USUAL: Final = re.compile(
    rb" sub:\d{3} dlvrd:\d{3} submit date:\d{10} done date:\d{10} stat:[A-Z]{7} err:\d{3}"
)


def read_receipt(
    outlet: OutletName, read: ReceiptText | SubmitPeek, body: bytes, quirks: Quirks = _NO_QUIRKS
) -> UpstreamReceipt | None:
    """The receipt in a deliver_sm, as `read_deliver_sm` read it; None when it carries a message.

    What esm_class calls a receipt is one, also when nobody can tell of which message: then
    `upstream_id` is "".
    """
    if isinstance(read, SubmitPeek):
        return read_any_receipt(outlet, read, body, quirks)
    upstream_id, behind_id = read
    facts = _facts(behind_id, quirks.receipts, quirks.receipt_dates, quirks.receipt_ahead_min)
    if facts is None:
        return read_any_receipt(outlet, peek_deliver_sm(body), body, quirks)
    state, error, done_ms = facts
    return UpstreamReceipt(outlet, upstream_id, state, error, done_ms)


def read_any_receipt(
    outlet: OutletName, peek: SubmitPeek, body: bytes, quirks: Quirks = _NO_QUIRKS
) -> UpstreamReceipt | None:
    """The same, whatever form it has; the slow twin of the usual one."""
    message_id = find_tlv(body, peek.tlvs_at, Tag.RECEIPTED_MESSAGE_ID)
    kind = peek.esm_class & _TYPE
    if kind in _FROM_A_HANDSET:
        return None  # its user answered a message: that is for whoever sent it to read
    is_marked = message_id is not None or kind in _MARKED
    if not is_marked and (not quirks.receipts_unmarked or kind):
        return None
    state = _state_tlv(body, peek)
    if quirks.receipts == "text":
        message_id, state = None, None
    parsed = None
    if quirks.receipts != "tlv" or not is_marked:
        parsed = _parsed(body, peek, needs_stat=state is None or not is_marked)
    upstream_id = "" if message_id is None else message_id.rstrip(b"\0").decode("latin-1")
    if parsed is not None and not upstream_id.strip(_BLANK):
        upstream_id = parsed.message_id
    if not upstream_id.strip(_BLANK):
        if kind not in _MARKED:
            return None
        upstream_id = ""
    error, done_ms = 0, 0
    if parsed is not None:
        said, error, done_ms = _read(parsed, quirks)
        state = said if state is None else state
    if kind == _INTERMEDIATE:
        state = State.ENROUTE  # it tells of an attempt; the end is still to come
    elif state is None:
        state = State.UNKNOWN
    return UpstreamReceipt(outlet, upstream_id, state, error, done_ms, kind == _INTERMEDIATE)


@lru_cache(maxsize=1024)
def _facts(
    behind_id: bytes, believed: str, dates: Any, ahead_min: int
) -> tuple[State, int, int] | None:
    """State, error and done_ms of a text from behind its id up to " text:".

    Cached: receipts come in bursts that differ in nothing but the id. None: not the usual form.
    The others are what `Quirks` says of a text.
    """
    if believed == "tlv" or not _USUAL.fullmatch(behind_id):
        return None
    parsed = parse_receipt(b"id:0" + behind_id)
    if parsed is None:
        return None
    quirks = Quirks(receipt_dates=dates, receipt_ahead_min=ahead_min)
    state, error, done_ms = _read(parsed, quirks)
    return (State.UNKNOWN if state is None else state, error, done_ms)


def _read(parsed: Receipt, quirks: Quirks) -> tuple[State | None, int, int]:
    """State, error and done_ms as the text of a receipt says them."""
    error = 0
    if parsed.err is not None and len(parsed.err) <= _ERR_DIGITS and parsed.err.isdecimal():
        error = int(parsed.err)
    done_ms = _done_ms(quirks.usual_date(parsed.done_date), quirks.receipt_ahead_min)
    return _as_state(state_of(parsed.stat or "")), error, done_ms


@lru_cache(maxsize=1024)
def _done_ms(date: str | None, ahead_min: int) -> int:
    """Cached: receipts come in bursts of the same minute, and reading a date takes 10 µs."""
    return date_ms(date, ahead_min) or 0


def _parsed(body: bytes, peek: SubmitPeek, *, needs_stat: bool) -> Receipt | None:
    text = body[peek.text_at : peek.text_at + peek.sm_length]
    if not text:
        text = find_tlv(body, peek.tlvs_at, Tag.MESSAGE_PAYLOAD) or b""
    parsed = parse_receipt(text, needs_stat=needs_stat)
    if parsed is None and peek.esm_class & _UDHI:
        parted = split_header(text)
        parsed = parse_receipt(parted[1], needs_stat=needs_stat) if parted is not None else None
    return parsed


def _state_tlv(body: bytes, peek: SubmitPeek) -> State | None:
    value = find_tlv(body, peek.tlvs_at, Tag.MESSAGE_STATE)
    return _as_state(value[0]) if value else None


def _as_state(value: int | None) -> State | None:
    if value is None:
        return None
    if value == _SKIPPED:
        return State.UNDELIVERABLE
    return _STATES[value] if value <= State.REJECTED else None
