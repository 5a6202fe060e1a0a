"""OVH's signed REST interface.

*In*: `Sms`, answers, callbacks; the time. *Out*: signed requests, verdicts, reports.
*Never*: a clock: OVH's own is asked for first, and again when a signature was refused.

The signature is `$1$` and the SHA-1, in hexadecimal digits, of application secret, consumer key,
method, URL, body and timestamp, joined by plus signs.
"""

import hashlib
from typing import Any, Final
from urllib.parse import quote

import attrs
import orjson

from bridges.connectors.service import (
    NOT_YET,
    Callback,
    Called,
    Declined,
    Plain,
    Polled,
    Rejected,
    Request,
    Response,
    Taken,
    Unclear,
    Verdict,
    by_http_status,
    declined,
    member,
    word,
)
from bridges.connectors.services.ovh_ptt import receipt_called, report_of
from bridges.connectors.sms import Sms
from pdu.status import Status

_TAG_CHARACTERS: Final = 20
_CLOCK_WORDS: Final = ("time", "timestamp", "signature")


@attrs.define
class OvhRest(Plain):
    """`api = "rest"`."""

    url: str
    service: str
    application_key: str = attrs.field(repr=False)
    application_secret: str = attrs.field(repr=False)
    consumer_key: str = attrs.field(repr=False)
    has_stop_clause: bool = False
    wants_receipts: bool = False
    _ahead_s: int | None = None
    """OVH's clock minus ours; None until asked for."""
    _suspected: int | None = None
    """The difference that a signature was last refused with."""

    def preparation(self, now_s: float) -> Request | None:
        """Ask for OVH's time."""
        del now_s
        return None if self._ahead_s is not None else Request("GET", f"{self.url}/auth/time")

    def prepared(self, response: Response, now_s: float) -> Declined | None:
        """Seconds since the epoch, as text."""
        text = response.text.strip()
        if not (text.isascii() and text.isdecimal() and len(text) < 12):
            return declined("retryable", "time", "the answer to /auth/time is no time")
        self._ahead_s = int(text) - int(now_s)
        return None

    def request(self, sms: Sms, now_s: float) -> Request | Declined:
        """A job with one receiver."""
        job: dict[str, Any] = {
            "receivers": [sms.plus_to],
            "message": sms.text,
            "charset": "UTF-8",
            "coding": "8bit" if sms.is_unicode else "7bit",
            "noStopClause": not self.has_stop_clause,
            "priority": "high",
            "tag": sms.reference[:_TAG_CHARACTERS],
        }
        if sms.sender:
            job["sender"] = sms.plus_sender
        else:
            job["senderForResponse"] = True
        if sms.is_flash:
            job["class"] = "flash"
        if sms.validity_s:
            job["validityPeriod"] = max(1, sms.validity_s // 60)
        return self._signed("POST", "/jobs", now_s, orjson.dumps(job))

    def verdict(self, sms: Sms, response: Response) -> Verdict:
        """Ids, or the receiver among those that are invalid, or an error."""
        del sms
        told = response.json()
        why = word(member(told, "message"))
        if response.status // 100 != 2:
            return self._refused(response, why)
        if member(told, "invalidReceivers", 0) is not None:
            why = "the number is invalid for OVH"
            return declined("permanent", "invalidReceivers", why, Status.ESME_RINVDSTADR)
        upstream_id = word(member(told, "ids", 0))
        return Taken(upstream_id) if upstream_id else Unclear("the answer names no job")

    def called(self, callback: Callback) -> Called | Rejected:
        """See `ovh_ptt`."""
        return receipt_called(callback)

    def poll(self, upstream_id: str, now_s: float) -> Request | None:
        """A message that left is found under /outgoing; one that waits is not."""
        return self._signed("GET", f"/outgoing/{quote(upstream_id, safe='')}", now_s)

    def polled(self, upstream_id: str, response: Response) -> Polled:
        """`deliveryReceipt` and `ptt`."""
        if response.status == 404:
            return NOT_YET
        if response.status // 100 != 2:
            refused = self._refused(response, word(member(response.json(), "message")))
            return refused if isinstance(refused, Declined) else NOT_YET
        told = response.json()
        if not isinstance(told, dict):
            return NOT_YET
        return report_of(upstream_id, told.get("ptt"), told.get("deliveryReceipt"))

    def balance(self, now_s: float) -> Request | None:
        """The account itself."""
        return self._signed("GET", "", now_s)

    def balance_left(self, response: Response) -> float | None:
        """`creditsLeft`."""
        left = member(response.json(), "creditsLeft")
        return float(left) if isinstance(left, int | float) else None

    def _refused(self, response: Response, why: str) -> Declined | Unclear:
        is_about_time = any(one in why.lower() for one in _CLOCK_WORDS)
        if response.status in {400, 401, 403} and is_about_time and self._ahead_s is not None:
            # Our idea of its clock may be wrong. Ask once; a second refusal is for people.
            ours, self._ahead_s = self._ahead_s, None
            if ours != self._suspected:
                self._suspected = ours
                return declined("retryable", response.status, why)
        if response.status in {404, 405}:
            return declined("configuration", response.status, why or "no such service")
        return by_http_status(response, why)

    def _signed(self, method: str, path: str, now_s: float, body: bytes = b"") -> Request:
        url = f"{self.url}/sms/{quote(self.service, safe='')}{path}"
        at = str(int(now_s) + (self._ahead_s or 0))
        signed = (
            f"{self.application_secret}+{self.consumer_key}+{method}+{url}+{body.decode()}+{at}"
        )
        digest = hashlib.sha1(signed.encode()).hexdigest()  # noqa: S324 - OVH's own scheme
        headers: tuple[tuple[str, str], ...] = (
            ("X-Ovh-Application", self.application_key),
            ("X-Ovh-Consumer", self.consumer_key),
            ("X-Ovh-Timestamp", at),
            ("X-Ovh-Signature", f"$1${digest}"),
        )
        if body:
            headers += (("Content-Type", "application/json"),)
        return Request(method, url, headers, body)
