"""Kannel's sendsms: one message to several numbers, with everything that a request can ask for.

*In*: `Asked` (see `kannel_request`); what the account is called and sends as.
*Out*: `Send` with drafts, or the `Answer` that refuses it (see `kannel_answers`).
*Never*: I/O, a clock, HTTP objects of a framework.

Kannel userguide, "Using the HTTP interface to send SMS messages"; gw/smsbox.c for the order of
the checks.
"""

from collections.abc import Mapping

import attrs

from bridges.http.dialects import settings
from bridges.http.dialects.base import MAX_AHEAD_S, Content, Invalid, ReadNumber, to_body
from bridges.http.dialects.kannel_answers import (
    BAD_ACCOUNT,
    DENIED,
    EMPTY,
    MISSING,
    NO_SENDER,
    Answer,
    Send,
    misformed_answer,
)
from bridges.http.dialects.kannel_coding import BODY, Misformed, Wishes, content_of
from bridges.http.dialects.kannel_meta import Tlvs, parse_meta_data, tlvs_of
from bridges.http.dialects.kannel_reports import fill_in, parse_dlr_url
from bridges.http.dialects.kannel_request import Asked
from smsc.config_fields import about
from smsc.message import NEW_BATCH, AccountId, Draft

SOURCE = STYLE = "kannel"
MAX_ACCOUNT_CHARACTERS = 64
MAX_LABEL_CHARACTERS = 255
REPLY_PATH = 0x80
"""Bit of esm_class (SMPP 3.4 §5.2.12)."""


@attrs.frozen(kw_only=True)
class KannelConfig:
    """`[dialects.kannel]`."""

    path: str = settings.path("/cgi-bin/sendsms")
    body_octets: int = settings.body_octets()
    global_sender: str = attrs.field(
        default="", metadata=about("sender of messages that name none, for accounts without one")
    )
    immediate_reply: bool = attrs.field(
        default=False, metadata=about('answer "Sent." as with immediate-sendsms-reply')
    )
    max_messages: int = attrs.field(
        default=10, metadata=about("parts that a text may have", minimum=1, maximum=255)
    )
    max_receivers: int = attrs.field(
        default=1000, metadata=about("numbers in one request", minimum=1)
    )
    tlvs: dict[str, int] = attrs.field(
        factory=dict, metadata=about("tags of TLVs by the name that meta-data gives them")
    )


def parse_send(
    asked: Asked,
    account: AccountId,
    sender: str,
    config: KannelConfig,
    now_ms: int,
    read: ReadNumber = str,
) -> Send | Answer:
    """The message of a request, or what is wrong with it, judged in Kannel's order.

    `sender` is the account's own, for messages that name none.
    """
    if "to" not in asked.fields:
        return MISSING
    receivers = list(dict.fromkeys(asked.text("to").split()))
    if not receivers:
        return EMPTY
    if len(receivers) > config.max_receivers:
        return DENIED
    sender = asked.text("from") or sender or config.global_sender
    if not sender:
        return NO_SENDER
    if not _is_label(asked.text("account"), MAX_ACCOUNT_CHARACTERS):
        return BAD_ACCOUNT
    wish = _parse_wish(asked, account, sender, config)
    if isinstance(wish, Misformed):
        return misformed_answer(wish)
    send = Send([], [], [], wish.content.parts)
    batch = NEW_BATCH if len(receivers) > 1 else None
    for receiver in receivers:
        draft = _to_draft(wish, receiver, batch, now_ms, read)
        if isinstance(draft, Draft):
            send.drafts.append(draft)
            send.receivers.append(receiver)
        elif draft.field == "from":
            return NO_SENDER
        else:
            send.denied.append(receiver)
    return send if send.drafts else DENIED


_RANGES: Mapping[str, tuple[str, int]] = {
    "dlr-mask": ("DLR-Mask", 63),
    "mclass": ("MClass", 3),
    "pid": ("PID", 255),
    "rpi": ("RPI", 2),
    "alt-dcs": ("Alt-DCS", 1),
    "mwi": ("MWI", 7),
    "coding": ("Coding", 2),
    "compress": ("Compress", 1),
    "validity": ("Validity", 1 << 31),
    "deferred": ("Deferred", MAX_AHEAD_S // 60),
    "priority": ("Priority", 3),
}
"""Numbers of a request in the order of their checks: Kannel's name and the highest value."""

_LABELS: Mapping[str, str] = {"smsc": "SMSC", "binfo": "BInfo"}
_ALIASES = {"dlr-mask": ("dlr-mask", "dlrmask")}
_UNSET = frozenset({"", "-1"})


def _parse_numbers(asked: Asked) -> dict[str, int | None] | Misformed:
    numbers: dict[str, int | None] = {}
    for name, (label, highest) in _RANGES.items():
        text = asked.text(*_ALIASES.get(name, (name,))).strip()
        if text in _UNSET:
            numbers[name] = None
        elif text.isascii() and text.isdigit() and len(text) <= 10 and int(text) <= highest:
            numbers[name] = int(text)
        else:
            return Misformed(label)
    if 0 < (numbers["validity"] or 0) <= (numbers["deferred"] or 0):
        return Misformed(_RANGES["validity"][0])  # it would end before it may leave
    return numbers


def _parse_content(
    asked: Asked, numbers: Mapping[str, int | None], config: KannelConfig
) -> Content | Misformed:
    wishes = Wishes(
        coding=numbers["coding"],
        mclass=numbers["mclass"],
        mwi=numbers["mwi"],
        compress=numbers["compress"],
        alt_dcs=numbers["alt-dcs"],
    )
    text, udh = asked.fields.get("text", b""), asked.fields.get("udh", b"")
    content = content_of(text, asked.text("charset"), udh, wishes)
    if isinstance(content, Content) and content.parts > config.max_messages:
        return BODY
    return content


def _is_label(text: str, limit_characters: int) -> bool:
    """Is it free of what would break a line of a log?"""
    return len(text) <= limit_characters and not set(text) & set("[]\n\r\0")


def _tags(asked: Asked) -> tuple[str, ...]:
    """What rules may ask for: `smsc:NAME`, `account:NAME`, `binfo:NAME`."""
    names = ("smsc", "account", "binfo")
    return tuple(f"{name}:{asked.text(name)}" for name in names if asked.text(name))


@attrs.define(slots=True)
class _Wish:
    """What all messages of a request have in common."""

    account: AccountId
    sender: str
    content: Content
    numbers: Mapping[str, int | None]
    dlr_url: str
    """"" where no report is wanted."""
    tags: tuple[str, ...]
    tlvs: Tlvs


def _parse_wish(
    asked: Asked, account: AccountId, sender: str, config: KannelConfig
) -> _Wish | Misformed:
    dlr_url = parse_dlr_url(asked.text("dlr-url", "dlrurl"))
    if isinstance(dlr_url, Misformed):
        return dlr_url
    numbers = _parse_numbers(asked)
    if isinstance(numbers, Misformed):
        return numbers
    for name, label in _LABELS.items():
        if not _is_label(asked.text(name), MAX_LABEL_CHARACTERS):
            return Misformed(label)
    content = _parse_content(asked, numbers, config)
    if isinstance(content, Misformed):
        return content
    meta = parse_meta_data(asked.fields.get("meta-data", b""))
    tlvs = None if meta is None else tlvs_of(meta, config.tlvs)
    if meta is None or tlvs is None:
        return Misformed("Meta-Data")
    if dlr_url and numbers["dlr-mask"]:
        filled = fill_in(dlr_url, asked, account, numbers, content.data_coding, meta)
        if isinstance(filled, Misformed):
            return filled
        dlr_url = filled
    else:
        dlr_url = ""
    return _Wish(account, sender, content, numbers, dlr_url, _tags(asked), tlvs)


def _to_draft(
    wish: _Wish, receiver: str, batch: int | None, now_ms: int, read: ReadNumber
) -> Draft | Invalid:
    numbers = wish.numbers
    mask = numbers["dlr-mask"] or 0
    due_ms = now_ms + deferred * 60_000 if (deferred := numbers["deferred"]) else 0
    # A long validity counts as the longest that can be kept.
    validity_s = min((numbers["validity"] or 0) * 60, MAX_AHEAD_S)
    expires_ms = now_ms + validity_s * 1000 if validity_s else 0
    body = to_body(
        wish.sender,
        receiver,
        wish.content,
        registered_delivery=_RECEIPTS[mask & 3] if wish.dlr_url else 0,
        expires_ms=expires_ms,
        priority=numbers["priority"] or 0,
        protocol_id=numbers["pid"] or 0,
        esm_class=REPLY_PATH if numbers["rpi"] else 0,
        tlvs=wish.tlvs,
        read=read,
    )
    if isinstance(body, Invalid):
        return body
    return Draft(
        account=wish.account,
        source=SOURCE,
        body=body,
        due_ms=due_ms,
        expires_ms=expires_ms,
        callback_url=wish.dlr_url or None,
        callback_style=f"{STYLE}:{mask}" if wish.dlr_url else "",
        batch=batch,
        tags=wish.tags,
    )


_RECEIPTS = {0: 0, 1: 3, 2: 2, 3: 1}
"""registered_delivery (SMPP 5.0 §4.7.21) for bits 1, delivered, and 2, not delivered."""
