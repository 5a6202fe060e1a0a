"""Receipts and MO messages home by HTTP: each is POSTed as JSON to its callback URL.

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
import orjson
import trio
from structlog.typing import FilteringBoundLogger

from bridges.http.dialects.base import iso_utc, read_body
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


def make_client() -> httpx2.AsyncClient:
    """The HTTP client for callbacks: no redirects, no proxy from the environment."""
    return httpx2.AsyncClient(
        timeout=TIMEOUT_S,
        follow_redirects=False,
        trust_env=False,
        limits=httpx2.Limits(max_connections=None, max_keepalive_connections=256),
        headers={"User-Agent": "smsc-gateway"},
    )


def payload_of(delivery: Delivery) -> dict[str, object]:
    """The JSON that the callback gets.

    A receipt speaks of the message as it was sent: `from` its sender, `to` its recipient,
    although the deliver_sm body that stands for the receipt has them the other way round.
    `done` is when the gateway learned it.
    """
    spoken = read_body(delivery.body)
    if delivery.kind == "receipt":
        return {
            "event": "receipt",
            "delivery": str(delivery.id),
            "id": str(delivery.message_id),
            "from": spoken.destination,
            "to": spoken.source,
            "state": delivery.state.name,
            "error": delivery.error,
            "done": iso_utc(delivery.created_ms),
            "reference": delivery.reference,
        }
    return {
        "event": "mo",
        "delivery": str(delivery.id),
        "id": str(delivery.id),
        "from": spoken.source,
        "to": spoken.destination,
        "received": iso_utc(delivery.created_ms),
        "text": spoken.text(),
        "hex": spoken.data.hex(),
        "data_coding": spoken.data_coding,
        "udh": spoken.udh,
    }


def judge(
    delivery: Delivery, answer: int | str, now_ms: int, draw: float, retry_after_s: float = 0.0
) -> DeliveryOutcome:
    """What an attempt means.

    `answer` is the HTTP status, or why there was none; `draw` in [0, 1) is the jitter;
    `retry_after_s` is what the host asked for. `delivery.attempt` counts earlier attempts.
    """
    if isinstance(answer, int) and 200 <= answer < 300:
        return Done(delivery.id)
    why = f"HTTP {answer}" if isinstance(answer, int) else answer
    is_refusal = isinstance(answer, int) and 300 <= answer < 500 and answer not in PASSING
    if is_refusal and delivery.attempt + 1 >= REFUSALS:
        return Dropped(delivery.id, f"{why} for {REFUSALS} attempts")
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

    async def _post(self, delivery: Delivery) -> tuple[int | str, float]:
        """The HTTP status and the Retry-After of an attempt, or why there is none."""
        if delivery.callback_url is None:
            return 410, 0.0  # as good as gone: there is nowhere to post it to
        try:
            with trio.fail_after(self._timeout_s):
                return await self._exchange(delivery, delivery.callback_url)
        except trio.TooSlowError:
            return f"no answer within {self._timeout_s:g} s", 0.0
        except (httpx2.HTTPError, httpx2.InvalidURL) as error:
            return type(error).__name__, 0.0
        except Exception as error:  # noqa: BLE001 a strange answer must not end all other callbacks
            self._log.exception("webhook.attempt.broke", delivery=delivery.id)
            return type(error).__name__, 0.0

    async def _exchange(self, delivery: Delivery, url: str) -> tuple[int, float]:
        headers = {"Content-Type": "application/json", "webhook-id": str(delivery.id)}
        content = orjson.dumps(payload_of(delivery))
        async with self._client.stream("POST", url, content=content, headers=headers) as response:
            octets = 0
            # The status is the answer. Its body is read only so that the connection can be used
            # again; a scope ends that, because the client's generators unwind well only when
            # they are cancelled from within.
            with trio.move_on_after(ANSWER_S) as reading:
                async for chunk in response.aiter_raw():
                    octets += len(chunk)
                    if octets > ANSWER_OCTETS:
                        reading.cancel()
            wish = response.headers.get("retry-after", "")
            return response.status_code, float(wish) if wish.isdecimal() else 0.0

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
