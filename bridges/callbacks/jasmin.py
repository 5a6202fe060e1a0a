"""Jasmin's reports and MO push: arguments by GET or POST, answered `ACK/Jasmin`.

*In*: deliveries whose style is "jasmin:LEVEL:METHOD". *Out*: requests as Jasmin makes them.
*Never*: I/O, a clock.

Jasmin docs, "HTTP API", Delivery receipts and Receiving SMS-MO; jasmin/routing/throwers.py.
Level 1 is the network's answer, level 2 the end of the message, level 3 both, each in a request
of its own.
"""

import urllib.parse
from collections.abc import Mapping, Sequence
from typing import Final

from bridges.callbacks.style import (
    ITS_OWN_TIME,
    CallbackRequest,
    CallbackResponse,
    judge_status,
)
from bridges.http.dialects.base import read_body
from bridges.http.dialects.uuids import uuid_of
from pdu.codec import peek_deliver_sm
from pdu.receipt_text import parse_receipt
from pdu.status import Status, status_name
from pdu.text.alphabet import Alphabet, alphabet_of
from smsc.message import Delivery, State
from smsc.ports import Again, CallbackEvent, DeliveryOutcome, Done, Dropped

ACK: Final = b"ACK/Jasmin"
NOT_FOUND: Final = 404
_LEVEL_1: Final = CallbackEvent.ACCEPTED | CallbackEvent.REJECTED
_LEVEL_2: Final = CallbackEvent.DELIVERED | CallbackEvent.FAILED
_EVENTS: Final[Mapping[str, CallbackEvent]] = {
    "1": _LEVEL_1,
    "2": _LEVEL_2,
    "3": _LEVEL_1 | _LEVEL_2,
}
_STATUSES: Final[Mapping[State, str]] = {
    State.DELIVERED: "DELIVRD",
    State.EXPIRED: "EXPIRED",
    State.DELETED: "DELETED",
    State.UNDELIVERABLE: "UNDELIV",
    State.ACCEPTED: "ACCEPTD",
    State.REJECTED: "REJECTD",
}
"""message_status of level 2; any other state is UNKNOWN."""


class JasminStyle:
    """See the module."""

    def events(self, rest: str) -> CallbackEvent:
        """What the level asks for; none without a level."""
        return _EVENTS.get(rest.partition(":")[0], CallbackEvent(0))

    def request(
        self, delivery: Delivery, rest: str, _now_ms: int, _keys: Sequence[bytes]
    ) -> CallbackRequest:
        """The arguments behind the URL, or as a form."""
        match delivery.kind:
            case "mo":
                arguments: Mapping[str, str | bytes] = mo_arguments(delivery)
            case "accepted" | "rejected":
                arguments = level_1_arguments(delivery)
            case _:
                arguments = level_2_arguments(delivery)
        encoded = urllib.parse.urlencode(arguments)
        url = delivery.callback_url or ""
        headers = (("Accept", "text/plain"),)
        if rest.partition(":")[2].upper() == "GET":
            return _by_get(url, encoded, headers)
        form = ("Content-Type", "application/x-www-form-urlencoded")
        return CallbackRequest(url, "POST", (form, *headers), encoded.encode())

    def judge(self, delivery: Delivery, response: CallbackResponse) -> DeliveryOutcome:
        """200 and `ACK/Jasmin`; 404 is the one answer after which Jasmin does not try again."""
        if response.status == 200 and response.body.strip() == ACK:
            return Done(delivery.id)
        if response.status == NOT_FOUND:
            return Dropped(delivery.id, "HTTP 404")
        why = "HTTP 200 without ACK/Jasmin" if response.status == 200 else f"HTTP {response.status}"
        return Again(delivery.id, ITS_OWN_TIME, why)


class JasminBatchStyle:
    """What became of each message of a batch: GET of its callback_url or errback_url.

    The arguments are written when the batch is judged (`bridges.http.dialects.jasmin_rest`).
    """

    def events(self, _rest: str) -> CallbackEvent:
        """None: what happens to a message later is told by its dlr-url."""
        return CallbackEvent(0)

    def request(
        self, delivery: Delivery, _rest: str, _now_ms: int, _keys: Sequence[bytes]
    ) -> CallbackRequest:
        """The arguments behind the URL."""
        return _by_get(delivery.callback_url or "", read_body(delivery.body).data.decode())

    def judge(self, delivery: Delivery, response: CallbackResponse) -> DeliveryOutcome:
        """Any 2xx will do; the body means nothing."""
        return judge_status(delivery, response)


def _by_get(url: str, arguments: str, headers: tuple[tuple[str, str], ...] = ()) -> CallbackRequest:
    joint = "&" if "?" in url else "?"
    return CallbackRequest(f"{url}{joint}{arguments}", "GET", headers)


def level_1_arguments(delivery: Delivery) -> dict[str, str]:
    """The network took it, or said why not; a code of 0 is none that could say so."""
    status = int(Status.ESME_ROK)
    if delivery.kind == "rejected":
        status = delivery.error or int(Status.ESME_RSUBMITFAIL)
    return {
        "id": uuid_of(delivery.message_id),
        "level": "1",
        "message_status": status_name(status),
        "connector": delivery.outlet,
    }


def level_2_arguments(delivery: Delivery) -> dict[str, str]:
    """How it ended, with the fields of the receipt (SMPP 3.4 appendix B)."""
    arguments = {
        "id": uuid_of(delivery.message_id),
        "level": "2",
        "message_status": _STATUSES.get(delivery.state, "UNKNOWN"),
        "connector": delivery.outlet,
        "id_smsc": delivery.upstream_id,
    }
    receipt = parse_receipt(read_body(delivery.body).data)
    if receipt is None:
        return arguments
    return arguments | {
        "sub": f"{receipt.sub or 0:03d}",
        "dlvrd": f"{receipt.dlvrd or 0:03d}",
        "subdate": receipt.submit_date or "",
        "donedate": receipt.done_date or "",
        "err": receipt.err or "",
        "text": receipt.text or "",
    }


def mo_arguments(delivery: Delivery) -> dict[str, str | bytes]:
    """A message from a handset; `content` is text for GSM 03.38, else the octets as they came."""
    spoken, peek = read_body(delivery.body), peek_deliver_sm(delivery.body)
    header_octets = spoken.data[0] + 1 if spoken.udh and spoken.data else 0
    is_text = alphabet_of(spoken.data_coding) is Alphabet.GSM7
    arguments: dict[str, str | bytes] = {
        "id": uuid_of(delivery.id),
        "from": spoken.source,
        "to": spoken.destination,
        "origin-connector": delivery.outlet,
        "content": spoken.text().encode() if is_text else spoken.data[header_octets:],
        "binary": spoken.data.hex(),
        "priority": str(peek.priority_flag),
        "coding": str(spoken.data_coding),
    }
    if peek.validity_period:
        arguments["validity"] = peek.validity_period
    return arguments
