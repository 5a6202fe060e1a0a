"""SMS Connector: a message in by JSON, and the form posts by which a provider calls back.

*In*: bodies of /send, /receive and /delivery-notification; `Admission`s.
*Out*: a `Draft`, `ReceivedMessage` or `Notification`; replies with a status and no body.
*Never*: I/O, a clock, HTTP objects of a framework.

"SMS Connector APIs Documentation", version 12.0 (Expertflow). It knows four answers, all with an
empty body: 200 ok, 400 a parameter is missing or bad, 404 no such path, 500 anything else. What
may pass later (rate, credit, a full store) is 500, too; the reason stands in a header.
"""

import re
from collections.abc import Mapping, Sequence
from ipaddress import ip_network
from typing import Any, Final
from urllib.parse import parse_qsl

import attrs
import orjson

from bridges.http.dialects.base import (
    Invalid,
    ReadNumber,
    Reply,
    header_text,
    http_status,
    text_content,
    to_body,
)
from pdu.address import destination_fault, guess_destination, guess_source, source_fault
from smsc.config_errors import Secret
from smsc.config_fields import Network, about
from smsc.message import AccountId, Draft, OutletName, State
from smsc.ports import Admission, Admitted, Refused, UpstreamReceipt

SOURCE: Final = "connector"
STYLE: Final = "connector-report"
BASE_PATH: Final = "/msg-client"
ID_HEADER: Final = "X-Message-SID"
"""/send documents no id in its answer; reports name messages by it, so it stands in a header."""
WHY_HEADER: Final = "X-Reason"
MAX_FIELDS: Final = 100
"""Twilio, whose posts these are, sends some twenty."""
MAX_TEXT_CHARACTERS: Final = 65_535
MAX_NAME_CHARACTERS: Final = 64
MAX_SID_CHARACTERS: Final = 64

_STATES: Final[Mapping[str, State]] = {
    "delivered": State.DELIVERED,
    "undelivered": State.UNDELIVERABLE,
    "failed": State.REJECTED,
    "queued": State.ENROUTE,
    "sent": State.ENROUTE,
}
_TRAILING_COMMA: Final = re.compile(r'("(?:[^"\\]|\\.)*")|,(?=\s*[}\]])')


@attrs.frozen(kw_only=True)
class ConnectorConfig:
    """`[dialects.connector]`: the SMS Connector interface, which has no passwords of its own."""

    path: str = attrs.field(
        default=BASE_PATH, metadata=about("where its paths begin", minimum=1, maximum=100)
    )
    account: str = attrs.field(
        default="", metadata=about("whose messages they are that come without HTTP basic auth")
    )
    networks: tuple[Network, ...] = attrs.field(
        default=(ip_network("127.0.0.0/8"), ip_network("::1/128")),
        metadata=about("who may call without HTTP basic auth"),
    )
    outlet: str = attrs.field(
        default="",
        metadata=about("the outlet whose provider posts to /receive and /delivery-notification"),
    )
    channels: tuple[str, ...] = attrs.field(
        default=("smpp",),
        metadata=about("values of channel; the first is meant where none is given; rules see tags"),
    )
    body_octets: int = attrs.field(
        default=65_536,
        metadata=about("octets that a request body may have", minimum=1024, maximum=4_194_304),
    )
    queue: str = attrs.field(
        default="delivery-report",
        metadata=about("queue of the delivery reports", minimum=1, maximum=100),
    )
    broker_host: str = attrs.field(
        default="", metadata=about("the message broker; none = no reports are written")
    )
    broker_port: int = attrs.field(
        default=61_613, metadata=about("its STOMP port", minimum=1, maximum=65_535)
    )
    broker_user: str = attrs.field(default="", metadata=about("who logs in there; none = nobody"))
    broker_password: Secret = attrs.field(
        factory=lambda: Secret(""), metadata=about("the password of broker_user")
    )

    def __attrs_post_init__(self) -> None:
        """Refuse what could not be mounted or named."""
        if not self.path.startswith("/") or "{" in self.path:
            raise ValueError('path: expected a path like "/msg-client"')
        if not self.channels or not all(map(_is_channel, self.channels)):
            raise ValueError('channels: expected names like "smpp"')
        if not re.fullmatch(r"[A-Za-z0-9._-]+", self.queue):
            raise ValueError('queue: expected a name like "delivery-report"')

    @property
    def has_reports(self) -> bool:
        """Is there a queue to write reports to?"""
        return bool(self.broker_host)


@attrs.define(slots=True)
class ReceivedMessage:
    """A message from a handset, as the provider posts it; `sid` is what the provider calls it."""

    body: str
    source: str
    destination: str
    sid: str


# --- /send --------------------------------------------------------------------------------------


def parse_send(
    body: bytes,
    account: AccountId,
    sender: str,
    config: ConnectorConfig,
    read: ReadNumber = str,
) -> Draft | Invalid:
    """The JSON of /send to a draft; `sender` is that of messages that name none."""
    members = _object(body)
    if isinstance(members, Invalid):
        return members
    for name, limit in _SEND_MEMBERS.items():
        value = members.get(name)
        if value is not None and (not isinstance(value, str) or len(value) > limit):
            return Invalid(name, value, f"it must be text of at most {limit} characters")
    for name in ("To", "Body"):
        if not members.get(name):
            return Invalid(name, members.get(name), "it is required and must not be empty")
    channel = members.get("channel") or config.channels[0]
    if channel not in config.channels:
        return Invalid("channel", channel, f"known ones are {', '.join(config.channels)}")
    content = text_content(members["Body"], "Body")
    if isinstance(content, Invalid):
        return content
    submit_sm = to_body(
        members.get("From") or sender,
        members["To"],
        content,
        registered_delivery=1 if config.has_reports else 0,
        read=read,
    )
    if isinstance(submit_sm, Invalid):
        return submit_sm
    draft = Draft(account=account, source=SOURCE, body=submit_sm, tags=(channel,))
    if config.has_reports:
        draft.callback_url = f"queue:{config.queue}"
        draft.callback_style = f"{STYLE}:{channel}"
    return draft


_SEND_MEMBERS: Final[Mapping[str, int]] = {
    "To": MAX_NAME_CHARACTERS,
    "From": MAX_NAME_CHARACTERS,
    "Body": MAX_TEXT_CHARACTERS,
    "channel": MAX_NAME_CHARACTERS,
}
"""Longest values; members that are not listed are ignored, as the original's parser does."""


def _object(body: bytes) -> dict[str, Any] | Invalid:
    """A JSON object; a comma behind its last member is forgiven, for its own example has one."""
    try:
        value = orjson.loads(body)
    except orjson.JSONDecodeError:
        try:
            text = body.decode()
            value = orjson.loads(_TRAILING_COMMA.sub(lambda found: found[1] or "", text))
        except ValueError as error:
            return Invalid("body", None, f"it is not JSON: {error}")
    if not isinstance(value, dict):
        return Invalid("body", None, "it must be a JSON object")
    return value


# --- what a provider posts ----------------------------------------------------------------------


def parse_received(body: bytes) -> ReceivedMessage | Invalid:
    """The form of /receive: Body, To, and From and SmsSid where the provider gives them."""
    fields = _form(body)
    if isinstance(fields, Invalid):
        return fields
    wrong = _check(fields, {"Body": MAX_TEXT_CHARACTERS, "To": MAX_NAME_CHARACTERS})
    if wrong is not None:
        return wrong
    optional = {"From": MAX_NAME_CHARACTERS, "SmsSid": MAX_SID_CHARACTERS}
    wrong = _check({name: fields[name] for name in optional if fields.get(name)}, optional, False)
    if wrong is not None:
        return wrong
    source, destination = fields.get("From", ""), fields["To"]
    fault = source_fault(*guess_source(source)) if source else None
    if fault is not None or not _is_latin1(source):
        return Invalid("From", source, fault or "an SMPP address is made of Latin-1 characters")
    fault = destination_fault(*guess_destination(destination))
    if fault is not None:
        return Invalid("To", destination, fault)
    return ReceivedMessage(fields["Body"], source, destination, fields.get("SmsSid", ""))


def parse_notification(body: bytes, outlet: OutletName) -> UpstreamReceipt | Invalid:
    """The form of /delivery-notification: MessageSid, SmsStatus (or MessageStatus), ErrorCode."""
    fields = _form(body)
    if isinstance(fields, Invalid):
        return fields
    status = fields.get("SmsStatus") or fields.get("MessageStatus") or ""
    known = {"MessageSid": fields.get("MessageSid", ""), "SmsStatus": status}
    wrong = _check(known, dict.fromkeys(known, MAX_SID_CHARACTERS))
    if wrong is not None:
        return wrong
    state = _STATES.get(status.lower())
    if state is None:
        return Invalid("SmsStatus", status, f"it must be one of {', '.join(_STATES)}")
    error = fields.get("ErrorCode", "")
    return UpstreamReceipt(
        outlet,
        known["MessageSid"],
        state,
        int(error) if re.fullmatch(r"[0-9]{1,9}", error) else 0,
        is_notice=state is State.ENROUTE,
    )


def _form(body: bytes) -> dict[str, str] | Invalid:
    """The first value of each field, in UTF-8; what cannot be read as that is no form."""
    try:
        pairs = parse_qsl(
            body.decode(),
            keep_blank_values=True,
            strict_parsing=True,
            errors="strict",
            max_num_fields=MAX_FIELDS,
        )
    except ValueError:
        return Invalid("body", None, "it must be a form of UTF-8 text, percent-encoded")
    fields: dict[str, str] = {}
    for name, value in pairs:
        fields.setdefault(name, value)
    return fields


def _check(
    fields: Mapping[str, str], limits: Mapping[str, int], is_required: bool = True
) -> Invalid | None:
    for name, limit in limits.items():
        value = fields.get(name, "")
        if is_required and not value:
            return Invalid(name, value, "it is required and must not be empty")
        if len(value) > limit or "\0" in value:
            return Invalid(name, value, f"it must be text of at most {limit} characters")
    return None


def _is_latin1(text: str) -> bool:
    return all(one <= "\xff" for one in text)


def _is_channel(name: str) -> bool:
    return bool(re.fullmatch(r"[A-Za-z0-9_-]{1,32}", name))


# --- replies ------------------------------------------------------------------------------------


def empty(status: int, headers: Sequence[tuple[str, str]] = ()) -> Reply:
    """A status and no body."""
    return Reply(status, b"", "application/json", tuple(headers))


def invalid_reply(invalid: Invalid) -> Reply:
    """400; the header tells which parameter, never its value."""
    return empty(400, ((WHY_HEADER, f"{invalid.field}: {header_text(invalid.why)}"),))


def admission_reply(admission: Admission) -> Reply:
    """200 with our id; 400 for an address that nothing leads to; 500 for what may pass later."""
    if isinstance(admission, Admitted):
        return empty(200, ((ID_HEADER, str(admission.id)),))
    return refusal_reply(admission)


def refusal_reply(refused: Refused) -> Reply:
    """400 where the request is at fault, else 500."""
    status = 400 if http_status(refused.status) == 422 else 500
    return empty(status, ((WHY_HEADER, header_text(refused.why)),))
