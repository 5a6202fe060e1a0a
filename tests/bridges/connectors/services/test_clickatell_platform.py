"""Clickatell's platform and One API against a fake written from their documents."""

import orjson
import pytest

from bridges.connectors.service import Called, Declined, Mobile, Rejected, Report, Taken, Unclear
from bridges.connectors.services.clickatell_platform import ClickatellPlatform
from pdu.status import Status
from smsc.message import State
from tests.fakes.services.clickatell import KEY, FakePlatform, platform_callback
from tests.fakes.services.play import NOW_S, call, exchange, play, say
from tests.fakes.services.sms import sms_of
from tests.fakes.services.web import Say, say_json

RETRYABLE = ("18", "19", "43")
PERMANENT = (*map(str, range(21, 29)), "30", "40", "100", "101", "110")
CONFIGURATION = ("1", "2", "3", "7", "20", "38", "39", "41", "42", "44", "45", "46")


def service(api: str = "platform", key: str = KEY) -> ClickatellPlatform:
    return ClickatellPlatform("https://p.example", key, api)  # type: ignore[arg-type]


def test_a_message_is_posted_and_its_id_kept() -> None:
    fake = FakePlatform()
    assert play(service(), fake, sms_of("Grüezi €")) == Taken(f"{1:032x}")
    assert fake.taken == [{"content": "Grüezi €", "to": "41791234567", "from": "Shop"}]


def test_one_api_tells_our_reference_and_the_validity() -> None:
    fake = FakePlatform()
    assert play(service("one"), fake, sms_of(validity_s=150)) == Taken(f"{1:032x}")
    assert fake.taken == [
        {
            "content": "Hello",
            "from": "Shop",
            "channel": "sms",
            "to": "41791234567",
            "clientMessageId": "7",
            "validityPeriod": 2,
        }
    ]


def test_a_message_without_a_sender_names_none() -> None:
    fake = FakePlatform()
    play(service(), fake, sms_of(sender=""))
    assert "from" not in fake.taken[0]


@pytest.mark.parametrize("status", [400, 207])
@pytest.mark.parametrize(
    ("codes", "class_"),
    [(RETRYABLE, "retryable"), (PERMANENT, "permanent"), (CONFIGURATION, "configuration")],
)
def test_each_error_code_has_its_class(codes: tuple[str, ...], class_: str, status: int) -> None:
    for code in codes:
        verdict = play(service(), FakePlatform((code, "why"), status), sms_of())
        assert isinstance(verdict, Declined)
        assert (verdict.class_, verdict.code, verdict.why) == (class_, code, "why")


def test_a_wrong_number_is_said_as_smpp_says_it() -> None:
    verdict = play(service(), FakePlatform(("25", "bad number")), sms_of())
    assert isinstance(verdict, Declined)
    assert verdict.status == Status.ESME_RINVDSTADR


def test_a_wrong_key_is_configuration() -> None:
    verdict = play(service(key="wrong"), FakePlatform(), sms_of())
    assert isinstance(verdict, Declined)
    assert (verdict.class_, verdict.code) == ("configuration", "1")


def test_a_refusal_in_words_is_permanent() -> None:
    """/messages says 202, and that it did not accept the message, without a code."""
    entry = {"apiMessageId": None, "accepted": False, "to": "27", "error": "Invalid destination."}
    verdict = say(service(), sms_of(), say_json({"messages": [entry], "error": None}, 202))
    assert isinstance(verdict, Declined)
    assert (verdict.class_, verdict.why) == ("permanent", "Invalid destination.")
    verdict = say(service(), sms_of(), say_json({"messages": [], "error": "Some error"}, 404))
    assert isinstance(verdict, Declined)
    assert (verdict.class_, verdict.why) == ("configuration", "Some error")


@pytest.mark.parametrize(
    ("status", "class_"), [(402, "configuration"), (429, "throttled"), (503, "retryable")]
)
def test_an_answer_without_a_code_goes_by_its_status(status: int, class_: str) -> None:
    verdict = say(service(), sms_of(), Say(status, b"<html>"))
    assert isinstance(verdict, Declined)
    assert verdict.class_ == class_


@pytest.mark.parametrize(
    "body", [b"", b"<html>", b"[]", b'{"messages":[]}', b'{"messages":[{"accepted":true}]}']
)
def test_a_malformed_success_leaves_it_open(body: bytes) -> None:
    assert isinstance(say(service(), sms_of(), Say(202, body)), Unclear)


@pytest.mark.parametrize(
    ("code", "state", "error"),
    [
        (2, State.ENROUTE, 0),
        (3, State.ENROUTE, 0),
        (4, State.ENROUTE, 0),
        (5, State.DELIVERED, 0),
        (6, State.DELIVERED, 0),
        (20, State.EXPIRED, 20),
        (21, State.DELETED, 0),
        (22, State.DELETED, 0),
        (23, State.UNDELIVERABLE, 23),
        (29, State.UNDELIVERABLE, 29),
        (25, State.REJECTED, 25),
        (28, State.REJECTED, 28),
        (100, State.REJECTED, 100),
        (999, State.UNKNOWN, 0),
    ],
)
def test_receipts(code: int, state: State, error: int) -> None:
    told = service().called(call(method="POST", body=platform_callback("abc", code)))
    assert isinstance(told, Called)
    assert told.reports == (Report("abc", state, error, 1_790_000_001_000),)
    assert told.reply.status == 200


def test_a_receipt_in_another_letter_case_is_understood() -> None:
    update = {"MessageId": "abc", "StatusCode": "5", "Timestamp": 1}
    body = orjson.dumps({"Event": {"MessageStatusUpdate": update}})
    told = service().called(call(method="POST", body=body))
    assert isinstance(told, Called)
    assert told.reports == (Report("abc", State.DELIVERED, 0, 1),)


@pytest.mark.parametrize("key", ["statusCode", "status"])
def test_a_receipt_of_messages_has_its_fields_by_themselves(key: str) -> None:
    fields = {"messageId": "abc", "clientMessageId": None, "to": "27", key: 20, "timestamp": 1}
    told = service().called(call(method="POST", body=orjson.dumps(fields)))
    assert isinstance(told, Called)
    assert told.reports == (Report("abc", State.EXPIRED, 20, 1),)


def test_replies_of_handsets() -> None:
    reply = {
        "integrationId": "i",
        "messageId": "m",
        "replyMessageId": None,
        "apiKey": "k",
        "fromNumber": "41791234567",
        "toNumber": "12345",
        "timestamp": 1,
        "text": "hé",
        "charset": "UTF-8",
        "udh": "",
        "network": "n",
        "keyword": "hé",
    }
    told = service().called(call(method="POST", body=orjson.dumps(reply)))
    assert isinstance(told, Called)
    assert told.messages == (Mobile("41791234567", "12345", "hé"),)


@pytest.mark.parametrize("body", [b"", b"x", b"[]", b'{"event":{}}', b'{"event":7}'])
def test_a_malformed_callback_is_refused(body: bytes) -> None:
    told = service().called(call(method="POST", body=body))
    assert isinstance(told, Rejected)
    assert told.status == 400


def test_updates_that_say_nothing_are_left_out() -> None:
    updates = [7, {}, {"messageId": "a"}, {"messageId": "b", "statusCode": 5}]
    body = orjson.dumps({"event": {"messageStatusUpdate": updates}})
    told = service().called(call(method="POST", body=body))
    assert isinstance(told, Called)
    assert [one.upstream_id for one in told.reports] == ["b"]


def test_the_balance() -> None:
    answer = exchange(FakePlatform(), service().balance(NOW_S))
    assert service().balance_left(answer) == 41.5
    assert (
        service().balance_left(exchange(lambda _: say_json([]), service().balance(NOW_S))) is None
    )
