"""What an account has besides messages: contacts, groups, an inbox, credit; and previews.

*In*: JSON objects; values of `smsc.ports`. *Out*: `Contact`, `ContactGroup`; bodies of replies.
*Never*: I/O, a clock.
"""

from collections.abc import Mapping, Sequence
from decimal import Decimal
from typing import Any

from bridges.http.dialects.base import Invalid, iso_utc, read_body
from bridges.http.dialects.rest_members import Shape, integer, text, texts
from bridges.http.dialects.rest_problem import Problem, problem_of
from pdu.text.coding import choose
from smsc.ports import Contact, ContactGroup, Foreseen, Movement, Received

CONTACT = Shape(
    "Contact",
    {
        "name": text(255, least=1),
        "number": text(64, least=1).said("Where messages to it go.", examples=["+41791234567"]),
        "email": text(255),
        "tags": text(255),
        "groups": texts(100, 64).said("Codes of the groups that it belongs to."),
    },
    ("name", "number"),
)
GROUP = Shape(
    "Group",
    {
        "name": text(255, least=1),
        "code": text(64, least=1).said("What the group is called by; no white space."),
        "flag_sender": integer(0, 2).said("Who may send to it: 0 its owner, 1 members, 2 anyone."),
    },
    ("name", "code"),
)


def parse_contact(payload: object, id_: int = 0) -> Contact | Problem:
    """A contact; `id_` is 0 for a new one."""
    members = CONTACT.read(payload)
    if isinstance(members, Invalid):
        return problem_of(members)
    return Contact(
        id=id_,
        name=members["name"],
        number=members["number"],
        email=members.get("email") or "",
        tags=members.get("tags") or "",
        groups=tuple(members.get("groups") or ()),
    )


def parse_group(payload: object, id_: int = 0) -> ContactGroup | Problem:
    """A group of contacts; `id_` is 0 for a new one."""
    members = GROUP.read(payload)
    if isinstance(members, Invalid):
        return problem_of(members)
    flag_sender = members.get("flag_sender") or 0
    return ContactGroup(id=id_, name=members["name"], code=members["code"], flag_sender=flag_sender)


def contact_body(contact: Contact) -> dict[str, Any]:
    """One contact."""
    return {
        "id": str(contact.id),
        "name": contact.name,
        "number": contact.number,
        "email": contact.email,
        "tags": contact.tags,
        "groups": list(contact.groups),
    }


def group_body(group: ContactGroup) -> dict[str, Any]:
    """One group of contacts."""
    return {
        "id": str(group.id),
        "name": group.name,
        "code": group.code,
        "flag_sender": group.flag_sender,
    }


def received_body(received: Received) -> dict[str, Any]:
    """One received message."""
    return {
        "id": str(received.id),
        "kind": received.kind.value,
        "from": received.source,
        "to": received.destination,
        "keyword": received.keyword,
        "text": received.text,
        "received": iso_utc(received.received_ms),
        "outlet": received.outlet or None,
    }


def balance_body(balances: Mapping[str, Decimal] | None) -> dict[str, Any]:
    """What is left to spend, exact decimals as text."""
    shown = {name: format(left, "f") for name, left in (balances or {}).items()}
    return {"unlimited": balances is None, "balances": shown}


def movement_body(movement: Movement) -> dict[str, Any]:
    """One line of the ledger."""
    return {
        "number": movement.number,
        "at": iso_utc(movement.at_ms),
        "account": movement.account,
        "class": movement.credit_class,
        "amount": format(movement.amount, "f"),
        "balance": format(movement.balance, "f"),
        "by": movement.by,
        "why": movement.why,
        "first": None if movement.first is None else str(movement.first),
        "last": None if movement.last is None else str(movement.last),
        "parts": movement.parts,
    }


def preview_body(foreseen: Foreseen) -> dict[str, Any]:
    """What would become of a message: how it is coded, what it costs, where it goes."""
    spoken = read_body(foreseen.body)
    said = spoken.text()
    is_text = spoken.coding in {"gsm7", "ucs2"} and not spoken.udh
    choice = choose(said) if is_text else None
    price = foreseen.price
    return {
        "from": foreseen.source,
        "to": foreseen.destination,
        "text": said if is_text else None,
        "coding": spoken.coding,
        "data_coding": spoken.data_coding,
        "characters": len(said) if is_text else len(spoken.data),
        "parts": foreseen.parts,
        "left_in_last_part": None if choice is None else choice.left_in_last_part,
        "forced_ucs2": "" if choice is None or choice.coding != "ucs2" else choice.forced_by,
        "price": format(price.amount, "f"),
        "unit_price": format(price.unit, "f"),
        "class": price.credit_class,
        "outlets": list(foreseen.outlets),
        "due": iso_utc(foreseen.due_ms),
        "expires": iso_utc(foreseen.expires_ms),
    }


def list_body(data: Sequence[dict[str, Any]], next_cursor: str | None = None) -> dict[str, Any]:
    """A page of a list."""
    return {"data": data, "next_cursor": next_cursor}
