"""SMSHub: requests to drafts, admissions to answers, without a gateway."""

from collections.abc import Mapping
from typing import Any

import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st

from bridges.http.dialects import smshub, smshub_replies, smshub_wsdl
from bridges.http.dialects.base import Reply, read_body
from bridges.http.dialects.numbers import NumberReader
from bridges.http.dialects.smshub import Asked, SmshubConfig
from bridges.http.dialects.smshub_replies import Answer, Host, Shape
from pdu.status import Status, Vendor
from smsc.message import NEW_BATCH, AccountId, Draft, MessageId
from smsc.ports import Admitted, Health, Refused

CONFIG = SmshubConfig()
NOW_MS = 1_790_000_000_000


def asked_of(params: Mapping[str, object]) -> Asked:
    values = {"username": "u", "password": "p", "mobile": ["+352691123456"], "text": "hello"}
    body = orjson.dumps({"method": "smshubSend", "params": values | dict(params), "id": 1})
    asked = smshub.parse_request(body)
    assert isinstance(asked, Asked)
    return asked


def drafts_of(params: Mapping[str, object], config: SmshubConfig = CONFIG, own: str = "") -> Any:
    return smshub.parse_send(
        asked_of(params),
        AccountId("u"),
        own,
        config,
        numbers=NumberReader(config.region),
        now_ms=NOW_MS,
        peer="192.0.2.1",
    )


def one(params: Mapping[str, object], config: SmshubConfig = CONFIG, own: str = "") -> Draft:
    (draft,) = drafts_of(params, config, own)
    assert isinstance(draft, Draft)
    return draft


def test_a_draft() -> None:
    draft = one({"client": "nas", "source": "192.0.2.7"})
    assert (draft.account, draft.source, draft.reference) == ("u", "smshub", "nas")
    assert (draft.batch, draft.expires_ms) == (NEW_BATCH, 0)
    spoken = read_body(draft.body)
    assert (spoken.source, spoken.destination, spoken.text()) == ("", "352691123456", "hello")
    assert one({"client": "x" * 999}).reference == "x" * 255
    assert one({}).reference == "192.0.2.1"


@pytest.mark.parametrize(
    ("default", "own", "params", "sender"),
    [
        ("", "", {}, ""),
        ("Hub", "", {}, "Hub"),
        ("Hub", "Own", {}, "Own"),
        ("Hub", "Own", {"sender": "Wish"}, "Wish"),
        ("Hub", "Own", {"sender": " "}, "Own"),
        ("", "Own", {"sender": "Wish", "settings": "SMSSender=Set"}, "Set"),
    ],
)
def test_whose_sender(default: str, own: str, params: dict[str, object], sender: str) -> None:
    draft = one(params, SmshubConfig(sender=default), own)
    assert read_body(draft.body).source == sender


@pytest.mark.parametrize(
    ("default", "params", "data_coding"),
    [
        ("Normal", {}, 0),
        ("Flash", {}, 0xF0),
        ("Flash", {"type": "Normal"}, 0),
        ("Normal", {"type": "flash"}, 0xF0),
        ("Normal", {"type": ""}, 0),
        ("Normal", {"type": "Normal", "settings": "SMSType=Flash"}, 0xF0),
        ("Normal", {"settings": " smstype = flash , Other=1,"}, 0xF0),
        ("Normal", {"settings": {"SMSType": "Flash"}}, 0xF0),
        ("Normal", {"settings": ["SMSType=Flash", "A=b"]}, 0xF0),
    ],
)
def test_whose_type(default: Any, params: dict[str, object], data_coding: int) -> None:
    draft = one(params, SmshubConfig(type=default))
    assert read_body(draft.body).data_coding == data_coding


def test_a_validity() -> None:
    assert one({"settings": "SMSValidity=90"}).expires_ms == NOW_MS + 90_000


def test_numbers_of_a_country() -> None:
    swiss = SmshubConfig(region="CH")
    assert read_body(one({"mobile": "079 123 45 67"}, swiss).body).destination == "41791234567"
    assert isinstance(drafts_of({"mobile": "079"}, swiss), Answer)


@pytest.mark.parametrize(
    ("params", "error"),
    [
        ({"mobile": []}, "BadRequest"),
        ({"mobile": [" "]}, "BadRequest"),
        ({"mobile": ["1"] * 101}, "BadRequest"),
        ({"mobile": ["+352691123456", "x"]}, "BadRequest"),
        ({"mobile": {"a": "b"}}, "BadRequest"),
        ({"text": ""}, "BadRequest"),
        ({"text": ["a"]}, "BadRequest"),
        ({"text": "a" * (153 * 255 + 1)}, "BadRequest"),
        ({"type": "Loud"}, "BadRequest"),
        ({"sender": "longer than eleven"}, "BadRequest"),
        ({"settings": "SMSType"}, "BadRequest"),
        ({"settings": "SMSValidity=0"}, "BadRequest"),
        ({"settings": "SMSValidity=1.5"}, "BadRequest"),
        ({"source": "somewhere"}, "ServerError"),
    ],
)
def test_what_makes_no_draft(params: dict[str, object], error: str) -> None:
    answer = drafts_of(params)
    assert isinstance(answer, Answer)
    assert (answer.code, answer.error) == (0, error)
    assert answer.why


@pytest.mark.parametrize(
    ("status", "error"),
    [
        (Status.ESME_RINVSRCADR, "BadRequest"),
        (Status.ESME_RINVMSGLEN, "BadRequest"),
        (Status.ESME_RINVDSTADR, "ServerError"),  # the number was good: nothing leads there
        (Status.ESME_RTHROTTLED, "ServerError"),
        (Status.ESME_RMSGQFUL, "ServerError"),
        (Vendor.SMSC_NO_CREDIT, "ServerError"),
        (Vendor.SMSC_ACCOUNT_CLOSED, "ServerError"),
    ],
)
def test_what_intake_refuses(status: int, error: str) -> None:
    answer = smshub.sent_answer(["+33612345678"], [Refused(status, "because")])
    assert (answer.code, answer.error, answer.why) == (0, error, "because")


def test_one_code_for_all_numbers() -> None:
    refused = Refused(Status.ESME_RTHROTTLED, "too fast")
    one, two = MessageId(1), MessageId(2)
    numbers = ["+41 1", "412", "413", "414"]
    everyone = smshub.sent_answer(numbers[:2], [Admitted(one), Admitted(two)])
    assert everyone == Answer(1, "", "SMS send success", ids=[one, two])
    nobody = smshub.sent_answer(numbers[:2], [refused, refused])
    assert nobody == Answer(0, "ServerError", "Server Error", "too fast")
    some = smshub.sent_answer(numbers, [refused, Admitted(one), refused, Admitted(two)])
    message = "Server Error: 2 of 4 messages were accepted, not those to +41 1, 413"
    assert some == Answer(0, "ServerError", message, "too fast", [one, two])


@pytest.mark.parametrize(
    ("status", "error"),
    [
        (Status.ESME_RINVSYSID, "AuthFailed"),
        (Status.ESME_RINVPASWD, "AuthFailed"),
        (Status.ESME_RBINDFAIL, "AuthFailed"),
        (Vendor.SMSC_ACCOUNT_CLOSED, "AuthFailed"),
        (Vendor.SMSC_UNAVAILABLE, "ServerError"),
    ],
)
def test_who_may_not_speak(status: int, error: str) -> None:
    answer = smshub.login_answer(Refused(status, "no account 'bob'"))
    assert answer.error == error
    assert "bob" not in answer.why


def test_ready_or_not() -> None:
    host = Host("1.0", "Linux isn't 6", "127.0.0.1:8080", "1/1", 40)
    facts = {"outlets": {"a": {}, "b": {}}, "outlets_down": ["b"], "uptime_s": 3.7}
    for health, status, store in (
        (Health(True, "", facts), 1, "ready"),
        (Health(False, "stopping", facts), 2, "stopping"),
    ):
        reply = smshub_replies.status_reply(Shape("smshubStatus", True, 5), health, host)
        result = orjson.loads(reply.body)["result"]
        assert result["status"] == status
        assert result["message"].splitlines() == [
            "Server: SMSHub Server 1.0 (smsc-gateway)",
            "System: Linux isnt 6",
            "Listener: 127.0.0.1:8080 (HTTP/1.1)",
            "Uptime: 3s",
            "Cluster Node: 1/1",
            "Local Memory: 40M",
            f"Shared Memory: message store {store}",
            "Connectors: OK (1 alive & 1 down)",
        ]
        reply = smshub_replies.status_reply(Shape("smssendStatus"), health, host)
        assert f"<ns1:smssendStatusResponse><status>{status}</status>".encode() in reply.body


def test_a_reason_stays_one_line() -> None:
    answer = smshub_replies.bad_request("a\r\nSet-Cookie: é" + "x" * 500)
    ((name, value),) = smshub_replies.reply(Shape(), answer).headers
    assert name == "X-Reason"
    assert value.startswith("a??Set-Cookie: ?xxx")
    assert len(value) == 200


def test_the_wsdl_repeats_an_address_safely() -> None:
    assert b'location="http://a/?b&amp;c"' in smshub_wsdl.document("http://a/?b&c")


def test_passwords_are_not_shown() -> None:
    assert "s3cret" not in repr(asked_of({"password": "s3cret"}))


@given(st.binary(max_size=300))
def test_any_octets_are_answered(body: bytes) -> None:
    assert isinstance(smshub.parse_request(body), Reply)


@given(st.recursive(st.none() | st.booleans() | st.floats() | st.text(), st.lists, max_leaves=5))
def test_any_parameter_is_judged(value: object) -> None:
    for name in smshub_wsdl.SEND:
        answer = drafts_of({name: value})
        assert isinstance(answer, Answer | list)
