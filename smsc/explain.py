"""What would become of a message, and why: `smsc explain`.

*In*: a configuration and a message as a person describes it.
*Out*: `Answer`: numbers as read, every rule tried, what is done to the message,
its coding and parts, where it goes and what that costs. Lines for people, a dict for machines.
*Never*: sends, stores or asks a running gateway: health is unknown here.
"""

from collections.abc import Mapping
from decimal import Decimal
from typing import Any

import attrs

from pdu.address import (
    Address,
    destination_fault,
    guess_destination,
    guess_source,
    source_fault,
)
from pdu.text.coding import Choice, choose
from pdu.text.transliteration import transliterate
from routing.actions import NOTHING, Actions
from routing.decision import Decision, NoRoute
from routing.explanation import Explanation
from routing.key import RouteKey
from smsc.config import Config
from smsc.config_accounts import sender_allowed


@attrs.frozen(kw_only=True)
class Question:
    """A message that somebody might send."""

    account: str
    sender: str
    to: str
    text: str = ""
    source: str = "smpp"
    tags: tuple[str, ...] = ()
    priority: int = 0
    at_ms: int = 0


@attrs.frozen
class Answer:
    """What would become of it."""

    question: Question
    sender: Address
    recipient: Address
    refused: str
    """Why it would not come to routing; "" when it would."""
    routing: Explanation | None
    coding: Choice
    """Of the text as it would be sent."""

    @property
    def actions(self) -> Actions:
        """What would be done to it."""
        decision = self.routing.answer if self.routing is not None else None
        return decision.actions if isinstance(decision, Decision) else NOTHING

    def lines(self) -> list[str]:
        """For a terminal."""
        coding = self.coding
        lines = [
            f"from     {_shown(self.question.sender, self.sender)}",
            f"to       {_shown(self.question.to, self.recipient)}",
            f"account  {self.question.account}",
        ]
        if self.routing is None:
            return [*lines, f"= refused: {self.refused}"]
        *told, last = self.routing.lines()
        lines += told
        if coding.text != self.question.text:
            lines.append(f"~ text becomes {coding.text!r}")
        parts = f"{coding.parts} part{'s' if coding.parts != 1 else ''}"
        lines.append(f"  coding {coding.coding}, data_coding {coding.data_coding}, {parts}")
        if coding.data_coding and coding.forced_by:
            lines.append(f"  not GSM 7-bit for {' '.join(coding.forced_by)}")
        lines += [f"  price by {name}: {cost}" for name, cost in self.costs().items()]
        if self.actions.charge is not None:
            lines.append(f"  charged {self.actions.charge * coding.parts}")
        return [*lines, last]

    def costs(self) -> dict[str, Decimal]:
        """What the whole message costs by each outlet that has a price."""
        prices = self.routing.prices if self.routing is not None else {}
        return {
            name: price * self.coding.parts for name, price in prices.items() if price is not None
        }

    def as_dict(self) -> dict[str, Any]:
        """For machines; amounts are strings, so that none is rounded."""
        routing = self.routing
        decision = routing.answer if routing is not None else None
        return {
            "account": self.question.account,
            "from": self.sender._asdict(),
            "to": self.recipient._asdict(),
            "tried": [] if routing is None else [attrs.asdict(one) for one in routing.tried],
            "rule": decision.rule if decision is not None else "",
            "refused": decision.why if isinstance(decision, NoRoute) else self.refused,
            "status": decision.status.name if isinstance(decision, NoRoute) else "",
            "outlets": _outlets(routing, self.costs()),
            "actions": _said(self.actions),
            "text": self.coding.text,
            "coding": self.coding.coding,
            "data_coding": self.coding.data_coding,
            "parts": self.coding.parts,
        }


class Explainer:
    """Takes messages through all that admission and routing say, as intake does."""

    def __init__(self, config: Config) -> None:
        """Raises ValueError for a configuration made by hand whose rules do not fit."""
        self.table = config.routing_table()
        self._config = config
        self._normalisers = config.normalisers()

    def explain(self, question: Question) -> Answer:
        """Everything about one message."""
        sender, recipient = self._addresses(question)
        refused = _refused(self._config, question, sender, recipient)
        if refused:
            return Answer(question, sender, recipient, refused, None, choose(question.text))
        key = route_key(self._config, question, sender, recipient)
        routing = self.table.explain(key, _unknown_health)
        decision = routing.answer
        actions = decision.actions if isinstance(decision, Decision) else NOTHING
        coding = choose(changed_text(question.text, actions))
        return Answer(question, sender, recipient, "", routing, coding)

    def decide(self, question: Question) -> Decision | NoRoute:
        """Only what becomes of it: quick, for many messages."""
        sender, recipient = self._addresses(question)
        refused = _refused(self._config, question, sender, recipient)
        if refused:
            return NoRoute(refused)
        return self.table.match(route_key(self._config, question, sender, recipient))

    def _addresses(self, question: Question) -> tuple[Address, Address]:
        account = self._config.accounts.get(question.account)
        default_sender = account.default_sender if account is not None else ""
        normaliser = self._normalisers.get(question.account)
        read = str if normaliser is None else normaliser.digits
        return (
            guess_source(read(question.sender or default_sender)),
            guess_destination(read(question.to)),
        )


def route_key(config: Config, question: Question, sender: Address, recipient: Address) -> RouteKey:
    """The facts of the message that a rule may see."""
    coding = choose(question.text)
    account = config.accounts.get(question.account)
    return RouteKey(
        question.account,
        question.source,
        sender.addr,
        recipient.addr.removeprefix("+"),
        question.tags,
        account.group if account is not None else "",
        sender.ton,
        0,
        coding.data_coding,
        question.priority,
        question.at_ms,
        coding.parts,
        question.text,
    )


def changed_text(text: str, actions: Actions) -> str:
    """The text after what the rules do to it, as `routing.rewrite` would do."""
    changed = text + actions.footer
    if actions.transliterate:
        return transliterate(changed, lossy=actions.transliterate == "lossy")
    return changed


def _refused(config: Config, question: Question, sender: Address, recipient: Address) -> str:
    account = config.accounts.get(question.account)
    if account is None:
        there_are = ", ".join(sorted(config.accounts)) or "none"
        return f"there is no account {question.account!r}; there are: {there_are}"
    fault = source_fault(*sender) or destination_fault(*recipient)
    if fault is not None:
        return f"an address cannot be: {fault}"
    if account.destinations and not recipient.addr.startswith(account.destinations):
        allowed = ", ".join(account.destinations)
        return f"the account may not send to {recipient.addr}; its destinations: {allowed}"
    if sender.addr and not sender_allowed(account, sender.addr):
        allowed = ", ".join(account.senders)
        return f"the account may not send as {sender.addr!r}; its senders: {allowed or 'none'}"
    return ""


def _unknown_health(_: str) -> None:
    """Nobody knows from outside a running gateway."""


def _shown(written: str, read: Address) -> str:
    kind = f"ton {read.ton}, npi {read.npi}"
    if written == read.addr:
        return f"{read.addr} ({kind})"
    return f"{read.addr} ({kind}; given as {written!r})"


def _said(actions: Actions) -> dict[str, object]:
    """What the rules ask for: all that is not as it is when no rule asks."""
    names = (field.name for field in attrs.fields(Actions))
    return {
        name: _plain(getattr(actions, name))
        for name in names
        if getattr(actions, name) != getattr(NOTHING, name)
    }


def _plain(value: object) -> object:
    if isinstance(value, Address):
        return value._asdict()
    return str(value) if isinstance(value, Decimal) else value


def _outlets(routing: Explanation | None, costs: Mapping[str, Decimal]) -> list[dict[str, object]]:
    if routing is None or isinstance(routing.answer, NoRoute):
        return []
    return [
        {
            "name": name,
            "up": routing.health.get(name),
            "price": str(costs[name]) if name in costs else None,
        }
        for name in routing.answer.outlets
    ]
