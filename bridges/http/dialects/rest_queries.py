"""Lists of the native API: the parameters of their queries.

*In*: a query string. *Out*: `MessageQuery`, `InboxQuery`, a page of the ledger; or a `Problem`.
*Never*: I/O, a clock.
"""

import datetime as dt
from collections.abc import Callable
from typing import Any

from bridges.http.dialects.base import Invalid
from bridges.http.dialects.rest import parse_pairs
from bridges.http.dialects.rest_cursor import from_cursor
from bridges.http.dialects.rest_members import Parameter, read_query
from bridges.http.dialects.rest_problem import Problem, problem_of
from smsc.message import AccountId, MessageId, State
from smsc.ports import InboxKind, InboxQuery, MessageQuery

MAX_LIMIT = 1000
_LIMIT = 100
_EARLIEST = dt.datetime(1970, 1, 1, tzinfo=dt.UTC)


def _limit(raw: str) -> int | Invalid:
    if raw.isascii() and raw.isdecimal() and len(raw) < 6 and 1 <= int(raw) <= MAX_LIMIT:
        return int(raw)
    return Invalid("limit", raw, f"it must be a whole number from 1 to {MAX_LIMIT}")


def _cursor(raw: str) -> int | Invalid:
    below = from_cursor(raw)
    if below is None:
        return Invalid("cursor", raw, "it must be a next_cursor of this API, as it came")
    return below


def _at(name: str) -> Callable[[str], int | Invalid]:
    def read(raw: str) -> int | Invalid:
        try:
            at = dt.datetime.fromisoformat(raw)
            at_ms = -1 if at.tzinfo is None else int((at - _EARLIEST).total_seconds() * 1000)
        except (ValueError, OverflowError):
            at_ms = -1
        if at_ms >= 0:
            return at_ms
        why = "it must be a date and time with its zone such as 2026-11-22T09:30:00Z"
        return Invalid(name, raw, why)

    return read


def _states(raw: str) -> frozenset[State] | Invalid:
    names = raw.upper().split(",")
    if set(names) <= set(State.__members__):
        return frozenset(State[name] for name in names)
    known = ", ".join(State.__members__)
    return Invalid("state", raw, f"it must be one or more of {known}, with commas between them")


def _kinds(raw: str) -> frozenset[InboxKind] | Invalid:
    names = set(raw.split(","))
    known = {kind.value for kind in InboxKind}
    if names <= known:
        return frozenset(map(InboxKind, names))
    return Invalid("kind", raw, f"it must be one or more of {', '.join(sorted(known))}")


def _text(name: str, limit: int = 255) -> Callable[[str], str | Invalid]:
    def read(raw: str) -> str | Invalid:
        if 1 <= len(raw) <= limit:
            return raw
        return Invalid(name, raw, f"it must be 1 to {limit} characters; leave it out for any")

    return read


def _address(name: str) -> Callable[[str], str | Invalid]:
    text = _text(name, 64)

    def read(raw: str) -> str | Invalid:
        found = text(raw)
        return found if isinstance(found, Invalid) else found.removeprefix("+")

    return read


_WORD = {"type": "string", "minLength": 1}
_ADDRESS = _WORD | {"maxLength": 64}
_DATE = {"type": "string", "format": "date-time"}
_STATE_NAMES = "|".join(State.__members__)

LIMIT = Parameter(
    "limit",
    _limit,
    {"type": "integer", "minimum": 1, "maximum": MAX_LIMIT, "default": _LIMIT},
    "How many at most.",
)
CURSOR = Parameter("cursor", _cursor, _WORD, "Where the page begins: a next_cursor.")
KEYWORD = Parameter(
    "keyword", _text("keyword"), _WORD | {"maxLength": 255}, "What it holds, in whatever case."
)
MESSAGES = (
    Parameter(
        "state",
        _states,
        {"type": "string", "pattern": f"^({_STATE_NAMES})(,({_STATE_NAMES}))*$"},
        "One state or more, with commas between them.",
    ),
    Parameter("to", _address("to"), _ADDRESS, "How the recipient's number ends."),
    Parameter("from", _address("from"), _ADDRESS, "How the sender ends."),
    Parameter(
        "reference", _text("reference"), _WORD | {"maxLength": 255}, "The client's own name for it."
    ),
    Parameter("accepted_from", _at("accepted_from"), _DATE, "Accepted then or later."),
    Parameter("accepted_until", _at("accepted_until"), _DATE, "Accepted before that."),
    Parameter(
        "account",
        _text("account", 64),
        _ADDRESS,
        "Those of another account, or * for all of them: for admins.",
    ),
    LIMIT,
    CURSOR,
)
INBOX = (
    Parameter(
        "kind",
        _kinds,
        {"type": "string", "pattern": "^(keyword|inbox|sandbox)(,(keyword|inbox|sandbox))*$"},
        "How it came to lie there.",
    ),
    Parameter("from", _address("from"), _ADDRESS, "How the sender's number ends."),
    Parameter("to", _address("to"), _ADDRESS, "How the number that was written to ends."),
    KEYWORD,
    LIMIT,
    CURSOR,
)
LEDGER = (LIMIT, CURSOR)
BOOK = (KEYWORD, LIMIT, CURSOR)

Values = dict[str, Any]


def parse_query(parameters: tuple[Parameter, ...], query: str) -> Values | Problem:
    """The values of a query string by name."""
    pairs = parse_pairs(query)
    values = pairs if isinstance(pairs, Invalid) else read_query(parameters, pairs)
    return problem_of(values) if isinstance(values, Invalid) else values


def message_query(values: Values, account: AccountId, *, is_admin: bool) -> MessageQuery | Problem:
    """Which messages `GET /v1/messages` asks for."""
    of: str = values.get("account", account)
    if of != account and not is_admin:
        why = f"account {account} may see its own messages only; leave account out"
        return Problem(403, why, field="account")
    below = values.get("cursor")
    return MessageQuery(
        account=None if of == "*" else AccountId(of),
        states=values.get("state", frozenset()),
        destination=values.get("to", ""),
        source=values.get("from", ""),
        reference=values.get("reference", ""),
        from_ms=values.get("accepted_from", 0),
        until_ms=values.get("accepted_until", 0),
        below=None if below is None else MessageId(below & ((1 << 63) - 1)),
        limit=limit_of(values),
    )


def inbox_query(values: Values) -> InboxQuery:
    """Which received messages `GET /v1/inbox` asks for."""
    below = values.get("cursor")
    return InboxQuery(
        kinds=values.get("kind", frozenset()),
        source=values.get("from", ""),
        destination=values.get("to", ""),
        keyword=values.get("keyword", ""),
        below=None if below is None else MessageId(below & ((1 << 63) - 1)),
        limit=limit_of(values),
    )


def limit_of(values: Values) -> int:
    """How many are asked for."""
    found: int = values.get("limit", _LIMIT)
    return found
