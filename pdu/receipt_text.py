"""Delivery receipts: the text of a deliver_sm with esm_class 0x04, both ways.

*In*: what became of a message, or a carrier's text. *Out*: canonical text, or a `Receipt`.
*Never*: a refusal for a field that is missing or odd, id and stat apart: without these it is no
receipt. The TLVs (receipted_message_id, message_state) beat the text; the caller weighs them.

SMPP 3.4 appendix B:
`id:… sub:001 dlvrd:001 submit date:YYMMDDhhmm done date:YYMMDDhhmm stat:DELIVRD err:000 text:…`
Read leniently: labels in any case and order, fields missing, dates of 10, 12 or 14 digits, states
as full words. Dates carry no zone; ours are UTC.
"""

import re
from datetime import UTC, datetime, timedelta
from enum import IntEnum, StrEnum
from functools import lru_cache
from typing import Final, NamedTuple

_MINUTE_MS: Final = 60_000
_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
_TEXT_LIMIT_OCTETS: Final = 20


class MessageState(IntEnum):
    """message_state, SMPP 3.4 §5.2.28 and 5.0 §4.7.15."""

    SCHEDULED = 0
    ENROUTE = 1
    DELIVERED = 2
    EXPIRED = 3
    DELETED = 4
    UNDELIVERABLE = 5
    ACCEPTED = 6
    UNKNOWN = 7
    REJECTED = 8
    SKIPPED = 9

    @property
    def stat(self) -> str:
        """Seven letters for the receipt text."""
        return _STAT[self]

    @property
    def is_final(self) -> bool:
        """Whether nothing can follow.

        ACCEPTED is final by the spec; in the field it often means "taken by the next hop", so a
        reader may treat it as passing. UNKNOWN says that the state was lost, which ends tracking.
        """
        return self not in _PASSING


_STAT: Final = {
    MessageState.SCHEDULED: "SCHEDLD",
    MessageState.ENROUTE: "ENROUTE",
    MessageState.DELIVERED: "DELIVRD",
    MessageState.EXPIRED: "EXPIRED",
    MessageState.DELETED: "DELETED",
    MessageState.UNDELIVERABLE: "UNDELIV",
    MessageState.ACCEPTED: "ACCEPTD",
    MessageState.UNKNOWN: "UNKNOWN",
    MessageState.REJECTED: "REJECTD",
    MessageState.SKIPPED: "SKIPPED",
}
_PASSING: Final = frozenset({MessageState.SCHEDULED, MessageState.ENROUTE})

_STATES: Final = {
    **{stat: state for state, stat in _STAT.items()},
    **MessageState.__members__,
    # Words met in the field; FAILED tells that delivery was tried and given up.
    "FAILED": MessageState.UNDELIVERABLE,
    "UNDELIVERED": MessageState.UNDELIVERABLE,
    "UNDELIVRD": MessageState.UNDELIVERABLE,
    "UNDELIVERD": MessageState.UNDELIVERABLE,
    "DELIVERD": MessageState.DELIVERED,
    "CANCELLED": MessageState.DELETED,
    "CANCELED": MessageState.DELETED,
    "BUFFERD": MessageState.ENROUTE,
    "BUFFERED": MessageState.ENROUTE,
    "BUFFRED": MessageState.ENROUTE,
    "EN_ROUTE": MessageState.ENROUTE,
}


class Receipt(NamedTuple):
    """A receipt as read; None where the text had no such field."""

    message_id: str
    """As written: case, leading zeros and base are the peer's."""
    sub: int | None
    dlvrd: int | None
    submit_date: str | None
    """Digits as written; `iso_date` and `date_ms` read them."""
    done_date: str | None
    stat: str
    """Seven-letter name of a known state, else the word as written in upper case."""
    err: str | None
    text: str | None

    @property
    def state(self) -> MessageState | None:
        """The state that `stat` names; None for a word that nobody knows."""
        return _STATES.get(self.stat)


def state_of(stat_text: str) -> MessageState | None:
    """State of a stat word, abbreviated or full, in any case; None when unknown."""
    return _STATES.get(stat_text.strip().upper())


def format_receipt(
    message_id: str,
    *,
    submitted_ms: int,
    done_ms: int,
    state: MessageState,
    error: str = "000",
    sub: int = 1,
    dlvrd: int | None = None,
    text: bytes = b"",
) -> bytes:
    """Canonical receipt text, ASCII for data_coding 0; dates in UTC.

    `dlvrd` is by default `sub` when delivered, else 0. Of `text` (septets or ASCII of the original)
    the first 20 octets are shown. Times are milliseconds UTC.
    """
    if dlvrd is None:
        dlvrd = sub if state == MessageState.DELIVERED else 0
    return b"id:%b sub:%03d dlvrd:%03d submit date:%b done date:%b stat:%b err:%b text:%b" % (
        message_id.encode("latin-1", "replace"),
        sub,
        dlvrd,
        _minute(submitted_ms // _MINUTE_MS),
        _minute(done_ms // _MINUTE_MS),
        _STAT_OCTETS[state],
        error.encode("latin-1", "replace"),
        text[:_TEXT_LIMIT_OCTETS],
    )


_STAT_OCTETS: Final = {state: stat.encode() for state, stat in _STAT.items()}


@lru_cache(maxsize=1024)
def _minute(minutes: int) -> bytes:
    """YYMMDDhhmm of minutes since 1970; cached, receipts come in bursts of the same minute."""
    return (_EPOCH + timedelta(minutes=minutes)).strftime("%y%m%d%H%M").encode()


_USUAL = re.compile(
    rb"id:([^\s:]+) sub:(\d{1,9}) dlvrd:(\d{1,9}) submit date:(\d+) done date:(\d+)"
    rb" stat:(\w+) err:(\S+)(?: text:(.*))?",
    re.DOTALL | re.IGNORECASE,
)
"""The form that nearly all carriers send; anything else goes label by label."""
_LABEL = re.compile(
    r"(?:^|(?<=[\s,;]))(id|sub|dlvrd|submit[ _]?date|done[ _]?date|stat|err|text)[ ]?:",
    re.IGNORECASE,
)


def parse_receipt(data: bytes, *, needs_stat: bool = True) -> Receipt | None:
    """Read a receipt; None when there is no id or no stat.

    :param needs_stat: False where message_state tells it: then stat may be "".

    Octets read as Latin-1, or as UTF-16BE when they begin with a zero octet.
    """
    found = _USUAL.fullmatch(data)
    if found is None:
        encoding = "utf-16-be" if data[:1] == b"\x00" else "latin-1"
        return _parse_odd(data.decode(encoding, "replace"), needs_stat=needs_stat)
    message_id, sub, dlvrd, submit_date, done_date, stat, err, text = found.groups()
    return Receipt(
        message_id.decode("latin-1"),
        int(sub),
        int(dlvrd),
        submit_date.decode(),
        done_date.decode(),
        _canonical_stat(stat.decode("latin-1")),
        err.decode("latin-1"),
        None if text is None else text.decode("latin-1"),
    )


def _parse_odd(text: str, *, needs_stat: bool) -> Receipt | None:
    fields = _labelled(text)
    message_id, stat = _word(fields.get("id")), _word(fields.get("stat"))
    if message_id is None or (stat is None and needs_stat):
        return None
    return Receipt(
        message_id,
        _number(fields.get("sub")),
        _number(fields.get("dlvrd")),
        _word(fields.get("submitdate")),
        _word(fields.get("donedate")),
        _canonical_stat(stat or ""),
        _word(fields.get("err")),
        fields.get("text"),
    )


def _labelled(text: str) -> dict[str, str]:
    """Values by label; the first of a repeated label counts.

    `text:` takes everything behind it, labels of the user's own words included, unless id or stat
    has not been seen yet: then it ends at the next label.
    """
    fields: dict[str, str] = {}
    labels = list(_LABEL.finditer(text))
    for at, label in enumerate(labels):
        name = re.sub("[ _]", "", label[1].lower())
        if name in fields:
            continue
        if name == "text" and {"id", "stat"} <= fields.keys():
            fields[name] = text[label.end() :]
            break
        end = labels[at + 1].start() if at + 1 < len(labels) else len(text)
        value = text[label.end() : end]
        fields[name] = value.rstrip() if name == "text" else value.strip(" \t\r\n,;\x00")
    return fields


def _word(value: str | None) -> str | None:
    """First word; None for a label without a value."""
    return value.split()[0] if value else None


def _number(value: str | None) -> int | None:
    word = _word(value)
    return int(word) if word and word.isascii() and word.isdigit() and len(word) < 10 else None


def _canonical_stat(stat: str) -> str:
    stat = stat.upper()
    state = _STATES.get(stat)
    return stat if state is None else _STAT[state]


def date_ms(digits: str | None, ahead_minutes: int = 0) -> int | None:
    """Milliseconds UTC of a receipt date; None when absent, all zeros or impossible.

    The text has no zone: `ahead_minutes` says how far the carrier's clock is ahead of UTC.
    """
    found = _read_date(digits)
    if found is None:
        return None
    return (found - _EPOCH) // timedelta(milliseconds=1) - ahead_minutes * _MINUTE_MS


def iso_date(digits: str | None) -> str | None:
    """`YYYY-MM-DDThh:mm`, with `:ss` where the text had seconds; None as in `date_ms`."""
    found = _read_date(digits)
    if found is None or digits is None:
        return None
    has_seconds = len(digits) == 14 or (len(digits) == 12 and f"{found:%y}" == digits[:2])
    return f"{found:%Y-%m-%dT%H:%M:%S}" if has_seconds else f"{found:%Y-%m-%dT%H:%M}"


def _read_date(digits: str | None) -> datetime | None:
    """Read 10 (YYMMDDhhmm), 12 (with seconds, else with century) or 14 digits."""
    if not digits or not (digits.isascii() and digits.isdigit()):
        return None
    for form in _DATE_FORMS.get(len(digits), ()):
        try:
            return datetime.strptime(digits, form).replace(tzinfo=UTC)
        except ValueError:
            continue
    return None


_DATE_FORMS: Final = {
    10: ("%y%m%d%H%M",),
    12: ("%y%m%d%H%M%S", "%Y%m%d%H%M"),
    14: ("%Y%m%d%H%M%S",),
}


class IdMatch(StrEnum):
    """How the id of a response and the id of its receipt relate."""

    SAME = "same"
    CASE = "case differs"
    PADDED = "leading zeros differ"
    HEX_THEN_DECIMAL = "hex in response, decimal in receipt"
    DECIMAL_THEN_HEX = "decimal in response, hex in receipt"
    AMBIGUOUS = "ambiguous: never guess without per-client setting"
    DIFFERENT = "no match"


def relate_ids(submit_resp_id: str, receipt_id: str) -> IdMatch:
    """Tell how two ids relate; HEX_THEN_DECIMAL and its reverse only when no doubt is left.

    Two ids of decimal digits alone that differ but are equal in another base are AMBIGUOUS: "10"
    may be 0x10 = "16", or another message's 10.
    """
    if submit_resp_id == receipt_id:
        return IdMatch.SAME
    if submit_resp_id.lower() == receipt_id.lower():
        return IdMatch.CASE
    if submit_resp_id.lower().lstrip("0") == receipt_id.lower().lstrip("0"):
        return IdMatch.PADDED
    to_decimal = _equal_in_bases(submit_resp_id, 16, receipt_id, 10)
    to_hex = _equal_in_bases(submit_resp_id, 10, receipt_id, 16)
    if not (to_decimal or to_hex):
        return IdMatch.DIFFERENT
    if submit_resp_id.isdigit() and receipt_id.isdigit():
        return IdMatch.AMBIGUOUS
    return IdMatch.HEX_THEN_DECIMAL if to_decimal else IdMatch.DECIMAL_THEN_HEX


_HEX = re.compile(r"[0-9A-Fa-f]{1,64}", re.ASCII)
_DECIMAL = re.compile(r"[0-9]{1,64}", re.ASCII)


def _equal_in_bases(left: str, left_base: int, right: str, right_base: int) -> bool:
    for text, base in ((left, left_base), (right, right_base)):
        if not (_HEX if base == 16 else _DECIMAL).fullmatch(text):
            return False
    return int(left, left_base) == int(right, right_base)
