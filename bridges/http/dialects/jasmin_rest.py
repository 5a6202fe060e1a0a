"""Jasmin's REST API: the HTTP API again, with JSON and basic auth, and batches.

*In*: JSON of /secure/send, /secure/rate, /secure/sendbatch; results of the HTTP API.
*Out*: `Arguments`, `BatchOrder`; `Reply` with `data`, `message`, or `title` and `description`.
*Never*: I/O, a clock, HTTP objects of a framework.

Jasmin docs, "RESTful API"; jasmin/protocols/rest/api.py. It hands each request to the HTTP API and
strips quotes from the ends of what that says, so that `Success "UUID"` loses its last quote. Its
clients look for the UUID, and get what they are used to.
"""

import datetime as dt
import re
import urllib.parse
import zoneinfo
from collections.abc import Mapping, Sequence
from typing import Final

import attrs
import orjson

from bridges.http.dialects import loose_json
from bridges.http.dialects.base import MAX_AHEAD_S, Reply, check_callback_url, json_reply
from bridges.http.dialects.jasmin import Result
from bridges.http.dialects.jasmin_arguments import Arguments, add_json, shown, text_of
from bridges.http.dialects.uuids import uuid_of
from smsc.message import AccountId, MessageId
from smsc.ports import Telling

BATCH_STYLE: Final = "jasmin-batch"
_SECONDS: Final = re.compile(r"(\d{1,9})s")
_KEPT: Final = frozenset({"custom_tlvs"})
"""The one argument whose name has an underscore."""


@attrs.define(slots=True)
class Precondition:
    """A request that cannot be understood: HTTP 412 there, with a title and a description."""

    title: str
    description: str
    status: int = 412


@attrs.define(slots=True)
class BatchOrder:
    """What /secure/sendbatch asks for: the arguments of each message, and when they leave."""

    messages: list[Arguments]
    delay_s: int = 0
    callback_url: str = ""
    errback_url: str = ""


# --- requests ---------------------------------------------------------------------------------


def parse_members(body: bytes) -> Mapping[str, object] | Precondition:
    """The JSON object of a body."""
    found = loose_json.loads(body)
    if isinstance(found, dict):
        return found
    text = shown(body.decode("utf-8", "replace"))
    return Precondition("Cannot parse JSON data", f"Got unparseable json data: {text}")


def to_arguments(members: Mapping[str, object], username: str, password: str) -> Arguments:
    """Members of a JSON object as arguments of the HTTP API: `_` in a name may stand for `-`."""
    arguments: Arguments = {}
    add_json(arguments, {_argument(name): value for name, value in members.items()})
    arguments["username"], arguments["password"] = username, password
    return arguments


def parse_batch(
    members: Mapping[str, object],
    username: str,
    password: str,
    now_ms: int,
    time_zone: str,
    max_messages: int,
) -> BatchOrder | Precondition:
    """The messages of a batch: what all have in common stands in `globals`.

    A message without recipient or content is passed over, as there; one with several recipients
    is several messages.
    """
    common, config = members.get("globals") or {}, members.get("batch_config") or {}
    rows = members.get("messages") or []
    if not (isinstance(common, dict) and isinstance(config, dict) and isinstance(rows, list)):
        why = "messages must be an array, globals and batch_config must be objects"
        return Precondition("Cannot parse JSON data", why)
    delay_s = parse_schedule_at(config.get("schedule_at"), now_ms, time_zone)
    if isinstance(delay_s, Precondition):
        return delay_s
    callback_url, errback_url = _url(config, "callback_url"), _url(config, "errback_url")
    for found in (callback_url, errback_url):
        if isinstance(found, Precondition):
            return found
    order = BatchOrder([], delay_s, str(callback_url), str(errback_url))
    for row in rows:
        if not isinstance(row, dict):
            continue
        arguments = to_arguments(common | row, username, password)
        if "to" not in arguments or not ("content" in arguments or "hex-content" in arguments):
            continue
        to = arguments["to"]
        for one in to if isinstance(to, list) else [to]:
            if isinstance(one, str | int | float):
                order.messages.append({**arguments, "to": one})
        if len(order.messages) > max_messages:
            why = f"a batch may have {max_messages} messages; send the others in another one"
            return Precondition("Too many messages", why)
    return order


def parse_schedule_at(value: object, now_ms: int, time_zone: str) -> int | Precondition:
    """Seconds from now: "86400s", or a date and time in the account's time zone."""
    if value is None:
        return 0
    text = str(value)
    seconds = _SECONDS.fullmatch(text)
    if seconds is not None:
        delay_s = int(seconds[1])
    else:
        try:
            at = dt.datetime.strptime(text, "%Y-%m-%d %H:%M:%S")  # noqa: DTZ007 the zone follows
            at = at.replace(tzinfo=zoneinfo.ZoneInfo(time_zone))
        except (ValueError, zoneinfo.ZoneInfoNotFoundError):
            why = f"Got unknown format: {shown(text)}, correct formats are 'YYYY-MM-DD mm:hh:ss'"
            return Precondition(
                "Cannot parse scheduled_at value", f"{why} or number of seconds, such as 3600s"
            )
        delay_s = int(at.timestamp() - now_ms / 1000)
        if delay_s < 0:
            why = f"Invalid past date given: {shown(text)}"
            return Precondition("Cannot schedule batch in past date", why)
    if delay_s > MAX_AHEAD_S:
        why = f"Got {delay_s} seconds, at most {MAX_AHEAD_S} can be kept"
        return Precondition("Cannot schedule batch so far ahead", why)
    return delay_s


def _argument(name: str) -> str:
    return name if name in _KEPT else name.replace("_", "-")


def _url(config: Mapping[str, object], name: str) -> str | Precondition:
    value = config.get(name) or ""
    if isinstance(value, str) and (not value or check_callback_url(value) is None):
        return value
    return Precondition(f"Invalid {name}", f"Got {shown(str(value))}, expected http://host/path")


# --- answers ----------------------------------------------------------------------------------


def to_reply(result: Result) -> Reply:
    """What the HTTP API said, in an envelope."""
    text = result.text.strip('"')
    if result.status != 200:
        return json_reply(result.status, {"message": text})
    data = orjson.loads(result.text) if result.is_json else text
    reply = json_reply(200, {"data": data})
    if result.id is not None:
        reply.headers += (("X-Message-Id", str(result.id)),)
    return reply


def batch_reply(first: MessageId, count: int, delay_s: int) -> Reply:
    """The answer to /secure/sendbatch; the batch is called by its first message."""
    data: dict[str, object] = {"batchId": uuid_of(first), "messageCount": count}
    if delay_s:
        data["scheduled"] = f"{delay_s}s"
    return json_reply(200, {"data": data})


def tellings(
    order: BatchOrder, results: Sequence[Result], account: AccountId, batch_id: str
) -> list[Telling]:
    """What the batch's callback_url and errback_url hear of each message."""
    found: list[Telling] = []
    for arguments, result in zip(order.messages, results, strict=True):
        is_sent = result.status == 200
        url = order.callback_url if is_sent else order.errback_url
        if not url:
            continue
        words = {
            "batchId": batch_id,
            "to": text_of(arguments["to"]),
            "status": "1" if is_sent else "0",
            "statusText": result.text if is_sent else "HTTPAPI error: " + result.text.strip('"'),
        }
        encoded = urllib.parse.urlencode(words, errors="replace").encode()
        found.append(Telling(account, url, BATCH_STYLE, encoded))
    return found


def precondition_reply(precondition: Precondition) -> Reply:
    """A request that cannot be understood, or says nothing of who is calling."""
    body = {"title": precondition.title, "description": precondition.description}
    return json_reply(precondition.status, body)


def unauthorized(title: str = "Authentication required") -> Precondition:
    """No basic auth, or one that cannot be read."""
    return Precondition(title, "Please provide a valid Basic auth token", 401)
