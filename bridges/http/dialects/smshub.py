"""RCDevs SMSHub: smshubSend, smshubStatus and smshubSign, by SOAP and by JSON at one URL.

*In*: the body of a POST; `Admission`s. *Out*: `Asked`, drafts, `Answer`.
*Never*: I/O, a clock, HTTP objects of a framework; how an answer looks (`smshub_replies.py`).

"SMSHub API Description". A body whose first octet is `{` is JSON-RPC 2.0, all else SOAP. What the
document has an error id for is answered with it, HTTP status 200: AuthFailed, BadRequest,
ServerError. The reason stands in a header. A SOAP fault or a JSON-RPC error is for what is no
request of this service at all. There is one code for all numbers: 1 only if all were accepted;
otherwise the message names those that were not.
"""

import math
import re
from collections.abc import Mapping, Sequence
from ipaddress import ip_address
from typing import Final, Literal

import attrs
import orjson

from bridges.http.dialects import safe_xml, settings, smshub_wsdl, soap
from bridges.http.dialects.base import (
    MAX_AHEAD_S,
    MAX_PARTS,
    Invalid,
    ReadNumber,
    Reply,
    http_status,
    to_body,
)
from bridges.http.dialects.numbers import NumberReader
from bridges.http.dialects.smshub_replies import (
    Answer,
    Shape,
    auth_failed,
    bad_request,
    fault_reply,
    partly_sent,
    reply,
    rpc_error,
    sent,
    server_error,
)
from bridges.http.dialects.texts import content_of
from pdu.status import Status
from smsc.config_accounts import parse_region
from smsc.config_errors import Secret
from smsc.config_fields import about
from smsc.message import NEW_BATCH, AccountId, Draft
from smsc.ports import Admission, Admitted, Refused

SOURCE: Final = "smshub"
MAX_CLIENT_CHARACTERS: Final = 255
OPERATIONS: Final = smshub_wsdl.OPERATIONS

_SETTING: Final = re.compile(r"\s*([A-Za-z][A-Za-z0-9_]*)\s*=\s*([^,]*?)\s*", re.ASCII)
_LISTS: Final = frozenset({"mobile", "settings"})


@attrs.frozen(kw_only=True)
class SmshubConfig:
    """`[dialects.smshub]`."""

    path: str = settings.path("/smshub/")
    wsdl_path: str = settings.path("/smshub.wsdl", "where the WSDL is, besides PATH?wsdl")
    public_url: str = attrs.field(
        default="",
        metadata=about("address of the service that the WSDL names; none = as it was asked for"),
    )
    api_key: Secret = attrs.field(
        factory=lambda: Secret(""),
        metadata=about("what the header WA-API-Key must hold; none = it is not looked at"),
    )
    type: Literal["Normal", "Flash"] = attrs.field(
        default="Normal", metadata=about("type of messages that name none")
    )
    sender: str = attrs.field(
        default="", metadata=about("sender where neither message nor account names one")
    )
    region: str = attrs.field(
        default="",
        metadata=about(
            'country that national numbers are of, like "CH"; none = as the account says',
            parse=parse_region,
        ),
    )
    max_numbers: int = attrs.field(
        default=100, metadata=about("numbers in one request", minimum=1, maximum=1000)
    )
    max_parts: int = attrs.field(
        default=MAX_PARTS,
        metadata=about("parts that a text may have", minimum=1, maximum=MAX_PARTS),
    )
    body_octets: int = settings.body_octets()


@attrs.define(slots=True)
class Asked:
    """A request of this service, as it came; whether the password is right, the gateway says."""

    shape: Shape
    fields: Mapping[str, str] = attrs.field(repr=False)
    mobiles: Sequence[str] = ()
    wrong: str = ""
    """What is wrong with the types of its parameters, a sentence."""

    def field(self, name: str) -> str:
        """One parameter; "" if it is missing."""
        return self.fields.get(name, "")


# --- requests -----------------------------------------------------------------------------------


def parse_request(body: bytes) -> Asked | Reply:
    """The frame of a request; what is none is answered here."""
    if body.lstrip()[:1] in {b"{", b"["}:
        return _parse_json(body)
    root = safe_xml.parse(body)
    if isinstance(root, safe_xml.NotXml):
        # A text with a bare "&" in it, as the vendor's client sends it: it is told so in its words.
        shape = Shape("smshubSign" if b"smshubSign" in body else "smshubSend")
        return reply(shape, bad_request(f"the body is not XML: {root.why}"))
    found = soap.parse_operation(root, smshub_wsdl.NAMESPACE)
    if isinstance(found, soap.SoapFault):
        return fault_reply(found)
    if found.name not in OPERATIONS:
        return fault_reply(soap.SoapFault("Client", f"there are {', '.join(OPERATIONS)}"))
    many = {name for name, values in found.parameters.items() if len(values) > 1}
    wrong = found.wrong | ((found.arrays | many) - _LISTS)
    wrong &= set(OPERATIONS[found.name])
    fields = {
        name: ",".join(values) if name == "settings" else values[0]
        for name, values in found.parameters.items()
        if values
    }
    return Asked(
        Shape(found.name),
        fields,
        _numbers(found.parameters.get("mobile", ())),
        f"{', '.join(sorted(wrong))}: it must be one text" if wrong else "",
    )


def _parse_json(body: bytes) -> Asked | Reply:
    """JSON-RPC 2.0 with named parameters; `jsonrpc` itself may be missing."""
    try:
        asked = orjson.loads(body)
    except orjson.JSONDecodeError:
        return rpc_error(None, -32700, "Parse error")
    id_ = asked.get("id") if isinstance(asked, dict) else None
    if (
        not isinstance(asked, dict)
        or not isinstance(asked.get("method"), str)
        or asked.get("jsonrpc", "2.0") != "2.0"
        or isinstance(id_, dict | list | bool)
    ):
        return rpc_error(None, -32600, "Invalid Request")
    method, params = asked["method"], asked.get("params", {})
    if method not in OPERATIONS:
        return rpc_error(id_, -32601, "Method not found")
    if not isinstance(params, dict):
        return rpc_error(id_, -32602, "Invalid params")
    wrong: set[str] = set()
    lists: dict[str, list[str]] = {}
    fields: dict[str, str] = {}
    for name in OPERATIONS[method]:
        value = params.get(name)
        if name == "settings" and isinstance(value, dict):
            value = [f"{key}={one}" for key, one in value.items()]
        texts = _texts(value)
        if texts is None or (name not in _LISTS and isinstance(value, list)):
            wrong.add(name)
        elif name in _LISTS:
            lists[name] = texts
        elif texts:
            fields[name] = texts[0]
    if lists.get("settings"):
        fields["settings"] = ",".join(lists["settings"])
    why = f"{', '.join(sorted(wrong))}: it must be text" if wrong else ""
    return Asked(Shape(method, True, id_), fields, _numbers(lists.get("mobile", ())), why)


def _texts(value: object) -> list[str] | None:
    """Texts, or numbers that were meant as texts; None for what is neither."""
    values = value if isinstance(value, list) else [] if value is None else [value]
    if all(isinstance(one, str | int) and not isinstance(one, bool) for one in values):
        return [str(one) for one in values]
    return None


def _numbers(values: Sequence[str]) -> list[str]:
    return [value.strip() for value in values if value.strip()]


# --- smshubSend ---------------------------------------------------------------------------------


@attrs.define(slots=True)
class Overrides:
    """What `settings` of a request put in the place of ours; others are not ours and ignored."""

    type: str = ""
    sender: str = ""
    validity_s: float = 0.0


def parse_send(
    asked: Asked,
    account: AccountId,
    sender: str,
    config: SmshubConfig,
    *,
    numbers: NumberReader,
    now_ms: int,
    peer: str = "",
    read: ReadNumber = str,
) -> list[Draft] | Answer:
    """A draft for each number; `sender` is the account's own, `peer` the address of the client."""
    fault = check_send(asked, config)
    if fault is not None:
        return fault
    overrides = parse_settings(asked.field("settings"))
    if isinstance(overrides, Invalid):
        return bad_request(overrides.sentence())
    kind = (overrides.type or asked.field("type") or config.type).strip().lower()
    if kind not in {"normal", "flash"}:
        return bad_request("type: it must be Normal or Flash")
    content = content_of(asked.field("text"), flash=kind == "flash", max_parts=config.max_parts)
    if isinstance(content, Invalid):
        return bad_request(content.why)
    source = (overrides.sender or asked.field("sender")).strip() or sender or config.sender
    expires_ms = now_ms + math.ceil(overrides.validity_s * 1000) if overrides.validity_s else 0
    drafts: list[Draft] = []
    for mobile in asked.mobiles:
        number = numbers.address(mobile) if config.region else mobile
        if number is None:
            return bad_request("mobile: it is no number")
        body = to_body(source, number, content, expires_ms=expires_ms, read=read)
        if isinstance(body, Invalid):
            return bad_request(f"{_OUR_NAMES[body.field]}: {body.why}")
        draft = Draft(account, SOURCE, body, expires_ms=expires_ms, batch=NEW_BATCH)
        draft.reference = (asked.field("client").strip() or peer)[:MAX_CLIENT_CHARACTERS] or None
        drafts.append(draft)
    return drafts


_OUR_NAMES: Final[Mapping[str, str]] = {"from": "sender", "to": "mobile"}


def check_send(asked: Asked, config: SmshubConfig) -> Answer | None:
    """What smshubSend and smshubSign ask of their parameters alike."""
    if asked.wrong:
        return bad_request(asked.wrong)
    if not asked.mobiles:
        return bad_request("mobile: at least one number is needed")
    if len(asked.mobiles) > config.max_numbers:
        return bad_request(f"mobile: {config.max_numbers} numbers are allowed in one request")
    if not asked.field("text"):
        return bad_request("text: it is required and must not be empty")
    source = asked.field("source").strip()
    if source and not _is_ip(source):
        return server_error("source: it must be an IP address")
    return None


def parse_settings(text: str) -> Overrides | Invalid:
    """`Key=Value,Key=Value`: SMSType, SMSSender, SMSValidity (seconds)."""
    overrides = Overrides()
    for one in filter(str.strip, text.split(",")):
        found = _SETTING.fullmatch(one)
        if found is None:
            return Invalid("settings", one, "they must look like Key=Value,Key=Value")
        match found[1].lower():
            case "smstype":
                overrides.type = found[2]
            case "smssender":
                overrides.sender = found[2]
            case "smsvalidity":
                if not re.fullmatch(r"[0-9]{1,8}", found[2], re.ASCII) or not (
                    0 < int(found[2]) <= MAX_AHEAD_S
                ):
                    why = f"SMSValidity is 1 to {MAX_AHEAD_S} seconds"
                    return Invalid("settings", found[2], why)
                overrides.validity_s = int(found[2])
            case _:
                pass  # a setting of the original that has no counterpart here
    return overrides


def _is_ip(text: str) -> bool:
    try:
        return bool(ip_address(text))
    except ValueError:
        return False


def sent_answer(mobiles: Sequence[str], admissions: Sequence[Admission]) -> Answer:
    """One code for all numbers; `admissions` answer `mobiles`."""
    refused = [one for one in admissions if isinstance(one, Refused)]
    ids = [one.id for one in admissions if isinstance(one, Admitted)]
    if not refused:
        return sent(ids)
    if not ids:
        return _refusal(refused[0])
    answered = zip(mobiles, admissions, strict=True)
    numbers = [mobile for mobile, one in answered if isinstance(one, Refused)]
    return partly_sent(ids, numbers, refused[0].why)


def login_answer(refused: Refused) -> Answer:
    """Why the client may not speak."""
    if http_status(refused.status) in {429, 500, 503}:
        return server_error("the gateway is busy; try again later")
    return auth_failed()


def _refusal(refused: Refused) -> Answer:
    return (bad_request if refused.status in _MENDABLE else server_error)(refused.why)


_MENDABLE: Final = frozenset(
    {
        Status.ESME_RINVSRCADR,
        Status.ESME_RINVSRCTON,
        Status.ESME_RINVSRCNPI,
        Status.ESME_RINVMSGLEN,
        Status.ESME_RINVDCS,
        Status.ESME_RINVEXPIRY,
    }
)
"""What the request itself is to blame for. Its numbers were found good before intake saw them, so
that ESME_RINVDSTADR means that nothing leads there, which no other request would change."""
