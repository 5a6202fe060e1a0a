"""What the routing rules make of a draft: numbers normalised, guards asked, the rule carried out.

*In*: a draft with its decoded fields, `now_ms` UTC. *Out*: `Guided`, or `Refused`.
*Never*: stores; looks at an outlet's health (the lane does when it counts).

Station of the flow: admission → **guide** → store.
"""

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any, Final, cast

import attrs

from pdu.codec import SubmitPeek, peek_submit_sm
from routing.actions import NOTHING, Actions
from routing.decision import Decision, NoRoute
from routing.facts import read_key
from routing.rewrite import rewrite
from routing.table import RoutingTable
from routing.velocity import Velocity
from smsc.config_accounts import AccountConfig
from smsc.flow.lanes import Plan
from smsc.message import Asked, Draft, Message
from smsc.ports import Refused

if TYPE_CHECKING:
    from routing.normalise import Normaliser

_NO_GUARDS: Final = Velocity(())


@attrs.define(slots=True)
class Guided:
    """Where the draft goes. `plan` is empty when a rule drops it: stored, and never sent."""

    peek: SubmitPeek | None
    """The fields of the changed body; None when it is as it was."""
    plan: Plan
    actions: Actions = NOTHING


def priced_number(draft: Draft, peek: SubmitPeek) -> str:
    """The number whose price the account pays: that of its message, whatever a rule made of it."""
    if draft.asked is not None:
        peek = peek_submit_sm(draft.asked.body)
    return peek.destination_addr


class Guide:
    """The rules of a node, with what they need besides the message.

    :param groups: the group of each account that has one.
    :param normalisers: what reads the numbers of an account that has a region.
    """

    def __init__(
        self,
        routes: RoutingTable,
        log: Any,
        *,
        groups: Mapping[str, str] | None = None,
        normalisers: "Mapping[str, Normaliser] | None" = None,
        guards: Velocity = _NO_GUARDS,
    ) -> None:
        self._routes = routes
        self._log = log
        self._groups = dict(groups or {})
        self.normalisers = dict(normalisers or {})
        self._guards = guards
        self._has_guards = bool(guards.watches())
        # Decisions that are the same for each message, by identity: the table holds them.
        self._fixed: dict[int, tuple[Decision, Guided]] = {}

    def account_opened(self, name: str, account: AccountConfig) -> None:
        """An account is new or has other settings."""
        self._groups.pop(name, None)
        self.normalisers.pop(name, None)
        if account.group:
            self._groups[name] = account.group
        if account.region:
            from routing.normalise import Normaliser  # 0.1 s to import: only where it is given

            self.normalisers[name] = Normaliser(account.region)

    def take_rules(self, routes: RoutingTable, guards: Velocity) -> None:
        """Follow these from now on; `guards` have the counters of those before."""
        self._routes = routes
        self._guards = guards
        self._has_guards = bool(guards.watches())

    @property
    def guards(self) -> Velocity:
        """The guards, with their counters."""
        return self._guards

    def number_reader(self, account: str) -> Callable[[str], str]:
        """What reads numbers as that account writes them; `str` without a region."""
        normaliser = self.normalisers.get(account)
        return str if normaliser is None else normaliser.digits

    def normalise(self, draft: Draft, peek: SubmitPeek) -> SubmitPeek:
        """Numbers as the account's region writes them become E.164, in the draft's body too."""
        normaliser = self.normalisers.get(draft.account)
        if normaliser is None:
            return peek
        from routing.normalise import normalise

        draft.body, peek, _ = rewrite(draft.body, peek, normalise(peek, normaliser))
        return peek

    def route(
        self, draft: Draft, peek: SubmitPeek, now_ms: int, *, ask_guards: bool = True
    ) -> Guided | Refused:
        """Ask the guards and the rules, and change the draft as they say.

        Guards count what they are asked about: whoever only wants to know leaves them out.
        """
        if self._has_guards and ask_guards:
            blocked = self._ask_guards(draft, peek, now_ms)
            if blocked is not None:
                return blocked
        fixed = self._routes.fixed(draft.account, peek.destination_addr.removeprefix("+"))
        if fixed is not None:
            kept = self._fixed.get(id(fixed))
            if kept is None or kept[0] is not fixed:
                kept = self._fixed[id(fixed)] = fixed, Guided(None, cast(Plan, fixed.outlets))
            return kept[1]
        decision = self._routes.match(
            read_key(
                draft.body,
                peek,
                account=draft.account,
                source=draft.source,
                tags=draft.tags,
                group=self._groups.get(draft.account, ""),
                at_ms=now_ms,
                needs=self._routes.needs,
            )
        )
        if isinstance(decision, NoRoute):
            why = f"no route to {peek.destination_addr}: {decision.why}"
            return Refused(decision.status, why)
        plan = cast(Plan, decision.outlets)
        actions = decision.actions
        if actions is NOTHING:
            return Guided(None, plan)
        draft.asked = Asked(draft.body, draft.tags)
        if actions.changes_body:
            draft.body, peek, undone = rewrite(draft.body, peek, actions)
            for why in undone:
                self._log.info("message.not_rewritten", rule=decision.rule, why=why)
        draft.tags = tuple(dict.fromkeys((*draft.tags, *actions.tags)))
        if draft.asked == (draft.body, draft.tags):
            draft.asked = None
        return Guided(peek, plan, actions)

    def plan_again(self, message: Message) -> Plan:
        """The outlets of a stored message by today's rules; () when no rule takes it any more."""
        plan = self.plan_now(message)
        if not plan:
            self._log.warning("message.unrouted", id=message.id)
        return plan

    def plan_now(self, message: Message) -> Plan:
        """As `plan_again`, for whoever tells of all such messages together."""
        body, peek = message.submitted
        decision = self._routes.match(
            read_key(
                body,
                peek,
                account=message.account,
                source=message.source,
                tags=message.tags if message.asked is None else message.asked.tags,
                group=self._groups.get(message.account, ""),
                at_ms=message.accepted_ms,
                needs=self._routes.needs,
            )
        )
        return () if isinstance(decision, NoRoute) else cast(Plan, decision.outlets)

    def _ask_guards(self, draft: Draft, peek: SubmitPeek, now_ms: int) -> Refused | None:
        """Count the message; a guard that blocks refuses it, others raise an alarm once."""
        digits = peek.destination_addr.removeprefix("+")
        found = self._guards.count(draft.account, digits, now_ms / 1000)
        for exceeded in found:
            if exceeded.is_new:
                self._log.warning(
                    "guard.exceeded",
                    guard=exceeded.guard,
                    account=draft.account,
                    stretch=exceeded.stretch,
                    count=exceeded.count,
                    limit=exceeded.limit,
                )
        if found and found[0].block is not None:
            why = f"guard {found[0].guard}: too many messages to {digits[:6]}… for now"
            return Refused(found[0].block, why)
        return None
