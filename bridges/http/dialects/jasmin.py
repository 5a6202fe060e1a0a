"""Jasmin's HTTP API: /send, /rate, /balance, /ping.

*In*: `Arguments`; admissions, previews and balances of the gateway.
*Out*: `Sending` with a draft; `Result`, the status and text that Jasmin answers.
*Never*: I/O, a clock, HTTP objects of a framework.

Jasmin docs, "HTTP API"; jasmin/protocols/http/endpoints/ for the sentences. A message is called
by a UUID there, so ours is dressed as one; the number itself stands in the header X-Message-Id.
"""

import re
from collections.abc import Mapping
from decimal import Decimal
from typing import Final

import attrs
import orjson

from bridges.http.dialects import settings
from bridges.http.dialects.base import (
    MAX_AHEAD_S,
    Content,
    Invalid,
    ReadNumber,
    Reply,
    check_callback_url,
    hex_content,
    http_status,
    to_body,
)
from bridges.http.dialects.jasmin_arguments import (
    Arguments,
    Field,
    Fields,
    Refusal,
    Value,
    check,
    invalid,
    octets_of,
    shown,
    text_of,
)
from bridges.http.dialects.jasmin_tlvs import parse_tlvs
from bridges.http.dialects.uuids import uuid_of
from pdu.status import Status, Vendor
from pdu.text import gsm7
from pdu.text.alphabet import Alphabet, alphabet_of
from pdu.text.coding import encode_text
from pdu.timefmt import TimeError, parse_time
from smsc.config_fields import about
from smsc.message import AccountId, Draft, MessageId
from smsc.ports import Admission, Admitted, Foreseen, Refused

SOURCE = STYLE = "jasmin"
PONG = b"Jasmin/PONG"


@attrs.frozen(kw_only=True)
class JasminConfig:
    """`[dialects.jasmin]`."""

    send_path: str = settings.path("/send")
    rate_path: str = settings.path("/rate")
    balance_path: str = settings.path("/balance")
    ping_path: str = settings.path("/ping")
    rest_path: str = settings.path("/secure", "the folder of send, sendbatch, balance and rate")
    body_octets: int = settings.body_octets()
    max_parts: int = attrs.field(
        default=5, metadata=about("parts that a text may have", minimum=1, maximum=255)
    )
    max_credential_characters: int = attrs.field(
        default=30, metadata=about("of a user name or password", minimum=1, maximum=1000)
    )
    max_messages: int = attrs.field(
        default=1000, metadata=about("messages in one batch", minimum=1)
    )


@attrs.define(slots=True)
class Result:
    """What Jasmin answers: a status, a text, and whether the text is JSON."""

    status: int
    text: str
    is_json: bool = False
    id: MessageId | None = None


# --- arguments --------------------------------------------------------------------------------


def _field(pattern: bytes, flags: int = 0) -> Field:
    return Field(re.compile(pattern, flags | re.DOTALL))


_TO: Final = Field(re.compile(rb"\+?[0-9]+"), is_required=True)
_CODING: Final = _field(rb"[0-9]|10|13|14")
_COMMON: Final[Fields] = {
    "priority": _field(rb"[0-3]"),
    "validity-period": _field(rb"[0-9]+"),
    "tags": _field(rb"[-a-zA-Z0-9,]*"),
    "content": Field(),
    "hex-content": Field(),
}


def credential_fields(config: JasminConfig) -> Fields:
    """The table of /balance, and of the credentials of the others."""
    pattern = re.compile(rb".{1,%d}" % config.max_credential_characters)
    return {"username": Field(pattern, True), "password": Field(pattern, True)}


def send_fields(config: JasminConfig) -> Fields:
    """The table of /send."""
    return {
        "to": _TO,
        "from": Field(),
        "coding": _CODING,
        **credential_fields(config),
        "sdt": _field(rb"[0-9]{15}[-+R]"),
        "dlr": Field(re.compile(rb"yes|no"), True),
        "dlr-url": _field(rb"https?://.*"),
        "dlr-level": _field(rb"[1-3]"),
        "dlr-method": _field(rb"get|post", re.IGNORECASE),
        **_COMMON,
        "custom_tlvs": Field(),
    }


def rate_fields(config: JasminConfig) -> Fields:
    """The table of /rate: what says how a message leaves has no price."""
    return {
        "to": _TO,
        "from": Field(),
        "coding": _CODING,
        **credential_fields(config),
        **_COMMON,
    }


def check_send(arguments: Arguments, config: JasminConfig) -> Refusal | None:
    """Fill in what is left out, then judge the arguments of /send."""
    arguments.setdefault("coding", b"0")
    if "dlr-url" in arguments or "dlr-level" in arguments:
        arguments["dlr"] = b"yes"
    arguments.setdefault("dlr", b"no")
    refusal = check(arguments, send_fields(config))
    if refusal is None and "content" not in arguments and "hex-content" not in arguments:
        refusal = Refusal(400, "content or hex-content not present.")
    return refusal or _check_one_content(arguments)


def check_rate(arguments: Arguments, config: JasminConfig) -> Refusal | None:
    """As `check_send`, for /rate, where a message may have no text."""
    arguments.setdefault("coding", b"0")
    return check(arguments, rate_fields(config)) or _check_one_content(arguments)


def check_balance(arguments: Arguments, config: JasminConfig) -> Refusal | None:
    """The arguments of /balance: who is calling."""
    return check(arguments, credential_fields(config))


def credentials(arguments: Arguments) -> tuple[str, str]:
    """User name and password of checked arguments."""
    return text_of(arguments["username"]), text_of(arguments["password"])


def _check_one_content(arguments: Arguments) -> Refusal | None:
    if "content" in arguments and "hex-content" in arguments:
        return Refusal(400, "content and hex-content cannot be used both in same request.")
    return None


# --- messages ---------------------------------------------------------------------------------


def parse_content(arguments: Arguments, config: JasminConfig) -> Content | Refusal:
    """The octets of a message; those of a URL are in its coding already, but for coding 0."""
    data_coding = int(octets_of(arguments["coding"]))
    if "hex-content" in arguments:
        digits = text_of(arguments["hex-content"])
        try:
            data = bytes.fromhex(digits)
        except ValueError:
            return Refusal(400, f"Invalid hex-content data: '{shown(digits)}'")
        name, value = "hex-content", arguments["hex-content"]
    else:
        name, value = "content", arguments["content"]
        encoded = _encode(value, data_coding)
        if encoded is None:
            return invalid(name, value)
        data = encoded
    if alphabet_of(data_coding) is Alphabet.UCS2 and len(data) % 2:
        return invalid(name, value)
    content = hex_content(data.hex(), data_coding, udh=False)
    if isinstance(content, Invalid) or content.parts > config.max_parts:
        return invalid(name, value)
    return content


def parse_rate_content(arguments: Arguments, config: JasminConfig) -> Content | Refusal:
    """As `parse_content`, for /rate, where a message may have no text."""
    if not arguments.get("content") and "hex-content" not in arguments:
        data_coding = int(octets_of(arguments["coding"]))
        return Content(b"", data_coding, 0, 1, alphabet_of(data_coding).value)
    return parse_content(arguments, config)


def to_draft(
    arguments: Arguments,
    content: Content,
    account: AccountId,
    sender: str,
    now_ms: int,
    read: ReadNumber = str,
) -> Draft | Refusal:
    """The message of the checked arguments of /send or /rate; `sender` is the account's own."""
    times = _parse_times(arguments, now_ms)
    if isinstance(times, Refusal):
        return times
    due_ms, expires_ms = times
    dlr_url = text_of(arguments.get("dlr-url", b""))
    if octets_of(arguments.get("dlr", b"no")) != b"yes":
        dlr_url = ""
    if dlr_url and check_callback_url(dlr_url) is not None:
        return invalid("dlr-url", dlr_url)
    tlvs = parse_tlvs(arguments.get("custom_tlvs"))
    if tlvs is None:
        return invalid("custom_tlvs", arguments["custom_tlvs"])
    body = to_body(
        text_of(arguments.get("from", b"")) or sender,
        text_of(arguments["to"]),
        content,
        registered_delivery=1 if dlr_url else 0,
        expires_ms=expires_ms,
        priority=int(octets_of(arguments.get("priority", b"0"))),
        tlvs=tlvs,
        read=read,
    )
    if isinstance(body, Invalid):
        return invalid(body.field, arguments.get(body.field, b""))
    level = text_of(arguments.get("dlr-level", b"1"))
    method = text_of(arguments.get("dlr-method", b"POST")).upper()
    tags = text_of(arguments.get("tags", b"")).split(",")
    return Draft(
        account=account,
        source=SOURCE,
        body=body,
        due_ms=due_ms,
        expires_ms=expires_ms,
        callback_url=dlr_url or None,
        callback_style=f"{STYLE}:{level}:{method}" if dlr_url else "",
        tags=tuple(filter(None, tags)),
    )


def _encode(value: Value, data_coding: int) -> bytes | None:
    """The octets of `content`; None where they cannot be.

    A URL brings octets of the coding, except that coding 0 means UTF-8, which becomes GSM 03.38
    with question marks for what it has not. JSON brings characters, which get the coding.
    """
    if isinstance(value, list | dict):
        return None
    if data_coding == 0:
        try:
            text = octets_of(value).decode()
        except UnicodeDecodeError:
            return None
        unknown = dict.fromkeys(map(ord, gsm7.missing(text)), "?")
        return gsm7.encode(text.translate(unknown))
    if isinstance(value, bytes):
        return value
    try:
        return encode_text(str(value), data_coding)
    except UnicodeEncodeError:  # a lone surrogate
        return None


def _parse_times(arguments: Arguments, now_ms: int) -> tuple[int, int] | Refusal:
    """When it may leave and when it ends, ms UTC; 0 where nothing is said."""
    due_ms = expires_ms = 0
    if "sdt" in arguments:
        try:
            due_ms = parse_time(text_of(arguments["sdt"]), now_ms) or 0
        except TimeError:
            return invalid("sdt", arguments["sdt"])
        if due_ms > now_ms + MAX_AHEAD_S * 1000:
            return invalid("sdt", arguments["sdt"])
    if "validity-period" in arguments:
        digits = octets_of(arguments["validity-period"])
        minutes = int(digits) if len(digits) <= 9 else MAX_AHEAD_S
        expires_ms = now_ms + min(minutes * 60, MAX_AHEAD_S) * 1000
        if expires_ms <= max(now_ms, due_ms):
            return invalid("validity-period", arguments["validity-period"])
    return due_ms, expires_ms


# --- answers ----------------------------------------------------------------------------------


def forbidden(username: str) -> Refusal:
    """Wrong credentials, a banned account, or one that may not come from there."""
    return Refusal(403, f"Authentication failure for username:{shown(username)}")


def refused_login(refused: Refused, username: str) -> Refusal:
    """Why somebody may not: 403, unless nobody can tell for now."""
    return failure(500) if http_status(refused.status) == 503 else forbidden(username)


def sent_result(admission: Admission, username: str, arguments: Arguments) -> Result:
    """The answer to /send."""
    if isinstance(admission, Admitted):
        return Result(200, f'Success "{uuid_of(admission.id)}"', id=admission.id)
    return error_result(refusal_of(admission, username, arguments))


def error_result(refusal: Refusal) -> Result:
    """An error of /send."""
    return Result(refusal.status, f'Error "{refusal.text}"')


def refusal_of(refused: Refused, username: str, arguments: Arguments) -> Refusal:
    """What Jasmin says where our gateway refuses."""
    match refused.status:
        case Vendor.SMSC_NO_CREDIT:
            return Refusal(403, "Cannot charge submit_sm, check RouterPB log file for details")
        case Vendor.SMSC_ACCOUNT_CLOSED:
            return forbidden(username)
        case Status.ESME_RTHROTTLED:
            return Refusal(403, "User throughput exceeded")
        case Status.ESME_RINVSRCADR:
            why = f"Value filter failed for user [{username}] (source_address filter mismatch)."
            return Refusal(400, why)
        case Status.ESME_RINVEXPIRY:
            return invalid("validity-period", arguments.get("validity-period", b""))
        case status if http_status(status) in {500, 503}:
            return failure(500)
    return Refusal(412, "No route found")


def rate_result(foreseen: Foreseen | Refused, username: str, arguments: Arguments) -> Result:
    """The answer to /rate: what one part costs, and how many there are; or why it would not go."""
    if isinstance(foreseen, Refused):
        return json_error_result(refusal_of(foreseen, username, arguments))
    unit = foreseen.price.unit if foreseen.outlets else 0  # a rule drops it: it costs nothing
    rate = {"unit_rate": float(unit), "submit_sm_count": foreseen.parts}
    return Result(200, orjson.dumps(rate).decode(), is_json=True)


def balance_result(balances: Mapping[str, Decimal] | None) -> Result:
    """The answer to /balance: the sum over all classes; ND is no limit."""
    balance = "ND" if balances is None else float(sum(balances.values(), Decimal(0)))
    return Result(200, orjson.dumps({"balance": balance, "sms_count": "ND"}).decode(), is_json=True)


def json_error_result(refusal: Refusal) -> Result:
    """An error of /rate or /balance: a JSON string."""
    return Result(refusal.status, orjson.dumps(refusal.text).decode(), is_json=True)


def failure(status: int) -> Refusal:
    """What no check is about: a request too long, or a gateway that failed or is busy."""
    if status in {408, 413}:
        return Refusal(status, "Unknown error: the request is too long, or did not arrive in time")
    return Refusal(status, "Cannot send submit_sm, check SMPPClientManagerPB log file for details")


def to_reply(result: Result) -> Reply:
    """A result of the HTTP API."""
    headers = () if result.id is None else (("X-Message-Id", str(result.id)),)
    media_type = "application/json" if result.is_json else "text/plain"
    return Reply(result.status, result.text.encode("utf-8", "replace"), media_type, headers)
