"""The native callback: what its JSON says of each kind of delivery."""

import base64
import hashlib
import hmac

import orjson
import pytest

from bridges.callbacks.native import NativeStyle, data_of
from bridges.callbacks.signing import signature_headers
from bridges.callbacks.style import CallbackResponse
from smsc.message import MessageId, State
from smsc.ports import Again, CallbackEvent, Done
from tests.fakes.delivery import NOW_MS, a_delivery

STYLE = NativeStyle()
KEY, OLD_KEY = b"k" * 24, b"o" * 32


def test_a_receipt_speaks_of_the_message_as_it_was_sent() -> None:
    assert data_of(a_delivery(error=5)) == {
        "event": "receipt",
        "delivery": "1",
        "id": "77",
        "from": "12345",
        "to": "41791234567",
        "state": "DELIVERED",
        "error": 5,
        "done": "2025-11-24T16:00:00.000Z",
        "reference": "r1",
    }


def test_a_mobile_originated_message_brings_text_and_octets() -> None:
    assert data_of(a_delivery(kind="mo")) == {
        "event": "mo",
        "delivery": "1",
        "id": "1",
        "from": "41791234567",
        "to": "12345",
        "received": "2025-11-24T16:00:00.000Z",
        "text": "secret words",
        "hex": b"secret words".hex(),
        "data_coding": 0,
        "udh": False,
    }


@pytest.mark.parametrize(
    ("kind", "state", "type_"),
    [
        ("receipt", State.DELIVERED, "message.delivered"),
        ("receipt", State.UNDELIVERABLE, "message.undeliverable"),
        ("rejected", State.REJECTED, "message.rejected"),
        ("accepted", State.ENROUTE, "message.enroute"),
        ("buffered", State.ENROUTE, "message.queued"),
        ("notice", State.ENROUTE, "message.enroute"),
        ("mo", State.UNKNOWN, "message.received"),
    ],
)
def test_the_body_is_type_timestamp_data(kind: str, state: State, type_: str) -> None:
    delivery = a_delivery(kind=kind, state=state)
    request = STYLE.request(delivery, "", NOW_MS + 5000, ())
    assert request is not None
    assert (request.method, request.url) == ("POST", "http://h/dlr?token=hidden")
    assert orjson.loads(request.body) == {
        "type": type_,
        "timestamp": "2025-11-24T16:00:00.000Z",  # when it happened, not when it was sent
        "data": data_of(delivery),
    }


def test_the_headers_are_those_of_standard_webhooks() -> None:
    request = STYLE.request(a_delivery(), "", NOW_MS + 5999, (KEY, OLD_KEY))
    assert request is not None
    headers = dict(request.headers)
    assert headers["webhook-id"] == "1"
    assert headers["webhook-timestamp"] == str(NOW_MS // 1000 + 5)
    signed = f"1.{NOW_MS // 1000 + 5}.".encode() + request.body
    assert headers["webhook-signature"].split(" ") == [
        "v1," + base64.b64encode(hmac.new(key, signed, hashlib.sha256).digest()).decode()
        for key in (KEY, OLD_KEY)
    ]


def test_the_published_example_of_a_signature() -> None:
    """The vector in the specification's own reference libraries."""
    key = base64.b64decode("MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw")
    headers = signature_headers(
        "msg_p5jXN8AQM9LWM0D4loKWxJek",
        1_614_265_330_000,
        b'{"test": 2432232314}',
        (key,),
    )
    assert headers[2] == (
        "webhook-signature",
        "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=",
    )


def test_the_id_stays_and_the_time_moves_from_attempt_to_attempt() -> None:
    first = STYLE.request(a_delivery(), "", NOW_MS, (KEY,))
    again = STYLE.request(a_delivery(attempt=1), "", NOW_MS + 60_000, (KEY,))
    assert first is not None
    assert again is not None
    assert first.body == again.body
    differing = {name for name, value in first.headers if dict(again.headers)[name] != value}
    assert differing == {"webhook-timestamp", "webhook-signature"}


def test_without_a_secret_there_is_no_signature() -> None:
    request = STYLE.request(a_delivery(), "", NOW_MS, ())
    assert request is not None
    assert "webhook-signature" not in dict(request.headers)


@pytest.mark.parametrize(("rest", "events"), [("", 0), ("63", 63), ("9", 9), ("x", 0), ("127", 63)])
def test_the_rest_is_a_mask(rest: str, events: int) -> None:
    assert STYLE.events(rest) == CallbackEvent(events)


@pytest.mark.parametrize("status", [200, 201, 202, 204, 299])
def test_2xx_is_done(status: int) -> None:
    assert STYLE.judge(a_delivery(), CallbackResponse(status)) == Done(MessageId(1))


@pytest.mark.parametrize("status", [199, 300, 404, 500])
def test_anything_else_is_not(status: int) -> None:
    assert isinstance(STYLE.judge(a_delivery(), CallbackResponse(status)), Again)
