"""Errors of the native API: problem+json (RFC 9457).

*In*: what is wrong. *Out*: a `Problem`, and its reply. *Never*: a secret; more than a few
characters of what a client wrote.
"""

import http

import attrs

from bridges.http.dialects.base import Invalid, Reply, http_status, json_reply, shown
from pdu.status import status_name
from smsc.ports import Refused

PROBLEM_TYPE = "application/problem+json"


@attrs.define(slots=True)
class Problem:
    """An error as RFC 9457 has it: HTTP status, a sentence, and what it is about."""

    status: int
    detail: str
    field: str | None = None
    value: str | None = None
    code: str | None = None
    why: str | None = None
    """What is wrong with the field, without its name and value."""


def problem_of(invalid: Invalid) -> Problem:
    """What is wrong with a field."""
    where = attrs.evolve(invalid, field=invalid.field or "body")
    field = invalid.field or None
    return Problem(400, where.sentence(), field, shown(invalid.value), why=invalid.why)


def refusal(refused: Refused) -> Problem:
    """What the gateway said no to."""
    return Problem(http_status(refused.status), refused.why, code=status_name(refused.status))


def problem_reply(problem: Problem) -> Reply:
    """An error as application/problem+json."""
    return json_reply(problem.status, problem_body(problem), PROBLEM_TYPE)


def invalid_reply(invalid: Invalid) -> Reply:
    """A field that cannot be used."""
    return problem_reply(problem_of(invalid))


def refusal_reply(refused: Refused) -> Reply:
    """What the gateway said no to, as a reply."""
    return problem_reply(refusal(refused))


def pointer(problem: Problem, at: str = "") -> dict[str, str]:
    """An element of `errors`: a JSON pointer (RFC 6901) to the member, and what is wrong there.

    :param at: where the message stands in an array, such as "/3".
    """
    field = problem.field
    escaped = "" if field is None else "/" + field.replace("~", "~0").replace("/", "~1")
    return {"pointer": f"#{at}{escaped}", "detail": problem.why or problem.detail}


def problem_body(problem: Problem, at: str = "") -> dict[str, object]:
    """The members of a problem; `field`, `value`, `code` and `errors` only where there are any."""
    body: dict[str, object] = {
        "type": "about:blank",
        "title": http.HTTPStatus(problem.status).phrase,
        "status": problem.status,
        "detail": problem.detail,
    }
    extra = {"field": problem.field, "value": problem.value, "code": problem.code}
    body |= {name: value for name, value in extra.items() if value is not None}
    if problem.field is not None:
        body["errors"] = [pointer(problem, at)]
    return body
