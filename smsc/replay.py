"""Past traffic through a candidate configuration: `smsc explain --replay`.

*In*: a CSV file with the columns account, from, to and, where known, text, source, tags
(parted by spaces) and at (ISO 8601); the configuration of today and the candidate.
*Out*: `Replay`: what would change, counted and with an example each.
*Never*: chance: rules that choose by weight or in turn are compared as rules, not as draws.
"""

import csv
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import TypeAlias

import attrs

from routing.actions import NOTHING
from routing.decision import NoRoute
from routing.explanation import changes
from routing.table import RoutingTable
from smsc.config import Config
from smsc.explain import Explainer, Question

_COLUMNS = ("account", "from", "to")
_MISTAKES_TOLD = 20
Judge: TypeAlias = Callable[[Question], str]


@attrs.frozen
class Change:
    """Messages that would go another way."""

    before: str
    after: str
    count: int
    line: int
    """Where the first of them stands in the file."""
    example: str


@attrs.frozen
class Replay:
    """What the candidate would change."""

    total: int
    changes: tuple[Change, ...]
    """The most frequent first."""
    mistakes: tuple[str, ...]
    """Lines that could not be read."""

    @property
    def changed(self) -> int:
        """Messages that would go another way."""
        return sum(one.count for one in self.changes)

    def lines(self) -> list[str]:
        """For a terminal."""
        same = self.total - self.changed
        lines = [f"{self.total} messages: {same} as before, {self.changed} changed"]
        for one in self.changes:
            lines += [
                f"{one.count:>9}  - {one.before}",
                f"{'':>9}  + {one.after}",
                f"{'':>9}    first on line {one.line}: {one.example}",
            ]
        return [*lines, *(f"not read: {mistake}" for mistake in self.mistakes)]

    def as_dict(self) -> dict[str, object]:
        """For machines."""
        return {
            "total": self.total,
            "changed": self.changed,
            "changes": [attrs.asdict(one) for one in self.changes],
            "mistakes": list(self.mistakes),
        }


def replay(path: Path, current: Config, candidate: Config, now_ms: int) -> Replay | str:
    """Judge every message of the file twice; a sentence when the file cannot be read at all.

    :param now_ms: the time of messages that say none.
    """
    before, after = judge(current), judge(candidate)
    counts: dict[tuple[str, str], tuple[int, int, str]] = {}
    mistakes: list[str] = []
    total = 0
    try:
        with path.open(encoding="utf-8-sig", newline="") as file:
            rows = csv.DictReader(file)
            missing = [name for name in _COLUMNS if name not in (rows.fieldnames or ())]
            if missing:
                return f"{path}: expected columns {', '.join(_COLUMNS)}; no {', '.join(missing)}"
            for line, question in _questions(rows, now_ms):
                if isinstance(question, str):
                    mistakes.append(f"line {line}: {question}")
                    continue
                total += 1
                pair = before(question), after(question)
                if pair[0] != pair[1]:
                    count, first, example = counts.get(pair, (0, line, _example(question)))
                    counts[pair] = count + 1, first, example
    except (OSError, UnicodeDecodeError, csv.Error) as error:
        return f"cannot read {str(path)!r}: {error}"
    found = [
        Change(old, new, count, line, example)
        for (old, new), (count, line, example) in counts.items()
    ]
    found.sort(key=lambda one: -one.count)
    if len(mistakes) > _MISTAKES_TOLD:
        mistakes[_MISTAKES_TOLD:] = [f"and {len(mistakes) - _MISTAKES_TOLD} more"]
    return Replay(total, tuple(found), tuple(mistakes))


def judge(config: Config) -> Judge:
    """What would become of a message under a configuration, in one line that can be compared."""
    explainer = Explainer(config)

    def outcome(question: Question) -> str:
        decision = explainer.decide(question)
        if isinstance(decision, NoRoute):
            return f"refused: {decision.why}"
        way = "dropped"
        if not decision.actions.drop:
            way = _way(explainer.table, decision.rule, decision.outlets)
        done = [] if decision.actions is NOTHING else changes(decision.actions)
        return "; ".join((f"{decision.rule}: {way}", *done))

    return outcome


def _way(table: RoutingTable, name: str, outlets: tuple[str, ...]) -> str:
    rule = table.rule_called(name)
    if rule.choose.by not in {"weight", "turn"}:
        return " > ".join(outlets)
    shares = rule.choose.weights or (1,) * len(rule.outlets)
    each = (f"{outlet} {share}" for outlet, share in zip(rule.outlets, shares, strict=True))
    return f"by {rule.choose.by}: {', '.join(each)}"


def _questions(rows: "csv.DictReader[str]", now_ms: int) -> Iterator[tuple[int, Question | str]]:
    for row in rows:
        line = rows.line_num  # of the file: texts may have line ends, and empty lines are no rows
        at_ms = _at_ms(row.get("at") or "", now_ms)
        if not row["account"] or row["to"] is None:
            yield line, "expected an account and a recipient"
        elif at_ms is None:
            yield line, f"expected a time like 2026-11-22T10:00:00Z, found {row.get('at')!r}"
        else:
            yield (
                line,
                Question(
                    account=row["account"],
                    sender=row["from"] or "",
                    to=row["to"],
                    text=row.get("text") or "",
                    source=row.get("source") or "smpp",
                    tags=tuple((row.get("tags") or "").split()),
                    at_ms=at_ms,
                ),
            )


def _at_ms(written: str, now_ms: int) -> int | None:
    """Ms UTC; a time without a zone is UTC; None when it is no time."""
    if not written:
        return now_ms
    try:
        at = datetime.fromisoformat(written)
    except ValueError:
        return None
    return int((at if at.tzinfo else at.replace(tzinfo=UTC)).timestamp() * 1000)


def _example(question: Question) -> str:
    return f"{question.account}, {question.sender} to {question.to}"
