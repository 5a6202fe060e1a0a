"""How a carrier's receipts name messages, as compared with its responses."""

import json
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pdu.receipt_ids import RELATIONS, IdHabit
from pdu.receipt_text import IdMatch

VECTORS = Path(__file__).parents[1] / "vectors"
SPELLINGS = [
    ("1a2b3c4d", "439041101", "hex_then_decimal"),
    ("001A2B3C4D", "439041101", "hex_then_decimal"),
    ("439041101", "1A2B3C4D", "decimal_then_hex"),
    ("439041101", "001a2b3c4d", "decimal_then_hex"),
    ("0000012345", "12345", "padded"),
    ("12345", "0000012345", "padded"),
    ("00ab", "AB", "padded"),
    ("msg-ab", "MSG-AB", "case"),
]


@pytest.mark.parametrize(("response", "receipt", "word"), SPELLINGS)
def test_each_spelling_is_found_learned_and_then_one_key(
    response: str, receipt: str, word: str
) -> None:
    habit = IdHabit()
    key = habit.response_key(response)
    assert key == response
    assert key in habit.candidates(receipt) + habit.padded_candidates(receipt)
    assert habit.learn(key, receipt)
    assert habit.word == word
    assert not habit.is_exact
    assert habit.response_key(response) == habit.receipt_key(receipt)
    configured = IdHabit(word)
    assert configured.response_key(response) == configured.receipt_key(receipt)
    assert not configured.learn("0001", "1")


@pytest.mark.parametrize(("response", "receipt"), [("10", "16"), ("16", "10"), ("100", "256")])
def test_numbers_alone_prove_no_base(response: str, receipt: str) -> None:
    habit = IdHabit()
    assert response not in habit.candidates(receipt) + habit.padded_candidates(receipt)
    assert not habit.learn(response, receipt)
    assert habit.is_exact


def test_the_vectors_of_ids() -> None:
    rows = [
        json.loads(line)
        for path in VECTORS.glob("*.jsonl")
        for line in path.read_text("utf-8").splitlines()
    ]
    rows = [row for row in rows if row["kind"] == "dlr_id"]
    assert rows
    for row in rows:
        habit = IdHabit()
        is_certain = "ambiguous" not in row["expect"]["match"]
        assert (row["submit_resp_id"] in habit.candidates(row["receipt_id"])) is is_certain


def test_a_base_is_not_given_up_for_less() -> None:
    habit = IdHabit()
    assert habit.learn("1a", "26")
    assert not habit.learn("0026", "26")
    assert habit.relation is IdMatch.HEX_THEN_DECIMAL


def test_as_configured_nothing_is_guessed() -> None:
    habit = IdHabit("same")
    assert habit.is_exact
    assert not habit.is_auto
    assert not habit.learn("1a", "26")


@given(number=st.integers(1, 2**63), width=st.integers(1, 20), word=st.sampled_from([*RELATIONS]))
def test_any_number_has_one_key(number: int, width: int, word: str) -> None:
    response, receipt = f"{number:0{width}d}", f"{number:0{width}d}"
    if word == "hex_then_decimal":
        response, receipt = f"{number:0{width}X}", f"{number}"
    elif word == "decimal_then_hex":
        receipt = f"{number:0{width}x}"
    elif word == "padded":
        receipt = str(number)
    habit = IdHabit(word)
    assert habit.response_key(response) == habit.receipt_key(receipt)
