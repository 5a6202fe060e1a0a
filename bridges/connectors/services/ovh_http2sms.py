"""OVH's http2sms: a form, answered in JSON.

*In*: `Sms`, answers, callbacks. *Out*: requests, verdicts, reports.
*Never*: the STOP clause, unless settings ask for it.
"""

from typing import Final
from urllib.parse import urlencode

import attrs

from bridges.connectors.service import (
    Callback,
    Called,
    Declined,
    ErrorTable,
    Plain,
    Rejected,
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
from bridges.connectors.services.ovh_ptt import receipt_called
from bridges.connectors.sms import Sms

ERRORS: Final[ErrorTable] = {
    "201": "permanent",
    "202": "permanent",
    "241": "sender",
    "401": "configuration",
}
_FORM: Final = (("Content-Type", "application/x-www-form-urlencoded"),)
_TAG_CHARACTERS: Final = 20
_OK: Final = "100"


@attrs.define
class OvhHttp2Sms(Plain):
    """`api = "http2sms"`."""

    url: str
    account: str
    login: str
    password: str = attrs.field(repr=False)
    has_stop_clause: bool = False
    wants_receipts: bool = False

    def request(self, sms: Sms, now_s: float) -> Request | Declined:
        """One message a request; an empty sender takes answers of the recipient."""
        del now_s
        to = f"00{sms.to}" if sms.plus_to.startswith("+") else sms.to
        fields = {
            "account": self.account,
            "login": self.login,
            "password": self.password,
            "from": sms.plus_sender,
            "to": to,
            "message": sms.text.replace("\n", "\r"),
            "smsCoding": "2" if sms.is_unicode else "1",
            "tag": sms.reference[:_TAG_CHARACTERS],
            "contentType": "application/json",
        }
        if not sms.sender:
            fields["senderForResponse"] = "1"
        if sms.is_flash:
            fields["class"] = "0"
        if not self.has_stop_clause:
            fields["noStop"] = "1"
        return Request("POST", self.url, _FORM, urlencode(fields).encode())

    def verdict(self, sms: Sms, response: Response) -> Verdict:
        """JSON with a status, or the text form OK / KO / KB."""
        del sms
        told = response.json()
        code = word(member(told, "status"))
        if code and code != _OK:
            return by_table(ERRORS, code, word(member(told, "message")))
        if response.status // 100 != 2:
            return by_http_status(response)
        if code == _OK:
            ids = member(told, "SmsIds") or member(told, "smsIds")
            return Taken(word(member(ids, 0)))
        return _text_verdict(response.text)

    def called(self, callback: Callback) -> Called | Rejected:
        """See `ovh_ptt`."""
        return receipt_called(callback)


def _text_verdict(text: str) -> Verdict:
    """`OK`, credits and ids on lines; `KO` or `KB` and the reason."""
    lines = text.split()
    if lines[:1] == ["OK"]:
        return Taken(lines[2] if len(lines) > 2 else "")
    if lines[:1] in (["KO"], ["KB"]):
        return declined("permanent", lines[0], " ".join(lines[1:])[:200])
    return Unclear("the answer is neither JSON nor OK nor KO")
