"""What a Connector is told: the form posts of its gateway, and the reports of its queue."""

from urllib.parse import parse_qsl

import orjson
import pytest

from bridges.callbacks.connector import ConnectorReportStyle, ConnectorStyle
from bridges.callbacks.registry import events_of, find_queue_style, find_style
from bridges.callbacks.style import CallbackResponse
from smsc.message import FINAL, MessageId, State
from smsc.ports import Again, CallbackEvent, Done
from tests.fakes.delivery import NOW_MS, a_delivery

POSTS, REPORTS = ConnectorStyle(), ConnectorReportStyle()


def posted(base: str = "http://h/msg-client", **changes: object) -> tuple[str, dict[str, str]]:
    request = POSTS.request(a_delivery(1, callback_url=base, **changes), "", NOW_MS, ())
    assert request.method == "POST"
    assert request.headers == (("Content-Type", "application/x-www-form-urlencoded"),)
    return request.url, dict(parse_qsl(request.body.decode(), strict_parsing=True))


@pytest.mark.parametrize(
    ("kind", "state", "status"),
    [
        ("receipt", State.DELIVERED, "delivered"),
        ("receipt", State.ACCEPTED, "delivered"),
        ("receipt", State.UNDELIVERABLE, "undelivered"),
        ("receipt", State.EXPIRED, "undelivered"),
        ("receipt", State.REJECTED, "failed"),
        ("rejected", State.REJECTED, "failed"),
        ("rejected", State.DELETED, "failed"),
        ("receipt", State.UNKNOWN, "failed"),
        ("accepted", State.ENROUTE, "sent"),
        ("notice", State.ENROUTE, "sent"),
        ("buffered", State.ENROUTE, "queued"),
    ],
)
def test_a_delivery_notification(kind: str, state: State, status: str) -> None:
    url, fields = posted(kind=kind, state=state)
    assert url == "http://h/msg-client/delivery-notification"
    assert fields == {"MessageSid": "77", "SmsStatus": status, "MessageStatus": status}


def test_a_received_message() -> None:
    url, fields = posted(kind="mo", text="50 % & more é")
    assert url == "http://h/msg-client/receive"
    assert fields == {
        "Body": "50 % & more é",
        "From": "41791234567",
        "To": "12345",
        "SmsSid": "1",
    }


@pytest.mark.parametrize(
    ("base", "url"),
    [
        ("http://h", "http://h/delivery-notification"),
        ("http://h/", "http://h/delivery-notification"),
        ("http://h/a/b/", "http://h/a/b/delivery-notification"),
        ("http://h/a/receive", "http://h/a/delivery-notification"),
        ("http://h/a/delivery-notification", "http://h/a/delivery-notification"),
        ("https://u:p@h:8443/a?key=1#x", "https://u:p@h:8443/a/delivery-notification?key=1"),
    ],
)
def test_the_callback_url_is_a_base(base: str, url: str) -> None:
    assert posted(base)[0] == url


@pytest.mark.parametrize(("status", "outcome"), [(200, Done), (400, Again), (500, Again)])
def test_what_its_answers_mean(status: int, outcome: type[object]) -> None:
    for style in (POSTS, REPORTS):
        assert isinstance(style.judge(a_delivery(), CallbackResponse(status)), outcome)


@pytest.mark.parametrize("state", sorted(FINAL))
def test_a_report_of_each_end(state: State) -> None:
    message = REPORTS.queue_message(a_delivery(state=state, error=5), "viber")
    assert message is not None
    assert message.jms_type == "viber"
    is_delivered = state in {State.DELIVERED, State.ACCEPTED}
    assert orjson.loads(message.body) == {
        "MessageSID": "77",
        "DeliveryStatus": "DELIVERED" if is_delivered else "FAILED",
        "ProviderStatusCode": "5",
    }


def test_the_channel_is_smpp_where_none_is_named() -> None:
    message = REPORTS.queue_message(a_delivery(), "")
    assert message is not None
    assert message.jms_type == "smpp"


def test_a_report_can_be_posted_too_and_says_nothing_of_mo_messages() -> None:
    request = REPORTS.request(a_delivery(), "viber", NOW_MS, ())
    assert request is not None
    assert orjson.loads(request.body)["MessageSID"] == "77"
    assert dict(request.headers)["X-JMS-Type"] == "viber"
    assert REPORTS.request(a_delivery(kind="mo"), "", NOW_MS, ()) is None
    assert REPORTS.queue_message(a_delivery(kind="mo"), "") is None


def test_which_events_they_ask_for() -> None:
    assert events_of("connector") == CallbackEvent(1 | 2 | 4 | 8 | 16)
    assert events_of("connector-report:smpp") == CallbackEvent(1 | 2)
    assert events_of("of another build") == CallbackEvent(1 | 2)
    assert events_of("") == CallbackEvent(0)  # registered_delivery decides


def test_names_and_what_stands_behind_them() -> None:
    assert isinstance(find_style("connector")[0], ConnectorStyle)
    assert find_queue_style("connector-report:a:b")[1] == "a:b"
    style, rest = find_style("of another build:1")
    assert (style, rest) == (find_style("")[0], "1")
    request = style.request(a_delivery(), rest, NOW_MS, ())
    assert request is not None
    assert isinstance(style.judge(a_delivery(MessageId(1)), CallbackResponse(200)), Done)
