"""SMS Connector: what its bodies mean, and what of them is refused; no sockets."""

from collections.abc import Mapping
from urllib.parse import urlencode

import orjson
import pytest

from bridges.http.dialects.base import Invalid, read_body
from bridges.http.dialects.connector import (
    ID_HEADER,
    WHY_HEADER,
    ConnectorConfig,
    ReceivedMessage,
    admission_reply,
    invalid_reply,
    parse_notification,
    parse_received,
    parse_send,
    refusal_reply,
)
from pdu.codec import peek_submit_sm
from pdu.status import Status
from routing.normalise import Normaliser
from smsc.message import AccountId, Draft, MessageId, OutletName, State
from smsc.ports import Admitted, Refused, UpstreamReceipt

DEMO, PROVIDER = AccountId("demo"), OutletName("provider")
GOOD = {"To": "+41791234567", "Body": "Hello", "From": "Shop", "channel": "smpp"}
REPORTING = ConnectorConfig(broker_host="127.0.0.1", channels=("smpp", "viber"))
SILENT = ConnectorConfig()


def sent(members: object, sender: str = "", config: ConnectorConfig = REPORTING) -> Draft | Invalid:
    body = members if isinstance(members, bytes) else orjson.dumps(members)
    return parse_send(body, DEMO, sender, config)


def draft_of(members: object, sender: str = "", config: ConnectorConfig = REPORTING) -> Draft:
    draft = sent(members, sender, config)
    assert isinstance(draft, Draft), draft
    return draft


class TestSend:
    def test_a_message(self) -> None:
        draft = draft_of(GOOD)
        spoken = read_body(draft.body)
        assert (spoken.source, spoken.destination, spoken.text()) == (
            "Shop",
            "41791234567",
            "Hello",
        )
        assert (draft.account, draft.source, draft.tags) == ("demo", "connector", ("smpp",))
        assert (draft.callback_url, draft.callback_style) == (
            "queue:delivery-report",
            "connector-report:smpp",
        )
        assert peek_submit_sm(draft.body).registered_delivery == 1

    def test_the_example_of_the_document_with_its_trailing_comma(self) -> None:
        body = b'{\n"To" : "4179",\n"Body" : "a, } b",\n"From" : "12",\n"channel" : "smpp",\n}'
        assert read_body(draft_of(body).body).text() == "a, } b"

    def test_a_sender_of_the_account_and_no_channel(self) -> None:
        draft = draft_of({"To": "4179", "Body": "x"}, sender="Home")
        assert read_body(draft.body).source == "Home"
        assert draft.callback_style == "connector-report:smpp"
        assert read_body(draft_of({"To": "4179", "Body": "x"}).body).source == ""

    def test_numbers_are_read_as_the_account_writes_them(self) -> None:
        wish = orjson.dumps({"To": "791234567", "Body": "x", "From": "079 123 45 68"})
        draft = parse_send(wish, DEMO, "", REPORTING, Normaliser("CH").digits)
        assert isinstance(draft, Draft)
        spoken = read_body(draft.body)
        assert (spoken.destination, spoken.source) == ("41791234567", "41791234568")

    def test_the_channel_is_a_tag_that_rules_see_and_the_type_of_reports(self) -> None:
        draft = draft_of(GOOD | {"channel": "viber"})
        assert draft.tags == ("viber",)
        assert draft.callback_style == "connector-report:viber"

    def test_members_that_are_unknown_are_ignored_and_null_is_absent(self) -> None:
        assert isinstance(sent(GOOD | {"mediaUrl": [1], "From": None}), Draft)

    def test_unicode_and_long_texts(self) -> None:
        assert read_body(draft_of(GOOD | {"Body": "тест"}).body).text() == "тест"
        assert read_body(draft_of(GOOD | {"Body": "x" * 1000}).body).text() == "x" * 1000

    def test_without_a_broker_no_report_is_asked_for(self) -> None:
        draft = draft_of(GOOD, config=SILENT)
        assert (draft.callback_url, draft.callback_style) == (None, "")
        assert peek_submit_sm(draft.body).registered_delivery == 0


BAD_SEND: Mapping[str, tuple[object, str]] = {
    "nothing": (b"", "body"),
    "no JSON": (b"To=4179&Body=x", "body"),
    "no UTF-8": (b'{"To": "\xff"}', "body"),
    "half of it": (b'{"To": "4179", "Body"', "body"),
    "an array": ([GOOD], "body"),
    "a text": ("x", "body"),
    "null": (None, "body"),
    "deep": (b"[" * 100_000, "body"),
    "To missing": ({"Body": "x"}, "To"),
    "To empty": (GOOD | {"To": ""}, "To"),
    "To null": (GOOD | {"To": None}, "To"),
    "To a number": (GOOD | {"To": 41791234567}, "To"),
    "To a list": (GOOD | {"To": ["4179"]}, "To"),
    "To an object": (GOOD | {"To": {}}, "To"),
    "To too long": (GOOD | {"To": "4" * 65}, "To"),
    "To no number": (GOOD | {"To": "not a number"}, "to"),
    "To with NUL": (GOOD | {"To": "41\u0000"}, "to"),
    "To another's wire": (GOOD | {"To": "4179\r\nX: y"}, "to"),
    "Body missing": ({"To": "4179"}, "Body"),
    "Body empty": (GOOD | {"Body": ""}, "Body"),
    "Body a number": (GOOD | {"Body": 5}, "Body"),
    "Body true": (GOOD | {"Body": True}, "Body"),
    "Body of too many parts": (GOOD | {"Body": "x" * 65_000}, "Body"),
    "Body too long": (GOOD | {"Body": "x" * 65_536}, "Body"),
    "From a number": (GOOD | {"From": 12345}, "From"),
    "From too long": (GOOD | {"From": "x" * 65}, "From"),
    "From no sender": (GOOD | {"From": "more than eleven"}, "from"),
    "From with NUL": (GOOD | {"From": "a\u0000b"}, "from"),
    "channel unknown": (GOOD | {"channel": "email"}, "channel"),
    "channel a list": (GOOD | {"channel": ["smpp"]}, "channel"),
    "channel with a colon": (GOOD | {"channel": "smpp:x"}, "channel"),
}


@pytest.mark.parametrize(("members", "field"), BAD_SEND.values(), ids=BAD_SEND)
def test_what_send_refuses(members: object, field: str) -> None:
    invalid = sent(members)
    assert isinstance(invalid, Invalid)
    assert invalid.field == field
    reply = invalid_reply(invalid)
    assert (reply.status, reply.body) == (400, b"")
    assert all(" " <= one <= "~" for one in dict(reply.headers)[WHY_HEADER])


RECEIVED = {"Body": "STOP now", "From": "+41791234567", "To": "12345", "SmsSid": "SM1"}
TWILIO = {"ToCountry": "CH", "SmsMessageSid": "SM1", "NumMedia": "0", "AccountSid": "AC1"}


class TestReceive:
    def test_a_message(self) -> None:
        expected = ReceivedMessage("STOP now", "+41791234567", "12345", "SM1")
        assert parse_received(urlencode(RECEIVED).encode()) == expected
        assert parse_received(urlencode(TWILIO | RECEIVED).encode()) == expected

    def test_plus_is_a_space_and_utf8_may_come_bare(self) -> None:
        message = parse_received("Body=a+b%20%2B+é&To=1".encode())
        assert message == ReceivedMessage("a b + é", "", "1", "")


BAD_FORM: dict[str, bytes] = {
    "nothing": b"",
    "JSON": orjson.dumps(RECEIVED),
    "no UTF-8": b"Body=%FF&To=1",
    "no UTF-8 bare": b"Body=\xff&To=1",
    "too many fields": b"&".join(b"x=1" for _ in range(101)) + b"&Body=1&To=1",
}
BAD_RECEIVE: dict[str, bytes] = BAD_FORM | {
    "Body missing": b"To=1&From=2",
    "Body empty": b"Body=&To=1",
    "Body too long": b"To=1&Body=" + b"x" * 65_536,
    "Body with NUL": b"To=1&Body=a%00b",
    "To missing": b"Body=1&From=2",
    "To empty": b"Body=1&To=",
    "To too long": b"Body=1&To=" + b"1" * 65,
    "From too long": b"Body=1&To=1&From=" + b"1" * 65,
    "From with NUL": b"Body=1&To=1&From=%00",
    "From no sender": b"Body=1&To=1&From=more+than+eleven",
    "From in another script": "Body=1&To=1&From=тест".encode(),
    "To no number": b"Body=1&To=nobody",
    "SmsSid too long": b"Body=1&To=1&SmsSid=" + b"1" * 65,
}


@pytest.mark.parametrize("body", BAD_RECEIVE.values(), ids=BAD_RECEIVE)
def test_what_receive_refuses(body: bytes) -> None:
    invalid = parse_received(body)
    assert isinstance(invalid, Invalid)
    assert invalid_reply(invalid).status == 400


@pytest.mark.parametrize(
    ("fields", "state", "error"),
    [
        ({"SmsStatus": "delivered"}, State.DELIVERED, 0),
        ({"SmsStatus": "undelivered", "ErrorCode": "30003"}, State.UNDELIVERABLE, 30003),
        ({"SmsStatus": "failed", "ErrorCode": "x"}, State.REJECTED, 0),
        ({"SmsStatus": "queued"}, State.ENROUTE, 0),
        ({"SmsStatus": "sent"}, State.ENROUTE, 0),
        ({"MessageStatus": "delivered"}, State.DELIVERED, 0),
        ({"SmsStatus": "Delivered", "MessageStatus": "sent"}, State.DELIVERED, 0),
        ({"SmsStatus": "sent", "ErrorCode": "9" * 30}, State.ENROUTE, 0),
    ],
)
def test_a_notification(fields: dict[str, str], state: State, error: int) -> None:
    body = urlencode(TWILIO | {"MessageSid": "SM9"} | fields).encode()
    assert parse_notification(body, PROVIDER) == UpstreamReceipt(
        PROVIDER, "SM9", state, error, is_notice=state is State.ENROUTE
    )


BAD_NOTIFICATION: dict[str, bytes] = BAD_FORM | {
    "MessageSid missing": b"SmsStatus=sent",
    "MessageSid empty": b"MessageSid=&SmsStatus=sent",
    "MessageSid too long": b"SmsStatus=sent&MessageSid=" + b"1" * 65,
    "MessageSid with NUL": b"SmsStatus=sent&MessageSid=%00",
    "SmsStatus missing": b"MessageSid=1",
    "SmsStatus empty": b"MessageSid=1&SmsStatus=",
    "SmsStatus unknown": b"MessageSid=1&SmsStatus=perhaps",
    "SmsStatus a number": b"MessageSid=1&SmsStatus=1",
}


@pytest.mark.parametrize("body", BAD_NOTIFICATION.values(), ids=BAD_NOTIFICATION)
def test_what_a_notification_must_not_be(body: bytes) -> None:
    assert isinstance(parse_notification(body, PROVIDER), Invalid)


class TestReplies:
    def test_taken(self) -> None:
        reply = admission_reply(Admitted(MessageId(77)))
        assert (reply.status, reply.body, reply.headers) == (200, b"", ((ID_HEADER, "77"),))

    @pytest.mark.parametrize(
        ("status", "http"),
        [
            (Status.ESME_RINVDSTADR, 400),
            (Status.ESME_RINVSRCADR, 400),
            (Status.ESME_RINVMSGLEN, 400),
            (Status.ESME_RX_R_APPN, 400),
            (Status.ESME_RTHROTTLED, 500),
            (Status.ESME_RMSGQFUL, 500),
            (Status.ESME_RSYSERR, 500),
            (Status.ESME_RPROHIBITED, 500),
        ],
    )
    def test_refused(self, status: Status, http: int) -> None:
        reply = refusal_reply(Refused(status, "why\r\nX-Evil: é"))
        assert (reply.status, reply.body) == (http, b"")
        assert reply.headers == ((WHY_HEADER, "why??X-Evil: ?"),)


@pytest.mark.parametrize(
    "settings",
    [
        {"path": "msg-client"},
        {"path": "/{x}"},
        {"channels": ()},
        {"channels": ("a:b",)},
        {"queue": "a/b"},
        {"queue": "a,topic://b"},
    ],
)
def test_settings_that_cannot_be(settings: dict[str, object]) -> None:
    with pytest.raises(ValueError, match="expected"):
        ConnectorConfig(**settings)  # type: ignore[arg-type]
