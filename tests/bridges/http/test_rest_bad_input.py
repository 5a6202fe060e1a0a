"""Every operation of the native API × {missing, wrong, hostile} arguments: refused, nothing stored.

The table of cases is made from the table of operations, so a new one is tested when it is written.
"""

from collections.abc import Iterator
from typing import Any

import orjson
import pytest

from bridges.http.dialects.rest_members import Shape
from bridges.http.dialects.rest_operations import OPERATIONS, Caller, Operation
from tests.bridges.http.dialect_house import DialectHouse

GOOD: dict[str, dict[str, Any]] = {
    "Message": {"to": "41791234567", "text": "hi", "schedule": 3600},
    "Change": {"text": "changed"},
    "Contact": {"name": "Ann", "number": "41791234567"},
    "Group": {"name": "Staff", "code": "bad-input"},
    "SimulatedMo": {"outlet": "sim", "from": "41791234567", "to": "12345", "text": "hi"},
}
WRONG: list[Any] = [{}, {"a": 1}, [[]], [{}], float("1e300")]
"""Of no kind that any member has."""
BODIES: dict[str, bytes] = {
    "empty": b"",
    "blank": b" \n",
    "no JSON": b"{",
    "no UTF-8": b'{"to":"\xff"}',
    "lone surrogate": b'{"to":"\\ud800","text":"x"}',
    "NUL": b"\0",
    "NaN": b'{"to":NaN}',
    "XML": b'<?xml version="1.0"?><!DOCTYPE a [<!ENTITY b "c">]><a>&b;</a>',
    "deep": b"[" * 5000 + b"]" * 5000,
    "text": b'"x"',
    "number": b"1",
    "null": b"null",
}
IDS = ("0", "-1", "9" * 19, "9" * 40, "x", "%00", "..%2f", "%D9%A1", "1%20")
Case = tuple[Operation, dict[str, Any]]


def cases() -> Iterator[Any]:
    """(operation, what the request is made of)."""
    for operation in OPERATIONS:
        shape, name = operation.shape, operation.name
        if shape is not None:
            for what, body in BODIES.items():
                yield pytest.param(operation, {"content": body}, id=f"{name}-{what}")
            for what, item in wrong_items(shape):
                yield pytest.param(operation, {"json": item}, id=f"{name}-{what}")
        known = {one.name for one in operation.query}
        for query in ("unknown=1", *(f"{one}=%00" for one in sorted(known - FREE))):
            yield pytest.param(operation, {"query": query}, id=f"{name}-{query}")
        if "{id}" in operation.path:
            for id_ in IDS:
                yield pytest.param(operation, {"id": id_}, id=f"{name}-id-{id_}")


FREE = {"to", "from", "reference", "keyword", "account"}
"""Parameters that take any text: nothing fits what is hostile."""


def wrong_items(shape: Shape) -> Iterator[tuple[str, Any]]:
    good = GOOD[shape.name]
    for name in shape.required:
        yield f"without {name}", {key: one for key, one in good.items() if key != name}
        yield f"null {name}", good | {name: None}
        yield f"empty {name}", good | {name: ""}
    for name in shape.members:
        for nth, value in enumerate(WRONG):
            yield f"wrong {name} {nth}", good | {name: value}
        yield f"long {name}", good | {name: "x" * 66_000}
    yield "unknown member", good | {"unknown": 1}
    yield "prototype", good | {"__proto__": {}}


@pytest.mark.parametrize(("operation", "request_"), list(cases()))
def test_it_is_refused_in_problem_json_and_nothing_is_stored(
    house: DialectHouse, operation: Operation, request_: dict[str, Any]
) -> None:
    shape = operation.shape
    path = operation.path.replace("{id}", request_.get("id", "1"))
    path = path.replace("{name}", "sim").replace("{action}", "nothing")
    arguments: dict[str, Any] = {}
    if "content" in request_:
        arguments["content"] = request_["content"]
    elif shape is not None:
        arguments["content"] = orjson.dumps(request_.get("json", GOOD[shape.name]))
    before = house.stored()
    answer = house.client.request(
        operation.method,
        path + (f"?{request_['query']}" if "query" in request_ else ""),
        auth=("boss", "boss"),
        headers={"content-type": "application/json"},
        **arguments,
    )
    assert 400 <= answer.status_code < 500, answer.text
    problem = answer.json()
    assert answer.headers["content-type"] == "application/problem+json"
    assert problem["status"] == answer.status_code
    assert len(answer.content) < 2000
    assert house.stored() == before


@pytest.mark.parametrize("operation", OPERATIONS, ids=lambda one: one.name)
def test_a_stranger_is_asked_who_he_is(house: DialectHouse, operation: Operation) -> None:
    path = operation.path.format(id="1", name="sim", action="stop")
    house.forgive()
    answer = house.client.request(operation.method, path)
    if operation.caller is Caller.ANYBODY:
        assert answer.status_code == 200
        return
    assert (answer.status_code, answer.headers["www-authenticate"][:5]) == (401, "Basic")
    if operation.caller is Caller.ADMIN:
        assert (
            house.client.request(operation.method, path, auth=("demo", "demo")).status_code == 403
        )
