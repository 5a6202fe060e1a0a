"""Kannel's sendsms over real sockets, against a whole gateway: messages, reports, bad input."""

import urllib.parse
from pathlib import Path
from typing import Any

import pytest

from bridges.http.dialects.base import read_body
from bridges.http.dialects.uuids import uuid_of
from smsc.message import MessageId, State
from tests.bridges.http.dialect_house import ROUTES, DialectHouse, Sink, running

PATH = "/cgi-bin/sendsms"
BASE = {"username": "demo", "password": "demo", "from": "Shop", "to": "41791234567", "text": "hi"}
ACCEPTED = "0: Accepted for delivery"


def params(**changes: Any) -> dict[str, Any]:
    """The parameters of a good request, changed; `_` in a name stands for `-`."""
    fields = BASE | {name.replace("_", "-"): value for name, value in changes.items()}
    return {name: value for name, value in fields.items() if value is not None}


def get(house: DialectHouse, **changes: Any) -> tuple[int, str]:
    answer = house.client.get(f"{PATH}?{urllib.parse.urlencode(params(**changes))}")
    assert answer.headers["content-type"].startswith("text/html")
    return answer.status_code, answer.text


def test_by_get(house: DialectHouse) -> None:
    answer = house.client.get(PATH, params=params(text="n\u00e9 \u20ac"))
    assert (answer.status_code, answer.text) == (202, ACCEPTED)
    id_ = answer.headers["x-message-id"]
    message, _ = house.message(id_)
    assert read_body(message.body).text() == "n\u00e9 \u20ac"
    assert answer.headers["x-kannel-id"] == uuid_of(MessageId(int(id_)))
    house.wait_for(id_, State.DELIVERED)


def test_by_form(house: DialectHouse) -> None:
    answer = house.client.post(PATH, data=params(text="a+b & c"))
    assert (answer.status_code, answer.text) == (202, ACCEPTED)
    message, _ = house.message(answer.headers["x-message-id"])
    assert read_body(message.body).text() == "a+b & c"


def test_by_headers(house: DialectHouse) -> None:
    headers = {
        "X-Kannel-Username": "demo",
        "X-Kannel-Password": "demo",
        "X-Kannel-From": "Shop",
        "X-Kannel-To": "41791234567",
        "X-Kannel-Coding": "1",
        "X-Kannel-UDH": "0605040b8423f0",
        "Content-Type": "application/octet-stream",
    }
    answer = house.client.post(PATH, headers=headers, content=b"\xdc\x06")
    assert (answer.status_code, answer.text) == (202, ACCEPTED)
    spoken = read_body(house.message(answer.headers["x-message-id"])[0].body)
    assert (spoken.data.hex(), spoken.udh, spoken.data_coding) == ("0605040b8423f0dc06", True, 4)


def test_several_receivers(house: DialectHouse) -> None:
    before = house.stored()
    to = "41791234567 41791234568 nobody 447700900000"
    answer = house.client.get(PATH, params=params(to=to))
    assert (answer.status_code, answer.text) == (202, ACCEPTED)
    assert house.stored() == before + 2
    ids = answer.headers["x-message-id"].split(",")
    assert {house.message(id_)[0].batch for id_ in ids} == {int(ids[0])}
    assert answer.headers["x-denied-receivers"] == "nobody,447700900000"


def test_the_account_s_own_sender(house: DialectHouse) -> None:
    query = params(username="plain", password="plain", **{"from": None})
    answer = house.client.get(PATH, params=query)
    assert house.message(answer.headers["x-message-id"])[0].peek.source_addr == "Plain"


def test_labels_reach_the_rules(house: DialectHouse) -> None:
    answer = house.client.get(PATH, params=params(smsc="carrier", account="sales", binfo="42"))
    tags = house.message(answer.headers["x-message-id"])[0].tags
    assert tags == ("smsc:carrier", "account:sales", "binfo:42")


def test_deferred(house: DialectHouse) -> None:
    answer = house.client.get(PATH, params=params(deferred="60", validity="120"))
    message, progress = house.message(answer.headers["x-message-id"])
    assert progress.state is State.SCHEDULED
    assert message.due_ms - message.accepted_ms in range(3_590_000, 3_600_001)
    assert message.expires_ms - message.due_ms in range(3_599_900, 3_600_001)


@pytest.mark.parametrize(
    ("changes", "status", "text"),
    [
        # missing
        ({"username": None}, 403, "Authorization failed for sendsms"),
        ({"password": None}, 403, "Authorization failed for sendsms"),
        ({"to": None}, 400, "Missing receiver number, rejected"),
        ({"from": None}, 400, "Sender missing and no global set, rejected"),
        ({"text": None}, 400, "Charset or body misformed, rejected"),
        # wrong
        ({"to": ""}, 400, "Empty receiver number not allowed, rejected"),
        ({"to": "x"}, 400, "Number(s) has/have been denied by white- and/or black-lists."),
        ({"text": ""}, 400, "Charset or body misformed, rejected"),
        ({"text": "a" * 1531}, 400, "Charset or body misformed, rejected"),
        ({"text": b"\xff"}, 400, "Charset or body misformed, rejected"),
        ({"charset": "no-such"}, 400, "Charset or body misformed, rejected"),
        ({"coding": "7"}, 400, "Coding field misformed, rejected"),
        ({"mclass": "7"}, 400, "MClass field misformed, rejected"),
        ({"mwi": "9"}, 400, "MWI field misformed, rejected"),
        ({"compress": "2"}, 400, "Compress field misformed, rejected"),
        ({"alt_dcs": "x"}, 400, "Alt-DCS field misformed, rejected"),
        ({"pid": "256"}, 400, "PID field misformed, rejected"),
        ({"rpi": "3"}, 400, "RPI field misformed, rejected"),
        ({"priority": "4"}, 400, "Priority field misformed, rejected"),
        ({"validity": "x"}, 400, "Validity field misformed, rejected"),
        ({"deferred": "x"}, 400, "Deferred field misformed, rejected"),
        ({"dlr_mask": "64"}, 400, "DLR-Mask field misformed, rejected"),
        ({"dlr_url": "x"}, 400, "DLR-URL field misformed, rejected"),
        ({"account": "[x]"}, 400, "Account field misformed or too long, rejected"),
        ({"meta_data": "x"}, 400, "Meta-Data field misformed, rejected"),
        # hostile
        ({"to": "4179\0"}, 400, "Number(s) has/have been denied by white- and/or black-lists."),
        ({"from": "<script>alert"}, 400, "Sender missing and no global set, rejected"),
        ({"udh": b"\xff\xff"}, 400, "UDH field misformed, rejected"),
        ({"charset": "punycode"}, 400, "Charset or body misformed, rejected"),
        ({"validity": "9" * 400}, 400, "Validity field misformed, rejected"),
        ({"dlr_url": "http://%p/", "dlr_mask": "1"}, 400, "DLR-URL field misformed, rejected"),
        # the gateway's own reasons
        ({"to": "447700900000"}, 403, "Not routable. Do not try again."),
        ({"username": "poor", "password": "poor", "text": "a" * 400}, 403, "Not routable. Do not try again."),
        ({"username": "shop", "password": "shop", "from": "Other"}, 403, "Not routable. Do not try again."),
        ({"username": "banned", "password": "banned"}, 403, "Authorization failed for sendsms"),
        ({"username": "far", "password": "far"}, 403, "Authorization failed for sendsms"),
    ],
)  # fmt: skip
def test_bad_input_has_its_sentence_and_stores_nothing(
    house: DialectHouse, changes: dict[str, Any], status: int, text: str
) -> None:
    before = house.stored()
    assert get(house, **changes) == (status, text)
    assert house.stored() == before


def test_over_the_rate_it_may_come_again(house: DialectHouse) -> None:
    slow = {"username": "slow", "password": "slow"}
    assert get(house, **slow) == (202, ACCEPTED)
    before = house.stored()
    assert get(house, **slow) == (503, "Temporal failure, try again later.")
    assert house.stored() == before


@pytest.mark.parametrize(
    ("path", "label", "status", "text"),
    [
        (PATH, "application/json", 415, "Unsupported content-type, rejected"),
        (PATH, "multipart/form-data", 415, "Unsupported content-type, rejected"),
        ("/cgi-bin/sendota", "text/plain", 404, "Unknown request."),
        ("/cgi-bin/", "text/plain", 404, "Unknown request."),
    ],
)
def test_what_it_does_not_take(
    house: DialectHouse, path: str, label: str, status: int, text: str
) -> None:
    answer = house.client.post(path, headers={"content-type": label}, content=b"{}")
    assert (answer.status_code, answer.text) == (status, text)


def test_a_body_that_is_too_long(house: DialectHouse) -> None:
    answer = house.client.post(PATH, content=b"text=" + b"a" * 70_000)
    assert (answer.status_code, answer.text) == (413, "Sending failed.")


@pytest.mark.parametrize("password", ["hunter2-in-a-query", "demo"])
def test_no_query_reaches_a_log(house: DialectHouse, password: str) -> None:
    get(house, password=password, text="my secret words", to="41791112233")
    logged = house.texts_logged()
    assert "hunter2" not in logged
    assert "secret" not in logged
    assert "password=" not in logged


def test_nor_does_it_when_the_gateway_fails(
    house: DialectHouse, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def broken(_drafts: object) -> None:
        raise RuntimeError("a bug")

    monkeypatch.setattr(house.gateway.intake, "submit_many", broken)
    assert get(house, password="demo", text="my secret words") == (500, "Sending failed.")
    assert house.log.named("http.request.failed")
    logged = house.texts_logged()
    assert "secret words" not in logged
    assert "password=" not in logged


# --- reports ----------------------------------------------------------------------------------

REPORT = "/dlr?id=7&s=%d&p=%p&P=%P&o=%o&A=%A&F=%F&I=%I&i=%i"


def reports(house: DialectHouse, sink: Sink, mask: int, count: int, **changes: Any) -> list[Any]:
    """What the client's server hears of one message: the queries, by name."""
    query = params(dlr_mask=str(mask), dlr_url=sink.base + REPORT, account="sales", **changes)
    answer = house.client.get(PATH, params=query)
    assert answer.status_code == 202
    house.wait_until(lambda: len(sink.heard) >= count, f"{count} reports")
    assert all(one.method == "GET" for one in sink.heard)
    heard = [urllib.parse.urlsplit(one.target) for one in sink.heard]
    assert {one.path for one in heard} == {"/dlr"}
    return [dict(urllib.parse.parse_qsl(one.query, keep_blank_values=True)) for one in heard]


def test_accepted_and_delivered(house: DialectHouse, sink: Sink) -> None:
    sink.answer = (202, b"")
    told = sorted(reports(house, sink, 31, 2), key=lambda one: int(one["s"]))
    assert [one["s"] for one in told] == ["1", "8"]
    delivered, accepted = told
    assert accepted["A"] == "ACK/"
    assert "stat:DELIVRD" in delivered["A"]
    for one in told:
        assert (one["id"], one["p"], one["P"]) == ("7", "41791234567", "Shop")
        assert (one["o"], one["i"]) == ("sales", "sim")
        assert one["F"]
    assert delivered["I"] == accepted["I"]


def test_only_what_the_mask_asks(house: DialectHouse, sink: Sink) -> None:
    assert [one["s"] for one in reports(house, sink, 1, 1)] == ["1"]


def test_a_failure_is_told(house: DialectHouse, sink: Sink) -> None:
    told = reports(house, sink, 3, 1, to="49301234567")
    assert [one["s"] for one in told] == ["2"]
    assert "stat:UNDELIV" in told[0]["A"]


DOWN = """
[outlets.down]
kind = "smpp"
host = "127.0.0.1"
port = 9
system_id = "gw"
password = "x"
[[routes]]
outlets = ["down"]
"""


def test_with_no_way_out_up_it_is_queued_for_later(tmp_path: Path) -> None:
    with running(tmp_path, DOWN) as house:
        assert get(house) == (202, "3: Queued for later delivery")


HOME = """
[accounts.home]
password = "home"
callback_url = "URL"
callback_style = "kannel:3"
[[mo_routes]]
to = ["12345"]
account = "home"
"""


def test_an_mo_message_is_a_get_of_the_account_s_url(tmp_path: Path, sink: Sink) -> None:
    url = sink.base + "/mo?from=%p&to=%P&key=%k&rest=%r&all=%b&at=%T&smsc=%i"
    with running(tmp_path, ROUTES + HOME.replace("URL", url)) as house:
        house.receive("41791234567", "12345", "buy n\u00e9 50%")
        house.wait_until(lambda: bool(sink.heard), "an MO message")
        (one,) = sink.heard
        told = dict(urllib.parse.parse_qsl(urllib.parse.urlsplit(one.target).query))
        assert int(told.pop("at")) > 1_700_000_000
        assert told == {
            "from": "41791234567",
            "to": "12345",
            "key": "buy",
            "rest": "n\u00e9 50%",
            "all": "buy n\u00e9 50%",
            "smsc": "sim",
        }
