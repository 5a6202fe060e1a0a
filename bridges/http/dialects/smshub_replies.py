"""The answers of the SMSHub dialect, as SOAP or as JSON-RPC.

*In*: `Answer`, `Health`, what led to a fault. *Out*: `Reply`. *Never*: a request.

The SOAP prefixes are those that the vendor's client searches for as text; see `soap.py`. Code, error
and message are always all three there; `error` is empty (in JSON null) on success.
"""

from collections.abc import Mapping, Sequence
from typing import Any, Final

import attrs

from bridges.http.dialects import smshub_wsdl, soap
from bridges.http.dialects.base import Reply, header_text, json_reply
from smsc.message import MessageId
from smsc.ports import Health

REASON_HEADER: Final = "X-Reason"
IDS_HEADER: Final = "X-Message-Id"
MAX_IN_HEADER: Final = 100


@attrs.define(slots=True)
class Shape:
    """How an answer is written: SOAP, or JSON-RPC with the id of its request."""

    operation: str = "smshubSend"
    is_json: bool = False
    id: object = None


@attrs.define(slots=True)
class Answer:
    """Code, error id and message; why in a sentence, and our ids, for whoever looks."""

    code: int
    error: str
    message: str
    why: str = ""
    ids: Sequence[MessageId] = ()
    """Of what was accepted."""


def sent(ids: Sequence[MessageId]) -> Answer:
    """Every number has its message."""
    return Answer(1, "", "SMS send success", ids=ids)


def partly_sent(ids: Sequence[MessageId], refused: Sequence[str], why: str) -> Answer:
    """Some were accepted: the numbers that were not stand in the message, as the client wrote them.

    The document has one code and no list, so this is where a client can tell what not to repeat.
    """
    of_all = f"{len(ids)} of {len(ids) + len(refused)} messages were accepted"
    message = f"Server Error: {of_all}, not those to {', '.join(refused)}"
    return Answer(0, "ServerError", message, why, ids)


def auth_failed(why: str = "") -> Answer:
    """Wrong name or password; also an account that is closed, or a network that is not its own."""
    return Answer(0, "AuthFailed", "Invalid username or password", why)


def bad_request(why: str) -> Answer:
    """What the client can mend."""
    return Answer(0, "BadRequest", "Invalid SMS request", why)


def server_error(why: str) -> Answer:
    """What it cannot."""
    return Answer(0, "ServerError", "Server Error", why)


# --- smshubStatus -------------------------------------------------------------------------------


@attrs.define(slots=True)
class Host:
    """What the status tells of the machine."""

    version: str
    system: str
    listener: str
    node: str
    memory_mb: int


def status_reply(shape: Shape, health: Health, host: Host) -> Reply:
    """1 = ready, 2 = not; the lines of the message in the order that the vendor's tests read."""
    facts: Mapping[str, Any] = health.facts
    outlets, down = facts.get("outlets") or {}, facts.get("outlets_down") or []
    alive = len(outlets) - len(down)
    store = "ready" if health.ready else health.why
    lines = (
        f"Server: SMSHub Server {host.version} (smsc-gateway)",
        f"System: {host.system}",
        f"Listener: {host.listener} (HTTP/1.1)",
        f"Uptime: {int(facts.get('uptime_s') or 0)}s",
        f"Cluster Node: {host.node}",
        f"Local Memory: {host.memory_mb}M",
        f"Shared Memory: message store {store}",
        f"Connectors: {'OK' if alive else 'DOWN'} ({alive} alive & {len(down)} down)",
    )
    message = "\n".join(lines).replace("'", "")  # the vendor's client quotes it
    status = 1 if health.ready else 2
    if shape.is_json:
        return _rpc_result(shape, {"status": status, "message": message})
    return _soap(soap.response(shape.operation, {"status": str(status), "message": message}))


# --- replies ------------------------------------------------------------------------------------


def reply(shape: Shape, answer: Answer, http: int = 200) -> Reply:
    """An answer in the shape of its request; all three members are always there."""
    headers: list[tuple[str, str]] = []
    if answer.why:
        headers.append((REASON_HEADER, header_text(answer.why)))
    if answer.ids:
        headers.append((IDS_HEADER, ",".join(map(str, answer.ids[:MAX_IN_HEADER]))))
    if shape.is_json:
        result = {
            "code": answer.code,
            "error": answer.error or None,
            "message": answer.message,
        }
        return _rpc_result(shape, result, headers)
    inside = {"code": str(answer.code), "error": answer.error, "message": answer.message}
    return _soap(soap.response(shape.operation, inside), headers, http)


def fault_reply(found: soap.SoapFault) -> Reply:
    """A SOAP fault, HTTP status 500 as SOAP 1.1 §6.2 asks."""
    return _soap(soap.fault(found), (), 500)


def no_key_reply() -> Reply:
    """The header WA-API-Key is missing or wrong."""
    return Reply(401, b"", "text/plain")


def wsdl_reply(location: str) -> Reply:
    """The WSDL with the service at `location`."""
    return Reply(200, smshub_wsdl.document(location), smshub_wsdl.MEDIA_TYPE)


def failure(status: int, why: str) -> Reply:
    """A request that no code saw, or that broke one."""
    answer = bad_request(why) if status in {408, 413} else server_error(why)
    return reply(Shape(), answer, status)


def _soap(inside: str, headers: Sequence[tuple[str, str]] = (), http: int = 200) -> Reply:
    body = soap.envelope(inside, smshub_wsdl.NAMESPACE)
    return Reply(http, body, soap.MEDIA_TYPE, tuple(headers))


def _rpc_result(
    shape: Shape, result: Mapping[str, object], headers: Sequence[tuple[str, str]] = ()
) -> Reply:
    answer = json_reply(200, {"jsonrpc": "2.0", "result": result, "id": shape.id})
    return attrs.evolve(answer, headers=tuple(headers))


def rpc_error(id_: object, code: int, message: str) -> Reply:
    """An error of JSON-RPC 2.0 §5.1: what is no request of this service."""
    error = {"code": code, "message": message}
    return json_reply(200, {"jsonrpc": "2.0", "error": error, "id": id_})
