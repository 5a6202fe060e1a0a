"""NetOxygen's XML-RPC interface ("SMS Gateway - Interface XML-RPC"): calls to drafts, states back.

*In*: arguments of its eight methods; `Admission`s, `MessageReport`s, balances, profiles.
*Out*: `Order` with drafts and rows; the values that the document says a method returns.
*Never*: I/O, a clock, HTTP objects of a framework; a fault for what has an error code.

Arguments go by position. Whatever is wrong with one message of a call has an error code of the
document (1 to 10) in the row of its recipient; faults are for calls that are wrong as a whole:
an unknown method, missing parameters, a wrong password where the method returns no boolean.
"""

import datetime as dt
from collections.abc import Iterator, Mapping, Sequence
from decimal import Decimal
from typing import Final
from zoneinfo import ZoneInfo

import attrs

from bridges.http.dialects import settings
from bridges.http.dialects.base import (
    MAX_AHEAD_S,
    MAX_PARTS,
    Content,
    Invalid,
    read_body,
    to_body,
)
from bridges.http.dialects.netoxygen_codes import (
    DESTINATION,
    EMPTY,
    ERRORS,
    FORMAT,
    SENDER,
    STATUSES,
    TOO_LONG,
    codes_of,
    is_passing,
    refusal_code,
)
from bridges.http.dialects.numbers import NumberReader
from bridges.http.dialects.texts import content_of
from bridges.http.dialects.xmlrpc import (
    APPLICATION,
    NO_METHOD,
    WRONG_PARAMETERS,
    Argument,
    Fault,
    MethodCall,
    Value,
)
from smsc.config_accounts import parse_region, parse_sender
from smsc.config_errors import SettingError, found
from smsc.config_fields import about
from smsc.message import NEW_BATCH, AccountId, Draft, MessageId
from smsc.ports import Admission, Admitted, MessageReport, Refused

SOURCE: Final = "netoxygen"
MAX_ID_CHARACTERS: Final = 19


def _parse_zone(value: object) -> str:
    try:
        if isinstance(value, str) and value:
            return ZoneInfo(value).key
    except (OSError, ValueError, KeyError):
        pass
    raise SettingError(f'expected a time zone like "Europe/Zurich", found {found(value)}')


@attrs.frozen(kw_only=True)
class NetoxygenConfig:
    """`[dialects.netoxygen]`."""

    path: str = settings.path("/api2/")
    region: str = attrs.field(
        default="CH",
        metadata=about("the country that national numbers are of", parse=parse_region),
    )
    time_zone: str = attrs.field(
        default="Europe/Zurich", metadata=about("what dates mean", parse=_parse_zone)
    )
    default_sender: str = attrs.field(
        default="textobox.ch",
        metadata=about("sender where neither message nor account names one", parse=parse_sender),
    )
    max_parts: int = attrs.field(
        default=MAX_PARTS,
        metadata=about("parts that a text may have", minimum=1, maximum=MAX_PARTS),
    )
    max_items: int = attrs.field(
        default=1000, metadata=about("recipients, or identifiers, in one call", minimum=1)
    )
    free_accounts: tuple[str, ...] = attrs.field(
        default=(), metadata=about('accounts whose account_status is "free"')
    )
    unlimited: int = attrs.field(
        default=999_999,
        metadata=about("credits shown for accounts without a limit", minimum=0, maximum=2**31 - 1),
    )
    body_octets: int = settings.body_octets()


@attrs.define(slots=True)
class Reading:
    """How a dialect reads numbers and dates: built once from its settings."""

    config: NetoxygenConfig
    numbers: NumberReader
    zone: dt.tzinfo

    @classmethod
    def of(cls, config: NetoxygenConfig) -> "Reading":
        """Load the number plans and the time zone."""
        return cls(config, NumberReader(config.region), ZoneInfo(config.time_zone))


# --- calls --------------------------------------------------------------------------------------

METHODS: Final[Mapping[str, tuple[int, int]]] = {
    "send_message": (4, 7),
    "auth": (2, 2),
    "get_credits": (2, 2),
    "account_status": (2, 2),
    "get_guid": (2, 2),
    "clean_number": (3, 3),
    "get_status": (3, 3),
    "cancel_message": (3, 3),
}
"""How many parameters each needs and takes; the first two are user and password."""

_LISTS: Final = frozenset({("send_message", 2), ("get_status", 2), ("cancel_message", 2)})
"""Parameters that may be an array of strings as well."""


@attrs.define(slots=True)
class Asked:
    """A call whose frame is right; whether the password is, the gateway says."""

    method: str
    user: str
    password: str = attrs.field(repr=False)
    items: tuple[str, ...] = ()
    """The third parameter: recipients, identifiers, or a number."""
    rest: tuple[str, ...] = ()


def parse_asked(call: MethodCall, config: NetoxygenConfig) -> Asked | Fault:
    """Method, number and types of the parameters."""
    bounds = METHODS.get(call.method)
    if bounds is None:
        return Fault(NO_METHOD, f"method not found; there are {', '.join(METHODS)}")
    least, most = bounds
    if not least <= len(call.params) <= most:
        wants = f"{least}" if least == most else f"{least} to {most}"
        return _wrong(f"{call.method} takes {wants} parameters, found {len(call.params)}")
    for place, argument in enumerate(call.params):
        may_be_list = (call.method, place) in _LISTS
        if not (isinstance(argument, str) or (may_be_list and _is_strings(argument))):
            wants = "a string or an array of strings" if may_be_list else "a string"
            return _wrong(f"parameter {place + 1} of {call.method} must be {wants}")
    texts = [one if isinstance(one, str) else "" for one in call.params]
    third = call.params[2] if len(call.params) > 2 else []
    items = (third,) if isinstance(third, str) else tuple(map(str, third))
    if len(items) > config.max_items:
        return _wrong(f"{len(items)} in one call, {config.max_items} are allowed")
    return Asked(call.method, texts[0], texts[1], items, tuple(texts[3:]))


def login_fault(refused: Refused) -> Fault:
    """For methods that return no boolean, and for what may pass later."""
    if is_passing(refused):
        return Fault(APPLICATION, "the gateway is busy; try again later")
    return Fault(APPLICATION, "invalid user or password")


def _wrong(why: str) -> Fault:
    return Fault(WRONG_PARAMETERS, f"invalid parameters: {why}")


def _is_strings(argument: Argument) -> bool:
    return isinstance(argument, list) and all(isinstance(one, str) for one in argument)


# --- send_message -------------------------------------------------------------------------------


@attrs.define(slots=True)
class Order:
    """What send_message asks for: for each recipient a draft, or the error code it gets."""

    items: list[tuple[str, Draft | int]]

    def drafts(self) -> list[Draft]:
        """What goes to intake."""
        return [one for _, one in self.items if isinstance(one, Draft)]

    def rows(self, admissions: Sequence[Admission]) -> list[Value]:
        """A row for each recipient: it, 1 and the identifier, or it, 0 and the error code."""
        answers = iter(admissions)
        return [_row(dest, one, answers) for dest, one in self.items]


def parse_order(
    asked: Asked, account: AccountId, sender: str, reading: Reading, now_ms: int
) -> Order:
    """The messages of a call; `sender` is the one to use, see `choose_sender`."""
    message, _, date, kind = (*asked.rest, "", "", "")[:4]
    due_ms = parse_date(date, reading.zone, now_ms)
    content = _content(message, kind, reading)
    batch = NEW_BATCH if len(asked.items) > 1 else None
    order = Order([])
    for dest in asked.items:
        address = reading.numbers.address(dest)
        draft: Draft | int
        if address is None:
            draft = DESTINATION
        elif isinstance(content, int):
            draft = content
        elif due_ms - now_ms > MAX_AHEAD_S * 1000:
            draft = FORMAT
        else:
            body = to_body(sender, address, content)
            if isinstance(body, Invalid):
                draft = DESTINATION if body.field == "to" else SENDER
            else:
                draft = Draft(account, SOURCE, body, due_ms=due_ms, batch=batch)
        order.items.append((dest, draft))
    return order


def sender_wish(asked: Asked) -> str:
    """The sender that send_message names; "" if it names none."""
    return asked.rest[1].strip() if len(asked.rest) > 1 else ""


def choose_sender(wish: str, own: str, config: NetoxygenConfig) -> str:
    """The one asked for, "" if it cannot be used; else the account's own; else the default."""
    return wish or own or config.default_sender


def parse_date(text: str, zone: dt.tzinfo, now_ms: int) -> int:
    """When to send, ms UTC; 0 = at once: for no date, for one that is none or is over."""
    try:
        at = dt.datetime.fromisoformat(text.strip())
        due_ms = int((at if at.tzinfo else at.replace(tzinfo=zone)).timestamp() * 1000)
    except (ValueError, OverflowError):
        return 0
    return due_ms if due_ms > now_ms else 0


def _content(message: str, kind: str, reading: Reading) -> Content | int:
    if not message:
        return EMPTY
    is_flash = kind.strip().lower() == "flash"
    content = content_of(message, flash=is_flash, max_parts=reading.config.max_parts)
    return TOO_LONG if isinstance(content, Invalid) else content


def _row(dest: str, one: Draft | int, answers: Iterator[Admission]) -> Value:
    if isinstance(one, int):
        return [dest, 0, one]
    admission = next(answers)
    if isinstance(admission, Admitted):
        return [dest, 1, str(admission.id)]
    return [dest, 0, refusal_code(admission)]


# --- questions ----------------------------------------------------------------------------------


def credits_left(balances: Mapping[str, Decimal] | None, config: NetoxygenConfig) -> int:
    """All classes together, whole credits."""
    if balances is None:
        return config.unlimited
    return int(sum(balances.values(), Decimal(0)))


def account_status(account: str, config: NetoxygenConfig) -> str:
    """`regular` or `free`."""
    return "free" if account in config.free_accounts else "regular"


def parse_id(text: str) -> MessageId | None:
    """One of our identifiers, None for what never was one."""
    text = text.strip()
    if 1 <= len(text) <= MAX_ID_CHARACTERS and text.isascii() and text.isdigit():
        return MessageId(int(text)) if int(text) < 1 << 63 else None
    return None


def status_row(id_: str, report: MessageReport | None, reading: Reading) -> Value:
    """The identifier and what became of its message; false when there is none."""
    if report is None:
        return [id_, False]
    message, progress = report.message, report.progress
    error, status = codes_of(message, progress)
    spoken = read_body(message.body)
    sent_ms = max(message.accepted_ms, message.due_ms)
    return [
        id_,
        {
            "from": spoken.source,
            "to": spoken.destination,
            "length": len(spoken.text()),
            "sent_date": _local(sent_ms, reading.zone),
            "sent_status": error,
            "sent_status_text": ERRORS[error],
            "last_date": _local(progress.done_ms or sent_ms, reading.zone),
            "last_status": status,
            "last_status_text": STATUSES[status],
        },
    ]


def _local(at_ms: int, zone: dt.tzinfo) -> str:
    return f"{dt.datetime.fromtimestamp(at_ms // 1000, zone):%Y-%m-%d %H:%M:%S}"
