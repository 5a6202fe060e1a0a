"""Every operation of the native API, once: routes, checks and the OpenAPI document come from here.

*In*: nothing. *Out*: `OPERATIONS`. *Never*: what an operation does; `rest_routes` and its
neighbours hold a handler for each name, and refuse to start without.
"""

import enum
from typing import Any, Final

import attrs

from bridges.http.dialects import rest_schemas as schemas
from bridges.http.dialects.rest import CHANGE, MESSAGE, SIMULATED_MO
from bridges.http.dialects.rest_account import CONTACT, GROUP
from bridges.http.dialects.rest_members import Parameter, Schema, Shape
from bridges.http.dialects.rest_queries import BOOK, INBOX, LEDGER, MESSAGES


class Caller(enum.Enum):
    """Who may ask."""

    ANYBODY = "anybody"
    ACCOUNT = "account"
    ADMIN = "admin"


@attrs.frozen(kw_only=True)
class Operation:
    """One thing that a client can ask for; `name` is its operationId and that of its handler."""

    name: str
    method: str
    path: str
    tag: str
    summary: str
    caller: Caller = Caller.ACCOUNT
    shape: Shape | None = None
    """The object that its body must be; None = it has no body."""
    is_batch: bool = False
    """The body may be an array of such objects as well."""
    query: tuple[Parameter, ...] = ()
    headers: tuple[Schema, ...] = ()
    status: int = 200
    """Of success."""
    answer: Schema | None = None
    """What success looks like; None = an empty body."""
    media_type: str = "application/json"
    answer_headers: tuple[str, ...] = ()
    errors: tuple[int, ...] = ()
    """Statuses that it may answer besides those that every operation has."""

    @property
    def has_body(self) -> bool:
        """Does it read a request body?"""
        return self.shape is not None

    @property
    def path_names(self) -> tuple[str, ...]:
        """The parameters in its path."""
        return tuple(piece[1:-1] for piece in self.path.split("/") if piece.startswith("{"))


_KEY: Final[Schema] = {
    "name": "Idempotency-Key",
    "in": "header",
    "required": False,
    "description": "The same key and body again get the same answer, and send nothing twice.",
    "schema": {"type": "string", "minLength": 1, "maxLength": 255, "pattern": "^[!#-~]+$"},
}
_WAITING: Final = (404, 409, 402, 422)


def _on_message(name: str, method: str, path: str, summary: str, **more: Any) -> Operation:
    return Operation(
        name=name,
        method=method,
        path=path,
        tag="messages",
        summary=summary,
        answer=schemas.ref("MessageReport"),
        errors=(404, 409, 422),
        **more,
    )


def _removal(name: str, path: str, tag: str, summary: str) -> Operation:
    return Operation(
        name=name, method="DELETE", path=path, tag=tag, summary=summary, status=204, errors=(404,)
    )


def _book(one: str, many: str, shape: Shape, tag: str) -> list[Operation]:
    """The four operations on contacts, and on groups."""
    answer, path = schemas.ref(f"{shape.name}Entry"), f"/v1/{many}"
    return [
        Operation(
            name=f"list_{many}",
            method="GET",
            path=path,
            tag=tag,
            summary=f"Your {many}, newest first.",
            query=BOOK,
            answer=schemas.page(answer),
        ),
        Operation(
            name=f"add_{one}",
            method="POST",
            path=path,
            tag=tag,
            summary=f"Add a {one}.",
            shape=shape,
            status=201,
            answer=answer,
            answer_headers=("Location",),
            errors=(409, 422),
        ),
        Operation(
            name=f"get_{one}",
            method="GET",
            path=path + "/{id}",
            tag=tag,
            summary=f"One {one}.",
            answer=answer,
            errors=(404,),
        ),
        Operation(
            name=f"put_{one}",
            method="PUT",
            path=path + "/{id}",
            tag=tag,
            summary=f"Overwrite a {one}.",
            shape=shape,
            answer=answer,
            errors=(404, 409, 422),
        ),
        _removal(f"remove_{one}", path + "/{id}", tag, f"Delete a {one}."),
    ]


OPERATIONS: Final[tuple[Operation, ...]] = (
    Operation(
        name="post_messages",
        method="POST",
        path="/v1/messages",
        tag="messages",
        summary="Send one message, or an array of up to 1000; they are on disk when you get 202.",
        shape=MESSAGE,
        is_batch=True,
        headers=(_KEY,),
        status=202,
        answer=schemas.ref("Submitted"),
        answer_headers=("Location", "Idempotency-Replayed"),
        errors=(402, 404, 409, 422),
    ),
    Operation(
        name="list_messages",
        method="GET",
        path="/v1/messages",
        tag="messages",
        summary="Your messages, newest first, a page at a time.",
        query=MESSAGES,
        answer=schemas.page(schemas.ref("MessageReport")),
    ),
    _on_message("get_message", "GET", "/v1/messages/{id}", "What became of a message."),
    Operation(
        name="change_message",
        method="PATCH",
        path="/v1/messages/{id}",
        tag="messages",
        summary="Change a message that did not leave yet; null takes a member away.",
        shape=CHANGE,
        answer=schemas.ref("MessageReport"),
        errors=_WAITING,
    ),
    _on_message(
        "cancel_message", "DELETE", "/v1/messages/{id}", "Cancel a message that did not leave yet."
    ),
    _on_message(
        "cancel_message_by_post",
        "POST",
        "/v1/messages/{id}/cancel",
        "The same, for clients that cannot send DELETE.",
    ),
    Operation(
        name="preview",
        method="POST",
        path="/v1/preview",
        tag="messages",
        summary="Coding, parts, price and way of a message, without sending it.",
        shape=MESSAGE,
        answer=schemas.ref("Preview"),
        errors=(402, 404, 409, 422),
    ),
    Operation(
        name="list_inbox",
        method="GET",
        path="/v1/inbox",
        tag="inbox",
        summary="Messages that you received, newest first.",
        query=INBOX,
        answer=schemas.page(schemas.ref("Received")),
    ),
    _removal("remove_received", "/v1/inbox/{id}", "inbox", "Delete a received message."),
    *_book("contact", "contacts", CONTACT, "contacts"),
    *_book("group", "groups", GROUP, "contacts"),
    Operation(
        name="list_group_contacts",
        method="GET",
        path="/v1/groups/{id}/contacts",
        tag="contacts",
        summary="The contacts of a group, by name.",
        answer=schemas.page(schemas.ref("ContactEntry")),
        errors=(404,),
    ),
    Operation(
        name="get_balance",
        method="GET",
        path="/v1/balance",
        tag="credit",
        summary="What you may still spend, by class of credit.",
        answer=schemas.ref("Balance"),
    ),
    Operation(
        name="list_ledger",
        method="GET",
        path="/v1/ledger",
        tag="credit",
        summary="Why your balance is what it is, newest first.",
        query=LEDGER,
        answer=schemas.page(schemas.ref("Movement")),
    ),
    Operation(
        name="get_health",
        method="GET",
        path="/v1/health",
        tag="gateway",
        summary="Can messages be taken? With the facts behind it for an admin.",
        caller=Caller.ANYBODY,
        answer=schemas.ref("Health"),
    ),
    Operation(
        name="post_simulated_mo",
        method="POST",
        path="/v1/simulate/mo",
        tag="gateway",
        summary="Let a simulator's handset send a message.",
        caller=Caller.ADMIN,
        shape=SIMULATED_MO,
        status=202,
        answer=schemas.ref("SimulatedMo"),
        errors=(422,),
    ),
    Operation(
        name="post_outlet_action",
        method="POST",
        path="/v1/outlets/{name}/{action}",
        tag="gateway",
        summary="Start, stop or drain an outlet; resend or fail what is held for it.",
        caller=Caller.ADMIN,
        status=202,
        answer=schemas.ref("OutletAction"),
        errors=(422,),
    ),
    Operation(
        name="get_openapi",
        method="GET",
        path="/v1/openapi.json",
        tag="gateway",
        summary="This document.",
        caller=Caller.ANYBODY,
        answer={"type": "object"},
    ),
    Operation(
        name="get_docs",
        method="GET",
        path="/v1/docs",
        tag="gateway",
        summary="This document, for people.",
        caller=Caller.ANYBODY,
        answer={"type": "string"},
        media_type="text/html",
    ),
)
