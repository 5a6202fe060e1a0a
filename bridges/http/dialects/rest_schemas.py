"""What the native API answers, in JSON Schema: the components of its OpenAPI document.

*In*: nothing. *Out*: `SCHEMAS` by name. *Never*: a shape of a request; see `rest_members.Shape`.
The tests hold every answer of a running server against these.
"""

from typing import Any, Final

from bridges.http.dialects.rest_members import Schema
from smsc.message import State
from smsc.ports import InboxKind


def ref(name: str) -> Schema:
    """A schema by its name."""
    return {"$ref": f"#/components/schemas/{name}"}


def page(each: Schema) -> Schema:
    """A page of a list."""
    return _object(
        {"data": {"type": "array", "items": each}, "next_cursor": _TEXT_OR_NULL},
        said="A page; next_cursor is null after the last one.",
    )


def _object(members: dict[str, Schema], optional: tuple[str, ...] = (), said: str = "") -> Schema:
    schema: dict[str, Any] = {
        "type": "object",
        "properties": members,
        "required": [name for name in members if name not in optional],
        "additionalProperties": False,
    }
    return schema | ({"description": said} if said else {})


_TEXT: Final[Schema] = {"type": "string"}
_TEXT_OR_NULL: Final[Schema] = {"type": ["string", "null"]}
_COUNT: Final[Schema] = {"type": "integer", "minimum": 0}
_FLAG: Final[Schema] = {"type": "boolean"}
_TEXTS: Final[Schema] = {"type": "array", "items": _TEXT}
_ID: Final[Schema] = {"type": "string", "pattern": "^[0-9]{1,19}$"}
_DATE: Final[Schema] = {"type": "string", "format": "date-time"}
_DATE_OR_NULL: Final[Schema] = {"type": ["string", "null"], "format": "date-time"}
_AMOUNT: Final[Schema] = {"type": "string", "pattern": r"^-?[0-9]+(\.[0-9]+)?$"}

SCHEMAS: Final[dict[str, Schema]] = {
    "Problem": _object(
        {
            "type": _TEXT,
            "title": _TEXT,
            "status": {"type": "integer"},
            "detail": _TEXT,
            "field": _TEXT | {"description": "The member or parameter that is wrong."},
            "value": _TEXT | {"description": "What was found there, cut."},
            "code": _TEXT | {"description": "The SMPP command_status by name."},
            "errors": {
                "type": "array",
                "items": _object({"pointer": _TEXT, "detail": _TEXT}),
                "description": "Each thing that is wrong, with a JSON pointer to it.",
            },
            "messages": {"type": "array", "items": ref("Submission")},
        },
        ("field", "value", "code", "errors", "messages"),
        "An error (RFC 9457).",
    ),
    "Submission": _object(
        {"id": _ID, "to": _TEXT, "parts": _COUNT, "coding": _TEXT, "error": ref("Problem")},
        ("id", "to", "parts", "coding", "error"),
        "One message of a request: its id, or why it was not taken.",
    ),
    "Submitted": _object(
        {"messages": {"type": "array", "items": ref("Submission")}},
        said="The messages in the order of the request; those with an id are on disk.",
    ),
    "MessageReport": _object(
        {
            "id": _ID,
            "from": _TEXT,
            "to": _TEXT,
            "state": {"type": "string", "enum": list(State.__members__)},
            "parts": _COUNT,
            "parts_delivered": _COUNT,
            "coding": _TEXT,
            "outlet": _TEXT_OR_NULL,
            "upstream_ids": _TEXTS,
            "attempt": _COUNT,
            "error": _COUNT,
            "accepted": _DATE_OR_NULL,
            "due": _DATE_OR_NULL,
            "expires": _DATE_OR_NULL,
            "done": _DATE_OR_NULL,
            "reference": _TEXT_OR_NULL,
            "callback_url": _TEXT_OR_NULL,
            "account": _TEXT,
        },
        said="A message and how far it is.",
    ),
    "Preview": _object(
        {
            "from": _TEXT,
            "to": _TEXT,
            "text": _TEXT_OR_NULL | {"description": "What the handset will show."},
            "coding": _TEXT,
            "data_coding": _COUNT,
            "characters": _COUNT,
            "parts": _COUNT,
            "left_in_last_part": {"type": ["integer", "null"]},
            "forced_ucs2": _TEXT | {"description": "The characters that GSM-7 has not."},
            "price": _AMOUNT,
            "unit_price": _AMOUNT,
            "class": _TEXT | {"description": "The class of credit that pays."},
            "outlets": _TEXTS | {"description": "In the order in which they are tried."},
            "due": _DATE_OR_NULL,
            "expires": _DATE_OR_NULL,
        },
        said="What would become of a message.",
    ),
    "Received": _object(
        {
            "id": _ID,
            "kind": {"type": "string", "enum": [kind.value for kind in InboxKind]},
            "from": _TEXT,
            "to": _TEXT,
            "keyword": _TEXT,
            "text": _TEXT,
            "received": _DATE,
            "outlet": _TEXT_OR_NULL,
        },
        said="A message that was received.",
    ),
    "ContactEntry": _object(
        {
            "id": _ID,
            "name": _TEXT,
            "number": _TEXT,
            "email": _TEXT,
            "tags": _TEXT,
            "groups": _TEXTS,
        }
    ),
    "GroupEntry": _object({"id": _ID, "name": _TEXT, "code": _TEXT, "flag_sender": _COUNT}),
    "Balance": _object(
        {"unlimited": _FLAG, "balances": {"type": "object", "additionalProperties": _AMOUNT}},
        said="Exact decimals, as text.",
    ),
    "Movement": _object(
        {
            "number": _COUNT,
            "at": _DATE_OR_NULL,
            "account": _TEXT,
            "class": _TEXT,
            "amount": _AMOUNT,
            "balance": _AMOUNT,
            "by": _TEXT,
            "why": _TEXT,
            "first": _TEXT_OR_NULL,
            "last": _TEXT_OR_NULL,
            "parts": {"type": "integer"},
        },
        said="One line of the ledger.",
    ),
    "Health": _object({"ready": _FLAG, "why": _TEXT, "facts": {"type": "object"}}, ("facts",)),
    "SimulatedMo": _object({"outlet": _TEXT, "from": _TEXT, "to": _TEXT}),
    "OutletAction": _object({"outlet": _TEXT, "action": _TEXT}),
}
