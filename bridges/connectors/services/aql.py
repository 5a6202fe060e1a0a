"""AQL, version 1 (form, text answers, receipts by a URL in the request) and 2 (JSON).

*In*: `Sms`, answers, callbacks. *Out*: requests, verdicts, reports.
*Never*: an id from version 1: it names none, so our reference stands in the receipt URL.

Of version 2 only sending and the credit are documented in public; it tells of no receipts.
"""

import re
from collections.abc import Mapping
from typing import Final
from urllib.parse import urlencode

import attrs
import orjson

from bridges.connectors.service import (
    EMPTY_REPLY,
    Callback,
    Called,
    Declined,
    ErrorTable,
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

V1_ERRORS: Final[ErrorTable] = {
    "1": ("permanent", Status.ESME_RINVDSTADR),  # partly queued: of our one number, not
    "2": "configuration",
    "3": ("permanent", Status.ESME_RINVDSTADR),
    "4": ("permanent", Status.ESME_RINVSCHED),
    "5": "configuration",
    "9": "retryable",
}
STATES: Final[Mapping[str, State]] = {
    "1": State.DELIVERED,
    "2": State.UNDELIVERABLE,
    "4": State.ENROUTE,
    "8": State.ENROUTE,
    "16": State.REJECTED,
}
_ANSWER: Final = re.compile(r"\s*(\d{1,3})\s*:\s*(\d*)\s*(.{0,200})")
_FORM: Final = (("Content-Type", "application/x-www-form-urlencoded"),)


@attrs.define
class AqlV1(Plain):
    """`api = "v1"`."""

    url: str
    username: str
    password: str = attrs.field(repr=False)
    wants_receipts: bool = False

    def request(self, sms: Sms, now_s: float) -> Request | Declined:
        """One message a request."""
        del now_s
        fields = {
            "username": self.username,
            "password": self.password,
            "destination": sms.to,
            "message": sms.text,
            "flash": "1" if sms.is_flash else "0",
            "allow_unicode": "1" if sms.is_unicode else "0",
            "max_concat": str(sms.text_parts),
        }
        if sms.sender:
            fields["originator"] = sms.sender
        if sms.receipt_url:
            fields["dlr_url"] = f"{sms.referring_url}&code=%code&dest=%dest"
        return Request("POST", self.url, _FORM, urlencode(fields).encode())

    def verdict(self, sms: Sms, response: Response) -> Verdict:
        """`code:credits text`."""
        match = _ANSWER.match(response.text)
        if response.status // 100 != 2:
            return by_http_status(response)
        if match is None:
            return Unclear("the answer begins with no code")
        if match[1] == "0":
            return Taken(sms.reference if sms.receipt_url else "")
        return by_table(V1_ERRORS, match[1], match[3].strip(), "retryable")

    def called(self, callback: Callback) -> Called | Rejected:
        """GET of the receipt URL."""
        fields = callback.parameters
        reference, state = fields.get("ref", ""), STATES.get(fields.get("code", ""))
        if not reference or state is None:
            return Rejected(400, "expected ref and a code that AQL documents")
        is_error = state in {State.UNDELIVERABLE, State.REJECTED}
        error = int(fields["code"]) if is_error else 0
        return Called(EMPTY_REPLY, (Report(reference, state, error),))


@attrs.define
class AqlV2(Plain):
    """`api = "v2"`."""

    url: str
    token: str = attrs.field(repr=False)

    def request(self, sms: Sms, now_s: float) -> Request | Declined:
        """One message a request."""
        del now_s
        body: dict[str, object] = {"destinations": [sms.to], "message": sms.text}
        if sms.sender:
            body["originator"] = sms.sender
        return Request("POST", f"{self.url}/v2/sms/send", self._headers(), orjson.dumps(body))

    def verdict(self, sms: Sms, response: Response) -> Verdict:
        """200 with `data[].id`, or `message` and `errors`."""
        del sms
        told = response.json()
        if response.status // 100 != 2:
            return by_http_status(response, _why(told))
        if member(told, "errors"):
            return declined("permanent", response.status, _why(told))
        if not isinstance(member(told, "data"), list):
            return Unclear("the answer has no list data")
        return Taken(word(member(told, "data", 0, "id")))

    def balance(self, now_s: float) -> Request | None:
        """GET /v2/sms/credit."""
        del now_s
        return Request("GET", f"{self.url}/v2/sms/credit", self._headers())

    def balance_left(self, response: Response) -> float | None:
        """`data.credit`."""
        left = member(response.json(), "data", "credit")
        return float(left) if isinstance(left, int | float) else None

    def _headers(self) -> tuple[tuple[str, str], ...]:
        return (("X-Auth-Token", self.token), ("Content-Type", "application/json"))


def _why(told: object) -> str:
    """What an error body says, for people."""
    errors = member(told, "errors")
    more = orjson.dumps(errors).decode() if errors else ""
    return " ".join(part for part in (word(member(told, "message")), more) if part)
