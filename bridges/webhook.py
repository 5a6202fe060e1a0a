"""Receipts and MO messages home by HTTP: each is sent to its callback URL, in its style.

*In*: deliveries of the mailboxes "callback:scheme://host:port", one mailbox for each host.
*Out*: `DeliveryOutcome`s to `Mailboxes`; one log line for each attempt.
*Never*: redirects, message texts, paths or query strings in a log, a store of its own.

Hosts do not disturb each other: each has a lane with at most `LANE_REQUESTS` requests in flight,
and what waits for a slow host waits on disk, in its mailbox. Delivery is at least once;
`delivery` in the JSON (and the header webhook-id) tells a repeated one.
"""

import random
from collections.abc import Callable, Mapping, Sequence

import attrs
import httpx2
import trio
from structlog.typing import FilteringBoundLogger

from bridges.callbacks.registry import find_style
from bridges.callbacks.style import CallbackRequest, CallbackResponse
from smsc.message import Delivery, Mailbox
from smsc.ports import Again, DeliveryOutcome, Done, Dropped, Mailboxes

LANE_REQUESTS = 8
TIMEOUT_S = 10.0
"""From connecting to the end of the answer."""

FIRST_DELAY_S = 5.0
MAX_DELAY_S = 3600.0
MAX_AGE_MS = 24 * 3600 * 1000
REFUSALS = 8
"""A 3xx or 4xx answer this many times over is meant for good."""

PASSING = frozenset({408, 425, 429})
"""4xx answers that ask for another attempt (RFC 9110 §15.5.9, RFC 8470, RFC 6585)."""

ANSWER_OCTETS = 16 * 1024
ANSWER_S = 1.0
"""How much of an answer's body is read, and for how long; a longer one is cut."""

_GONE = CallbackResponse(410)
_NOTHING_TO_SAY = CallbackResponse(204)


def make_client() -> httpx2.AsyncClient:
    """The HTTP client for callbacks: no redirects, no proxy from the environment."""
    return httpx2.AsyncClient(
        timeout=TIMEOUT_S,
        follow_redirects=False,
        trust_env=False,
        limits=httpx2.Limits(max_connections=None, max_keepalive_connections=256),
        headers={"User-Agent": "smsc-gateway"},
    )


def judge(
    delivery: Delivery,
    answer: CallbackResponse | str,
    now_ms: int,
    draw: float,
    retry_after_s: float = 0.0,
) -> DeliveryOutcome:
    """What an attempt means, and when the next one comes.

    `answer` is what the host said, for the delivery's style to judge, or why it said nothing;
    `draw` in [0, 1) is the jitter; `retry_after_s` is what the host asked for.
    `delivery.attempt` counts earlier attempts.
    """
    why = answer
    if isinstance(answer, CallbackResponse):
        style, _ = find_style(delivery.callback_style)
        said = style.judge(delivery, answer)
        if not isinstance(said, Again):
            return said
        why = said.why
        is_refusal = 300 <= answer.status < 500 and answer.status not in PASSING
        if is_refusal and delivery.attempt + 1 >= REFUSALS:
            return Dropped(delivery.id, f"{why} for {REFUSALS} attempts")
    assert isinstance(why, str)
    until_ms = delivery.created_ms + MAX_AGE_MS
    if delivery.expires_ms:
        until_ms = min(until_ms, delivery.expires_ms)
    left_s = (until_ms - now_ms) / 1000
    if left_s <= 0:
        return Dropped(delivery.id, f"{why}, and its time is over")
    backoff_s = min(MAX_DELAY_S, FIRST_DELAY_S * 2 ** min(delivery.attempt, 16))
    delay_s = max(backoff_s * (0.5 + draw / 2), min(retry_after_s, MAX_DELAY_S))
    return Again(delivery.id, min(delay_s, left_s), why)  # the last attempt is made at the end


class Webhook:
    """All callbacks; `open` a mailbox and its deliveries leave while `run` runs."""

    def __init__(
        self,
        mailboxes: Mailboxes,
        client: httpx2.AsyncClient,
        now_ms: Callable[[], int],
        log: FilteringBoundLogger,
        *,
        seed: int | None = None,
        timeout_s: float = TIMEOUT_S,
    ) -> None:
        self._mailboxes = mailboxes
        self._client = client
        self._now_ms = now_ms
        self._log = log
        self._random = random.Random(seed)
        self._timeout_s = timeout_s
        self._lanes: dict[Mailbox, _Lane] = {}
        self._nursery: trio.Nursery | None = None

    def open(self, mailbox: Mailbox) -> None:
        """Take deliveries of this callback mailbox from now on; again is harmless."""
        if mailbox in self._lanes:
            return
        lane = self._lanes[mailbox] = _Lane(self, mailbox)
        if self._nursery is not None:
            self._mailboxes.attach(mailbox, lane)

    async def run(self) -> None:
        """Live until cancelled; what is in flight then is offered again after the next start."""
        try:
            async with trio.open_nursery() as nursery:
                self._nursery = nursery
                for mailbox, lane in list(self._lanes.items()):
                    self._mailboxes.attach(mailbox, lane)
                await trio.sleep_forever()
        finally:
            self._nursery = None
            for mailbox, lane in self._lanes.items():
                lane.in_flight = 0
                self._mailboxes.detach(mailbox, lane)

    def statistics(self) -> Mapping[str, int]:
        """Requests in flight for each mailbox."""
        return {str(mailbox): lane.in_flight for mailbox, lane in self._lanes.items()}

    # --- for lanes ---

    def start(self, lane: "_Lane", batch: Sequence[Delivery]) -> None:
        """One task for each request; a lane has at most `LANE_REQUESTS` of them."""
        assert self._nursery is not None, "a lane is attached only while run() runs"
        for delivery in batch:
            self._nursery.start_soon(self._attempt, lane, delivery)

    async def _attempt(self, lane: "_Lane", delivery: Delivery) -> None:
        answer, retry_after_s = await self._post(delivery)
        now_ms = self._now_ms()
        outcome = judge(delivery, answer, now_ms, self._random.random(), retry_after_s)
        lane.in_flight -= 1
        self._tell(lane.mailbox, delivery, outcome)
        self._mailboxes.delivered(lane.mailbox, [outcome])

    async def _post(self, delivery: Delivery) -> tuple[CallbackResponse | str, float]:
        """The answer and the Retry-After of an attempt, or why there is none."""
        if delivery.callback_url is None:
            return _GONE, 0.0  # there is nowhere to post it to
        try:
            style, rest = find_style(delivery.callback_style)
            request = style.request(delivery, rest, self._now_ms(), ())
            if request is None:
                return _NOTHING_TO_SAY, 0.0
            with trio.fail_after(self._timeout_s):
                return await self._exchange(request)
        except trio.TooSlowError:
            return f"no answer within {self._timeout_s:g} s", 0.0
        except (httpx2.HTTPError, httpx2.InvalidURL) as error:
            return type(error).__name__, 0.0
        except Exception as error:  # noqa: BLE001 a strange answer must not end all other callbacks
            self._log.exception("webhook.attempt.broke", delivery=delivery.id)
            return type(error).__name__, 0.0

    async def _exchange(self, request: CallbackRequest) -> tuple[CallbackResponse, float]:
        async with self._client.stream(
            request.method, request.url, content=request.body, headers=request.headers
        ) as response:
            chunks: list[bytes] = []
            octets = 0
            # Styles look at the status, some at a word in the body. The rest is read only so
            # that the connection can be used again; a scope ends that, because the client's
            # generators unwind well only when they are cancelled from within.
            with trio.move_on_after(ANSWER_S) as reading:
                async for chunk in response.aiter_raw():
                    chunks.append(chunk)
                    octets += len(chunk)
                    if octets > ANSWER_OCTETS:
                        reading.cancel()
            wish = response.headers.get("retry-after", "")
            body = b"".join(chunks)[:ANSWER_OCTETS]
            answer = CallbackResponse(response.status_code, body)
            return answer, float(wish) if wish.isdecimal() else 0.0

    def _tell(self, mailbox: Mailbox, delivery: Delivery, outcome: DeliveryOutcome) -> None:
        facts: dict[str, object] = {
            "mailbox": mailbox,
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


@attrs.define(slots=True, eq=False)
class _Lane:
    """The receiver of one host's mailbox."""

    _webhook: Webhook
    mailbox: Mailbox
    in_flight: int = 0

    def room(self) -> int:
        """How many more deliveries this host may have in flight."""
        return LANE_REQUESTS - self.in_flight

    def deliver(self, batch: Sequence[Delivery]) -> None:
        """Start a request for each."""
        self.in_flight += len(batch)
        self._webhook.start(self, batch)
