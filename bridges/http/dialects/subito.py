"""The SubitoSMS JSON interface (Linkas Srl, 30/08/08): its frame, credit and send.

*In*: the body of `POST /json.php?action=…`; admissions and balances of the gateway.
*Out*: `Asked` with credentials, `Order` with drafts; `Reply` with JSON as the original wrote it.
*Never*: I/O, a clock, HTTP objects of a framework.

Its clients look at the body only, so a documented answer, error or not, has HTTP status 200.
Faults are judged in the order 1, 2, 3, 4, 7, 6, 5; a fault stores nothing. Where the document
has no code for what is wrong with a message, one that is alone is a syntax error; in a bulk the
others go, and `refused` of the answer names the one that does not.
"""

import urllib.parse
from collections.abc import Mapping, Sequence
from decimal import Decimal
from typing import Any

import attrs

from bridges.http.dialects import loose_json, settings
from bridges.http.dialects.base import (
    Invalid,
    Reply,
    http_status,
    json_reply,
    to_body,
)
from bridges.http.dialects.numbers import NumberReader
from bridges.http.dialects.texts import content_of
from pdu.status import Vendor
from smsc.config_accounts import parse_region
from smsc.config_fields import about
from smsc.message import NEW_BATCH, AccountId, Draft
from smsc.ports import Admission, Admitted, Foreseen, Refused

SOURCE = "subito"
ACTIONS = ("credit", "send", "status")
MAX_ACTION_CHARACTERS = 40
"""How much of an unknown action the answer repeats."""


@attrs.frozen(kw_only=True)
class SubitoConfig:
    """`[dialects.subito]`."""

    path: str = settings.path("/json.php")
    region: str = attrs.field(
        default="IT",
        metadata=about("the country that national numbers are of", parse=parse_region),
    )
    max_parts: int = attrs.field(
        default=4, metadata=about("parts that a text may have", minimum=1, maximum=255)
    )
    max_messages: int = attrs.field(
        default=1000, metadata=about("messages, or ids, in one request", minimum=1)
    )
    body_octets: int = settings.body_octets(4 * settings.MESSAGE_OCTETS)
    """A bulk is many messages."""
    italy: str = attrs.field(
        default="domestic", metadata=about("the credit class that is shown as Italy")
    )
    foreign: str = attrs.field(
        default="foreign", metadata=about("the credit class that is shown as Foreign")
    )
    italy_low: str = attrs.field(
        default="low-cost", metadata=about("the credit class that is shown as ItalyLow")
    )
    unlimited: int = attrs.field(
        default=999_999, metadata=about("shown for accounts without a limit", minimum=0)
    )


@attrs.define(slots=True)
class Fault:
    """An error of the document: its code, its sentence, and what led to it."""

    code: int
    message: str
    detail: str = ""
    status: int = 200


@attrs.define(slots=True)
class Asked:
    """A request whose frame is right; whether the password is, the gateway says."""

    username: str
    password: str = attrs.field(repr=False)
    data: object


@attrs.define(slots=True)
class Order:
    """The messages of one request in order; those that cannot be submitted as `Invalid`."""

    items: list[Draft | Invalid]

    def drafts(self) -> list[Draft]:
        """What goes to intake."""
        return [item for item in self.items if isinstance(item, Draft)]


# --- requests ---------------------------------------------------------------------------------


def parse_action(query: str) -> str:
    """The value of `action` in a query string; "" without one."""
    values = urllib.parse.parse_qs(query).get("action")
    return values[0] if values else ""


def parse_request(body: bytes) -> Asked | Fault:
    """Faults 1 to 3. `auth` may be an object or an array that holds one."""
    payload = loose_json.loads(body)
    if isinstance(payload, loose_json.NotJson):
        return syntax(payload.why)
    if not isinstance(payload, dict):
        return syntax("the request must be a JSON object with auth and data")
    auth = payload.get("auth")
    if isinstance(auth, list) and len(auth) == 1:
        auth = auth[0]
    if not isinstance(auth, dict):
        return syntax("auth must be an object with username and password")
    username, password = _word(auth.get("username")), _word(auth.get("password"))
    if not username:
        return Fault(2, "Username is undefined")
    if not password:
        return Fault(3, "Password is undefined")
    return Asked(username, password, payload.get("data"))


def check_action(action: str) -> Fault | None:
    """Fault 7."""
    if action in ACTIONS:
        return None
    return Fault(7, f"Action {action[:MAX_ACTION_CHARACTERS]} is not defined")


def parse_order(
    data: object,
    account: AccountId,
    config: SubitoConfig,
    numbers: NumberReader,
    own_sender: str = "",
) -> Order | Fault:
    """The messages of `action=send`: an object, an array of them, or an object of them.

    `own_sender` is the account's, for those whose sender is empty.
    """
    items = list_of(data, "dest")
    if not items:
        return syntax("data must hold at least one message with sender, dest and text")
    if len(items) > config.max_messages:
        why = f"data holds {len(items)} messages; a request may have {config.max_messages}"
        return syntax(why)
    order = Order([_parse_message(item, account, config, numbers, own_sender) for item in items])
    if not order.drafts():
        first = order.items[0]
        assert isinstance(first, Invalid)
        return syntax(first.sentence())
    return order


def _word(value: object) -> str:
    """A name or password; PHP writes one of digits as a number."""
    if isinstance(value, int) and not isinstance(value, bool):
        return str(value)
    return value if isinstance(value, str) else ""


def list_of(data: object, member: str) -> list[Any]:
    """The objects of `data`. PHP makes an object of an array whose keys are not 0, 1, 2 …"""
    if isinstance(data, dict):
        if member not in data and data and all(isinstance(one, dict) for one in data.values()):
            return list(data.values())
        return [data] if data else []
    return data if isinstance(data, list) else []


def _parse_message(
    item: object,
    account: AccountId,
    config: SubitoConfig,
    numbers: NumberReader,
    own_sender: str,
) -> Draft | Invalid:
    if not isinstance(item, dict):
        return Invalid("data", item, "a message is an object with sender, dest and text")
    fields = {name: item.get(name) for name in ("sender", "dest", "text")}
    for name, value in fields.items():
        if isinstance(value, int) and not isinstance(value, bool):
            fields[name] = str(value)
        elif not isinstance(value, str):
            return Invalid(name, value, "it is required, and must be text")
    sender, dest, text = (str(value) for value in fields.values())
    content = content_of(text, max_parts=config.max_parts)
    if isinstance(content, Invalid):
        return content
    number = numbers.address(dest)
    if number is None:
        return Invalid("dest", dest, "it must be a number such as +39335123456")
    sender = sender or own_sender
    body = to_body(numbers.address(sender) or sender, number, content)
    if isinstance(body, Invalid):
        return attrs.evolve(body, field=_OUR_NAMES.get(body.field, body.field))
    return Draft(account, SOURCE, body, batch=NEW_BATCH)


_OUR_NAMES: Mapping[str, str] = {"from": "sender", "to": "dest"}


# --- may it be paid for -----------------------------------------------------------------------


def check_credit(
    foreseen: Sequence[Foreseen | Refused], balances: Mapping[str, Decimal] | None
) -> Fault | None:
    """Fault 5: the whole request is refused when its messages together cost too much.

    What is refused for another reason, or dropped by a rule, costs nothing.
    """
    if balances is None:
        return None
    cost: dict[str, Decimal] = {}
    for one in foreseen:
        if isinstance(one, Foreseen) and one.outlets:
            name = one.price.credit_class
            cost[name] = cost.get(name, Decimal(0)) + one.price.amount
    if all(amount <= balances.get(name, Decimal(0)) for name, amount in cost.items()):
        return None
    return _no_credit()


# --- replies ----------------------------------------------------------------------------------


def sent_reply(order: Order, admissions: Sequence[Admission]) -> Reply:
    """The answer to `action=send`; `admissions` answer `order.drafts()`."""
    ids = [one.id for one in admissions if isinstance(one, Admitted)]
    if not ids:
        return fault_reply(_refusal([one for one in admissions if isinstance(one, Refused)]))
    answers = iter(admissions)
    refused: list[dict[str, object]] = []
    for place, item in enumerate(order.items):
        answer = next(answers) if isinstance(item, Draft) else None
        if isinstance(item, Invalid):
            refused.append({"message": place, "why": item.sentence()})
        elif isinstance(answer, Refused):
            refused.append({"message": place, "why": answer.why})
    # A batch is called by the id of the first message that was admitted with it.
    data: dict[str, object] = {"id": str(ids[0])}
    return ok({"data": data | ({"refused": refused} if refused else {})})


def credit_reply(
    balances: Mapping[str, Decimal] | None, address_books: int, config: SubitoConfig
) -> Reply:
    """The answer to `action=credit`: what is left by class, as whole numbers in quotes."""

    def left(credit_class: str) -> str:
        if balances is None:
            return str(config.unlimited)
        amount = balances.get(credit_class, balances.get("", Decimal(0)))
        return str(max(int(amount), 0))

    data = {
        "Italy": left(config.italy),
        "Foreign": left(config.foreign),
        "ItalyLow": left(config.italy_low),
        "AddressBooks": str(address_books),
        "Polls": "0",
        "Credit": None,
    }
    return ok({"data": data})


def fault_reply(fault: Fault) -> Reply:
    """An error as the document shows it; `detail` only where there is more to say."""
    error: dict[str, object] = {"message": fault.message, "code": fault.code}
    if fault.detail:
        error["detail"] = fault.detail
    return json_reply(fault.status, {"error": error})


def wrong_password() -> Fault:
    """Fault 4: also for an account that is banned, or comes from a network that is not its own."""
    return Fault(4, "Wrong username or password")


def refused_login(refused: Refused) -> Fault:
    """Why somebody may not: fault 4, unless nobody can tell for now."""
    if http_status(refused.status) == 503:
        return failure(503, refused.why)
    return wrong_password()


def failure(status: int, why: str) -> Fault:
    """What no code exists for: a request too long, or a gateway that failed or is busy."""
    if status in {408, 413}:
        return Fault(1, "Syntax error", why, status)
    return Fault(GATEWAY_ERROR, "Gateway error", why, status)


GATEWAY_ERROR = -100
"""The document's status for failures of the gateway, used where it knows no error code."""


def _refusal(refusals: Sequence[Refused]) -> Fault:
    """Of several reasons the one that the client can do something about comes first."""
    by_status = {one.status: one for one in refusals}
    if Vendor.SMSC_NO_CREDIT in by_status:
        return _no_credit()
    if Vendor.SMSC_ACCOUNT_CLOSED in by_status:
        return wrong_password()
    for status, one in by_status.items():
        if http_status(status) in {429, 500, 503}:  # it may pass later
            return failure(http_status(status), one.why)
    return syntax(refusals[0].why)


def ok(value: object) -> Reply:
    """A documented answer."""
    return json_reply(200, value)


def syntax(why: str) -> Fault:
    """Fault 1, and what led to it."""
    return Fault(1, "Syntax error", why)


def _no_credit() -> Fault:
    return Fault(5, "You do not have enough credit")
