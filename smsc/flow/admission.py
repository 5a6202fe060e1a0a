"""May this account send this message, and when does it live: a pure judgement.

*In*: the account, the draft with its decoded fields, `now_ms` UTC.
*Out*: `Lifetime`, or `Refused` with the status that names the fault.
*Never*: stores, routes or asks a clock.

Station of the flow: intake → **admission** → store. SMPP 3.4 §5.2.
"""

from functools import lru_cache
from typing import Final, NamedTuple

import attrs

from pdu.codec import SubmitPeek
from pdu.semantics import check_tlvs
from pdu.status import Status
from pdu.timefmt import TimeError, parse_time
from pdu.tlvs import Tag, parse_tlvs, tlv_int, tlv_value
from smsc.config_accounts import ANY_SENDER, AccountConfig, sender_allowed
from smsc.message import Draft
from smsc.ports import Refused

DEFAULT_VALIDITY_MS: Final = 24 * 3600 * 1000
MAX_VALIDITY_MS: Final = 7 * 24 * 3600 * 1000


@attrs.define(slots=True)
class Lifetime:
    """When a message may leave and when it is given up, ms UTC; due 0 = at once.

    Shared by messages that are judged alike: who wants another one makes it.
    """

    due_ms: int
    expires_ms: int
    latest_ms: int
    """The end that a rule may set at most: what the client asked for, else what is allowed."""

    def lasting(self, validity_s: float, now_ms: int) -> "Lifetime":
        """As a rule wants it: `validity_s` from the moment that it may leave; 0 = as it is."""
        if not validity_s:
            return self
        ends_ms = (self.due_ms or now_ms) + int(validity_s * 1000)
        return Lifetime(self.due_ms, min(ends_ms, self.latest_ms), self.latest_ms)


_NO_DESTINATION: Final = Refused(
    Status.ESME_RINVDSTADR, "destination_addr is empty; give the number to send to"
)
_TWO_TEXTS: Final = Refused(
    Status.ESME_RINVMSGLEN, "short_message and message_payload together; give one of them"
)


def admit(
    account: AccountConfig, draft: Draft, peek: SubmitPeek, now_ms: int
) -> Lifetime | Refused:
    """Judge one draft."""
    if not peek.destination_addr:
        return _NO_DESTINATION
    if account.destinations:
        to = peek.destination_addr.removeprefix("+")
        if not to.startswith(account.destinations):
            why = f"account {draft.account} may not send to {to}; see its destinations"
            return Refused(Status.ESME_RINVDSTADR, why)
    sender = peek.source_addr
    if sender and ANY_SENDER not in account.senders and not sender_allowed(account, sender):
        return Refused(
            Status.ESME_RINVSRCADR,
            f"account {draft.account} may not send as {sender!r}; "
            "its senders are listed in the configuration",
        )
    due_ms, expires_ms = draft.due_ms, draft.expires_ms
    if peek.schedule_delivery_time or peek.validity_period:
        times = _parse_times(peek, now_ms)
        if isinstance(times, Refused):
            return times
        due_ms = times.due_ms or due_ms
        expires_ms = times.expires_ms or expires_ms
    if peek.tlvs_at < len(draft.body):
        ends_ms = _judge_tlvs(draft.body, peek, now_ms)
        if isinstance(ends_ms, Refused):
            return ends_ms
        expires_ms = ends_ms or expires_ms
    if not (due_ms or expires_ms):
        return _usual(account.max_validity_s, now_ms)
    return _bound(account.max_validity_s, due_ms, expires_ms, now_ms)


@lru_cache(maxsize=64)
def _usual(max_validity_s: float, now_ms: int) -> Lifetime:
    """That of a message that asks for nothing; cached, since a read brings many of them."""
    lifetime = _bound(max_validity_s, 0, 0, now_ms)
    assert isinstance(lifetime, Lifetime), "the default validity is ahead"
    return lifetime


class _Times(NamedTuple):
    """What the client says, ms UTC; 0 = nothing."""

    due_ms: int
    expires_ms: int


def _parse_times(peek: SubmitPeek, now_ms: int) -> _Times | Refused:
    try:
        due_ms = parse_time(peek.schedule_delivery_time, now_ms) or 0
    except TimeError as error:
        return Refused(Status.ESME_RINVSCHED, f"schedule_delivery_time: {error}")
    try:
        # A relative validity counts from the moment the message came in (SMPP 5.0 §4.7.23.2).
        expires_ms = parse_time(peek.validity_period, now_ms) or 0
    except TimeError as error:
        return Refused(Status.ESME_RINVEXPIRY, f"validity_period: {error}")
    return _Times(due_ms, expires_ms)


def _judge_tlvs(body: bytes, peek: SubmitPeek, now_ms: int) -> int | Refused:
    """When qos_time_to_live ends the message, which overrides validity_period; 0 without it.

    SMPP 3.4 §5.3.2.9. The decoder has checked the layout; this is about what the values mean.
    """
    tlvs = parse_tlvs(body, peek.tlvs_at)
    fault = check_tlvs(tlvs)
    if fault is not None:
        return Refused(fault.status, fault.why)
    if peek.sm_length and tlv_value(tlvs, Tag.MESSAGE_PAYLOAD) is not None:
        return _TWO_TEXTS
    seconds = tlv_int(tlvs, Tag.QOS_TIME_TO_LIVE)
    return 0 if seconds is None else now_ms + max(seconds, 1) * 1000


def _bound(max_validity_s: float, due_ms: int, expires_ms: int, now_ms: int) -> Lifetime | Refused:
    """Fill in the defaults and the ceiling, and check that the message lives at all."""
    if due_ms <= now_ms:
        due_ms = 0
    start_ms = due_ms or now_ms
    ceiling_ms = MAX_VALIDITY_MS
    if max_validity_s:
        ceiling_ms = min(ceiling_ms, int(max_validity_s * 1000))
    latest_ms = start_ms + ceiling_ms
    if not expires_ms:
        return Lifetime(due_ms, min(start_ms + DEFAULT_VALIDITY_MS, latest_ms), latest_ms)
    if expires_ms <= start_ms:
        return Refused(
            Status.ESME_RINVEXPIRY,
            "validity_period ends before the message may leave; give a later time",
        )
    ends_ms = min(expires_ms, latest_ms)
    return Lifetime(due_ms, ends_ms, ends_ms)
