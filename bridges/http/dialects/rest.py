"""The native API: messages in JSON to Drafts.

*In*: parsed JSON of `POST /v1/messages`, `POST /v1/preview` and `POST /v1/simulate/mo`.
*Out*: `Batch` of drafts, or a `Problem` that names the member.
*Never*: I/O, a clock, HTTP objects of a framework.

A message is an object with the members of `MESSAGE`; a member that is not listed is an error.
Plain messages take the quick way of `rest_quick`; what stands here is its oracle.
"""

import urllib.parse
from collections.abc import Mapping
from typing import Any, Final

import attrs
import orjson

from bridges.http.dialects import rest_quick
from bridges.http.dialects.base import (
    MAX_PARTS,
    Content,
    Invalid,
    check_callback_url,
    hex_content,
    parse_moment,
    text_content,
    to_body,
)
from bridges.http.dialects.rest_members import Kind, Shape, boolean, integer, moment, text
from bridges.http.dialects.rest_problem import Problem, problem_of
from bridges.http.dialects.rest_quick import PLAIN, SOURCE, Style, Wanted
from pdu.text.alphabet import Alphabet, MessageClass, alphabet_of, with_class
from smsc.message import AccountId, Draft, MessageId

MAX_MESSAGES = 1000
MAX_REFERENCE_CHARACTERS = 255
MAX_KEY_CHARACTERS = 255
_FLASHABLE: Final = frozenset({Alphabet.GSM7, Alphabet.UCS2, Alphabet.OCTETS})

TO = text(64, least=1).said("The number of the recipient.", examples=["+41791234567"])
CONTENT: dict[str, Kind] = {
    "text": text(65535).said(
        f"What to say, in at most {MAX_PARTS} parts: GSM-7 if every character has one, else UCS-2."
    ),
    "hex": text(2 * 65535).said(
        "Octets instead of a text, two hexadecimal digits for each.", pattern="^[0-9A-Fa-f ]*$"
    ),
    "data_coding": integer(0, 255).said("What the octets of hex mean (SMPP); default 4, octets."),
    "udh": boolean().said("The octets of hex begin with a user data header; default false."),
    "class": integer(0, 3).said(
        "Message class (TS 23.038): 0 is shown at once, 2 goes to the SIM."
    ),
    "flash": boolean().said("The same as class 0."),
    "footer": boolean().said("Append the footer of the account to the text; default true."),
}
TERMS: dict[str, Kind] = {
    "schedule": moment().said("When it may leave: seconds from now, or a date with its zone."),
    "validity": moment().said("When it is given up, likewise; default as the account has it."),
    "callback_url": text(2048).said("Where receipts are posted.", format="uri"),
    "reference": text(MAX_REFERENCE_CHARACTERS).said("Your own name for it; comes back with it."),
    "receipt": integer(0, 3, or_bool=True).said(
        "Is a receipt wanted: true, false, or registered_delivery 0 to 3; "
        "default true with a callback_url."
    ),
    "priority": integer(0, 3).said("priority_flag of SMPP; default 0."),
}
MESSAGE = Shape(
    "Message",
    {"to": TO, "from": text(64).said("A number, or a name of 11 characters.")} | CONTENT | TERMS,
    ("to",),
)
CHANGE = Shape("Change", CONTENT | TERMS)
"""What may be changed while a message waits; null takes a member away."""
SIMULATED_MO = Shape(
    "SimulatedMo",
    {"outlet": text(64), "from": text(64), "to": text(64), "text": text(65535)},
    ("outlet", "from", "to", "text"),
)


@attrs.define(slots=True)
class Batch:
    """The messages of one request, in order; those that cannot be submitted as problems."""

    items: list[Wanted | Problem]
    is_array: bool

    def drafts(self) -> list[Draft]:
        """What goes to intake."""
        return [item.draft for item in self.items if type(item) is Wanted]


@attrs.define(slots=True)
class SimulatedMo:
    """A message that the simulator shall receive from a handset."""

    outlet: str
    from_: str
    to: str
    text: str


# --- requests ---------------------------------------------------------------------------------


def loads(body: bytes) -> object | Problem:
    """JSON octets (UTF-8, RFC 8259) to values; an error says where it broke."""
    if not body.strip():
        return Problem(400, "the request body is empty; send a JSON object or an array of them")
    try:
        value: object = orjson.loads(body)
    except orjson.JSONDecodeError as error:
        return Problem(400, f"the request body is not JSON: {error}")
    return value


def parse_batch(
    payload: object, account: AccountId, now_ms: int, style: Style = PLAIN
) -> Batch | Problem:
    """One message or an array of 1 to `MAX_MESSAGES` of them."""
    if not isinstance(payload, list):
        return Batch([parse_message(payload, account, now_ms, style)], is_array=False)
    if not 1 <= len(payload) <= MAX_MESSAGES:
        why = f"the array holds {len(payload)} messages; send 1 to {MAX_MESSAGES} in a request"
        return Problem(400, why)
    return Batch([parse_message(item, account, now_ms, style) for item in payload], is_array=True)


def parse_message(
    item: object, account: AccountId, now_ms: int, style: Style = PLAIN
) -> Wanted | Problem:
    """One message object to a draft."""
    quick = rest_quick.read(item, account, style)
    return parse_slowly(item, account, now_ms, style) if quick is None else quick


def parse_slowly(
    item: object, account: AccountId, now_ms: int, style: Style = PLAIN
) -> Wanted | Problem:
    """As `parse_message`, for every message; the quick way must say the same."""
    parsed = _parse_message(item, account, now_ms, style)
    return problem_of(parsed) if isinstance(parsed, Invalid) else parsed


def too_long(payload: object, octets: int) -> Problem | None:
    """A message of a request that is longer than it may be; asked only of long requests."""
    items = payload if isinstance(payload, list) else [payload]
    for place, item in enumerate(items):
        try:
            found = len(orjson.dumps(item))
        except TypeError:  # nested deeper than anything that is meant
            found = octets + 1
        if found > octets:
            where = f"message {place} of the array" if isinstance(payload, list) else "the message"
            return Problem(413, f"{where} is longer than {octets} octets; see http.message_octets")
    return None


def parse_simulated_mo(payload: object) -> SimulatedMo | Problem:
    """The body of `POST /v1/simulate/mo`: outlet, from, to, text; all text, all required."""
    members = SIMULATED_MO.read(payload)
    if isinstance(members, Invalid):
        return problem_of(members)
    return SimulatedMo(members["outlet"], members["from"], members["to"], members["text"])


def parse_message_id(text: str) -> MessageId | None:
    """A message id as the gateway prints it: 1 to 19 decimal digits."""
    if 1 <= len(text) <= 19 and text.isascii() and text.isdigit() and int(text) < 1 << 63:
        return MessageId(int(text))
    return None


def parse_key(header: str | None) -> str | Invalid | None:
    """An Idempotency-Key: a string as RFC 8941 quotes it, or the bare text; None without one."""
    if header is None:
        return None
    key = header.strip()
    if len(key) >= 2 and key[0] == key[-1] == '"':
        key = key[1:-1].replace('\\"', '"').replace("\\\\", "\\")
    if not 1 <= len(key) <= MAX_KEY_CHARACTERS or not key.isascii() or not key.isprintable():
        why = f"it must be 1 to {MAX_KEY_CHARACTERS} printable ASCII characters"
        return Invalid("Idempotency-Key", header, why)
    return key


def parse_pairs(query: str) -> list[tuple[str, str]] | Invalid:
    """The parameters of a query string, decoded, in order."""
    try:
        return urllib.parse.parse_qsl(
            query, keep_blank_values=True, errors="strict", max_num_fields=50
        )
    except ValueError:
        return Invalid("query", query, "it must be at most 50 parameters in UTF-8, percent-encoded")


def _parse_message(item: object, account: AccountId, now_ms: int, style: Style) -> Wanted | Invalid:
    members = MESSAGE.read(item)
    if isinstance(members, Invalid):
        return members
    content = read_content(members, style)
    if isinstance(content, Invalid):
        return content
    times = read_times(members, now_ms)
    if isinstance(times, Invalid):
        return times
    callback_url = members.get("callback_url")
    if callback_url is not None and (wrong := check_callback_url(callback_url)) is not None:
        return wrong
    body = to_body(
        members.get("from") or style.sender,
        members["to"],
        content,
        registered_delivery=registered_delivery(members.get("receipt"), callback_url),
        expires_ms=times[1],
        priority=members.get("priority") or 0,
        read=style.read,
    )
    if isinstance(body, Invalid):
        return body
    draft = Draft(
        account=account,
        source=SOURCE,
        body=body,
        due_ms=times[0],
        expires_ms=times[1],
        callback_url=callback_url,
        reference=members.get("reference"),
    )
    return Wanted(draft, members["to"], content.parts, content.coding)


def read_times(members: Mapping[str, Any], now_ms: int) -> tuple[int, int] | Invalid:
    """(schedule, validity) in ms UTC; 0 for what is not given."""
    moments = [0, 0]
    for place, name in enumerate(("schedule", "validity")):
        if members.get(name) is not None:
            at_ms = parse_moment(name, members[name], now_ms)
            if isinstance(at_ms, Invalid):
                return at_ms
            moments[place] = at_ms
    due_ms, expires_ms = moments
    if expires_ms and expires_ms <= due_ms:
        return Invalid("validity", members["validity"], "it ends before the schedule begins")
    return due_ms, expires_ms


def read_content(members: Mapping[str, Any], style: Style) -> Content | Invalid:
    """What a message says: its text with the footer, or its octets."""
    text, digits = members.get("text"), members.get("hex")
    if (text is None) == (digits is None):
        found = None if text is None else text
        return Invalid("text", found, "a message needs either text or hex, one of the two")
    if digits is not None:
        for name in ("class", "flash", "footer"):
            if members.get(name):
                why = "it goes with text; with hex, data_coding says it"
                return Invalid(name, members[name], why)
        data_coding = members.get("data_coding")
        udh = members.get("udh") or False
        return hex_content(digits, 4 if data_coding is None else data_coding, udh)
    for name in ("data_coding", "udh"):
        if members.get(name) is not None:
            return Invalid(name, members[name], "it goes with hex; leave it out beside text")
    if text and style.footer and members.get("footer") is not False:
        text = f"{text} {style.footer}"
    content = text_content(text or "")
    return content if isinstance(content, Invalid) else _classed(content, members)


def _classed(content: Content, members: Mapping[str, Any]) -> Content | Invalid:
    wanted = members.get("class")
    if members.get("flash"):
        if wanted:
            return Invalid("class", wanted, "flash means class 0; give one of the two")
        wanted = 0
    if wanted is None:
        return content
    alphabet = alphabet_of(content.data_coding)
    assert alphabet in _FLASHABLE, "texts are GSM-7 or UCS-2"
    return attrs.evolve(content, data_coding=with_class(alphabet, MessageClass(wanted)))


def registered_delivery(receipt: bool | int | None, callback_url: str | None) -> int:
    """registered_delivery of a receipt wish (SMPP 3.4 §5.2.17)."""
    if receipt is None:
        return 1 if callback_url is not None else 0
    return int(receipt)
