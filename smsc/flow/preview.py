"""What would become of a message: judged as intake does, and then forgotten.

*In*: a draft. *Out*: its parts, price and way, or `Refused` as intake would say it.
*Never*: an id, a debit, a place in a rate or a guard's count; anything stored.
"""

from collections.abc import Callable, Mapping

import attrs

from pdu.codec import SubmitPeek, peek_submit_sm
from pdu.errors import BodyError
from pdu.status import Vendor
from smsc.config_accounts import AccountConfig
from smsc.flow.admission import Lifetime, admit
from smsc.flow.guide import Guide, priced_number
from smsc.flow.terms import terms_of
from smsc.flow.throttle import parts_of
from smsc.message import AccountId, Draft
from smsc.ports import Credits, Foreseen, Price, Refused


class Previewer:
    """See the module.

    :param closed: accounts that may not submit now, and why; see `Intake.closed`.
    """

    def __init__(
        self,
        accounts: Mapping[AccountId, AccountConfig],
        guide: Guide,
        credits_: Credits,
        closed: Callable[[], Mapping[AccountId, str]],
        now_ms: Callable[[], int],
    ) -> None:
        self._accounts = accounts
        self._guide = guide
        self._credits = credits_
        self._closed = closed
        self._now_ms = now_ms

    def preview(self, draft: Draft) -> Foreseen | Refused:
        """Judge a copy of the draft."""
        account, now_ms = draft.account, self._now_ms()
        why = self._closed().get(account)
        if why is not None:
            return Refused(Vendor.SMSC_ACCOUNT_CLOSED, why)
        draft = attrs.evolve(draft)
        judged = judge(draft, self._accounts[account], self._guide, now_ms)
        if isinstance(judged, Refused):
            return judged
        peek, lifetime = judged
        guided = self._guide.route(draft, peek, now_ms, ask_guards=False)
        if isinstance(guided, Refused):
            return guided
        peek = guided.peek or peek
        lifetime = lifetime.lasting(guided.actions.validity_s, now_ms)
        parts = parts_of(draft.body, peek)
        price = self._credits.price(account, priced_number(draft, peek), parts)
        if guided.actions.charge is not None:
            price = Price(price.credit_class, guided.actions.charge, parts)
        return Foreseen(
            source=peek.source_addr,
            destination=peek.destination_addr,
            body=draft.body,
            parts=parts,
            price=price,
            outlets=tuple(guided.plan),
            due_ms=lifetime.due_ms,
            expires_ms=lifetime.expires_ms,
        )


def judge(
    draft: Draft, account: AccountConfig, guide: Guide, now_ms: int
) -> tuple[SubmitPeek, Lifetime] | Refused:
    """All that intake says before the rules; the draft's body becomes what the rules see."""
    try:
        peek = peek_submit_sm(draft.body)
    except BodyError as error:
        return Refused(error.status, error.why)
    terms = terms_of({draft.account: account}).get(draft.account)
    if terms is not None:
        applied = terms.apply(draft, peek)
        if isinstance(applied, Refused):
            return applied
        draft.body, peek = applied
    peek = guide.normalise(draft, peek)
    lifetime = admit(account, draft, peek, now_ms)
    return lifetime if isinstance(lifetime, Refused) else (peek, lifetime)
