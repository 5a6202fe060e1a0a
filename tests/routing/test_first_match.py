"""The index against the walk through the rules in order."""

from collections.abc import Sequence

import pytest
from hypothesis import given
from hypothesis import strategies as st

from routing import first_match
from routing.first_match import FirstMatch, Pattern

groups = st.sampled_from(["shop", "bank", "club"])
digits = st.text("12", max_size=4)
patterns = st.builds(
    Pattern,
    st.lists(groups, max_size=2).map(tuple),
    st.lists(digits, max_size=3).map(tuple),
)


def walk(rules: Sequence[Pattern], group: str, number: str) -> int | None:
    """The slow twin."""
    for position, rule in enumerate(rules):
        if rule.groups and group not in rule.groups:
            continue
        if not rule.prefixes or number.startswith(rule.prefixes):
            return position
    return None


@pytest.mark.parametrize("copied", [0, first_match.COPIED])
@given(st.lists(patterns, max_size=8), groups, st.text("123", max_size=6))
def test_finds_what_walking_the_rules_finds(
    copied: int, rules: list[Pattern], group: str, number: str
) -> None:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(first_match, "COPIED", copied)
        index = FirstMatch(rules)
    assert index.find(group, number) == walk(rules, group, number)


def test_order_beats_length_of_the_prefix() -> None:
    index = FirstMatch([Pattern((), ("4",)), Pattern((), ("41",))])
    assert index.find("shop", "4179") == 0


def test_a_later_rule_for_the_account_does_not_beat_an_earlier_one_for_all() -> None:
    index = FirstMatch([Pattern((), ("41",)), Pattern(("shop",), ()), Pattern((), ())])
    assert index.find("shop", "4179") == 0
    assert index.find("shop", "4479") == 1
    assert index.find("bank", "4479") == 2
