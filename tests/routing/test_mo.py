"""Messages from the network find their account."""

import pytest

from routing.mo import MoDecision, MoTable, first_word
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


CARRIERS = MoTable(
    [
        MoRule(name="inbox", to=("12345",), outlets=("a",), account="demo", deliver="inbox"),
        MoRule(keyword="WIN", outlets=("a", "b"), account="lottery"),
        MoRule(to=("12345",), account="web", deliver="callback", callback="https://example.com/mo"),
    ]
)


@pytest.mark.parametrize("outlet", ["a", "b", "c", ""])
@pytest.mark.parametrize("to", ["12345", "999"])
@pytest.mark.parametrize("word", ["win", "hello"])
def test_rules_may_be_for_carriers(outlet: str, to: str, word: str) -> None:
    found = CARRIERS.match(to, word, outlet)
    walked = next(
        (rule for rule in CARRIERS.rules if rule.mismatch(to, word, outlet) is None), None
    )
    assert (found and found.account) == (walked and walked.account)
    assert CARRIERS.choose(to, word, outlet) == (walked and walked.account)


def test_a_decision_says_how_to_deliver() -> None:
    assert CARRIERS.match("12345", "x", "a") == MoDecision("inbox", "demo", "inbox", "")
    assert CARRIERS.match("12345", "x", "b") == MoDecision(
        "mo_routes[2]", "web", "callback", "https://example.com/mo"
    )
    assert CARRIERS.match("1", "win", "b") == MoDecision(
        "mo_routes[1]", "lottery", "receivers", "", is_by_keyword=True
    )
    assert CARRIERS.match("1", "x", "b") is None


def test_the_reason_names_what_does_not_fit() -> None:
    stop, demo, *_ = TABLE.rules
    assert stop.mismatch("12345", "hi") == "the first word 'hi' is not 'STOP'"
    assert demo.mismatch("999", "hi") == "999 begins with none of 12345"
    assert CARRIERS.rules[0].mismatch("12345", "hi", "c") == "it came by c, none of a"


@pytest.mark.parametrize(
    ("text", "word"), [("Stop it", "Stop"), (" \n stop\tnow", "stop"), ("", ""), ("  ", "")]
)
def test_first_word(text: str, word: str) -> None:
    assert first_word(text) == word
