"""Kannel's sendsms: one message to several numbers by GET, by form, or by X-Kannel headers.

*In*: query, headers and body of a request; what the account is called and sends as; admissions.
*Out*: `Asked` with fields, `Send` with drafts; `Answer`, the text and HTTP status that Kannel gives.
*Never*: I/O, a clock, HTTP objects of a framework.

Kannel userguide, "Using the HTTP interface to send SMS messages"; gw/smsbox.c for the order of
the checks and the exact sentences, which clients compare as a whole. So nothing is appended to
them: our ids and the numbers that were not taken stand in headers.
"""

import html
import re
import urllib.parse
from collections.abc import Mapping, Sequence

import attrs

from bridges.http.dialects import settings
from bridges.http.dialects.base import (
    MAX_AHEAD_S,
    RETRY_AFTER_S,
    Content,
    Invalid,
    Reply,
    check_callback_url,
    http_status,
    to_body,
)
from bridges.http.dialects.kannel_coding import EIGHT_BIT, Misformed, Wishes, content_of
from bridges.http.dialects.kannel_escapes import fill, quoted
from bridges.http.dialects.kannel_meta import parse_meta_data, tlvs_of
from bridges.http.dialects.uuids import uuid_of
from pdu.status import Status, Vendor
from smsc.config_fields import about
from smsc.message import NEW_BATCH, AccountId, Draft
from smsc.ports import Admission, Admitted, Refused

SOURCE = STYLE = "kannel"
HEADER = "x-kannel-"
MAX_ACCOUNT_CHARACTERS = 64
MAX_LABEL_CHARACTERS = 255
REPLY_PATH = 0x80
"""Bit of esm_class (SMPP 3.4 §5.2.12)."""
REPORTS = 0x3F
"""All bits of a dlr-mask."""
MAX_IN_HEADER = 100
"""How many ids or numbers a header of an answer names."""


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


@attrs.define(slots=True)
class Answer:
    """What Kannel says: an HTTP status and a sentence."""

    status: int
    text: str
    headers: tuple[tuple[str, str], ...] = ()


@attrs.define(slots=True)
class Asked:
    """A request by its fields: octets, as they came, by their names in a URL."""

    fields: Mapping[str, bytes] = attrs.field(repr=False)

    def text(self, *names: str) -> str:
        """The first of these fields that is there; "" without one."""
        value = next((self.fields[name] for name in names if name in self.fields), b"")
        return value.decode("utf-8", "replace")

    @property
    def username(self) -> str:
        """Who says that he is calling."""
        return self.text("username", "user")

    @property
    def password(self) -> str:
        """How he proves it."""
        return self.text("password", "pass")


@attrs.define(slots=True)
class Send:
    """One message to those who can have it; `denied` are the numbers that cannot."""

    drafts: list[Draft]
    receivers: list[str]
    denied: list[str]
    parts: int


MISSING = Answer(400, "Missing receiver number, rejected")
EMPTY = Answer(400, "Empty receiver number not allowed, rejected")
DENIED = Answer(400, "Number(s) has/have been denied by white- and/or black-lists.")
NO_SENDER = Answer(400, "Sender missing and no global set, rejected")
BAD_ACCOUNT = Answer(400, "Account field misformed or too long, rejected")
FORBIDDEN = Answer(403, "Authorization failed for sendsms")
NOT_ROUTABLE = Answer(403, "Not routable. Do not try again.")
UNSUPPORTED = Answer(415, "Unsupported content-type, rejected")
UNKNOWN = Answer(404, "Unknown request.")
LATER = Answer(503, "Temporal failure, try again later.")
FAILED = Answer(500, "Sending failed.")
ACCEPTED = "0: Accepted for delivery"
QUEUED = "3: Queued for later delivery"


# --- requests ---------------------------------------------------------------------------------


def parse_request(
    method: str, query: str, headers: Mapping[str, str], body: bytes
) -> Asked | Answer:
    """The fields of a request, wherever they stand.

    A POST with X-Kannel headers has its text as body; else the body is a form, whatever its
    label says, as long as it says text or form.
    """
    fields = _form(query.encode("ascii", "replace"))
    if method != "POST":
        return Asked(fields)
    named = {
        name.lower().removeprefix(HEADER): value.encode("latin-1", "replace")
        for name, value in headers.items()
        if name.lower().startswith(HEADER)
    }
    kind, _, parameters = headers.get("content-type", "").partition(";")
    kind = kind.strip().lower()
    if not named:
        if kind in {"", "application/x-www-form-urlencoded", "text/plain"}:
            return Asked(_form(body) | fields)
        return UNSUPPORTED
    if kind not in {"", "text/plain", "application/octet-stream"}:
        return UNSUPPORTED
    named["text"] = body
    if "udh" in named:
        named["udh"] = _header_octets(named["udh"])
    if kind != "text/plain" and not named.get("coding"):
        named["coding"] = b"%d" % EIGHT_BIT
    charset = re.search(r'charset\s*=\s*"?([^\s";]+)', parameters, re.IGNORECASE)
    if charset is not None:
        named["charset"] = charset[1].encode("latin-1", "replace")
    elif kind == "text/plain" and not _is_utf8(body):
        named["charset"] = b"iso-8859-1"  # what HTTP/1.1 meant by a text without a charset
    return Asked(fields | named)


def parse_send(
    asked: Asked, account: AccountId, sender: str, config: KannelConfig, now_ms: int
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
    dlr_url = _parse_dlr_url(asked.text("dlr-url", "dlrurl"))
    if isinstance(dlr_url, Misformed):
        return _misformed(dlr_url)
    numbers = _parse_numbers(asked)
    if isinstance(numbers, Misformed):
        return _misformed(numbers)
    for name, label in _LABELS.items():
        if not _is_label(asked.text(name), MAX_LABEL_CHARACTERS):
            return _misformed(Misformed(label))
    content = _parse_content(asked, numbers, config)
    if isinstance(content, Misformed):
        return _misformed(content)
    meta = parse_meta_data(asked.fields.get("meta-data", b""))
    tlvs = None if meta is None else tlvs_of(meta, config.tlvs)
    if meta is None or tlvs is None:
        return _misformed(Misformed("Meta-Data"))
    mask = (numbers["dlr-mask"] or 0) & REPORTS
    if mask and dlr_url:
        values = static_values(asked, account, numbers, content.data_coding, meta)
        dlr_url = fill(dlr_url, values, is_last=False)
        if check_callback_url(dlr_url) is not None:
            return _misformed(Misformed("DLR-URL"))
    batch = NEW_BATCH if len(receivers) > 1 else None
    dlr_url = dlr_url if mask else ""
    plan = _Plan(account, sender, content, numbers, dlr_url, mask, tlvs, batch, now_ms)
    send = Send([], [], [], content.parts)
    for receiver in receivers:
        draft = plan.draft(receiver, _tags(asked))
        if isinstance(draft, Invalid):
            if draft.field == "from":
                return NO_SENDER
            send.denied.append(receiver)
        else:
            send.drafts.append(draft)
            send.receivers.append(receiver)
    return send if send.drafts else DENIED


def _form(octets: bytes) -> dict[str, bytes]:
    """The fields of a query string or form; of several with a name the first, as Kannel takes it."""
    fields: dict[str, bytes] = {}
    for pair in octets.split(b"&"):
        name, _, value = pair.partition(b"=")
        key = urllib.parse.unquote_to_bytes(name.replace(b"+", b" ")).decode("latin-1").lower()
        fields.setdefault(key, urllib.parse.unquote_to_bytes(value.replace(b"+", b" ")))
    fields.pop("", None)
    return fields


def _is_utf8(octets: bytes) -> bool:
    try:
        octets.decode()
    except UnicodeDecodeError:
        return False
    return True


def _header_octets(value: bytes) -> bytes:
    """X-Kannel-UDH: hexadecimal digits or, as in a URL, percent-encoded octets."""
    try:
        return bytes.fromhex(value.decode("ascii"))
    except ValueError:
        return urllib.parse.unquote_to_bytes(value)


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


def _parse_dlr_url(url: str) -> str | Misformed:
    """A dlr-url whose host is fixed; octets that no URL has are percent-encoded."""
    if not url:
        return ""
    safe = "".join(
        char if "!" <= char <= "~" else urllib.parse.quote(char).replace("%", "%%") for char in url
    )
    host = safe.partition("://")[2].partition("/")[0].partition("?")[0]
    if "%" in host or check_callback_url(safe) is not None:
        return Misformed("DLR-URL")
    return safe


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
        return Misformed("Charset or body")
    return content


def _is_label(text: str, limit_characters: int) -> bool:
    """Is it free of what would break a line of a log?"""
    return len(text) <= limit_characters and not set(text) & set("[]\n\r\0")


def _tags(asked: Asked) -> tuple[str, ...]:
    """What rules may ask for: `smsc:NAME`, `account:NAME`, `binfo:NAME`."""
    names = ("smsc", "account", "binfo")
    return tuple(f"{name}:{asked.text(name)}" for name in names if asked.text(name))


@attrs.define(slots=True)
class _Plan:
    """What all drafts of a request have in common."""

    account: AccountId
    sender: str
    content: Content
    numbers: Mapping[str, int | None]
    dlr_url: str
    mask: int
    tlvs: tuple[tuple[int, bytes], ...]
    batch: int | None
    now_ms: int

    def draft(self, receiver: str, tags: tuple[str, ...]) -> Draft | Invalid:
        numbers = self.numbers
        due_ms = self.now_ms + deferred * 60_000 if (deferred := numbers["deferred"]) else 0
        # A long validity counts as the longest that can be kept.
        validity_s = min((numbers["validity"] or 0) * 60, MAX_AHEAD_S)
        expires_ms = self.now_ms + validity_s * 1000 if validity_s else 0
        body = to_body(
            self.sender,
            receiver,
            self.content,
            registered_delivery=_RECEIPTS[self.mask & 3] if self.dlr_url else 0,
            expires_ms=expires_ms,
            priority=numbers["priority"] or 0,
            protocol_id=numbers["pid"] or 0,
            esm_class=REPLY_PATH if numbers["rpi"] else 0,
            tlvs=self.tlvs,
        )
        if isinstance(body, Invalid):
            return body
        return Draft(
            account=self.account,
            source=SOURCE,
            body=body,
            due_ms=due_ms,
            expires_ms=expires_ms,
            callback_url=self.dlr_url or None,
            callback_style=f"{STYLE}:{self.mask}" if self.dlr_url else "",
            batch=self.batch,
            tags=tags,
        )


_RECEIPTS = {0: 0, 1: 3, 2: 2, 3: 1}
"""registered_delivery (SMPP 5.0 §4.7.21) for bits 1, delivered, and 2, not delivered."""


def static_values(
    asked: Asked,
    account: AccountId,
    numbers: Mapping[str, int | None],
    data_coding: int,
    meta: Mapping[str, Mapping[str, bytes]],
) -> dict[str, str]:
    """The escapes of a dlr-url that only the request can fill in; see `kannel_escapes`."""

    def number(name: str) -> str:
        value = numbers[name]
        return "" if value is None else str(value)

    coding = numbers["coding"]
    charset = asked.text("charset") or _CHARSETS[coding or 0]
    values = {
        "n": quoted(account),
        "o": quoted(asked.text("account")),
        "B": quoted(asked.text("binfo")),
        "D": quoted(asked.fields.get("meta-data", b"")),
        "R": quoted(asked.text("dlr-url", "dlrurl")),
        "f": "",
        "c": number("coding") or "0",
        "m": number("mclass") or "-1",
        "M": number("mwi") or "-1",
        "C": quoted(charset),
        "u": quoted(asked.fields.get("udh", b"")),
        "O": f"{data_coding:02d}",
        "v": number("validity"),
        "V": number("deferred"),
    }
    for group, parameters in meta.items():
        values |= {f"#{group}#{name}#": quoted(value) for name, value in parameters.items()}
    return values


_CHARSETS = ("UTF-8", "8-BIT", "UTF-16BE")


def _misformed(misformed: Misformed) -> Answer:
    verb = "misformed" if misformed.field == "Charset or body" else "field misformed"
    return Answer(400, f"{misformed.field} {verb}, rejected")


# --- answers ----------------------------------------------------------------------------------


def sent_answer(
    send: Send, admissions: Sequence[Admission], config: KannelConfig, *, is_up: bool
) -> Answer:
    """What `admissions` of `send.drafts` make: all that were not taken are denied receivers.

    `is_up`: is there a way out now?
    """
    ids = [one.id for one in admissions if isinstance(one, Admitted)]
    refusals = [one for one in admissions if isinstance(one, Refused)]
    if not ids:
        return _refusal(refusals)
    taken = zip(send.receivers, admissions, strict=True)
    denied = send.denied + [to for to, one in taken if isinstance(one, Refused)]
    headers: tuple[tuple[str, str], ...] = (
        ("X-Message-Id", ",".join(map(str, ids[:MAX_IN_HEADER]))),
        ("X-Kannel-Id", ",".join(map(uuid_of, ids[:MAX_IN_HEADER]))),
    )
    if denied:
        named = ",".join(map(quoted, denied[:MAX_IN_HEADER]))
        headers += (("X-Denied-Receivers", named),)
    if not config.immediate_reply:
        return Answer(202, ACCEPTED if is_up else QUEUED, headers)
    text = "Sent."
    if denied:
        text += f" Denied receivers are: {html.escape(' '.join(denied))}"
    if send.parts > 1:
        text += f" Message splits: {send.parts}"
    return Answer(202, text, headers)


def to_reply(answer: Answer) -> Reply:
    """An answer as Kannel labels it: text/html, whatever it says."""
    wait_s = RETRY_AFTER_S.get(answer.status)
    wait = (("Retry-After", str(wait_s)),) if wait_s else ()
    return Reply(answer.status, answer.text.encode(), "text/html", answer.headers + wait)


def failure(status: int) -> Answer:
    """What no check of Kannel's is about: a request too long, or a gateway that failed."""
    return attrs.evolve(FAILED, status=status)


def _refusal(refusals: Sequence[Refused]) -> Answer:
    statuses = {one.status for one in refusals}
    if Vendor.SMSC_ACCOUNT_CLOSED in statuses:
        return FORBIDDEN
    if Status.ESME_RSYSERR in statuses or any(http_status(one) in {429, 503} for one in statuses):
        return LATER
    return NOT_ROUTABLE
