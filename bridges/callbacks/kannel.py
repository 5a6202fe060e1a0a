"""Kannel's reports: GET of the dlr-url, its escapes filled in; and the same for MO messages.

*In*: deliveries whose style is "kannel:MASK", MASK the dlr-mask. *Out*: GET requests.
*Never*: I/O, a clock.

Kannel userguide, "Delivery reports" and "Parameters (Escape codes)"; gw/urltrans.c. What only the
request could fill in was filled in when it came: see `bridges.http.dialects.kannel_reports`.
An MO message has the habit of a get-url of an sms-service; what its answer says is not sent to
the handset.
"""

import datetime as dt
from collections.abc import Mapping, Sequence

from bridges.callbacks.style import CallbackRequest, CallbackResponse, judge_status
from bridges.http.dialects.base import Spoken, read_body
from bridges.http.dialects.kannel_escapes import Value, Words, fill, quoted
from bridges.http.dialects.uuids import uuid_of
from pdu.status import status_name
from pdu.text.alphabet import Alphabet, alphabet_of, message_class, waiting_indication
from smsc.message import Delivery, State
from smsc.ports import CallbackEvent, DeliveryOutcome

_EVENTS: Mapping[str, CallbackEvent] = {
    "accepted": CallbackEvent.ACCEPTED,
    "rejected": CallbackEvent.REJECTED,
    "buffered": CallbackEvent.BUFFERED,
}
_SUCCESS = frozenset({State.DELIVERED, State.ACCEPTED})
_CODINGS = {Alphabet.OCTETS: 1, Alphabet.UCS2: 2}
_CHARSETS = ("UTF-8", "8-BIT", "UTF-16BE")


class KannelStyle:
    """See the module."""

    def events(self, rest: str) -> CallbackEvent:
        """The bits of the dlr-mask are those of the events."""
        return CallbackEvent(int(rest) & 0x3F if rest.isdecimal() else 0)

    def request(
        self, delivery: Delivery, rest: str, _now_ms: int, _keys: Sequence[bytes]
    ) -> CallbackRequest:
        """A GET of the URL with everything filled in."""
        values = values_of(delivery, self.events(rest))
        url = fill(delivery.callback_url or "", values, is_last=True)
        return CallbackRequest(url, "GET")

    def judge(self, delivery: Delivery, response: CallbackResponse) -> DeliveryOutcome:
        """Any 2xx will do; the body means nothing."""
        return judge_status(delivery, response)


def event_of(delivery: Delivery, asked: CallbackEvent) -> int:
    """The value of `%d`: one bit."""
    event = _EVENTS.get(delivery.kind)
    if event is not None:
        return int(event)
    if delivery.kind == "notice":
        return int(asked & CallbackEvent.NOTICE or CallbackEvent.BUFFERED)
    is_success = delivery.state in _SUCCESS
    return int(CallbackEvent.DELIVERED if is_success else CallbackEvent.FAILED)


def text_of(delivery: Delivery, spoken: Spoken) -> str:
    """The value of `%A`: what the message centre said, or the text of an MO message."""
    match delivery.kind:
        case "accepted":
            return "ACK/"
        case "rejected":
            return f"NACK/{delivery.error}/{status_name(delivery.error)}"
    return spoken.text()


def values_of(delivery: Delivery, asked: CallbackEvent) -> dict[str, Value]:
    """Every escape that a report or an MO message can fill in."""
    spoken = read_body(delivery.body)
    at = dt.datetime.fromtimestamp(delivery.created_ms // 1000, dt.UTC)
    values: dict[str, Value] = {
        "d": str(event_of(delivery, asked)) if delivery.kind != "mo" else "-1",
        # The body of a receipt comes from the recipient of the message, as an MO message does.
        "p": quoted(spoken.source),
        "P": quoted(spoken.destination),
        "q": quoted(_plus(spoken.source)),
        "Q": quoted(_plus(spoken.destination)),
        "t": f"{at:%Y-%m-%d+%H:%M:%S}",
        "T": str(delivery.created_ms // 1000),
        "i": quoted(delivery.outlet),
        "I": uuid_of(delivery.message_id or delivery.id),
        "F": quoted(delivery.upstream_id),
        "n": quoted(delivery.account),
    }
    values |= Words(text_of(delivery, spoken)).values()
    if delivery.kind == "mo":
        values |= _coding_values(spoken)
    return values


def _coding_values(spoken: Spoken) -> dict[str, Value]:
    """How an MO message is coded; of a report, the request has filled this in."""
    coding = _CODINGS.get(alphabet_of(spoken.data_coding), 0)
    class_, waiting = message_class(spoken.data_coding), waiting_indication(spoken.data_coding)
    header_octets = spoken.data[0] + 1 if spoken.udh and spoken.data else 0
    return {
        "c": str(coding),
        "C": _CHARSETS[coding],
        "m": "-1" if class_ is None else str(int(class_)),
        "M": "-1" if waiting is None else str(waiting[0] + (0 if waiting[1] else 4)),
        "O": f"{spoken.data_coding:02d}",
        "u": quoted(spoken.data[:header_octets]),
        "b": quoted(spoken.data[header_octets:] if coding == 1 else spoken.text().encode()),
        "o": "",
        "B": "",
        "D": "",
        "R": "",
        "f": "",
        "v": "",
        "V": "",
    }


def _plus(number: str) -> str:
    return f"+{number[2:]}" if number.startswith("00") else number
