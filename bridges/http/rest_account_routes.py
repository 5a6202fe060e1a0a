"""Handlers of the native API about what an account has: contacts, groups, inbox, credit.

*In*: `Call`. *Out*: `Reply`. *Never*: JSON members; they live in `dialects/rest_account.py`.
"""

from collections.abc import Callable, Sequence
from typing import Any, Final, TypeVar

from bridges.http.dialects import rest, rest_account, rest_queries
from bridges.http.dialects.base import Reply, json_reply, shown
from bridges.http.dialects.rest_cursor import to_cursor
from bridges.http.dialects.rest_problem import Problem, problem_reply, refusal_reply
from bridges.http.endpoint import Call, Handler
from smsc.message import AccountId, MessageId
from smsc.ports import Contact, ContactGroup, Refused

_Entry = TypeVar("_Entry", Contact, ContactGroup)
_ALL: Final = 1 << 31
_EMPTY: Final = Reply(204, b"", "application/json")


def _account(call: Call) -> AccountId:
    return AccountId(call.caller.name)


def _nothing(call: Call, what: str) -> Reply:
    return problem_reply(Problem(404, f"there is no {what} {shown(call.path['id'])} here"))


def _id(call: Call) -> int:
    """The number in the path; -1, which nothing has, for what is none."""
    id_ = rest.parse_message_id(call.path["id"])
    return -1 if id_ is None else id_


# --- inbox ------------------------------------------------------------------------------------


async def list_inbox(call: Call) -> Reply:
    """Received messages, newest first."""
    values = rest_queries.parse_query(rest_queries.INBOX, call.query)
    if isinstance(values, Problem):
        return problem_reply(values)
    query = rest_queries.inbox_query(values)
    found = call.gateway.inbox.received(_account(call), query)
    below = found[-1].id if len(found) == query.limit else None
    data = [rest_account.received_body(one) for one in found]
    return json_reply(200, rest_account.list_body(data, to_cursor(below)))


async def remove_received(call: Call) -> Reply:
    """Delete one."""
    id_ = _id(call)
    if id_ < 0 or not await call.gateway.inbox.remove(_account(call), MessageId(id_)):
        return _nothing(call, "received message")
    return _EMPTY


# --- contacts and groups ----------------------------------------------------------------------


def _contact(call: Call) -> Contact | None:
    book, id_ = call.gateway.contacts.contacts(_account(call), "", _ALL), _id(call)
    return next((one for one in book if one.id == id_), None)


def _group(call: Call) -> ContactGroup | None:
    book, id_ = call.gateway.contacts.groups(_account(call), "", _ALL), _id(call)
    return next((one for one in book if one.id == id_), None)


async def list_contacts(call: Call) -> Reply:
    """Contacts, newest first."""
    return _book_page(call, call.gateway.contacts.newest_contacts, rest_account.contact_body)


async def list_groups(call: Call) -> Reply:
    """Groups, newest first."""
    return _book_page(call, call.gateway.contacts.newest_groups, rest_account.group_body)


def _book_page(
    call: Call,
    newest: Callable[[AccountId, str, int | None, int], Sequence[_Entry]],
    body_of: Callable[[_Entry], dict[str, Any]],
) -> Reply:
    """A page by id, as of the other lists: names change, and others come between."""
    values = rest_queries.parse_query(rest_queries.BOOK, call.query)
    if isinstance(values, Problem):
        return problem_reply(values)
    limit, keyword = rest_queries.limit_of(values), values.get("keyword", "")
    found = newest(_account(call), keyword, values.get("cursor"), limit + 1)
    data = [body_of(one) for one in found[:limit]]
    below = found[limit - 1].id if len(found) > limit else None
    return json_reply(200, rest_account.list_body(data, to_cursor(below)))


async def list_group_contacts(call: Call) -> Reply:
    """The contacts of a group."""
    group = _group(call)
    if group is None:
        return _nothing(call, "group")
    members = call.gateway.contacts.members(_account(call), group.code) or ()
    data = [rest_account.contact_body(one) for one in members]
    return json_reply(200, rest_account.list_body(data))


async def get_contact(call: Call) -> Reply:
    """One contact."""
    found = _contact(call)
    if found is None:
        return _nothing(call, "contact")
    return json_reply(200, rest_account.contact_body(found))


async def get_group(call: Call) -> Reply:
    """One group."""
    found = _group(call)
    if found is None:
        return _nothing(call, "group")
    return json_reply(200, rest_account.group_body(found))


async def add_contact(call: Call) -> Reply:
    """A new contact."""
    return await _save_contact(call, 0)


async def put_contact(call: Call) -> Reply:
    """A contact written anew."""
    found = _contact(call)
    return _nothing(call, "contact") if found is None else await _save_contact(call, found.id)


async def _save_contact(call: Call, id_: int) -> Reply:
    payload = rest.loads(call.body)
    contact = payload if isinstance(payload, Problem) else rest_account.parse_contact(payload, id_)
    if isinstance(contact, Problem):
        return problem_reply(contact)
    saved = await call.gateway.contacts.put_contact(_account(call), contact)
    if isinstance(saved, Refused):
        return refusal_reply(saved)
    return _saved(rest_account.contact_body(saved), "contacts", is_new=not id_)


async def add_group(call: Call) -> Reply:
    """A new group."""
    return await _save_group(call, 0)


async def put_group(call: Call) -> Reply:
    """A group written anew."""
    found = _group(call)
    return _nothing(call, "group") if found is None else await _save_group(call, found.id)


async def _save_group(call: Call, id_: int) -> Reply:
    payload = rest.loads(call.body)
    group = payload if isinstance(payload, Problem) else rest_account.parse_group(payload, id_)
    if isinstance(group, Problem):
        return problem_reply(group)
    saved = await call.gateway.contacts.put_group(_account(call), group)
    if isinstance(saved, Refused):
        return refusal_reply(saved)
    return _saved(rest_account.group_body(saved), "groups", is_new=not id_)


def _saved(body: dict[str, Any], many: str, *, is_new: bool) -> Reply:
    reply = json_reply(201 if is_new else 200, body)
    if is_new:
        reply.headers = (("Location", f"/v1/{many}/{body['id']}"),)
    return reply


async def remove_contact(call: Call) -> Reply:
    """Delete a contact."""
    if not await call.gateway.contacts.remove_contact(_account(call), _id(call)):
        return _nothing(call, "contact")
    return _EMPTY


async def remove_group(call: Call) -> Reply:
    """Delete a group, not its contacts."""
    if not await call.gateway.contacts.remove_group(_account(call), _id(call)):
        return _nothing(call, "group")
    return _EMPTY


# --- credit -----------------------------------------------------------------------------------


async def get_balance(call: Call) -> Reply:
    """What is left."""
    return json_reply(200, rest_account.balance_body(call.gateway.credits.balances(_account(call))))


async def list_ledger(call: Call) -> Reply:
    """Movements, newest first."""
    values = rest_queries.parse_query(rest_queries.LEDGER, call.query)
    if isinstance(values, Problem):
        return problem_reply(values)
    limit = rest_queries.limit_of(values)
    found = await call.gateway.credits.movements(_account(call), values.get("cursor"), limit)
    below = found[-1].number if len(found) == limit else None
    data = [rest_account.movement_body(one) for one in found]
    return json_reply(200, rest_account.list_body(data, to_cursor(below)))


HANDLERS: Final[dict[str, Handler]] = {
    "list_inbox": list_inbox,
    "remove_received": remove_received,
    "list_contacts": list_contacts,
    "add_contact": add_contact,
    "get_contact": get_contact,
    "put_contact": put_contact,
    "remove_contact": remove_contact,
    "list_groups": list_groups,
    "add_group": add_group,
    "get_group": get_group,
    "put_group": put_group,
    "remove_group": remove_group,
    "list_group_contacts": list_group_contacts,
    "get_balance": get_balance,
    "list_ledger": list_ledger,
}
