"""The contract of an online SMS service: a message becomes requests, answers become verdicts.

*In*: an `Sms`, responses, callback requests; the time as an argument.
*Out*: values. *Never*: I/O, a clock; an exception for what a service answered.

A service is a class with the verbs of `Service`; what it cannot do it leaves at the defaults of
`Plain`. The driver (`bridges.connectors.connector`) does everything else.
"""

from collections.abc import Mapping
from email.utils import parsedate_to_datetime
from functools import cached_property
from typing import Final, Literal, Protocol
from urllib.parse import parse_qsl, urlsplit

import attrs
import orjson

from bridges.connectors.sms import Sms
from bridges.http.dialects.base import Reply
from pdu.status import Status
from smsc.message import State

ErrorClass = Literal["retryable", "throttled", "permanent", "sender", "configuration"]
"""What an error means for what comes next.

retryable: this message, later or elsewhere. throttled: the same, and send slower. permanent: this
message never. sender: its sender is not allowed: the message's fault, or, where the connector
itself sets the sender, configuration. configuration: no message can go; people must act.
"""

ERROR_CLASSES: Final[tuple[ErrorClass, ...]] = (
    "retryable",
    "throttled",
    "permanent",
    "sender",
    "configuration",
)
_STATUS_OF: Final[Mapping[ErrorClass, int]] = {
    "retryable": Status.ESME_RSYSERR,
    "throttled": Status.ESME_RTHROTTLED,
    "permanent": Status.ESME_RSUBMITFAIL,
    "sender": Status.ESME_RINVSRCADR,
    "configuration": Status.ESME_RSYSERR,
}
_LONGEST_WAIT_S: Final = 3600.0
_NAMES_OF_PARAMETERS: Final = 200
"""Parameters of a callback that are read; no service sends nearly as many."""


@attrs.frozen
class Request:
    """One HTTP request, ready to be sent."""

    method: str
    url: str
    headers: tuple[tuple[str, str], ...] = ()
    body: bytes = b""


@attrs.frozen
class Response:
    """What a service answered; header names in lower case."""

    status: int
    headers: Mapping[str, str]
    body: bytes

    @property
    def text(self) -> str:
        """The body as text; what is not UTF-8 shows as U+FFFD."""
        return self.body.decode("utf-8", "replace")

    def json(self) -> object:
        """The body as JSON; None where it is none."""
        return loads(self.body)


# --- verdicts -------------------------------------------------------------------------------------


@attrs.frozen
class Taken:
    """The service took the message and calls it so ("" if it names none)."""

    upstream_id: str


@attrs.frozen
class Declined:
    """The service did not take it; `status` is the SMPP command_status that says it best."""

    class_: ErrorClass
    code: str
    why: str
    status: int = Status.ESME_RSYSERR
    retry_after_s: float = 0.0


@attrs.frozen
class Unclear:
    """The service may or may not have taken it."""

    why: str


Verdict = Taken | Declined | Unclear


def declined(
    class_: ErrorClass, code: object, why: str, status: int = 0, retry_after_s: float = 0.0
) -> Declined:
    """A `Declined` whose status, unless given, follows from its class."""
    return Declined(class_, str(code), why, int(status or _STATUS_OF[class_]), retry_after_s)


ErrorTable = Mapping[str, ErrorClass | tuple[ErrorClass, Status]]
"""Codes of a service to what they mean, with a command_status where the class says too little."""


def by_table(table: ErrorTable, code: str, why: str, default: ErrorClass = "permanent") -> Declined:
    """What an error code of a service means."""
    row = table.get(code, default)
    class_, status = (row, 0) if isinstance(row, str) else row
    return declined(class_, code, why, status)


def by_http_status(response: Response, why: str = "") -> Declined | Unclear:
    """What an answer other than 2xx means where its body says nothing we know.

    A gateway's time-out (504) leaves open whether the service behind it took the message.
    """
    status = response.status
    told = why or f"HTTP {status}"
    if status == 504:
        return Unclear(f"{told}: the service behind the gateway did not answer it in time")
    if status == 429:
        return declined("throttled", status, told, retry_after_s=retry_after_s(response))
    if status in {408, 425} or status >= 500:
        return declined("retryable", status, told, retry_after_s=retry_after_s(response))
    if status in {400, 409, 410, 413, 422}:
        return declined("permanent", status, told)
    # 3xx: the URL is not the service's; 401, 402, 403, 404, 405: credentials, credit, URL.
    return declined("configuration", status, told)


def retry_after_s(response: Response) -> float:
    """Retry-After in seconds, an hour at most; a date counts from the Date beside it; 0 without."""
    wish = response.headers.get("retry-after", "")
    if wish.isascii() and wish.isdecimal():
        return min(float(wish[:9]), _LONGEST_WAIT_S)
    try:
        until, now = (
            parsedate_to_datetime(value) for value in (wish, response.headers.get("date", ""))
        )
        return min(max(0.0, (until - now).total_seconds()), _LONGEST_WAIT_S)
    except (ValueError, TypeError):  # no date, or only one of the two names a zone
        return 0.0


def loads(body: bytes) -> object:
    """JSON, or None."""
    try:
        return orjson.loads(body)
    except ValueError:
        return None


def member(value: object, *path: str | int) -> object:
    """What lies at a path of keys and indexes in JSON; None where the path leaves it."""
    for step in path:
        if isinstance(step, str) and isinstance(value, dict):
            value = value.get(step)
        elif isinstance(step, int) and isinstance(value, list) and -1 < step < len(value):
            value = value[step]
        else:
            return None
    return value


def word(value: object) -> str:
    """A string or whole number of JSON as text; "" for anything else."""
    if isinstance(value, str):
        return value.strip()
    return str(value) if isinstance(value, int) and not isinstance(value, bool) else ""


# --- callbacks and polls --------------------------------------------------------------------------


@attrs.define
class Callback:
    """A request that a service made to us."""

    method: str
    url: str
    """As the service was told it, query included."""
    headers: Mapping[str, str]
    body: bytes

    @cached_property
    def query(self) -> dict[str, str]:
        """Parameters of the URL; of a name that stands twice the last one."""
        return dict(_pairs(urlsplit(self.url).query))

    @cached_property
    def form_pairs(self) -> list[tuple[str, str]]:
        """Fields of a form body, in order."""
        return _pairs(self.body.decode("utf-8", "replace"))

    @cached_property
    def form(self) -> dict[str, str]:
        """The same by name."""
        return dict(self.form_pairs)

    @cached_property
    def parameters(self) -> dict[str, str]:
        """Those of the URL and of the form body, for services that use one or the other."""
        return self.query | self.form

    @cached_property
    def json(self) -> object:
        """The body as JSON; None where it is none."""
        return loads(self.body)


def _pairs(text: str) -> list[tuple[str, str]]:
    try:
        return parse_qsl(text, keep_blank_values=True, max_num_fields=_NAMES_OF_PARAMETERS)
    except ValueError:
        return []


@attrs.frozen
class Report:
    """What a service says became of a message that it took."""

    upstream_id: str
    state: State
    error: int = 0
    done_ms: int = 0


@attrs.frozen
class Mobile:
    """A message that a handset sent."""

    source: str
    destination: str
    text: str
    data: bytes = b""
    """Octets instead of the text, for what is none."""


@attrs.frozen
class Called:
    """What a callback told, and the answer once that is on disk."""

    reply: Reply
    reports: tuple[Report, ...] = ()
    messages: tuple[Mobile, ...] = ()


@attrs.frozen
class Rejected:
    """A callback that is not to be believed, or not to be understood; nothing is noted of it."""

    status: int
    why: str


@attrs.frozen
class NotYet:
    """A poll found no end; ask again later."""


Polled = Report | NotYet | Declined
NOT_YET: Final = NotYet()
EMPTY_REPLY: Final = Reply(200, b"", "text/plain")


class Service(Protocol):
    """An online SMS service, or one of its APIs."""

    long_text: Literal["joined", "parts"]
    """Does it part long texts itself, or is it given parts with a user data header?"""
    takes_octets: bool
    """Does it take content that is no text?"""
    wants_receipts: bool
    """Was it told to tell of ends, so that a message that it took has one to wait for?"""

    def preparation(self, now_s: float) -> Request | None:
        """A request that must be answered before others can be made; None when ready."""

    def prepared(self, response: Response, now_s: float) -> Declined | None:
        """Take the answer of the preparation; None when it served."""

    def request(self, sms: Sms, now_s: float) -> Request | Declined:
        """The request that sends a message."""

    def verdict(self, sms: Sms, response: Response) -> Verdict:
        """What the answer to it means."""

    def called(self, callback: Callback) -> Called | Rejected:
        """What a request of the service tells."""

    def poll(self, upstream_id: str, now_s: float) -> Request | None:
        """Ask what became of a message; None where the service cannot be asked."""

    def polled(self, upstream_id: str, response: Response) -> Polled:
        """What the answer to it tells."""

    def balance(self, now_s: float) -> Request | None:
        """Ask for the balance; None where the service has none to ask for."""

    def balance_left(self, response: Response) -> float | None:
        """What the answer to it tells; None if nothing."""


class Plain:
    """What a service does that has no more than sending."""

    long_text: Literal["joined", "parts"] = "joined"
    takes_octets = False
    wants_receipts = False

    def preparation(self, now_s: float) -> Request | None:
        """See `Service`."""
        del now_s
        return None

    def prepared(self, response: Response, now_s: float) -> Declined | None:
        """See `Service`."""
        del response, now_s
        return None

    def called(self, callback: Callback) -> Called | Rejected:
        """See `Service`."""
        del callback
        return Rejected(404, "this connector takes no callbacks")

    def poll(self, upstream_id: str, now_s: float) -> Request | None:
        """See `Service`."""
        del upstream_id, now_s
        return None

    def polled(self, upstream_id: str, response: Response) -> Polled:
        """See `Service`."""
        del upstream_id, response
        return NOT_YET

    def balance(self, now_s: float) -> Request | None:
        """See `Service`."""
        del now_s
        return None

    def balance_left(self, response: Response) -> float | None:
        """See `Service`."""
        del response
        return None
