"""Receipts and MO messages home by HTTP: each is sent to its callback URL, in its style.

*In*: deliveries of the mailboxes "callback:scheme://host:port", one mailbox for each host.
*Out*: `DeliveryOutcome`s to `Mailboxes`; one log line for each attempt.
*Never*: redirects, message texts, paths or query strings in a log, a store of its own.

Hosts do not disturb each other: each has a lane with a few requests in flight, and what waits for
a slow host waits on disk, in its mailbox. Delivery is at least once; the header webhook-id (and
`delivery` in the native JSON) tells a repeated one. A lane that has nothing to do is forgotten.
"""

import random
from collections.abc import Callable, Mapping, Sequence
from contextlib import AbstractAsyncContextManager
from typing import Final, assert_never

import attrs
import trio
from structlog.typing import FilteringBoundLogger

from bridges.callback_client import CallbackClient
from bridges.callbacks.lane import Lane
from bridges.callbacks.registry import find_style
from bridges.callbacks.retry import GONE, Answered, Unanswered, judge
from bridges.callbacks.style import CallbackResponse
from smsc.message import AccountId, Delivery, Mailbox
from smsc.ports import Again, DeliveryOutcome, Done, Dropped, Mailboxes, SetAside

PREFIX: Final = "callback:"
KeysOf = Callable[[AccountId], Sequence[bytes]]
"""The secrets that an account's callbacks are signed with, the newest first."""

_IDLE_S: Final = 60.0
"""A lane without deliveries is forgotten after so long; nothing of it is lost."""
_LANES_LOOK_S: Final = 30.0
ACCOUNT_REQUESTS: Final = 64
"""Requests in flight for one account: it may name as many hosts that hang as it likes."""
ALL_REQUESTS: Final = 1000
HOSTS_LIMIT: Final = 10_000
"""Hosts attended to at a time; what is for others waits on disk until one of them is forgotten."""
_GONE_LIMIT: Final = 10_000
"""Endpoints remembered as gone; beyond, the oldest is asked again."""
_NOTHING_TO_SAY: Final = Answered(CallbackResponse(204))
_GONE: Final = Answered(CallbackResponse(GONE))


class Webhook:
    """All callbacks; `open` a mailbox and its deliveries leave while `run` runs."""

    prefix: Final = PREFIX

    def __init__(
        self,
        mailboxes: Mailboxes,
        open_client: Callable[[], AbstractAsyncContextManager[CallbackClient]],
        now_ms: Callable[[], int],
        log: FilteringBoundLogger,
        *,
        keys_of: KeysOf = lambda _account: (),
        look_again: Callable[[], None] = lambda: None,
        seed: int | None = None,
    ) -> None:
        self._mailboxes = mailboxes
        self._open_client = open_client
        self._client: CallbackClient
        self._now_ms = now_ms
        self._log = log
        self._keys_of = keys_of
        self._look_again = look_again
        self._is_crowded = False
        self._requests = trio.CapacityLimiter(ALL_REQUESTS)
        self._requests_of: dict[AccountId, trio.CapacityLimiter] = {}
        self._random = random.Random(seed)
        self._hosts: dict[Mailbox, _Host] = {}
        self._gone: dict[str, None] = {}
        self._nursery: trio.Nursery | None = None

    def open(self, mailbox: Mailbox) -> None:
        """Take deliveries of this callback mailbox from now on; again is harmless."""
        if mailbox in self._hosts:
            return
        if len(self._hosts) >= HOSTS_LIMIT:
            self._tell_crowded()
            return
        host = self._hosts[mailbox] = _Host(self, mailbox, Lane(self._random))
        if self._nursery is not None:
            self._mailboxes.attach(mailbox, host)

    async def run(self) -> None:
        """Live until cancelled; what is in flight then is offered again after the next start."""
        try:
            async with self._open_client() as self._client, trio.open_nursery() as nursery:
                self._nursery = nursery
                for mailbox, host in list(self._hosts.items()):
                    self._mailboxes.attach(mailbox, host)
                while True:
                    await trio.sleep(_LANES_LOOK_S)
                    self.forget_idle()
                    self._make_room()
        finally:
            self._nursery = None
            for mailbox, host in self._hosts.items():
                host.lane.in_flight = 0
                self._mailboxes.detach(mailbox, host)

    def statistics(self) -> Mapping[str, Mapping[str, object]]:
        """By mailbox: requests in flight, and what is wrong with the host, if anything is."""
        now = trio.current_time()
        return {
            str(mailbox): {
                "in_flight": host.lane.in_flight,
                "waiting": len(host.held) - host.lane.in_flight,
                "failures": host.lane.failures,
                "last_failure": host.lane.last_failure if host.lane.failures else "",
                "paused_s": round(max(0.0, host.lane.paused_until - now), 1),
            }
            for mailbox, host in self._hosts.items()
        }

    def forgive(self, mailbox: Mailbox) -> None:
        """People want this host tried now, its endpoints that said they are gone included."""
        url = mailbox.removeprefix(PREFIX)
        for endpoint in [one for one in self._gone if one.startswith(url)]:
            del self._gone[endpoint]
        host = self._hosts.get(mailbox)
        if host is not None:
            host.lane.forgive()

    def forget_idle(self) -> None:
        """Lanes that have had nothing to do for a while: a client names as many hosts as it likes."""
        before = trio.current_time() - _IDLE_S
        for mailbox, host in list(self._hosts.items()):
            quiet_since = max(host.used_at, host.lane.paused_until)
            if not host.held and quiet_since <= before:
                self._forget(mailbox, host)
        for account, limiter in list(self._requests_of.items()):
            if not limiter.statistics().tasks_waiting and not limiter.borrowed_tokens:
                del self._requests_of[account]

    def _make_room(self) -> None:
        """Hosts that fail give way to those that were turned away, and come again in their turn."""
        if not self._is_crowded:
            return
        for mailbox, host in list(self._hosts.items()):
            if host.lane.failures and not host.lane.in_flight:
                self._forget(mailbox, host)
        if len(self._hosts) < HOSTS_LIMIT:
            self._is_crowded = False
            self._look_again()

    def _forget(self, mailbox: Mailbox, host: "_Host") -> None:
        del self._hosts[mailbox]
        self._mailboxes.detach(mailbox, host)

    # --- for hosts ---

    def start(self, host: "_Host", batch: Sequence[Delivery]) -> None:
        """One task for each request; a host has at most its lane's room of them."""
        assert self._nursery is not None, "a host is attached only while run() runs"
        for delivery in batch:
            self._nursery.start_soon(self._attempt, host, delivery)

    async def _attempt(self, host: "_Host", delivery: Delivery) -> None:
        now_s = trio.current_time
        limiter = self._requests_of.get(delivery.account)
        if limiter is None:
            limiter = trio.CapacityLimiter(ACCOUNT_REQUESTS)
            self._requests_of[delivery.account] = limiter
        async with limiter, self._requests:
            answer = await self._ask(delivery)
        outcome = self._judge(delivery, answer)
        has_turned = host.lane.note(answer, now_s())
        host.lane.in_flight -= 1
        host.used_at = now_s()
        if not isinstance(outcome, Again):
            host.held.discard(delivery.id)
        if isinstance(answer, Answered) and answer.response.status == GONE:
            self._remember_gone(delivery)
        self._tell(host, delivery, outcome)
        if has_turned:
            self._tell_turn(host)
        self._mailboxes.delivered(host.mailbox, [outcome])

    async def _ask(self, delivery: Delivery) -> Answered | Unanswered:
        if delivery.callback_url is None or _endpoint(delivery.callback_url) in self._gone:
            return _GONE
        try:
            style, rest = find_style(delivery.callback_style)
            keys = self._keys_of(delivery.account)
            request = style.request(delivery, rest, self._now_ms(), keys)
            return _NOTHING_TO_SAY if request is None else await self._client.send(request)
        except Exception as error:  # noqa: BLE001 a strange answer must not end all other callbacks
            self._log.exception("webhook.attempt.broke", delivery=delivery.id)
            return Unanswered(type(error).__name__, is_ours=True)

    def _judge(self, delivery: Delivery, answer: Answered | Unanswered) -> DeliveryOutcome:
        now_ms, draw = self._now_ms(), self._random.random()
        try:
            return judge(delivery, answer, now_ms, draw)
        except Exception as error:  # noqa: BLE001 a bug in one style must not end all callbacks
            self._log.exception("webhook.attempt.broke", delivery=delivery.id)
            return judge(delivery, Unanswered(type(error).__name__, is_ours=True), now_ms, draw)

    def _remember_gone(self, delivery: Delivery) -> None:
        if delivery.callback_url is None:
            return
        self._gone[_endpoint(delivery.callback_url)] = None
        if len(self._gone) > _GONE_LIMIT:
            del self._gone[next(iter(self._gone))]

    def _tell(self, host: "_Host", delivery: Delivery, outcome: DeliveryOutcome) -> None:
        facts: dict[str, object] = {
            "mailbox": host.mailbox,
            "delivery": delivery.id,
            "kind": delivery.kind,
            "attempt": delivery.attempt + 1,
        }
        match outcome:
            case Done():
                self._log.info("webhook.delivered", **facts)
            case Again(delay_s=delay_s, why=why):
                self._log.info("webhook.deferred", **facts, delay_s=round(delay_s, 1), why=why)
            case Dropped(why=why):
                self._log.warning("webhook.dropped", **facts, why=why)
            case SetAside(why=why):
                self._log.warning("webhook.set_aside", **facts, why=why)
            case _:
                assert_never(outcome)

    def _tell_crowded(self) -> None:
        if not self._is_crowded:
            self._is_crowded = True
            self._log.warning("webhook.crowded", hosts=HOSTS_LIMIT)

    def _tell_turn(self, host: "_Host") -> None:
        lane = host.lane
        if not lane.failures:
            self._log.info("webhook.recovered", mailbox=host.mailbox)
            return
        pause_s = round(lane.paused_until - trio.current_time(), 1)
        self._log.warning(
            "webhook.slowed", mailbox=host.mailbox, pause_s=pause_s, why=lane.last_failure
        )


@attrs.define(slots=True, eq=False)
class _Host:
    """The receiver of one host's mailbox."""

    _webhook: Webhook
    mailbox: Mailbox
    lane: Lane
    held: set[int] = attrs.field(factory=set)
    """Deliveries it was given and that have not ended: in flight, or to be tried again."""
    used_at: float = attrs.field(factory=trio.current_time)

    def room(self) -> int:
        """How many more deliveries this host may have in flight."""
        return self.lane.room(trio.current_time())

    def deliver(self, batch: Sequence[Delivery]) -> None:
        """Start a request for each."""
        self.lane.in_flight += len(batch)
        self.held.update(one.id for one in batch)
        self._webhook.start(self, batch)


def _endpoint(url: str) -> str:
    """What says that it is gone: the URL without its query, which often names the message."""
    return url.partition("?")[0]
