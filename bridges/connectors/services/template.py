"""Any service that a configuration file can describe.

*In*: `Sms`, answers, callbacks; the description. *Out*: requests, verdicts, reports, messages.
*Never*: knowledge of one service.
"""

from urllib.parse import urlencode

import orjson

from bridges.connectors.service import (
    NOT_YET,
    Callback,
    Called,
    Declined,
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
from bridges.connectors.template_find import Finder
from bridges.connectors.template_settings import TemplateConfig
from bridges.connectors.template_text import Facts, Filling
from bridges.http.dialects.base import Reply
from smsc.message import State

_TYPES = {
    "form": "application/x-www-form-urlencoded",
    "json": "application/json",
    "xml": "text/xml; charset=utf-8",
    "text": "text/plain; charset=utf-8",
}


class Template(Plain):
    """The service that `config` describes."""

    def __init__(self, config: TemplateConfig) -> None:
        self._config = config
        self.long_text = config.long_text
        self.takes_octets = config.octets
        self.wants_receipts = bool(config.receipts_path.value)
        self._facts = self._facts_of()
        # Ids that nothing can name but our own reference: the answer has none, receipts have it.
        self._has_own_ids = config.answer.id is not None
        self._reply = Reply(200, config.receipt.reply.encode(), config.receipt.reply_type)
        self._mo_reply = Reply(200, config.mo.reply.encode(), config.receipt.reply_type)

    def request(self, sms: Sms, now_s: float) -> Request | Declined:
        """The request that the description makes of a message."""
        del now_s
        config = self._config
        filling = Filling(sms, self._facts)
        url = config.url.fill(filling)
        if config.query.pairs:
            glue = "&" if "?" in url else "?"
            url = f"{url}{glue}{urlencode(config.query.fill(filling))}"
        kind, body = self._body(filling)
        headers = config.headers.fill(filling)
        if kind and not any(name.lower() == "content-type" for name, _ in headers):
            headers.append(("Content-Type", _TYPES[kind]))
        return Request(config.method, url, tuple(headers), body)

    def verdict(self, sms: Sms, response: Response) -> Verdict:
        """Success, an error code, or else what the HTTP status says."""
        config = self._config
        statuses = config.success.status
        is_fine = response.status in statuses if statuses else response.status // 100 == 2
        is_matched = not config.success.pattern or config.success.pattern.is_in(
            config.success.where.in_response(response)
        )
        if is_fine and is_matched:
            upstream_id = _found(config.answer.id, response)
            if self._has_own_ids and not upstream_id and not config.success.pattern:
                return Unclear("the answer has no id where answer.id says")
            if not self._has_own_ids and self._config.has_receipts:
                upstream_id = sms.reference
            return Taken(upstream_id)
        code, why = _found(config.answer.error, response), _found(config.answer.why, response)
        if code in config.errors:
            return by_table(config.errors, code, why)
        if response.status // 100 != 2:
            by_status = config.errors.get(str(response.status))
            if by_status is not None:
                return by_table(config.errors, str(response.status), why)
            return by_http_status(response, f"{code} {why}".strip())
        if code:
            return by_table(config.errors, code, why, config.other_errors)
        return Unclear("the answer is neither success nor an error that the settings know")

    def called(self, callback: Callback) -> Called | Rejected:
        """A receipt, or else a message of a handset."""
        receipt = self._config.receipt
        if receipt.id is not None and receipt.status is not None:
            upstream_id = receipt.id.in_callback(callback)
            status = receipt.status.in_callback(callback)
            if upstream_id and status:
                state = receipt.states.get(status)
                if state is None:
                    return Rejected(400, "receipt.states does not name this status")
                error = receipt.error.in_callback(callback) if receipt.error is not None else ""
                return Called(self._reply, (Report(upstream_id, state, _number(error)),))
        return self._mobile_originated(callback)

    def poll(self, upstream_id: str, now_s: float) -> Request | None:
        """GET what the settings say."""
        del now_s
        if not self._config.poll.url.written:
            return None
        return self._get(self._config.poll.url.fill(self._beside(upstream_id)))

    def polled(self, upstream_id: str, response: Response) -> Polled:
        """The status, by the table of polls or that of receipts."""
        poll = self._config.poll
        if response.status // 100 != 2 or poll.status is None:
            return NOT_YET
        states = poll.states or self._config.receipt.states
        state: State | None = states.get(poll.status.in_response(response))
        if state is None:
            return NOT_YET
        return Report(upstream_id, state, _number(_found(poll.error, response)))

    def balance(self, now_s: float) -> Request | None:
        """GET what the settings say."""
        del now_s
        if not self._config.balance.url.written:
            return None
        return self._get(self._config.balance.url.fill(self._beside("")))

    def balance_left(self, response: Response) -> float | None:
        """The amount."""
        try:
            return float(_found(self._config.balance.amount, response))
        except ValueError:
            return None

    # --- helpers -------------------------------------------------------------------------------

    def _facts_of(self, upstream_id: str = "") -> Facts:
        config = self._config
        return Facts(
            username=config.username,
            password=config.password.value,
            account=config.account,
            number_format=config.number_format,
            country=config.country,
            yes=config.yes,
            no=config.no,
            upstream_id=upstream_id,
        )

    def _beside(self, upstream_id: str) -> Filling:
        return Filling(None, self._facts_of(upstream_id))

    def _get(self, url: str) -> Request:
        """Headers that speak of a message are for messages only."""
        filling = self._beside("")
        headers = [
            (name, text.fill(filling))
            for name, text in self._config.headers.pairs
            if text.names <= {"username", "password", "account"}
        ]
        return Request("GET", url, tuple(headers))

    def _body(self, filling: Filling) -> tuple[str, bytes]:
        config = self._config
        if config.form is not None:
            return "form", urlencode(config.form.fill(filling)).encode()
        if config.json is not None:
            return "json", orjson.dumps(config.json.fill(filling))
        if config.xml is not None:
            return "xml", config.xml.fill(filling).encode()
        if config.text is not None:
            return "text", config.text.fill(filling).encode()
        return "", b""

    def _mobile_originated(self, callback: Callback) -> Called | Rejected:
        mo = self._config.mo
        to = mo.to.in_callback(callback) if mo.to is not None else ""
        if not to:
            return Rejected(400, "neither a receipt nor a message as the settings describe them")
        from_ = mo.sender.in_callback(callback) if mo.sender is not None else ""
        text = mo.text.in_callback(callback) if mo.text is not None else ""
        return Called(self._mo_reply, (), (Mobile(from_, to, text),))


def _found(finder: Finder | None, response: Response) -> str:
    return finder.in_response(response) if finder is not None else ""


def _number(text: str) -> int:
    return int(text) if text.isascii() and text.isdecimal() and len(text) < 10 else 0
