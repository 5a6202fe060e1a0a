"""The native callback: JSON as Standard Webhooks 1.0.0 has it, signed where there is a secret.

*In*: deliveries. *Out*: POST requests with `{"type", "timestamp", "data"}`; what answers mean.
*Never*: I/O, a clock.

`type` is "message.STATE" for receipts (message.delivered, message.undeliverable, …) and steps
(message.enroute, message.queued), "message.received" for MO messages. `timestamp` is when it
happened; the header webhook-timestamp is when this attempt was made, and is what is signed.
"""

from collections.abc import Mapping, Sequence

import orjson

from bridges.callbacks.signing import signature_headers
from bridges.callbacks.style import (
    CallbackRequest,
    CallbackResponse,
    QueueMessage,
    judge_status,
)
from bridges.http.dialects.base import iso_utc, read_body
from smsc.message import Delivery
from smsc.ports import CallbackEvent, DeliveryOutcome

_STEPS: Mapping[str, str] = {
    "accepted": "message.enroute",
    "buffered": "message.queued",
    "notice": "message.enroute",
    "mo": "message.received",
}


class NativeStyle:
    """See the module. REST is a number, the sum of the `CallbackEvent`s that are asked for."""

    def events(self, rest: str) -> CallbackEvent:
        """The mask that REST is; none without one."""
        return CallbackEvent(int(rest) & 63 if rest.isdecimal() else 0)

    def request(
        self, delivery: Delivery, _rest: str, now_ms: int, keys: Sequence[bytes]
    ) -> CallbackRequest | None:
        """A POST; the octets that are sent are those that are signed."""
        body = _body(delivery)
        headers = (
            ("Content-Type", "application/json"),
            *signature_headers(str(delivery.id), now_ms, body, keys),
        )
        return CallbackRequest(delivery.callback_url or "", "POST", headers, body)

    def queue_message(self, delivery: Delivery, _rest: str) -> QueueMessage:
        """The same JSON, with the event as JMS type."""
        return QueueMessage(_body(delivery).decode(), type_of(delivery))

    def judge(self, delivery: Delivery, response: CallbackResponse) -> DeliveryOutcome:
        """2xx is done."""
        return judge_status(delivery, response)


def _body(delivery: Delivery) -> bytes:
    return orjson.dumps(
        {
            "type": type_of(delivery),
            "timestamp": iso_utc(delivery.created_ms),
            "data": data_of(delivery),
        }
    )


def type_of(delivery: Delivery) -> str:
    """The event's name."""
    return _STEPS.get(delivery.kind) or f"message.{delivery.state.name.lower()}"


def data_of(delivery: Delivery) -> dict[str, object]:
    """The facts.

    A receipt speaks of the message as it was sent: `from` its sender, `to` its recipient,
    although the deliver_sm body that stands for the receipt has them the other way round.
    `done` is when the gateway learned it.
    """
    spoken = read_body(delivery.body)
    if delivery.kind != "mo":
        return {
            "event": delivery.kind,
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
