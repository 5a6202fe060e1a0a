"""Clickatell's classic HTTP API, closed to new accounts.

*In*: `Sms`, answers, callbacks. *Out*: form posts to /http/sendmsg, /querymsg and /getbalance.
*Never*: a session: each request brings the credentials, so none can expire.

Texts of GSM-7 that Latin-1 can say go as Latin-1, which the API expects; all others as UTF-16 in
hexadecimal digits with unicode=1.
"""

import re
from collections.abc import Mapping
from contextlib import suppress
from typing import Final
from urllib.parse import parse_qs, urlencode, urlsplit

import attrs

from bridges.connectors.service import (
    EMPTY_REPLY,
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
)
from bridges.connectors.sms import Sms
from pdu.status import Status
from smsc.message import State

_PERMANENT: Final = ("101", "102", "106", "107", "115", "116", "120", "122", "123", "128")
ERRORS: Final[ErrorTable] = {
    "901": "retryable",
    "003": "retryable",
    "130": "throttled",
    **dict.fromkeys(_PERMANENT, "permanent"),
    "105": ("permanent", Status.ESME_RINVDSTADR),
    "113": ("permanent", Status.ESME_RINVMSGLEN),
    "114": ("permanent", Status.ESME_RINVDSTADR),
    "121": ("permanent", Status.ESME_RINVDSTADR),
    **dict.fromkeys(("001", "002", "005", "007", "108", "301"), "configuration"),
}
STATES: Final[Mapping[int, State]] = {
    1: State.UNKNOWN,
    **dict.fromkeys((2, 3, 8, 11), State.ENROUTE),
    4: State.DELIVERED,
    **dict.fromkeys((5, 7, 9), State.UNDELIVERABLE),
    6: State.DELETED,
    10: State.EXPIRED,
    **dict.fromkeys((12, 14), State.REJECTED),
}
_LINE: Final = re.compile(r"\s*(ID|ERR)\s*:\s*([^\s,]+)\s*,?\s*(.{0,200})")
_STATUS: Final = re.compile(r"\s*ID\s*:\s*\S+\s+Status\s*:\s*(\d{1,3})")
_BALANCE: Final = re.compile(r"\s*Credit\s*:\s*(-?\d+(?:\.\d+)?)")
_CALLBACK_ALL: Final = "7"
_FORM: Final = (("Content-Type", "application/x-www-form-urlencoded"),)


@attrs.define
class ClickatellClassic(Plain):
    """`api = "classic"`."""

    url: str
    api_id: str
    user: str
    password: str = attrs.field(repr=False)
    wants_receipts: bool = False
    takes_octets: bool = True

    def request(self, sms: Sms, now_s: float) -> Request | Declined:
        """One message a request."""
        del now_s
        fields: dict[str, str | bytes] = {"to": sms.to, "climsgid": sms.reference}
        if sms.is_octets:
            fields |= {"udh": sms.udh.hex(), "data": sms.data.hex()}
        else:
            fields |= _text(sms)
            if sms.text_parts > 1:
                fields["concat"] = str(sms.text_parts)
        if sms.sender:
            fields["from"] = sms.sender
        if sms.is_flash:
            fields["msg_type"] = "SMS_FLASH"
        if sms.validity_s:
            fields["validity"] = str(max(1, sms.validity_s // 60))
        if self.wants_receipts:
            fields["callback"] = _CALLBACK_ALL
        return self._post("sendmsg", fields)

    def verdict(self, sms: Sms, response: Response) -> Verdict:
        """`ID: …` or `ERR: code, description`."""
        del sms
        match = _LINE.match(response.text)
        if match is not None and match[1] == "ERR":
            return by_table(ERRORS, match[2].zfill(3), match[3].strip())
        if response.status // 100 != 2:
            return by_http_status(response)
        return Taken(match[2]) if match is not None else Unclear("the answer is neither ID nor ERR")

    def called(self, callback: Callback) -> Called | Rejected:
        """A status, or a message: by GET or POST, as the account is set up."""
        fields = {key.lower(): value for key, value in callback.parameters.items()}
        if "apimsgid" in fields:
            return _status_called(fields)
        if "momsgid" in fields and fields.get("to"):
            return Called(EMPTY_REPLY, (), (_mobile(callback, fields),))
        return Rejected(400, "expected apiMsgId and status, or moMsgId")

    def poll(self, upstream_id: str, now_s: float) -> Request | None:
        """/http/querymsg."""
        del now_s
        return self._post("querymsg", {"apimsgid": upstream_id})

    def polled(self, upstream_id: str, response: Response) -> Polled:
        """`ID: … Status: 004`."""
        match = _STATUS.match(response.text)
        if match is not None:
            return _report(upstream_id, int(match[1]), 0)
        error = _LINE.match(response.text)
        return by_table(ERRORS, error[2].zfill(3), error[3]) if error is not None else NOT_YET

    def balance(self, now_s: float) -> Request | None:
        """/http/getbalance."""
        del now_s
        return self._post("getbalance", {})

    def balance_left(self, response: Response) -> float | None:
        """`Credit: 12.5`."""
        match = _BALANCE.match(response.text)
        return float(match[1]) if match is not None else None

    def _post(self, command: str, fields: Mapping[str, str | bytes]) -> Request:
        login = {"api_id": self.api_id, "user": self.user, "password": self.password}
        body = urlencode(login | dict(fields)).encode()
        return Request("POST", f"{self.url}/http/{command}", _FORM, body)


def _text(sms: Sms) -> Mapping[str, str | bytes]:
    if not sms.is_unicode:
        try:
            return {"text": sms.text.encode("latin-1")}
        except UnicodeEncodeError:
            pass
    return {"unicode": "1", "text": sms.text.encode("utf-16-be", "replace").hex()}


def _status_called(fields: Mapping[str, str]) -> Called | Rejected:
    status = fields.get("status", "")
    if not status.isdecimal() or not status.isascii():
        return Rejected(400, "expected status as a number")
    at = fields.get("timestamp", "")
    done_ms = int(at) * 1000 if at.isascii() and at.isdecimal() and len(at) <= 11 else 0
    return Called(EMPTY_REPLY, (_report(fields["apimsgid"], int(status), done_ms),))


def _report(upstream_id: str, code: int, done_ms: int) -> Report:
    state = STATES.get(code, State.UNKNOWN)
    is_error = state in {State.UNDELIVERABLE, State.REJECTED, State.EXPIRED}
    return Report(upstream_id, state, code if is_error else 0, done_ms)


def _mobile(callback: Callback, fields: Mapping[str, str]) -> Mobile:
    text = fields.get("text", "")
    charset = fields.get("charset", "").lower()
    if charset.startswith(("utf-16", "ucs")):
        with suppress(ValueError):  # some accounts get it readable
            text = bytes.fromhex(text).decode("utf-16-be", "replace")
    elif charset.startswith("iso-8859") and "\ufffd" in text:
        text = _latin1(callback)
    return Mobile(fields.get("from", ""), fields["to"], text)


def _latin1(callback: Callback) -> str:
    """The text again, where its octets are not UTF-8 but what `charset` says."""
    raw = urlsplit(callback.url).query + "&" + callback.body.decode("latin-1")
    return parse_qs(raw, encoding="latin-1").get("text", [""])[-1]
