"""What would become of a message, and why: `smsc explain`.

*In*: a configuration, a message as a person describes it, and what is known of outlets.
*Out*: `Answer`: numbers as read, every rule tried, what is done to the message,
its coding and parts, where it goes and what that costs. Lines for people, a dict for machines.
*Never*: sends, stores or asks a running gateway; a judgement of its own: the message is drafted
as its client would, and goes through what intake and previews go through.
"""

from collections.abc import Callable, Mapping
from decimal import Decimal
from typing import Any, Final, NamedTuple, TypeAlias

import attrs
import structlog

from pdu.address import Address, destination_fault, guess_destination, guess_source, source_fault
from pdu.codec import SubmitPeek, encode_body
from pdu.compose import compose
from pdu.message_pdus import SubmitSm
from pdu.status import status_name
from pdu.text import gsm7
from pdu.text.alphabet import alphabet_of
from pdu.text.coding import choose
from routing.actions import NOTHING, Actions
from routing.decision import Decision, NoRoute
from routing.explanation import Explanation
from routing.facts import read_key
from routing.key import RouteKey
from routing.rewrite import rewrite, text_of
from smsc.config import Config
from smsc.directory.tariff import Tariff
from smsc.flow.guide import Guide
from smsc.flow.preview import judge
from smsc.flow.terms import SMPP, terms_of
from smsc.flow.throttle import parts_of
from smsc.message import AccountId, Draft
from smsc.ports import Price, Refused

_FREE: Final = Decimal(1)
"""The price of a part where nobody wrote one: amounts are counts then."""
Health: TypeAlias = Mapping[str, bool] | str
"""Which outlets are up; or why nobody knows."""


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
    service_type: str = ""
    at_ms: int = 0


class Coded(NamedTuple):
    """A text as it would be sent."""

    text: str
    coding: str
    data_coding: int
    parts: int

    @property
    def forced_by(self) -> str:
        """The characters outside the GSM-7 default alphabet, each once: why it is not plain."""
        return gsm7.missing(self.text)


@attrs.frozen(kw_only=True)
class Answer:
    """What would become of it."""

    question: Question
    sender: Address
    recipient: Address
    """Both as the rules see them first."""
    coding: Coded
    refused: Refused | str = ""
    """Why it would not come to routing; "" when it would."""
    routing: Explanation | None = None
    new_sender: Address
    new_recipient: Address
    """Both as they would be sent."""
    undone: tuple[str, ...] = ()
    """What the rules ask for and cannot be done."""
    price: Price | None = None
    """What the account pays; None when nobody wrote a price, or nothing is sent."""
    no_health: str = ""
    """Why nobody knows which outlets are up; "" when somebody does."""

    @property
    def actions(self) -> Actions:
        """What would be done to it."""
        decision = self.routing.answer if self.routing is not None else None
        return decision.actions if isinstance(decision, Decision) else NOTHING

    @property
    def why_not(self) -> str:
        """Why it is refused; "" when it is not."""
        if self.routing is not None and isinstance(self.routing.answer, NoRoute):
            return self.routing.answer.why
        return self.refused.why if isinstance(self.refused, Refused) else self.refused

    @property
    def status(self) -> str:
        """The name of the status that refuses it; "" without one."""
        decision = self.routing.answer if self.routing is not None else None
        if isinstance(decision, NoRoute):
            return decision.status.name
        return status_name(self.refused.status) if isinstance(self.refused, Refused) else ""

    def lines(self) -> list[str]:
        """For a terminal."""
        coding = self.coding
        lines = [
            f"from     {_shown(self.question.sender, self.sender)}",
            f"to       {_shown(self.question.to, self.recipient)}",
            f"account  {self.question.account}",
        ]
        if self.routing is None:
            return [*lines, f"= refused: {self.why_not}"]
        *told, last = self.routing.lines()
        lines += told
        lines += [f"~ not done: {why}" for why in self.undone]
        if coding.text != self.question.text:
            lines.append(f"~ text becomes {coding.text!r}")
        parts = f"{coding.parts} part{'s' if coding.parts != 1 else ''}"
        lines.append(f"  coding {coding.coding}, data_coding {coding.data_coding}, {parts}")
        if coding.data_coding and coding.forced_by:
            lines.append(f"  not GSM 7-bit for {' '.join(coding.forced_by)}")
        lines += [f"  price by {name}: {cost}" for name, cost in self.costs().items()]
        if self.price is not None:
            of = f" of {self.price.credit_class}" if self.price.credit_class else ""
            lines.append(f"  charged {self.price.amount}{of}")
        if self.no_health and self.routing.health:
            lines.append(f"  health unknown: {self.no_health}")
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
            "refused": self.why_not,
            "status": self.status,
            "outlets": _outlets(routing, self.costs()),
            "health_unknown": self.no_health,
            "actions": _said(self.actions),
            "not_done": list(self.undone),
            "text": self.coding.text,
            "coding": self.coding.coding,
            "data_coding": self.coding.data_coding,
            "parts": self.coding.parts,
            "price": _price(self.price),
        }


class Explainer:
    """Takes messages through all that admission and routing say, as intake does."""

    def __init__(self, config: Config) -> None:
        """Raises ValueError for a configuration made by hand whose rules do not fit."""
        self.table = config.routing_table()
        self._config = config
        self._guide = Guide(self.table, structlog.get_logger(), normalisers=config.normalisers())
        tariff = config.tariff()
        if isinstance(tariff, list):
            raise ValueError("; ".join(why for _, why in tariff))  # noqa: TRY004 - the file's fault
        self._tariff: Tariff = tariff

    def explain(self, question: Question, health: Health = "nobody was asked") -> Answer:
        """Everything about one message."""
        return self._answer(question, health, in_full=True)

    def decide(self, question: Question) -> Answer:
        """What becomes of it, without the rules that were tried: quick, for many messages."""
        return self._answer(question, "", in_full=False)

    def _answer(self, question: Question, health: Health, *, in_full: bool) -> Answer:
        draft = _draft(self._config, question, self._guide.number_reader(question.account))
        if isinstance(draft, str):
            return _unsent(question, draft)
        name = AccountId(question.account)
        judged = judge(draft, self._config.accounts[name], self._guide, question.at_ms)
        if isinstance(judged, Refused):
            return _unsent(question, judged)
        peek, _ = judged
        key = read_key(
            draft.body,
            peek,
            account=name,
            source=draft.source,
            tags=draft.tags,
            group=self._config.accounts[name].group,
            at_ms=question.at_ms,
            needs=self.table.needs,
        )
        routing = self._routing(key, health, in_full=in_full)
        decision = routing.answer
        actions = decision.actions if isinstance(decision, Decision) else NOTHING
        body, new_peek, undone = rewrite(draft.body, peek, actions)
        coding = Coded(
            text_of(body, new_peek),
            alphabet_of(new_peek.data_coding).value,
            new_peek.data_coding,
            parts_of(body, new_peek),
        )
        return Answer(
            question=question,
            sender=_source(peek),
            recipient=_destination(peek),
            coding=coding,
            routing=routing,
            new_sender=_source(new_peek),
            new_recipient=_destination(new_peek),
            undone=undone,
            price=self._price(name, decision, peek.destination_addr, coding.parts),
            no_health=health if isinstance(health, str) else "",
        )

    def _routing(self, key: RouteKey, health: Health, *, in_full: bool) -> Explanation:
        known: Mapping[str, bool] = {} if isinstance(health, str) else health
        if in_full:
            return self.table.explain(key, known.get)
        decision = self.table.match(key)
        if isinstance(decision, Decision) and self.table.rule_called(decision.rule).choose.prices:
            return self.table.explain(key, known.get)
        return Explanation((), decision)

    def _price(
        self, name: AccountId, decision: Decision | NoRoute, destination: str, parts: int
    ) -> Price | None:
        """As intake debits it: by the rule, else by the tariff of the number that was asked for."""
        if isinstance(decision, NoRoute) or decision.actions.drop:
            return None
        rate, charge = self._tariff.rate(destination), decision.actions.charge
        if charge is not None:
            return Price(rate.credit_class, charge, parts)
        credit = self._config.credit
        is_priced = credit.prices is not None or credit.default_price != _FREE
        if is_priced or self._config.accounts[name].credit is not None:
            return Price(rate.credit_class, rate.unit, parts)
        return None


def _draft(config: Config, question: Question, read: Callable[[str], str]) -> Draft | str:
    """The message as its client would hand it in; or why no client could.

    `read` reads numbers as the account writes them, as the doors over HTTP do.
    """
    name = AccountId(question.account)
    account = config.accounts.get(name)
    if account is None:
        there_are = ", ".join(sorted(config.accounts)) or "none"
        return f"there is no account {question.account!r}; there are: {there_are}"
    sender = guess_source(read(question.sender))
    recipient = guess_destination(read(question.to))
    fault = source_fault(*sender) or destination_fault(*recipient)
    if fault is not None:
        return f"an address cannot be: {fault}"
    terms = terms_of({name: account}).get(name)
    means = terms.data_coding if terms is not None and question.source == SMPP else 0
    # A client writes what its account means by 0.
    text = choose(question.text, default=alphabet_of(means))
    submit_sm = compose(
        SubmitSm,
        sender,
        recipient,
        text.data,
        service_type=question.service_type,
        priority_flag=question.priority,
        data_coding=text.data_coding,
    )
    return Draft(name, question.source, encode_body(submit_sm), tags=question.tags)


def _unsent(question: Question, refused: Refused | str) -> Answer:
    """The answer for a message that does not come to routing."""
    sender, recipient = guess_source(question.sender), guess_destination(question.to)
    coded = choose(question.text)
    return Answer(
        question=question,
        sender=sender,
        recipient=recipient,
        coding=Coded(question.text, coded.coding, coded.data_coding, coded.parts),
        refused=refused,
        new_sender=sender,
        new_recipient=recipient,
    )


def _source(peek: SubmitPeek) -> Address:
    return Address(peek.source_addr_ton, peek.source_addr_npi, peek.source_addr)


def _destination(peek: SubmitPeek) -> Address:
    return Address(peek.dest_addr_ton, peek.dest_addr_npi, peek.destination_addr)


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


def _price(price: Price | None) -> dict[str, str] | None:
    if price is None:
        return None
    return {
        "class": price.credit_class,
        "unit": str(price.unit),
        "amount": str(price.amount),
    }


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
