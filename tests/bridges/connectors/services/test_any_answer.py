"""Whatever a service answers or sends us is a value: no answer and no callback raises."""

from typing import Any
from urllib.parse import urlencode

import orjson
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bridges.connectors.service import (
    Callback,
    Called,
    Declined,
    NotYet,
    Rejected,
    Report,
    Response,
    Service,
    Taken,
    Unclear,
)
from bridges.connectors.services.aql import AqlV1, AqlV2
from bridges.connectors.services.clickatell_classic import ClickatellClassic
from bridges.connectors.services.clickatell_platform import ClickatellPlatform
from bridges.connectors.services.ovh_http2sms import OvhHttp2Sms
from bridges.connectors.services.ovh_rest import OvhRest
from bridges.connectors.services.template import Template
from bridges.connectors.services.twilio import Twilio
from bridges.connectors.template_find import parse_finder
from bridges.connectors.template_settings import Answer, Balance, Receipt, Success, TemplateConfig
from bridges.connectors.template_text import parse_text
from smsc.message import State
from tests.fakes.services.sms import sms_of
from tests.fakes.services.twilio import TOKEN, sign

WORDS = (
    "messages", "apiMessageId", "accepted", "error", "code", "description", "errorCode", "data", "id",
    "status", "SmsIds", "smsIds", "ids", "invalidReceivers", "message", "errors", "sid", "event",
    "messageStatusUpdate", "messageId", "statusCode", "timestamp", "balance", "credit", "ptt",
    "creditsLeft", "deliveryReceipt", "OK", "KO", "0", "100", "1", "25",
)  # fmt: skip
VALUES = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-(2**63), 2**63 - 1)
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(max_size=20)
    | st.sampled_from(WORDS),
    lambda inner: (
        st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from(WORDS), inner, max_size=4)
    ),
    max_leaves=12,
)
TEXTS = st.sampled_from(
    [
        b"ID: ",
        b"ERR: ",
        b"ERR: 001",
        b"ID: a Status: ",
        b"0:",
        b"OK\n",
        b"KO",
        b"<r><result>",
        b"Credit: x",
    ]
)
BODIES = st.one_of(
    st.binary(max_size=60),
    VALUES.map(orjson.dumps),
    st.tuples(TEXTS, st.binary(max_size=20)).map(b"".join),
)
STATUSES = st.sampled_from([200, 201, 202, 207, 301, 400, 401, 404, 408, 429, 500, 503, 504])
TEMPLATE = TemplateConfig(
    url=parse_text("https://t.example/", "url"),
    success=Success(where=parse_finder("json:/status")),
    answer=Answer(
        id=parse_finder("json:/messages/0/id"),
        error=parse_finder("xml:result/code"),
        why=parse_finder("regex:ERR (.*)"),
    ),
    receipt=Receipt(
        id=parse_finder("form:id"),
        status=parse_finder("json:/status"),
        states={"OK": State.DELIVERED},
    ),
    balance=Balance(amount=parse_finder("text")),
)


def services() -> list[Service]:
    rest = OvhRest("https://o.example/1.0", "s", "a", "b", "c")
    rest.prepared(Response(200, {}, b"1"), 0.0)
    return [
        ClickatellPlatform("https://p.example", "k"),
        ClickatellClassic("https://c.example", "1", "u", "p"),
        AqlV1("https://a.example", "u", "p"),
        AqlV2("https://a.example", "t"),
        OvhHttp2Sms("https://o.example", "a", "u", "p"),
        rest,
        Twilio("https://t.example", "AC", TOKEN),
        Template(TEMPLATE),
    ]


NAMES = [type(one).__name__ for one in services()]


def service(name: str) -> Any:
    return next(one for one in services() if type(one).__name__ == name)


@pytest.mark.parametrize("name", NAMES)
@settings(max_examples=60, deadline=None)
@given(status=STATUSES, body=BODIES, retry=st.text(max_size=8))
def test_any_answer_is_a_verdict(name: str, status: int, body: bytes, retry: str) -> None:
    response = Response(status, {"retry-after": retry}, body)
    one = service(name)
    verdict = one.verdict(sms_of(), response)
    assert isinstance(verdict, Taken | Declined | Unclear)
    assert not (isinstance(verdict, Taken) and status >= 300)
    assert isinstance(one.polled("x", response), Report | NotYet | Declined)
    left = one.balance_left(response)
    assert left is None or isinstance(left, float)
    fresh = OvhRest("https://o.example", "s", "a", "b", "c")
    assert isinstance(fresh.prepared(response, 0.0), Declined | None)


@pytest.mark.parametrize("name", NAMES)
@settings(max_examples=60, deadline=None)
@given(
    body=BODIES,
    query=st.dictionaries(
        st.sampled_from(
            [
                "ref",
                "code",
                "id",
                "ptt",
                "description",
                "apiMsgId",
                "status",
                "moMsgId",
                "to",
                "text",
            ]
        ),
        st.text(max_size=8),
        max_size=4,
    ),
)
def test_any_callback_is_told_or_rejected(name: str, body: bytes, query: dict[str, str]) -> None:
    url = f"https://gw.example/r?{urlencode(query)}"
    callback = Callback("POST", url, {}, body)
    fields = dict(callback.form_pairs)
    callback.headers = {"x-twilio-signature": sign(url, fields)}
    told = service(name).called(callback)
    assert isinstance(told, Called | Rejected)
    if isinstance(told, Rejected):
        assert 400 <= told.status < 500
    else:
        assert told.reports or told.messages or name == "ClickatellPlatform"
        for report in told.reports:
            assert report.upstream_id
            assert 0 <= report.error < 2**31
