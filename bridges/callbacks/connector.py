"""How an SMS Connector is told: form posts of the gateway it sends by, and its own queue's reports.

*In*: deliveries. *Out*: form POSTs to /receive and /delivery-notification; JSON for a queue.
*Never*: I/O, a clock.

"connector": we are the gateway of an existing Connector; the callback URL is its base, such as
http://host:8080/msg-client. MO messages go to BASE/receive, everything else to
BASE/delivery-notification; a base that ends with either of them is cut there.

"connector-report:CHANNEL": we are the Connector; a message that ended becomes a text message in
the queue `delivery-report`, with the channel as its JMS type. Steps on the way are not told.

"SMS Connector APIs Documentation", version 12.0 (Expertflow).
"""

from collections.abc import Mapping, Sequence
from typing import Final
from urllib.parse import urlencode, urlsplit

import orjson

from bridges.callbacks.style import (
    CallbackRequest,
    CallbackResponse,
    QueueMessage,
    judge_status,
)
from bridges.http.dialects.base import read_body
from smsc.message import Delivery, State
from smsc.ports import CallbackEvent, DeliveryOutcome

RECEIVE: Final = "/receive"
NOTIFICATION: Final = "/delivery-notification"
CHANNEL: Final = "smpp"
_ENDS: Final = CallbackEvent.DELIVERED | CallbackEvent.FAILED
_SMS_STATUS: Final[Mapping[State, str]] = {
    State.DELIVERED: "delivered",
    State.ACCEPTED: "delivered",
    State.EXPIRED: "undelivered",
    State.UNDELIVERABLE: "undelivered",
    State.REJECTED: "failed",
    State.DELETED: "failed",
    State.UNKNOWN: "failed",
}
_STEPS: Final = {"accepted": "sent", "notice": "sent", "buffered": "queued"}
_DELIVERED: Final = frozenset({State.DELIVERED, State.ACCEPTED})


class ConnectorStyle:
    """The posts of a gateway to its Connector."""

    def events(self, _rest: str) -> CallbackEvent:
        """All that has a word: queued, sent, and how it ended."""
        return _ENDS | CallbackEvent.REJECTED | CallbackEvent.ACCEPTED | CallbackEvent.BUFFERED

    def request(
        self, delivery: Delivery, _rest: str, _now_ms: int, _keys: Sequence[bytes]
    ) -> CallbackRequest:
        """A form post."""
        path, fields = RECEIVE, _mo_fields(delivery)
        if delivery.kind != "mo":
            path, fields = NOTIFICATION, _notification_fields(delivery)
        return CallbackRequest(
            _join(delivery.callback_url or "", path),
            "POST",
            (("Content-Type", "application/x-www-form-urlencoded"),),
            urlencode(fields).encode(),
        )

    def judge(self, delivery: Delivery, response: CallbackResponse) -> DeliveryOutcome:
        """200 is what it documents; any 2xx is done."""
        return judge_status(delivery, response)


class ConnectorReportStyle:
    """The reports of a Connector to whoever reads its queue."""

    def events(self, _rest: str) -> CallbackEvent:
        """Ends only."""
        return _ENDS

    def queue_message(self, delivery: Delivery, rest: str) -> QueueMessage | None:
        """The JSON of the document, with the channel as JMS type; None for an MO message."""
        if delivery.kind == "mo":
            return None
        return QueueMessage(_report(delivery), rest or CHANNEL)

    def request(
        self, delivery: Delivery, rest: str, _now_ms: int, _keys: Sequence[bytes]
    ) -> CallbackRequest | None:
        """The same JSON by HTTP, for those who have no broker."""
        message = self.queue_message(delivery, rest)
        if message is None:
            return None
        headers = (("Content-Type", "application/json"), ("X-JMS-Type", message.jms_type))
        url = delivery.callback_url or ""
        return CallbackRequest(url, "POST", headers, message.body.encode())

    def judge(self, delivery: Delivery, response: CallbackResponse) -> DeliveryOutcome:
        """Any 2xx is done."""
        return judge_status(delivery, response)


def _mo_fields(delivery: Delivery) -> dict[str, str]:
    spoken = read_body(delivery.body)
    return {
        "Body": spoken.text(),
        "From": spoken.source,
        "To": spoken.destination,
        "SmsSid": str(delivery.id),
    }


def _notification_fields(delivery: Delivery) -> dict[str, str]:
    status = _STEPS.get(delivery.kind) or _SMS_STATUS.get(delivery.state, "failed")
    return {"MessageSid": str(delivery.message_id), "SmsStatus": status, "MessageStatus": status}


def _report(delivery: Delivery) -> str:
    return orjson.dumps(
        {
            "MessageSID": str(delivery.message_id),
            "DeliveryStatus": "DELIVERED" if delivery.state in _DELIVERED else "FAILED",
            "ProviderStatusCode": str(delivery.error),
        }
    ).decode()


def _join(base: str, path: str) -> str:
    """The base's own path, then ours, then the base's query."""
    url = urlsplit(base)
    root = url.path.rstrip("/").removesuffix(RECEIVE).removesuffix(NOTIFICATION)
    return url._replace(path=root + path, fragment="").geturl()
