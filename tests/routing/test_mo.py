"""Messages from the network find their account."""

import pytest

from routing.mo import MoTable, first_word
from routing.rule import MoRule

TABLE = MoTable(
    [
        MoRule(to=("12345",), keyword="STOP", account="optout"),
        MoRule(to=("12345",), account="demo"),
        MoRule(keyword="Straße", account="maps"),
        MoRule(to=("41", "42"), account="bank"),
    ]
)


@pytest.mark.parametrize(
    ("to", "word", "account"),
    [
        ("12345", "stop", "optout"),
        ("12345", "hello", "demo"),
        ("12345", "", "demo"),
        ("123456", "hello", "demo"),
        ("1234", "hello", None),
        ("4179", "STRASSE", "maps"),
        ("4279", "stop", "bank"),
        ("", "", None),
    ],
)
def test_the_first_rule_that_matches_wins(to: str, word: str, account: str | None) -> None:
    assert TABLE.choose(to, word) == account
    walked = next((rule.account for rule in TABLE.rules if rule.mismatch(to, word) is None), None)
    assert walked == account


def test_the_reason_names_what_does_not_fit() -> None:
    stop, demo, *_ = TABLE.rules
    assert stop.mismatch("12345", "hi") == "the first word 'hi' is not 'STOP'"
    assert demo.mismatch("999", "hi") == "999 begins with none of 12345"


@pytest.mark.parametrize(
    ("text", "word"), [("Stop it", "Stop"), (" \n stop\tnow", "stop"), ("", ""), ("  ", "")]
)
def test_first_word(text: str, word: str) -> None:
    assert first_word(text) == word
