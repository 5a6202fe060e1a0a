"""Receipts home through a message broker: each is a text message in a queue.

*In*: deliveries of the mailboxes "queue:NAME". *Out*: `DeliveryOutcome`s to `Mailboxes`, done only
when the broker said that it has stored the message.
*Never*: a delivery lost while the broker is down: it waits on disk, in its mailbox.

One connection serves all queues. At most `WINDOW` messages are written and not yet confirmed;
when the connection ends in between, those and no others are published again, with the same
property `deliveryId`, by which a consumer tells a repeated one. Each such end halves the window
and lengthens the pause before the next connection, so that a broker which takes messages and
confirms none (its disk is full) is not given the same ones over and over; receipts open it again.
"""

import random
from collections.abc import Mapping, Sequence
from typing import Any, Final

import attrs
import trio
from structlog.typing import FilteringBoundLogger

from bridges.backoff import Backoff
from bridges.callbacks.registry import find_queue_style
from bridges.http.dialects.connector import SOURCE
from bridges.stomp_broker import BrokerAddress, BrokerError, QueueFrame, StompBroker, dial
from smsc.attendance import Attendance
from smsc.message import Delivery, Mailbox
from smsc.ports import Again, DeliveryOutcome, Done, Mailboxes, SetAside

PREFIX: Final = "queue:"
WINDOW: Final = 50
RECEIPT_S: Final = 30.0
"""How long the broker may take to confirm; then the connection is given up."""
_WATCH_S: Final = 5.0
REFUSALS: Final = 8
"""An ERROR frame for the same message so many times is meant for good."""
_FIRST_DELAY_S: Final = 5.0
_MAX_DELAY_S: Final = 600.0


@attrs.define(slots=True, eq=False)
class _Queue:
    """The receiver of one queue's mailbox."""

    _jms: "Jms"
    mailbox: Mailbox
    in_flight: int = 0

    def room(self) -> int:
        """How many more messages may be written now."""
        return self._jms.room()

    def deliver(self, batch: Sequence[Delivery]) -> None:
        """Write them."""
        self.in_flight += len(batch)
        self._jms.publish(self, batch)


@attrs.define(slots=True)
class _Flying:
    """A message that was written, or is about to be, and not confirmed."""

    queue: _Queue
    delivery: Delivery
    since: float


def queue_bridges(
    mailboxes: Mailboxes, log: FilteringBoundLogger, dialects: Mapping[str, Any]
) -> Mapping[str, "Jms"]:
    """The bridge to the broker of `[dialects.connector]`, by its prefix; none without a broker."""
    config = dialects.get(SOURCE)
    if config is None or not config.has_reports:
        return {}
    address = BrokerAddress(
        host=config.broker_host,
        port=config.broker_port,
        user=config.broker_user,
        password=config.broker_password.value,
    )
    return {PREFIX: Jms(mailboxes, address, log)}


class Jms:
    """All queues of one broker; `open` a mailbox and its deliveries leave while `run` runs."""

    def __init__(
        self,
        mailboxes: Mailboxes,
        address: BrokerAddress,
        log: FilteringBoundLogger,
        *,
        seed: int | None = None,
        receipt_s: float = RECEIPT_S,
        first_pause_s: float = 1.0,
    ) -> None:
        self._mailboxes = mailboxes
        self._address = address
        self._log = log
        self._backoff = Backoff(random.Random(seed), first_pause_s, 60.0)
        self._receipt_s = receipt_s
        self._queues = Attendance(mailboxes, lambda mailbox: _Queue(self, mailbox))
        self._broker: StompBroker | None = None
        self._waiting: list[QueueFrame] = []
        self._flying: dict[str, _Flying] = {}
        self._window = WINDOW
        self._written = trio.Event()
        self._hurry = trio.Event()
        self._is_troubled = False
        self._last_failure = ""

    # --- the bridge, as the callback desk sees it ------------------------------------------------

    def open(self, mailbox: Mailbox) -> None:
        """Take deliveries of this queue from now on; again is harmless."""
        self._queues.open(mailbox)

    async def run(self) -> None:
        """Live until cancelled; what is not confirmed then is published after the next start."""
        with self._queues.attached():
            try:
                while True:
                    await self._live_once()
                    self._hurry = trio.Event()
                    with trio.move_on_after(self._backoff.next_s()):
                        await self._hurry.wait()
            finally:
                self._flying.clear()
                self._waiting.clear()
                for queue in self._queues.receivers.values():
                    queue.in_flight = 0

    def statistics(self) -> Mapping[str, Mapping[str, object]]:
        """By mailbox: what is under way, and what is wrong with the broker, if anything is."""
        return {
            str(mailbox): {
                "in_flight": queue.in_flight,
                "connected": self._broker is not None,
                "last_failure": "" if self._broker is not None else self._last_failure,
            }
            for mailbox, queue in self._queues.receivers.items()
        }

    def forgive(self, _mailbox: Mailbox) -> None:
        """Dial the broker now."""
        self._hurry.set()

    # --- for queues ------------------------------------------------------------------------------

    def room(self) -> int:
        """How many more messages may be written now; 0 while there is no broker."""
        return 0 if self._broker is None else max(0, self._window - len(self._flying))

    def publish(self, queue: _Queue, batch: Sequence[Delivery]) -> None:
        """Hand the batch to the writer."""
        nothing: list[DeliveryOutcome] = []
        for delivery in batch:
            outcome = self._frame(queue, delivery)
            if isinstance(outcome, QueueFrame):
                self._flying[outcome.receipt] = _Flying(queue, delivery, trio.current_time())
                self._waiting.append(outcome)
            else:
                nothing.append(outcome)
        self._written.set()
        if nothing:
            queue.in_flight -= len(nothing)
            self._mailboxes.delivered(queue.mailbox, nothing)

    def _frame(self, queue: _Queue, delivery: Delivery) -> QueueFrame | Done | SetAside:
        style, rest = find_queue_style(delivery.callback_style)
        try:
            message = style.queue_message(delivery, rest)
        except Exception as error:  # noqa: BLE001 a bug in one message must not end the others
            self._log.exception("jms.message_broke", delivery=delivery.id)
            return SetAside(delivery.id, type(error).__name__)
        if message is None:
            return Done(delivery.id)
        headers = {
            "type": message.jms_type,
            "correlation-id": str(delivery.message_id or delivery.id),
            "deliveryId": str(delivery.id),
        }
        queue_name = queue.mailbox.removeprefix(PREFIX)
        return QueueFrame(str(delivery.id), queue_name, message.body, headers)

    # --- one connection --------------------------------------------------------------------------

    async def _live_once(self) -> None:
        """Dial, publish until the connection ends, and take back what it did not confirm."""
        try:
            broker = await dial(self._address, self._stored, self._refused)
        except BrokerError as error:
            self._tell_trouble(str(error))
            return
        try:
            self._broker = broker
            self._is_troubled = False
            self._log.info("jms.connected", host=self._address.host, port=self._address.port)
            async with trio.open_nursery() as nursery:
                nursery.start_soon(self._write, broker)
                nursery.start_soon(self._watch, broker)
                for mailbox in list(self._queues.receivers):
                    self._mailboxes.delivered(mailbox, [])  # there is room now
                await broker.lost.wait()
                nursery.cancel_scope.cancel()
        finally:
            self._broker = None
            broker.close()
        self._tell_trouble(broker.why_lost)
        self._take_back(broker.why_lost)

    async def _write(self, broker: StompBroker) -> None:
        while True:
            await self._written.wait()
            self._written = trio.Event()
            frames, self._waiting = self._waiting, []
            if not frames:
                continue
            try:
                await broker.send_many(frames)
            except BrokerError as error:
                broker.why_lost = str(error)
                broker.close()
                return

    async def _watch(self, broker: StompBroker) -> None:
        """A broker that confirms nothing is as good as gone."""
        while True:
            await trio.sleep(min(_WATCH_S, self._receipt_s))
            oldest = next(iter(self._flying.values()), None)
            if oldest is not None and oldest.since + self._receipt_s <= trio.current_time():
                broker.why_lost = f"no receipt within {self._receipt_s:g} s"
                broker.close()
                return

    def _take_back(self, why: str) -> None:
        """Nobody knows whether the broker has these: they are published again."""
        self._waiting.clear()
        flying, self._flying = self._flying, {}
        if flying:
            self._window = max(1, self._window // 2)
        by_queue: dict[_Queue, list[DeliveryOutcome]] = {}
        for one in flying.values():
            by_queue.setdefault(one.queue, []).append(Again(one.delivery.id, 0.0, why))
        for queue, outcomes in by_queue.items():
            queue.in_flight -= len(outcomes)
            self._mailboxes.delivered(queue.mailbox, outcomes)

    def _stored(self, receipts: Sequence[str]) -> None:
        """The broker has these."""
        self._backoff.succeeded()
        self._window = min(WINDOW, self._window + len(receipts))
        by_queue: dict[_Queue, list[DeliveryOutcome]] = {}
        for receipt in receipts:
            one = self._flying.pop(receipt, None)
            if one is not None:
                by_queue.setdefault(one.queue, []).append(Done(one.delivery.id))
        for queue, outcomes in by_queue.items():
            queue.in_flight -= len(outcomes)
            self._log.info("jms.published", mailbox=queue.mailbox, messages=len(outcomes))
            self._mailboxes.delivered(queue.mailbox, outcomes)

    def _refused(self, receipt: str, why: str) -> None:
        """The broker will not have this one, now or at all."""
        one = self._flying.pop(receipt, None)
        if one is None:
            return
        delivery = one.delivery
        self._log.warning("jms.refused", delivery=delivery.id, why=why)
        delay_s = min(_MAX_DELAY_S, _FIRST_DELAY_S * 2 ** min(delivery.attempt, 16))
        outcome: DeliveryOutcome = Again(delivery.id, delay_s, why)
        if delivery.attempt + 1 >= REFUSALS:
            outcome = SetAside(delivery.id, f"{why}, {REFUSALS} times")
        one.queue.in_flight -= 1
        self._mailboxes.delivered(one.queue.mailbox, [outcome])

    def _tell_trouble(self, why: str) -> None:
        """Once for each time the broker goes away, not for each attempt to reach it."""
        self._last_failure = why
        if not self._is_troubled:
            self._is_troubled = True
            self._log.warning("jms.down", host=self._address.host, port=self._address.port, why=why)
