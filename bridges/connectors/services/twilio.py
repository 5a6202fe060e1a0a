"""Twilio's Messages resource.

*In*: `Sms`, answers, signed callbacks. *Out*: form posts, verdicts, reports, messages.
*Never*: a callback whose signature is wrong; flash, which Twilio has not.

X-Twilio-Signature is the HMAC-SHA1, in base64, of the URL and the sorted form fields; the key is
the auth token of the account, also where requests use an API key.
"""

import base64
import hashlib
import hmac
from collections.abc import Mapping
from typing import Final
from urllib.parse import quote, urlencode

import attrs

from bridges.connectors.service import (
    NOT_YET,
    Callback,
    Called,
    Declined,
    ErrorTable,
    Mobile,
    Plain,
    Polled,
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
    retry_after_s,
    word,
)
from bridges.connectors.sms import Sms
from bridges.http.dialects.base import Reply
from pdu.status import Status
from smsc.message import State

ERRORS: Final[ErrorTable] = {
    **dict.fromkeys(("20429", "30001", "21611"), "throttled"),
    "30022": "throttled",
    "30008": "retryable",
    "21211": ("permanent", Status.ESME_RINVDSTADR),
    "21408": "permanent",
    "21610": "permanent",
    "21612": "permanent",
    "21614": ("permanent", Status.ESME_RINVDSTADR),
    "21617": ("permanent", Status.ESME_RINVMSGLEN),
    **dict.fromkeys(("30003", "30004", "30005", "30006", "30007"), "permanent"),
    **dict.fromkeys(("20003", "20404", "30002", "30034"), "configuration"),
    "21606": "sender",
}
STATES: Final[Mapping[str, State]] = {
    **dict.fromkeys(("accepted", "queued", "sending", "scheduled", "sent"), State.ENROUTE),
    **dict.fromkeys(("delivered", "read"), State.DELIVERED),
    "undelivered": State.UNDELIVERABLE,
    "failed": State.REJECTED,
    "canceled": State.DELETED,
}
_CHARACTERS: Final = 1600
_SHORTEST_VALIDITY_S, _LONGEST_VALIDITY_S = 1, 36_000
_NOTHING: Final = Reply(200, b"<Response/>", "text/xml")


@attrs.define
class Twilio(Plain):
    """The one API there is."""

    url: str
    account_sid: str
    auth_token: str = attrs.field(repr=False)
    api_key: str = ""
    api_secret: str = attrs.field(default="", repr=False)
    messaging_service: str = ""
    wants_receipts: bool = False

    def request(self, sms: Sms, now_s: float) -> Request | Declined:
        """One message; our reference stands in the query of its StatusCallback."""
        del now_s
        if len(sms.text) > _CHARACTERS:
            why = f"Twilio takes {_CHARACTERS} characters at most"
            return declined("permanent", "21617", why, Status.ESME_RINVMSGLEN)
        fields = {"To": sms.plus_to, "Body": sms.text}
        if self.messaging_service:
            fields["MessagingServiceSid"] = self.messaging_service
        if sms.sender and not (self.messaging_service and not sms.is_sender_ours):
            fields["From"] = sms.plus_sender
        if sms.receipt_url:
            fields["StatusCallback"] = sms.referring_url
        if sms.validity_s:
            validity_s = min(max(sms.validity_s, _SHORTEST_VALIDITY_S), _LONGEST_VALIDITY_S)
            fields["ValidityPeriod"] = str(validity_s)
        headers = (
            *self._headers(),
            ("Content-Type", "application/x-www-form-urlencoded"),
        )
        return Request("POST", self._resource("Messages.json"), headers, urlencode(fields).encode())

    def verdict(self, sms: Sms, response: Response) -> Verdict:
        """201 with a sid, or a code."""
        del sms
        told = response.json()
        code = word(member(told, "code")) or word(member(told, "error_code"))
        why = word(member(told, "message")) or word(member(told, "error_message"))
        if response.status // 100 == 2 and not code:
            sid = word(member(told, "sid"))
            return Taken(sid) if sid else Unclear("the answer has no sid")
        if response.status == 429:
            return declined("throttled", code or 429, why, retry_after_s=retry_after_s(response))
        if code in ERRORS:
            return by_table(ERRORS, code, why)
        return by_http_status(response, f"{code} {why}".strip())

    def called(self, callback: Callback) -> Called | Rejected:
        """A status of a message of ours, or a message to a number of ours."""
        if not self.is_genuine(callback):
            return Rejected(403, "the signature does not fit")
        fields = callback.form or callback.query
        status = fields.get("MessageStatus") or fields.get("SmsStatus", "")
        sid = fields.get("MessageSid") or fields.get("SmsSid", "")
        if status == "received" or (not status and "Body" in fields):
            if not fields.get("To"):
                return Rejected(400, "expected To")
            mobile = Mobile(fields.get("From", ""), fields["To"], fields.get("Body", ""))
            return Called(_NOTHING, (), (mobile,))
        if not sid or status not in STATES:
            return Rejected(400, "expected MessageSid, and a MessageStatus that Twilio documents")
        return Called(_NOTHING, (_report(sid, status, fields.get("ErrorCode", "")),))

    def is_genuine(self, callback: Callback) -> bool:
        """Does the signature fit?"""
        signed = callback.url
        expected_body = callback.query.get("bodySHA256")
        if expected_body is not None:
            body = hashlib.sha256(callback.body).hexdigest()
            if not hmac.compare_digest(body.encode(), expected_body.lower().encode()):
                return False
        elif callback.method == "POST":
            signed += "".join(name + value for name, value in sorted(callback.form_pairs))
        digest = hmac.digest(self.auth_token.encode(), signed.encode(), "sha1")
        given = callback.headers.get("x-twilio-signature", "")
        return hmac.compare_digest(base64.b64encode(digest), given.encode())

    def poll(self, upstream_id: str, now_s: float) -> Request | None:
        """The message itself."""
        del now_s
        path = f"Messages/{quote(upstream_id, safe='')}.json"
        return Request("GET", self._resource(path), self._headers())

    def polled(self, upstream_id: str, response: Response) -> Polled:
        """Its status."""
        told = response.json()
        if response.status // 100 != 2:
            refused = by_http_status(response, word(member(told, "message")))
            return refused if isinstance(refused, Declined) else NOT_YET
        status = word(member(told, "status"))
        if status not in STATES:
            return NOT_YET
        return _report(upstream_id, status, word(member(told, "error_code")))

    def balance(self, now_s: float) -> Request | None:
        """The Balance resource of the account."""
        del now_s
        return Request("GET", self._resource("Balance.json"), self._headers())

    def balance_left(self, response: Response) -> float | None:
        """`balance`, a decimal number as a string."""
        try:
            return float(word(member(response.json(), "balance")))
        except ValueError:
            return None

    def _resource(self, path: str) -> str:
        return f"{self.url}/2010-04-01/Accounts/{quote(self.account_sid, safe='')}/{path}"

    def _headers(self) -> tuple[tuple[str, str], ...]:
        user, password = (
            (self.api_key, self.api_secret) if self.api_key else (self.account_sid, self.auth_token)
        )
        token = base64.b64encode(f"{user}:{password}".encode()).decode()
        return (("Authorization", f"Basic {token}"),)


def _report(sid: str, status: str, error: str) -> Report:
    code = int(error) if error.isascii() and error.isdecimal() and len(error) < 9 else 0
    return Report(sid, STATES[status], code)
