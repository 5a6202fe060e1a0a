"""Twilio against a fake written from its documents."""

import hashlib
from urllib.parse import quote

import pytest

from bridges.connectors.service import (
    NOT_YET,
    Called,
    Declined,
    Mobile,
    Rejected,
    Report,
    Taken,
    Unclear,
)
from bridges.connectors.services.twilio import Twilio
from bridges.connectors.sms import Dress
from smsc.message import State
from tests.fakes.services.play import NOW_S, call, exchange, play, say
from tests.fakes.services.sms import sms_of
from tests.fakes.services.twilio import SID, TOKEN, FakeTwilio, form, sign
from tests.fakes.services.web import Say

URL = "https://gw.example/receipts/abc"


def service(token: str = TOKEN, **more: str) -> Twilio:
    return Twilio("https://api.example", SID, token, **more)  # type: ignore[arg-type]


def test_a_message() -> None:
    fake = FakeTwilio()
    sms = sms_of("Grüezi", Dress(receipt_url=URL), sender="41790000000", validity_s=90_000)
    assert play(service(), fake, sms) == Taken(f"SM{1:032x}")
    assert fake.taken == [
        {
            "To": "+41791234567",
            "Body": "Grüezi",
            "From": "+41790000000",
            "StatusCallback": f"{URL}?ref=7",
            "ValidityPeriod": "36000",
        }
    ]


def test_an_api_key_and_a_messaging_service() -> None:
    fake = FakeTwilio(credentials=("SK1", "shh"))
    one = service(api_key="SK1", api_secret="shh", messaging_service="MG1")
    assert isinstance(play(one, fake, sms_of()), Taken)
    assert fake.taken[0]["MessagingServiceSid"] == "MG1"
    assert "From" not in fake.taken[0]


def test_a_text_that_is_too_long_is_never_sent() -> None:
    fake = FakeTwilio()
    verdict = play(service(), fake, sms_of("x" * 1601))
    assert isinstance(verdict, Declined)
    assert (verdict.class_, verdict.code, fake.taken) == ("permanent", "21617", [])


@pytest.mark.parametrize(
    ("status", "codes", "class_"),
    [
        (429, (20429, 21611), "throttled"),
        (400, (21611, 30001, 30022), "throttled"),
        (400, (30008,), "retryable"),
        (500, (20500,), "retryable"),
        (400, (21211, 21408, 21610, 21612, 21614, 21617), "permanent"),
        (400, (30003, 30004, 30005, 30006, 30007, 21999), "permanent"),
        (401, (20003,), "configuration"),
        (404, (20404,), "configuration"),
        (400, (30002, 30034), "configuration"),
        (400, (21606,), "sender"),
    ],
)
def test_each_error_code_has_its_class(status: int, codes: tuple[int, ...], class_: str) -> None:
    for code in codes:
        verdict = play(service(), FakeTwilio((status, code, "why")), sms_of())
        assert isinstance(verdict, Declined)
        assert verdict.class_ == class_, code
        assert str(code) in verdict.code or str(code) in verdict.why


def test_a_throttled_answer_may_say_when() -> None:
    told = say(service(), sms_of(), Say(429, b'{"code":20429}', (("Retry-After", "7"),)))
    assert isinstance(told, Declined)
    assert told.retry_after_s == 7.0


@pytest.mark.parametrize("body", [b"", b"{}", b'{"sid":null}', b"<html>"])
def test_a_malformed_success_leaves_it_open(body: bytes) -> None:
    assert isinstance(say(service(), sms_of(), Say(201, body)), Unclear)


def status_call(fields: dict[str, str], signature: str | None = None, url: str = URL) -> object:
    headers = {"x-twilio-signature": sign(url, fields) if signature is None else signature}
    return service().called(call(url, "POST", form(fields), headers))


STATUSES = [
    ("accepted", State.ENROUTE),
    ("queued", State.ENROUTE),
    ("sending", State.ENROUTE),
    ("scheduled", State.ENROUTE),
    ("sent", State.ENROUTE),
    ("delivered", State.DELIVERED),
    ("read", State.DELIVERED),
    ("undelivered", State.UNDELIVERABLE),
    ("failed", State.REJECTED),
    ("canceled", State.DELETED),
]


@pytest.mark.parametrize(("status", "state"), STATUSES)
def test_status_callbacks(status: str, state: State) -> None:
    fields = {
        "MessageSid": "SM1",
        "SmsSid": "SM1",
        "MessageStatus": status,
        "SmsStatus": status,
        "To": "+41791234567",
        "From": "+1",
        "AccountSid": SID,
        "ApiVersion": "2010-04-01",
        "ErrorCode": "30003",
    }
    told = status_call(fields, url=f"{URL}?ref=7")
    assert isinstance(told, Called)
    assert told.reports == (Report("SM1", state, 30003),)
    assert (told.reply.status, told.reply.media_type) == (200, "text/xml")


def test_the_signature_is_that_of_twilios_own_example() -> None:
    """The worked example of "Validating signatures from Twilio"."""
    fields = {
        "CallSid": "CA1234567890ABCDE",
        "Caller": "+14158675309",
        "Digits": "1234",
        "From": "+14158675309",
        "To": "+18005551212",
    }
    url = "https://mycompany.com/myapp.php?foo=1&bar=2"
    headers = {"x-twilio-signature": "RSOYDt4T1cUTdK1PDd93/VVr8B8="}
    assert service("12345").is_genuine(call(url, "POST", form(fields), headers))


@pytest.mark.parametrize("signature", ["", "x", sign(URL, {"MessageSid": "SM2"})])
def test_a_wrong_signature_is_refused(signature: str) -> None:
    told = status_call({"MessageSid": "SM1", "MessageStatus": "delivered"}, signature)
    assert isinstance(told, Rejected)
    assert told.status == 403


def test_a_json_body_is_signed_by_its_digest() -> None:
    body = b'{"a":1}'
    url = f"{URL}?bodySHA256={hashlib.sha256(body).hexdigest()}"
    headers = {"x-twilio-signature": sign(url, {})}
    assert service().is_genuine(call(url, "POST", body, headers))
    assert not service().is_genuine(call(url, "POST", body + b" ", headers))


def test_messages_of_handsets() -> None:
    fields = {"MessageSid": "SM9", "From": "+41791", "To": "+1555", "Body": "hé", "NumMedia": "0"}
    fields |= {"SmsStatus": "received"}
    told = status_call(fields)
    assert isinstance(told, Called)
    assert told.messages == (Mobile("+41791", "+1555", "hé"),)
    assert told.reply.body == b"<Response/>"


@pytest.mark.parametrize(
    "fields",
    [{}, {"MessageSid": "SM1"}, {"MessageSid": "SM1", "MessageStatus": "new"}, {"Body": "x"}],
)
def test_a_malformed_callback_is_refused(fields: dict[str, str]) -> None:
    told = status_call(fields)
    assert isinstance(told, Rejected)
    assert told.status == 400


@pytest.mark.parametrize(("status", "state"), STATUSES)
def test_the_same_by_asking(status: str, state: State) -> None:
    fake = FakeTwilio(statuses={"SM1": (status, 30005)})
    answer = exchange(fake, service().poll("SM1", NOW_S))
    assert service().polled("SM1", answer) == Report("SM1", state, 30005)


def test_a_poll_that_fails_is_no_end() -> None:
    one = service()
    assert isinstance(one.polled("SM1", exchange(FakeTwilio(), one.poll("SM1", NOW_S))), Declined)
    odd = exchange(lambda _: Say(200, b'{"status":"new"}'), one.poll(quote("a/b"), NOW_S))
    assert one.polled("SM1", odd) is NOT_YET


def test_the_balance() -> None:
    assert service().balance_left(exchange(FakeTwilio(), service().balance(NOW_S))) == 13.37
