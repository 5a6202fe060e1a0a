"""What every HTTP dialect shares: from a recipient and a text to one submit_sm body, and back.

*In*: values that a dialect found in its request; stored bodies.
*Out*: submit_sm bodies, `Reply`, and `Invalid`, which names the field, the value and the way out.
*Never*: I/O, a clock (`now_ms` is an argument), knowledge of one dialect.

A short_message holds at most 254 octets (SMPP 3.4 §5.2.21, §5.2.22); longer content travels in
the message_payload TLV, and the outlet parts it, because only it knows the network's limits.
"""

import datetime as dt
import math
import reprlib
import urllib.parse
from collections.abc import Callable, Mapping
from typing import Any

import attrs
import orjson

from pdu.address import destination_fault, guess_destination, guess_source, source_fault
from pdu.codec import encode_body, peek_deliver_sm
from pdu.compose import compose
from pdu.message_pdus import SubmitSm
from pdu.status import Status, Vendor, status_class
from pdu.text.alphabet import alphabet_of
from pdu.text.coding import choose, decode_text
from pdu.text.segmenter import count_parts, room
from pdu.timefmt import format_absolute
from pdu.tlvs import Tag, find_tlv

PAYLOAD_OCTETS = 65535
MAX_PARTS = 255
"""A concatenation header counts its parts in one octet (3GPP TS 23.040 §9.2.3.24.1)."""

UDH_INDICATOR = 0x40
MAX_AHEAD_S = 366 * 86400
"""How far ahead a schedule or a validity may lie, in seconds."""

MAX_URL_CHARACTERS = 2048

ReadNumber = Callable[[str], str]
"""An address as somebody wrote it to E.164 digits; to itself when it is no number of theirs.

`str` is the one of accounts without a region. It comes before TON and NPI are guessed, for the
"+" and the brackets that they take away say how a number is meant.
"""
SHOWN_CHARACTERS = 60
"""How much of a wrong value an error sentence repeats."""


@attrs.define(slots=True)
class Reply:
    """An HTTP answer, ready to be sent."""

    status: int
    body: bytes
    media_type: str
    headers: tuple[tuple[str, str], ...] = ()


@attrs.define(slots=True)
class Invalid:
    """A field of a request that cannot be used: which, what was found, and the way out."""

    field: str
    value: object
    why: str

    def sentence(self) -> str:
        """One sentence for people; a long value is cut."""
        return f"{self.field}: {self.why} (found {shown(self.value)})"


@attrs.define(slots=True)
class Content:
    """What a message says: octets as they go into short_message, and how they are counted."""

    data: bytes
    data_coding: int
    esm_class: int
    parts: int
    coding: str


def shown(value: object) -> str:
    """A wrong value as an error sentence repeats it: JSON, cut after `SHOWN_CHARACTERS`."""
    try:
        text = orjson.dumps(value).decode()
    except (TypeError, ValueError):
        text = reprlib.repr(value)  # however deep and long it is
    return text if len(text) <= SHOWN_CHARACTERS else text[: SHOWN_CHARACTERS - 1] + "…"


def header_text(why: str) -> str:
    """A sentence as a header may hold it: one line, printable ASCII, at most 200 characters."""
    return "".join(one if " " <= one <= "~" else "?" for one in why)[:200]


# --- content ----------------------------------------------------------------------------------


def text_content(text: str, field: str = "text") -> Content | Invalid:
    """GSM-7 when every character has one, else UCS-2."""
    if not text:
        return Invalid(field, text, "a message needs at least one character")
    choice = choose(text)
    if choice.parts > MAX_PARTS or len(choice.data) > PAYLOAD_OCTETS:
        why = f"that makes {choice.parts} parts and a message has at most {MAX_PARTS}; shorten it"
        return Invalid(field, text, why)
    return Content(choice.data, choice.data_coding, 0, choice.parts, choice.coding)


def hex_content(digits: str, data_coding: int, udh: bool, field: str = "hex") -> Content | Invalid:
    """Octets as the client encoded them; `udh`: they begin with a user data header."""
    try:
        data = bytes.fromhex(digits)
    except ValueError:
        return Invalid(field, digits, "it must be hexadecimal digits, two for each octet")
    if not data:
        return Invalid(field, digits, "a message needs at least one octet")
    alphabet = alphabet_of(data_coding)
    if udh:
        header_octets = data[0] + 1
        if header_octets > len(data):
            why = f"its user data header says {header_octets} octets and only {len(data)} are there"
            return Invalid(field, digits, why + "; correct the first octet, or leave out udh")
        if len(data) - header_octets > room(alphabet, header_octets):
            why = "with a user data header of your own it must fit one message of 140 octets"
            return Invalid(field, digits, why + "; part it, or leave out udh")
        parts = 1
    else:
        parts = count_parts(data, data_coding)
        if parts > MAX_PARTS or len(data) > PAYLOAD_OCTETS:
            why = f"that makes {parts} parts and a message has at most {MAX_PARTS}; shorten it"
            return Invalid(field, digits, why)
    return Content(data, data_coding, UDH_INDICATOR if udh else 0, parts, alphabet.value)


def to_body(
    source: str,
    destination: str,
    content: Content,
    *,
    registered_delivery: int = 0,
    expires_ms: int = 0,
    priority: int = 0,
    protocol_id: int = 0,
    esm_class: int = 0,
    tlvs: tuple[tuple[int, bytes], ...] = (),
    read: ReadNumber = str,
) -> bytes | Invalid:
    """One submit_sm body (SMPP 3.4 §4.4.1); TON and NPI are guessed from the addresses.

    `expires_ms` is ms UTC, 0 for the default validity; the network is told it as well.
    An empty `source` leaves the sender to the network. `esm_class` are bits besides those of the
    content, `tlvs` TLVs besides message_payload. `read` knows the numbers of the account's region.
    """
    sender, recipient = guess_source(read(source)), guess_destination(read(destination))
    fault = source_fault(*sender)
    if fault is not None or not _is_latin1(sender.addr):
        why = fault or "an SMPP address is made of Latin-1 characters"
        return Invalid("from", source, f"{why}; write a number or a name of 11 characters at most")
    fault = destination_fault(*recipient)
    if fault is not None:
        return Invalid("to", destination, f"{fault}; write a number such as +41791234567")
    submit_sm = compose(
        SubmitSm,
        sender,
        recipient,
        content.data,
        esm_class=content.esm_class | esm_class,
        protocol_id=protocol_id,
        priority_flag=priority,
        validity_period=format_absolute(expires_ms) if expires_ms else "",
        registered_delivery=registered_delivery,
        data_coding=content.data_coding,
        tlvs=tlvs,
    )
    return encode_body(submit_sm)


def _is_latin1(text: str) -> bool:
    return text.isascii() or all(character <= "\xff" for character in text)


# --- stored bodies ----------------------------------------------------------------------------


@attrs.define(slots=True)
class Spoken:
    """A stored submit_sm or deliver_sm body as people read it."""

    source: str
    destination: str
    data: bytes
    data_coding: int
    udh: bool
    coding: str
    parts: int

    def text(self) -> str:
        """The text without its user data header; undecodable octets become U+FFFD."""
        header_octets = self.data[0] + 1 if self.udh and self.data else 0
        header, text = self.data[:header_octets], self.data[header_octets:]
        return decode_text(text, self.data_coding, udh=header)


def read_body(body: bytes) -> Spoken:
    """The facts of a submit_sm or deliver_sm body that was validated when it came in."""
    peek = peek_deliver_sm(body)  # the layouts are one; this reading takes more values as they come
    data = body[peek.text_at : peek.text_at + peek.sm_length]
    if not data:
        data = find_tlv(body, peek.tlvs_at, Tag.MESSAGE_PAYLOAD) or b""
    udh = bool(peek.esm_class & UDH_INDICATOR)
    return Spoken(
        source=peek.source_addr,
        destination=peek.destination_addr,
        data=data,
        data_coding=peek.data_coding,
        udh=udh,
        coding=alphabet_of(peek.data_coding).value,
        parts=1 if udh or not data else count_parts(data, peek.data_coding),
    )


# --- times and URLs ---------------------------------------------------------------------------


def iso_utc(at_ms: int) -> str | None:
    """Ms UTC as RFC 3339 with milliseconds; None for 0, which means "not yet" or "not asked"."""
    if not at_ms:
        return None
    at = dt.datetime.fromtimestamp(at_ms // 1000, dt.UTC)
    return f"{at:%Y-%m-%dT%H:%M:%S}.{at_ms % 1000:03d}Z"


def parse_moment(field: str, value: object, now_ms: int) -> int | Invalid:
    """A moment ahead, as ms UTC: seconds from now, or an ISO 8601 date and time with its zone."""
    if isinstance(value, int | float) and not isinstance(value, bool):
        ahead_s = float(value)
    elif isinstance(value, str):
        try:
            at = dt.datetime.fromisoformat(value)
        except ValueError:
            return Invalid(field, value, _MOMENT)
        if at.tzinfo is None:
            return Invalid(field, value, "it names no time zone; end it with Z or an offset")
        ahead_s = at.timestamp() - now_ms / 1000
    else:
        return Invalid(field, value, _MOMENT)
    if not 0 < ahead_s <= MAX_AHEAD_S:
        return Invalid(field, value, f"it must lie 1 to {MAX_AHEAD_S} seconds ahead of now")
    return now_ms + math.ceil(ahead_s * 1000)


_MOMENT = "it must be a number of seconds or a date and time such as 2026-11-22T09:30:00Z"


def check_callback_url(value: str, field: str = "callback_url") -> Invalid | None:
    """None if it is an absolute http or https URL, that a receipt can be posted to."""
    if len(value) > MAX_URL_CHARACTERS:
        return Invalid(field, value, f"a URL may have {MAX_URL_CHARACTERS} characters at most")
    if not value.isascii() or not value.isprintable() or " " in value:
        return Invalid(field, value, "a URL is printable ASCII without spaces; percent-encode it")
    try:
        parts = urllib.parse.urlsplit(value)
        port = parts.port
    except ValueError as error:
        return Invalid(field, value, f"it is no URL: {error}")
    if parts.scheme not in {"http", "https"} or not parts.hostname or port == 0:
        return Invalid(field, value, "it must look like https://host/path")
    return None


# --- refusals ---------------------------------------------------------------------------------


HTTP_STATUS: Mapping[int, int] = {
    Status.ESME_RTHROTTLED: 429,
    Status.ESME_RMSGQFUL: 503,
    Status.ESME_RSYSERR: 500,
    Status.ESME_RINVSYSID: 401,
    Status.ESME_RINVPASWD: 401,
    Status.ESME_RBINDFAIL: 403,
    Status.ESME_RPROHIBITED: 403,
    Status.ESME_RCANCELFAIL: 409,
    Status.ESME_RREPLACEFAIL: 409,
    Vendor.SMSC_NO_CREDIT: 402,
    Vendor.SMSC_ACCOUNT_CLOSED: 403,
    Vendor.SMSC_UNKNOWN: 404,
    Vendor.SMSC_EXISTS: 409,
    Vendor.SMSC_INVALID: 422,
    Vendor.SMSC_UNAVAILABLE: 503,
}
RETRY_AFTER_S: Mapping[int, int] = {429: 1, 503: 5}


def http_status(status: int) -> int:
    """The HTTP status of a refusal: what may pass later is 503, what never will is 422."""
    known = HTTP_STATUS.get(status)
    if known is not None:
        return known
    return 503 if status_class(status) == "retryable" else 422


def json_reply(status: int, value: Any, media_type: str = "application/json") -> Reply:
    """A JSON answer; 429 and 503 tell when to come back."""
    wait_s = RETRY_AFTER_S.get(status)
    headers = (("Retry-After", str(wait_s)),) if wait_s else ()
    return Reply(status, orjson.dumps(value), media_type, headers)
