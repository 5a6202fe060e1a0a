"""The vectors of the reference, and that the runner would see a failure."""

import json
from pathlib import Path
from typing import Any

import pytest

from pdu.__main__ import main
from pdu.vectors import CHECKS, run

FILE = Path(__file__).parent.parent / "vectors" / "vectors.jsonl"
VECTORS = [json.loads(line) for line in FILE.read_text(encoding="utf-8").splitlines()]


@pytest.mark.parametrize("vector", VECTORS, ids=lambda vector: vector["id"])
def test_vector(vector: dict[str, Any]) -> None:
    assert CHECKS[vector["kind"]](vector) is None


def first(kind: str) -> dict[str, Any]:
    found: dict[str, Any] = next(vector for vector in VECTORS if vector["kind"] == kind)
    return json.loads(json.dumps(found))  # type: ignore[no-any-return]  # a copy of it


def failures(*vectors: dict[str, Any]) -> list[str | None]:
    return [outcome.failure for outcome in run(json.dumps(vector) for vector in vectors)]


@pytest.mark.parametrize(
    ("key", "value"),
    [
        ("command", "deliver_sm"),
        ("command_length", 1),
        ("sequence_number", 99),
        ("body", {}),
        ("tlvs", [{}]),
    ],
)
def test_a_pdu_that_decodes_otherwise_fails(key: str, value: object) -> None:
    vector = first("pdu")
    vector["expect"][key] = value
    (failure,) = failures(vector)
    assert failure is not None
    assert failure.startswith(key)


@pytest.mark.parametrize(
    "hex_",
    ["00000010", "0000000f000000150000000000000001", "00000010000007770000000000000001", "zz"],
)
def test_a_pdu_that_does_not_decode_fails(hex_: str) -> None:
    assert failures(first("pdu") | {"hex": hex_}) != [None]


@pytest.mark.parametrize(
    "change",
    [
        {"close": True},
        {"response": "submit_sm_resp"},
        {"response": None},
        {"command_status_any_of": [0xFF]},
        {"sequence_number": 12345},
    ],
)
def test_another_answer_than_the_vector_allows_fails(change: dict[str, Any]) -> None:
    vector = next(
        vector
        for vector in VECTORS
        if vector["kind"] == "malformed" and vector["expect"].get("sequence_number")
    )
    assert failures(vector) == [None]
    assert failures(vector | {"expect": vector["expect"] | change}) != [None]


def test_alternatives_are_taken() -> None:
    vector = first("malformed")
    expect = vector["expect"]
    other = expect | {"response": "submit_sm_resp", "alt_response": expect["response"]}
    assert failures(vector | {"expect": other}) == [None]
    optional = {"response": "submit_sm_resp", "response_optional": True, "close": False}
    unfinished = vector | {"hex": "00000020", "expect": optional}
    assert failures(unfinished) == [None]


def test_framing_in_other_pieces_fails() -> None:
    vector = first("framing")
    assert failures(vector | {"expect": {"pdus": [], "close": False}}) != [None]
    wrong = vector | {"expect": vector["expect"] | {"close": True}}
    assert failures(wrong) == ["close is False"]


def test_the_command_prints_failures_and_a_count(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    good = first("pdu")
    bad = good | {"id": "bad-1", "hex": good["hex"] + "00"}
    file = tmp_path / "vectors.jsonl"
    lines = [json.dumps(good), json.dumps(bad), "", "{", '{"id": "odd-1", "kind": "odd"}']
    file.write_text("\n".join(lines), encoding="utf-8")
    assert main(["vectors", str(file)]) == 1
    printed = capsys.readouterr().out.splitlines()
    assert [line.split(":")[0] for line in printed] == [
        "bad-1",
        "line 4",
        "odd-1",
        "1 passed, 3 failed",
    ]
    assert main(["vectors", str(FILE)]) == 0
    assert capsys.readouterr().out == f"{len(VECTORS)} passed, 0 failed\n"
    assert main(["vectors", str(tmp_path / "none.jsonl")]) == 2
