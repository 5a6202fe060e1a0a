"""The reference's vectors of the kinds text, dlr, dlr_id and time, and that the checks can fail."""

import json
from copy import deepcopy
from pathlib import Path
from typing import Any

import pytest

from pdu.text_vectors import CHECKS

VECTORS = [
    vector
    for line in (Path(__file__).parents[1] / "vectors" / "vectors.jsonl").read_text().splitlines()
    if (vector := json.loads(line))["kind"] in CHECKS
]


def test_the_file_has_all_four_kinds() -> None:
    assert {vector["kind"] for vector in VECTORS} == set(CHECKS)


@pytest.mark.parametrize("vector", VECTORS, ids=lambda vector: vector["id"])
def test_vector_holds(vector: dict[str, Any]) -> None:
    assert CHECKS[vector["kind"]](vector) is None


@pytest.mark.parametrize("vector", VECTORS, ids=lambda vector: vector["id"])
def test_every_expected_value_counts(vector: dict[str, Any]) -> None:
    for key in vector["expect"]:
        if key == "parts":
            continue
        broken = deepcopy(vector)
        broken["expect"] = (
            {key: not vector["expect"][key]}
            if key in {"error", "empty"}
            else {
                **vector["expect"],
                key: "something else",
            }
        )
        assert CHECKS[vector["kind"]](broken), key
    for at, part in enumerate(vector["expect"].get("parts", [])):
        for key in part:
            broken = deepcopy(vector)
            broken["expect"]["parts"][at][key] = "00" if isinstance(part[key], str) else -1
            assert CHECKS[vector["kind"]](broken), key


def test_order_of_header_elements_is_free() -> None:
    vector = deepcopy(next(v for v in VECTORS if v["id"] == "national-018"))
    part = vector["expect"]["parts"][0]
    swapped = "06250106240106"
    for key in ("udh", "smpp_short_message", "tpdu_ud"):
        part[key] = swapped + part[key][len(swapped) :]
    assert CHECKS["text"](vector) is None


def test_a_text_the_named_tables_cannot_carry_fails() -> None:
    vector = deepcopy(next(v for v in VECTORS if v["id"] == "national-001"))
    vector["input"]["text"] = "я"
    assert CHECKS["text"](vector) == "the named tables cannot carry the text"


def test_prose_about_ids_is_understood() -> None:
    def fault(match: str, receipt_id: str) -> str | None:
        vector = {"submit_resp_id": "1a", "receipt_id": receipt_id, "expect": {"match": match}}
        return CHECKS["dlr_id"](vector)

    assert fault("Exact", "1a") is None
    assert fault("same but for case", "1A") is None
    assert fault("leading zeros", "01A") is None
    assert fault("no match", "9") is None
    assert fault("exact", "9") == "match: 'no match', expected 'exact'"


def test_what_must_not_be_a_receipt() -> None:
    assert CHECKS["dlr"]({"short_message": "Hello", "expect": {"error": True}}) is None
    assert (
        CHECKS["dlr"]({"short_message": "Hello", "expect": {"id": "1"}}) == "not read as a receipt"
    )


def test_times_that_should_or_should_not_be_read() -> None:
    def fault(value: str, **expect: object) -> str | None:
        return CHECKS["time"]({"value": value, "expect": expect})

    assert fault("261231", absolute_utc="2026-12-31T00:00:00.0Z") == (
        "refused: SMPP time '261231': not 16 characters"
    )
    accepted = fault("000000000500000R", error=True)
    assert accepted is not None
    assert accepted.startswith("accepted as Relative")
    assert fault("", relative="P0Y0M0DT0H0M0S") == "read as empty"


def test_expectations_that_nobody_can_judge_fail() -> None:
    vector = deepcopy(next(v for v in VECTORS if v["kind"] == "dlr"))
    vector["expect"]["colour"] = "blue"
    assert CHECKS["dlr"](vector) == "colour: nothing to compare with 'blue'"
