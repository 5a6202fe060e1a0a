"""The native API: JSON under /v1 to Drafts, and what the gateway says back to JSON.

*In*: parsed JSON of `POST /v1/messages` and `POST /v1/simulate/mo`; `Admission`, `MessageReport`.
*Out*: `Batch` of drafts; `Reply` with JSON, or problem+json (RFC 9457) that names the field.
*Never*: I/O, a clock, HTTP objects of a framework.

A message is an object with these members; a member that is not listed is an error:

- `to` (text, required), `from` (text): addresses; type and plan are guessed.
- `text`, or `hex` with `data_coding` (0 to 255, default 4: octets) and `udh` (default false).
- `validity`, `schedule`: seconds from now, or an ISO 8601 date and time with its zone.
- `callback_url`: where receipts are posted. `reference`: the client's own name for it.
- `receipt`: true, false, or registered_delivery 0 to 3 (SMPP 3.4 §5.2.17, SMPP 5.0 §4.7.21);
  default true with a callback_url, else false.
"""

import http
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import attrs
import orjson

from bridges.http.dialects.base import (
    Content,
    Invalid,
    Reply,
    check_callback_url,
    hex_content,
    http_status,
    iso_utc,
    json_reply,
    parse_moment,
    read_body,
    shown,
    text_content,
    to_body,
)
from pdu.status import status_name
from smsc.message import AccountId, Draft, MessageId, State
from smsc.ports import Admission, Admitted, Health, MessageReport, Refused

SOURCE = "rest"
MAX_MESSAGES = 1000
MAX_REFERENCE_CHARACTERS = 255
PROBLEM_TYPE = "application/problem+json"


@attrs.define(slots=True)
class Problem:
    """An error as RFC 9457 has it: HTTP status, a sentence, and what it is about."""

    status: int
    detail: str
    field: str | None = None
    value: str | None = None
    code: str | None = None


@attrs.define(slots=True)
class Wanted:
    """A message that can be submitted, and the facts that the answer repeats."""

    draft: Draft
    to: str
    parts: int
    coding: str


@attrs.define(slots=True)
class Batch:
    """The messages of one request, in order; those that cannot be submitted as problems."""

    items: list[Wanted | Problem]
    is_array: bool

    def drafts(self) -> list[Draft]:
        """What goes to intake."""
        return [item.draft for item in self.items if isinstance(item, Wanted)]


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


def parse_batch(payload: object, account: AccountId, now_ms: int) -> Batch | Problem:
    """One message or an array of 1 to `MAX_MESSAGES` of them."""
    if not isinstance(payload, list):
        return Batch([parse_message(payload, account, now_ms)], is_array=False)
    if not 1 <= len(payload) <= MAX_MESSAGES:
        why = f"the array holds {len(payload)} messages; send 1 to {MAX_MESSAGES} in a request"
        return Problem(400, why)
    return Batch([parse_message(item, account, now_ms) for item in payload], is_array=True)


def parse_message(item: object, account: AccountId, now_ms: int) -> Wanted | Problem:
    """One message object to a draft."""
    parsed = _parse_message(item, account, now_ms)
    return _problem_of(parsed) if isinstance(parsed, Invalid) else parsed


def parse_simulated_mo(payload: object) -> SimulatedMo | Problem:
    """The body of `POST /v1/simulate/mo`: outlet, from, to, text; all text, all required."""
    members = _members(payload, _MO_MEMBERS)
    if isinstance(members, Invalid):
        return _problem_of(members)
    for name in _MO_MEMBERS:
        if not members.get(name):
            why = "it is required and must not be empty"
            return _problem_of(Invalid(name, members.get(name), why))
    return SimulatedMo(members["outlet"], members["from"], members["to"], members["text"])


def parse_message_id(text: str) -> MessageId | None:
    """A message id as the gateway prints it: 1 to 19 decimal digits."""
    if 1 <= len(text) <= 19 and text.isascii() and text.isdigit() and int(text) < 1 << 63:
        return MessageId(int(text))
    return None


def _parse_message(item: object, account: AccountId, now_ms: int) -> Wanted | Invalid:
    members = _members(item, _MESSAGE_MEMBERS)
    if isinstance(members, Invalid):
        return members
    if not members.get("to"):
        return Invalid("to", members.get("to"), "a message needs the number of its recipient")
    content = _content(members)
    if isinstance(content, Invalid):
        return content
    due_ms = expires_ms = 0
    if members.get("schedule") is not None:
        due = parse_moment("schedule", members["schedule"], now_ms)
        if isinstance(due, Invalid):
            return due
        due_ms = due
    if members.get("validity") is not None:
        expires = parse_moment("validity", members["validity"], now_ms)
        if isinstance(expires, Invalid):
            return expires
        if expires <= due_ms:
            return Invalid("validity", members["validity"], "it ends before the schedule begins")
        expires_ms = expires
    callback_url = members.get("callback_url")
    if callback_url is not None and (wrong := check_callback_url(callback_url)) is not None:
        return wrong
    body = to_body(
        members.get("from") or "",
        members["to"],
        content,
        registered_delivery=_registered_delivery(members.get("receipt"), callback_url),
        expires_ms=expires_ms,
    )
    if isinstance(body, Invalid):
        return body
    draft = Draft(
        account=account,
        source=SOURCE,
        body=body,
        due_ms=due_ms,
        expires_ms=expires_ms,
        callback_url=callback_url,
        reference=members.get("reference"),
    )
    return Wanted(draft, members["to"], content.parts, content.coding)


def _content(members: Mapping[str, Any]) -> Content | Invalid:
    text, digits = members.get("text"), members.get("hex")
    if (text is None) == (digits is None):
        found = None if text is None else text
        return Invalid("text", found, "a message needs either text or hex, one of the two")
    if digits is not None:
        data_coding = members.get("data_coding")
        udh = members.get("udh") or False
        return hex_content(digits, 4 if data_coding is None else data_coding, udh)
    for name in ("data_coding", "udh"):
        if members.get(name) is not None:
            return Invalid(name, members[name], "it goes with hex; leave it out beside text")
    return text_content(text or "")


def _registered_delivery(receipt: bool | int | None, callback_url: str | None) -> int:
    if receipt is None:
        return 1 if callback_url is not None else 0
    return int(receipt)


# --- members ----------------------------------------------------------------------------------

_Check = Callable[[object], str | None]
"""None if the value will do, else why not."""


def _text(limit_characters: int) -> _Check:
    why = f"it must be text of at most {limit_characters} characters, in quotes"

    def check(value: object) -> str | None:
        return None if isinstance(value, str) and len(value) <= limit_characters else why

    return check


def _integer(low: int, high: int, or_bool: bool = False) -> _Check:
    why = f"it must be a whole number from {low} to {high}" + (", true or false" * or_bool)

    def check(value: object) -> str | None:
        if isinstance(value, bool):
            return None if or_bool else why
        return None if isinstance(value, int) and low <= value <= high else why

    return check


def _boolean(value: object) -> str | None:
    return None if isinstance(value, bool) else "it must be true or false"


def _anything(_value: object) -> str | None:
    return None  # parse_moment judges it: the judgement needs the time


_MESSAGE_MEMBERS: Mapping[str, _Check] = {
    "to": _text(64),
    "from": _text(64),
    "text": _text(65535),
    "hex": _text(2 * 65535),
    "data_coding": _integer(0, 255),
    "udh": _boolean,
    "validity": _anything,
    "schedule": _anything,
    "callback_url": _text(65535),
    "reference": _text(MAX_REFERENCE_CHARACTERS),
    "receipt": _integer(0, 3, or_bool=True),
}
_MO_MEMBERS: Mapping[str, _Check] = {
    "outlet": _text(64),
    "from": _text(64),
    "to": _text(64),
    "text": _text(65535),
}


def _members(item: object, checks: Mapping[str, _Check]) -> dict[str, Any] | Invalid:
    """The members of an object, each known and of its type; null counts as absent."""
    if not isinstance(item, dict):
        return Invalid("message", item, "it must be a JSON object")
    for name, value in item.items():
        check = checks.get(name)
        if check is None:
            return Invalid(name, value, f"there is no such member; known are {', '.join(checks)}")
        if value is not None and (why := check(value)) is not None:
            return Invalid(name, value, why)
    return item


def _problem_of(invalid: Invalid) -> Problem:
    return Problem(400, invalid.sentence(), field=invalid.field, value=shown(invalid.value))


# --- replies ----------------------------------------------------------------------------------


def admissions_reply(batch: Batch, admissions: Sequence[Admission]) -> Reply:
    """The answer to `POST /v1/messages`; `admissions` answer `batch.drafts()` in order.

    202 if at least one message is on disk, and each element of `messages` then has either `id`
    or `error`; else the status of the errors, the one that may pass later first.
    """
    answers = iter(admissions)
    entries: list[dict[str, object]] = []
    problems: list[Problem] = []
    for item in batch.items:
        admission = next(answers) if isinstance(item, Wanted) else None
        if isinstance(item, Wanted) and isinstance(admission, Admitted):
            entry: dict[str, object] = {"id": str(admission.id), "to": item.to}
            entries.append(entry | {"parts": item.parts, "coding": item.coding})
            continue
        problem = _refusal(admission) if isinstance(admission, Refused) else item
        assert isinstance(problem, Problem)
        problems.append(problem)
        to = {"to": item.to} if isinstance(item, Wanted) else {}
        entries.append(to | {"error": problem_body(problem)})
    if len(problems) < len(entries):
        return json_reply(202, {"messages": entries})
    if not batch.is_array:
        return problem_reply(problems[0])
    statuses = {problem.status for problem in problems}
    status = next((each for each in (503, 429, 500) if each in statuses), problems[0].status)
    whole = Problem(status, f"none of the {len(entries)} messages was taken; see messages")
    return json_reply(status, problem_body(whole) | {"messages": entries}, PROBLEM_TYPE)


def report_reply(report: MessageReport | None, id_text: str) -> Reply:
    """The answer to `GET /v1/messages/{id}`."""
    if report is None:
        why = f"there is no message {shown(id_text)} of this account; ids are the numbers given"
        return problem_reply(Problem(404, why + " when a message was accepted"))
    message, progress = report.message, report.progress
    spoken = read_body(message.body)
    states = [State(octet) for octet in progress.parts]
    return json_reply(
        200,
        {
            "id": str(message.id),
            "from": spoken.source,
            "to": spoken.destination,
            "state": progress.state.name,
            "parts": len(states) or spoken.parts,
            "parts_delivered": states.count(State.DELIVERED),
            "coding": spoken.coding,
            "outlet": progress.outlet or None,
            "upstream_ids": list(progress.upstream_ids),
            "attempt": progress.attempt,
            "error": progress.error,
            "accepted": iso_utc(message.accepted_ms),
            "due": iso_utc(progress.due_ms or message.due_ms),
            "expires": iso_utc(message.expires_ms),
            "done": iso_utc(progress.done_ms),
            "reference": message.reference,
            "callback_url": message.callback_url,
            "account": message.account,
        },
    )


def health_reply(health: Health, with_facts: bool) -> Reply:
    """The answer to `GET /v1/health`: 200 when messages can be taken, else 503."""
    body: dict[str, object] = {"ready": health.ready, "why": health.why}
    if with_facts:
        body["facts"] = dict(health.facts)
    return json_reply(200 if health.ready else 503, body)


def simulated_mo_reply(mo: SimulatedMo, wrong: str | None) -> Reply:
    """The answer to `POST /v1/simulate/mo`: 202, or why the outlet cannot."""
    if wrong is not None:
        return problem_reply(Problem(422, wrong))
    return json_reply(202, {"outlet": mo.outlet, "from": mo.from_, "to": mo.to})


def outlet_action_reply(outlet: str, action: str, wrong: str | None) -> Reply:
    """The answer to `POST /v1/outlets/{name}/{action}`: 202, or why it cannot be."""
    if wrong is not None:
        return problem_reply(Problem(422, wrong))
    return json_reply(202, {"outlet": outlet, "action": action})


def problem_reply(problem: Problem) -> Reply:
    """An error as application/problem+json."""
    return json_reply(problem.status, problem_body(problem), PROBLEM_TYPE)


def problem_body(problem: Problem) -> dict[str, object]:
    """The members of a problem; `field`, `value` and `code` only where there are any."""
    body: dict[str, object] = {
        "type": "about:blank",
        "title": http.HTTPStatus(problem.status).phrase,
        "status": problem.status,
        "detail": problem.detail,
    }
    extra = {"field": problem.field, "value": problem.value, "code": problem.code}
    return body | {name: value for name, value in extra.items() if value is not None}


def _refusal(refused: Refused) -> Problem:
    return Problem(http_status(refused.status), refused.why, code=status_name(refused.status))
