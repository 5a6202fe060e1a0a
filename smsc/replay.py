"""Past traffic through a candidate configuration: `smsc explain --replay`.

*In*: a CSV file with the columns account, from, to and, where known, text, source, tags
(parted by spaces), service_type and at (ISO 8601); the configuration of today and the candidate.
*Out*: `Replay`: what would change, counted and with an example each.
*Never*: chance: rules that choose by weight or in turn are compared as rules, not as draws.
"""

import csv
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import TypeAlias

import attrs

from pdu.address import Address
from routing.decision import Decision
from routing.explanation import changes
from routing.table import RoutingTable
from smsc.config import Config
from smsc.explain import Answer, Explainer, Question

_COLUMNS = ("account", "from", "to")
_MISTAKES_TOLD = 20
Judge: TypeAlias = Callable[[Question], "Outcome"]


@attrs.frozen
class Outcome:
    """What becomes of a message, as far as people compare it."""

    told: str
    """The rule and the way, for people; not compared."""
    rule: str
    """Its name; "" for one without, whose number says only where it stands."""
    way: str
    """Outlets and what is done; or the status that refuses. It holds no number of the message."""
    sender: str = ""
    recipient: str = ""
    text: str = ""
    """Coding and parts."""
    costs: str = ""

    def differs(self, other: "Outcome") -> tuple[str, ...]:
        """The names of what is another."""
        found = ["way"] if self.way != other.way else []
        if self.rule and other.rule and self.rule != other.rule:
            found.append("rule")
        if self.sender and other.sender:  # both are sent
            found += [name for name in _SHOWN if getattr(self, name) != getattr(other, name)]
        return tuple(found)

    def shown(self, names: tuple[str, ...]) -> str:
        """For people, with what is another."""
        extra = (f"{_SHOWN[name]} {getattr(self, name)}" for name in names if name in _SHOWN)
        return "; ".join((self.told, *extra))


_SHOWN = {"sender": "from", "recipient": "to", "text": "as", "costs": "costs"}


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
    counts: dict[tuple[tuple[str, ...], ...], Change] = {}
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
                old, new = before(question), after(question)
                names = old.differs(new)
                if names:
                    # Numbers and amounts are as many as messages: those of the first are shown.
                    key = names, (old.rule, old.way), (new.rule, new.way)
                    known = counts.get(key)
                    counts[key] = (
                        Change(old.shown(names), new.shown(names), 1, line, _example(question))
                        if known is None
                        else attrs.evolve(known, count=known.count + 1)
                    )
    except (OSError, UnicodeDecodeError, csv.Error) as error:
        return f"cannot read {str(path)!r}: {error}"
    found = sorted(counts.values(), key=lambda one: -one.count)
    if len(mistakes) > _MISTAKES_TOLD:
        mistakes[_MISTAKES_TOLD:] = [f"and {len(mistakes) - _MISTAKES_TOLD} more"]
    return Replay(total, tuple(found), tuple(mistakes))


def judge(config: Config) -> Judge:
    """What would become of a message under a configuration, so that it can be compared."""
    explainer = Explainer(config)

    def outcome(question: Question) -> Outcome:
        answer = explainer.decide(question)
        decision = answer.routing.answer if answer.routing is not None else None
        if not isinstance(decision, Decision):
            rule = "" if decision is None else _name(explainer.table, decision.rule)
            who = "the account" if decision is None else "rules"
            way = f"refused by {who} with {answer.status}"
            return Outcome(f"refused: {answer.why_not}", rule, way)
        way = "dropped"
        if not decision.actions.drop:
            way = _way(explainer.table, decision.rule, decision.outlets)
        actions = attrs.evolve(decision.actions, destination_addr=None, source=None)
        way = "; ".join((way, *changes(actions)))
        coding, parts = answer.coding.coding, answer.coding.parts
        return Outcome(
            f"{decision.rule}: {way}",
            _name(explainer.table, decision.rule),
            way,
            _address(answer.new_sender),
            _address(answer.new_recipient),
            f"{coding} in {parts} part{'s' if parts != 1 else ''}",
            _costs(answer),
        )

    return outcome


def _name(table: RoutingTable, name: str) -> str:
    """A rule's own name; "" when it has none, or there is no rule."""
    return table.rule_called(name).name if name else ""


def _address(address: Address) -> str:
    return f"{address.addr or 'nobody'} (ton {address.ton}, npi {address.npi})"


def _costs(answer: Answer) -> str:
    """By each outlet, and what the account pays."""
    told = [f"{cost} by {name}" for name, cost in answer.costs().items()]
    if answer.price is not None:
        of = f" of {answer.price.credit_class}" if answer.price.credit_class else ""
        told.append(f"{answer.price.amount}{of} to the account")
    return ", ".join(told) or "nothing"


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
                    service_type=row.get("service_type") or "",
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
