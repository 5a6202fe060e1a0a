"""Clickatell's platform API, and its One API.

*In*: `Sms`, answers, callbacks. *Out*: `POST /messages`, or `POST /v1/message`; verdicts; reports.
*Never*: flash: neither API has it, so such a message goes as a normal one.

Codes as the status table of docs.clickatell.com lists them. A callback's letter case differs
between descriptions, so keys are compared without it.
"""

from collections.abc import Mapping
from typing import Final, Literal

import attrs
import orjson

from bridges.connectors.service import (
    EMPTY_REPLY,
    Callback,
    Called,
    Declined,
    ErrorTable,
    Mobile,
    Plain,
    Rejected,
    Report,
    Request,
    Response,
    Taken,
    Unclear,
    Verdict,
    by_http_status,
    by_table,
    declined,
    member,
    word,
)
from bridges.connectors.sms import Sms
from pdu.status import Status
from smsc.message import State

_ADDRESS: Final = ("permanent", Status.ESME_RINVDSTADR)
ERRORS: Final[ErrorTable] = {
    **dict.fromkeys(("18", "19", "43"), "retryable"),
    **dict.fromkeys(("30", "40", "100", "101", "110"), "permanent"),
    **dict.fromkeys(map(str, range(21, 29)), _ADDRESS),
    **dict.fromkeys(
        ("1", "2", "3", "7", "20", "38", "39", "41", "42", "44", "45", "46"), "configuration"
    ),
}
STATES: Final[Mapping[int, State]] = {
    2: State.ENROUTE,  # queued there
    3: State.ENROUTE,  # scheduled there
    4: State.ENROUTE,
    5: State.DELIVERED,
    6: State.DELIVERED,
    20: State.EXPIRED,
    21: State.DELETED,
    22: State.DELETED,
    23: State.UNDELIVERABLE,
    29: State.UNDELIVERABLE,
    **dict.fromkeys((25, 26, 27, 28, 100), State.REJECTED),
}


@attrs.define
class ClickatellPlatform(Plain):
    """`api = "platform"` or `"one"`."""

    url: str
    key: str = attrs.field(repr=False)
    api: Literal["platform", "one"] = "platform"
    wants_receipts: bool = False

    def request(self, sms: Sms, now_s: float) -> Request | Declined:
        """One message a request."""
        del now_s
        one: dict[str, object] = {"content": sms.text}
        if sms.sender:
            one["from"] = sms.sender
        path = "/messages"
        if self.api == "one":
            path = "/v1/message"
            one |= {"channel": "sms", "to": sms.to, "clientMessageId": sms.reference}
            if sms.validity_s:
                one["validityPeriod"] = max(1, sms.validity_s // 60)
        else:
            one["to"] = [sms.to]
        body: dict[str, object] = {"messages": [one]} if self.api == "one" else one
        return Request("POST", self.url + path, self._headers(), orjson.dumps(body))

    def verdict(self, sms: Sms, response: Response) -> Verdict:
        """202 and the like, with one entry for our one message; else an error with a code."""
        del sms
        told = response.json()
        entry = member(told, "messages", 0)
        error = _error(entry) or _error(told)
        if error is not None:
            return by_table(ERRORS, *error)
        if response.status // 100 != 2:
            return by_http_status(response, word(member(told, "error")))
        upstream_id = word(member(entry, "apiMessageId"))
        if member(entry, "accepted") is True and upstream_id:
            return Taken(upstream_id)
        if member(entry, "accepted") is False:  # /messages says why in words, without a code
            return declined("permanent", "not accepted", word(member(entry, "error")))
        return Unclear("the answer names no message")

    def called(self, callback: Callback) -> Called | Rejected:
        """One API: `event.messageStatusUpdate`, a list or one; /messages: the fields by themselves.

        A reply of a handset has fromNumber, toNumber and text.
        """
        told = _lowered(callback.json)
        updates = member(_lowered(member(told, "event")), "messagestatusupdate")
        if updates is None and word(member(told, "tonumber")):
            return Called(EMPTY_REPLY, (), (_mobile(told),))
        if updates is None and member(told, "messageid") is not None:
            updates = told
        if isinstance(updates, dict):
            updates = [updates]
        if not isinstance(updates, list):
            why = "expected event.messageStatusUpdate, messageId and statusCode, or toNumber"
            return Rejected(400, why)
        reports = [report for one in updates if (report := _report(_lowered(one))) is not None]
        return Called(EMPTY_REPLY, tuple(reports))

    def balance(self, now_s: float) -> Request | None:
        """The platform's balance."""
        del now_s
        return Request("GET", f"{self.url}/public-client/balance", self._headers())

    def balance_left(self, response: Response) -> float | None:
        """`balance` of its answer."""
        left = member(response.json(), "balance")
        return float(left) if isinstance(left, int | float) else None

    def _headers(self) -> tuple[tuple[str, str], ...]:
        return (("Authorization", self.key), ("Content-Type", "application/json"))


def _error(told: object) -> tuple[str, str] | None:
    """(code, description) of an error object; None where there is none."""
    error = member(told, "error")
    code = word(member(error, "code")) or word(member(told, "errorCode"))
    if not code:
        return None
    return code, word(member(error, "description")) or word(member(told, "errorDescription"))


def _report(update: object) -> Report | None:
    upstream_id = word(member(update, "messageid"))
    code = word(member(update, "statuscode")) or word(member(update, "status"))
    if not upstream_id or not (code.isascii() and code.isdecimal() and len(code) < 6):
        return None
    done = word(member(update, "timestamp"))
    state = STATES.get(int(code), State.UNKNOWN)
    is_error = state in {State.UNDELIVERABLE, State.REJECTED, State.EXPIRED}
    return Report(
        upstream_id,
        state,
        error=int(code) if is_error else 0,
        done_ms=int(done) if done.isdecimal() else 0,
    )


def _mobile(reply: object) -> Mobile:
    text = member(reply, "text")
    return Mobile(
        word(member(reply, "fromnumber")),
        word(member(reply, "tonumber")),
        text if isinstance(text, str) else word(text),
    )


def _lowered(value: object) -> object:
    if not isinstance(value, dict):
        return value
    return {str(key).lower(): each for key, each in value.items()}
