"""The OpenAPI 3.1 document of the native API, written from its table of operations.

*In*: `rest_operations.OPERATIONS`. *Out*: the document. *Never*: an operation of its own.
"""

from typing import Any, Final

from bridges.http.dialects.rest_members import Schema
from bridges.http.dialects.rest_operations import OPERATIONS, Caller, Operation
from bridges.http.dialects.rest_problem import PROBLEM_TYPE
from bridges.http.dialects.rest_schemas import SCHEMAS, ref

_ALWAYS: Final = (400, 429, 500, 503)
_WITH_ACCOUNT: Final = (401, 403)
_WITH_BODY: Final = (408, 413)
_WORDS: Final = {
    400: "The request is not well formed; errors tells where.",
    401: "Who are you? The name or the password is wrong, or missing.",
    402: "Not enough credit.",
    403: "This account may not do that, or not from there.",
    404: "There is no such thing of this account.",
    408: "The body did not arrive in time.",
    409: "It cannot be any more, or there is one already.",
    413: "The body, or a message in it, is too long.",
    422: "It is well formed, and cannot be done.",
    429: "Too much at once; Retry-After tells when to come back.",
    500: "The gateway failed; whether it took effect is not known.",
    503: "Not now; Retry-After tells when to come back.",
}
_INTRODUCTION: Final = (
    "Send messages and learn what became of them. A 2xx answer means that it is on disk. "
    "Errors are application/problem+json (RFC 9457). Ids are decimal digits in text. "
    "Dates are RFC 3339 in UTC."
)
_PATH_PARAMETERS: Final[dict[str, Schema]] = {
    "id": {"type": "string", "pattern": "^[0-9]{1,19}$"},
    "name": {"type": "string", "minLength": 1, "pattern": "^[A-Za-z0-9_-]+$"},
    "action": {"type": "string", "enum": ["start", "stop", "drain", "resend", "fail"]},
}


def document(version: str) -> dict[str, Any]:
    """The whole document; `version` is that of the gateway."""
    paths: dict[str, dict[str, Any]] = {}
    schemas = dict(SCHEMAS)
    for operation in OPERATIONS:
        paths.setdefault(operation.path, {})[operation.method.lower()] = _operation(operation)
        if operation.shape is not None:
            schemas[_request_name(operation)] = operation.shape.schema()
    return {
        "openapi": "3.1.0",
        "info": {"title": "SMSC gateway", "version": version, "description": _INTRODUCTION},
        "servers": [{"url": "/"}],
        "tags": [{"name": tag} for tag in dict.fromkeys(one.tag for one in OPERATIONS)],
        "paths": paths,
        "components": {
            "schemas": dict(sorted(schemas.items())),
            "securitySchemes": {"basic": {"type": "http", "scheme": "basic"}},
        },
    }


def statuses(operation: Operation) -> tuple[int, ...]:
    """Every status that an operation may answer, ascending."""
    found = {operation.status, *_ALWAYS, *operation.errors}
    if operation.caller is not Caller.ANYBODY:
        found |= set(_WITH_ACCOUNT)
    elif operation.name == "get_health":
        found |= set(_WITH_ACCOUNT)  # credentials may be left out there, but not wrong
    if operation.has_body:
        found |= set(_WITH_BODY)
    return tuple(sorted(found))


def _operation(operation: Operation) -> dict[str, Any]:
    parameters: list[Schema] = [
        {"name": name, "in": "path", "required": True, "schema": _PATH_PARAMETERS[name]}
        for name in operation.path_names
    ]
    parameters += [
        {"name": one.name, "in": "query", "description": one.description, "schema": one.schema}
        for one in operation.query
    ]
    parameters += operation.headers
    described: dict[str, Any] = {
        "operationId": operation.name,
        "tags": [operation.tag],
        "summary": operation.summary,
        "parameters": parameters,
        "responses": {str(status): _response(operation, status) for status in statuses(operation)},
    }
    if operation.has_body:
        one = ref(_request_name(operation))
        many = {"type": "array", "minItems": 1, "maxItems": 1000, "items": one}
        schema = {"anyOf": [one, many]} if operation.is_batch else one
        described["requestBody"] = {
            "required": True,
            "content": {"application/json": {"schema": schema}},
        }
    if operation.caller is not Caller.ANYBODY:
        described["security"] = [{"basic": []}]
    if operation.caller is Caller.ADMIN:
        described["description"] = "For admins."
    return described


def _response(operation: Operation, status: int) -> dict[str, Any]:
    is_health = operation.name == "get_health" and status == 503
    if status != operation.status and not is_health:
        content = {PROBLEM_TYPE: {"schema": ref("Problem")}}
        return {"description": _WORDS[status], "content": content}
    response: dict[str, Any] = {"description": "Not ready." if is_health else "Done."}
    if operation.answer is not None:
        response["content"] = {operation.media_type: {"schema": operation.answer}}
    if operation.answer_headers:
        response["headers"] = {
            name: {"required": False, "schema": {"type": "string"}}
            for name in operation.answer_headers
        }
    return response


def _request_name(operation: Operation) -> str:
    """What the request's shape is called among the components, apart from what is answered."""
    assert operation.shape is not None
    return f"{operation.shape.name}Request"
