"""Jasmin's APIs over real sockets, against a whole gateway: messages, reports, bad input."""

import base64
import re
import urllib.parse
from pathlib import Path
from typing import Any

import pytest

from bridges.http.dialects.base import read_body
from bridges.http.dialects.uuids import id_of
from smsc.message import Message, State
from tests.bridges.http.dialect_house import ROUTES, DialectHouse, Heard, Sink, running

BASE = {"username": "demo", "password": "demo", "to": "41791234567", "content": "hi"}
SUCCESS = re.compile(r'Success "([0-9a-f-]{36})"')
BASIC = ("demo", "demo")


def params(**changes: Any) -> dict[str, Any]:
    """The arguments of a good request, changed; `_` in a name stands for `-`, as in REST."""
    fields = BASE | {
        name if name == "custom_tlvs" else name.replace("_", "-"): value
        for name, value in changes.items()
    }
    return {name: value for name, value in fields.items() if value is not None}


def get(house: DialectHouse, path: str = "/send", **changes: Any) -> tuple[int, str]:
    answer = house.client.get(f"{path}?{urllib.parse.urlencode(params(**changes))}")
    return answer.status_code, answer.text


def sent(house: DialectHouse, answer: str) -> Message:
    """The message that a success names."""
    found = SUCCESS.search(answer)
    assert found is not None, answer
    id_ = id_of(found[1])
    assert id_ is not None
    return house.message(id_)[0]


# --- the HTTP API -----------------------------------------------------------------------------


def test_send_by_get(house: DialectHouse) -> None:
    status, text = get(
        house, content="n\u00e9 \u20ac", priority="2", tags="a,b", **{"from": "Shop"}
    )
    assert status == 200
    message = sent(house, text)
    assert read_body(message.body).text() == "n\u00e9 \u20ac"
    assert (message.peek.source_addr, message.priority, message.tags) == ("Shop", 2, ("a", "b"))
    house.wait_for(message.id, State.DELIVERED)


def test_send_by_form(house: DialectHouse) -> None:
    answer = house.client.post("/send", data=params(content="a+b & c"))
    assert answer.headers["content-type"].startswith("text/plain")
    assert read_body(sent(house, answer.text).body).text() == "a+b & c"


def test_send_by_json(house: DialectHouse) -> None:
    tlvs = [[0x1501, None, "OctetString", "x"]]
    json = BASE | {"content": "\u044f", "coding": 8, "priority": 1, "custom_tlvs": tlvs}
    message = sent(house, house.client.post("/send", json=json).text)
    assert read_body(message.body).text() == "\u044f"
    assert message.body.endswith(b"\x15\x01\0\x01x")


def test_the_account_s_own_sender(house: DialectHouse) -> None:
    _, text = get(house, username="plain", password="plain")
    assert sent(house, text).peek.source_addr == "Plain"


def test_rate_balance_and_ping(house: DialectHouse) -> None:
    assert get(house, "/rate", content="a" * 161) == (200, '{"unit_rate":0.5,"submit_sm_count":2}')
    assert get(house, "/rate", content=None) == (200, '{"unit_rate":0.5,"submit_sm_count":1}')
    login = {"username": "poor", "password": "poor"}
    balance = house.client.get("/balance", params=login)
    assert (balance.status_code, balance.json()) == (200, {"balance": 1.0, "sms_count": "ND"})
    login = {"username": "demo", "password": "demo"}
    assert house.client.get("/balance", params=login).json()["balance"] == "ND"
    assert house.client.get("/ping").text == "Jasmin/PONG"


@pytest.mark.parametrize(
    ("changes", "status", "text"),
    [
        # missing
        ({"to": None}, 400, "Mandatory argument [to] is not found."),
        ({"username": None}, 400, "Mandatory argument [username] is not found."),
        ({"password": None}, 400, "Mandatory argument [password] is not found."),
        ({"content": None}, 400, "content or hex-content not present."),
        # wrong
        ({"to": "x"}, 400, "Argument [to] has an invalid value: [x]."),
        ({"to": "4" * 25}, 400, f"Argument [to] has an invalid value: [{'4' * 25}]."),
        ({"from": "TWELVE CHARS"}, 400, "Argument [from] has an invalid value: [TWELVE CHARS]."),
        ({"content": ""}, 400, "Argument [content] has an invalid value: []."),
        ({"content": b"\xff"}, 400, "Argument [content] has an invalid value: [\ufffd]."),
        ({"content": "a" * 766}, 400, f"Argument [content] has an invalid value: [{'a' * 99}…]."),
        ({"hex_content": "00"}, 400, "content and hex-content cannot be used both in same request."),
        ({"content": None, "hex_content": "0g"}, 400, "Invalid hex-content data: '0g'"),
        ({"coding": "12"}, 400, "Argument [coding] has an invalid value: [12]."),
        ({"coding": "8", "content": "odd"}, 400, "Argument [content] has an invalid value: [odd]."),
        ({"priority": "9"}, 400, "Argument [priority] has an invalid value: [9]."),
        ({"validity_period": "0"}, 400, "Argument [validity-period] has an invalid value: [0]."),
        ({"sdt": "x"}, 400, "Argument [sdt] has an invalid value: [x]."),
        ({"dlr": "x"}, 400, "Argument [dlr] has an invalid value: [x]."),
        ({"dlr_url": "x"}, 400, "Argument [dlr-url] has an invalid value: [x]."),
        ({"dlr_level": "0"}, 400, "Argument [dlr-level] has an invalid value: [0]."),
        ({"dlr_method": "PUT"}, 400, "Argument [dlr-method] has an invalid value: [PUT]."),
        ({"tags": "\u00e9"}, 400, "Argument [tags] has an invalid value: [\u00e9]."),
        ({"custom_tlvs": "{"}, 400, "Argument [custom_tlvs] has an invalid value: [{]."),
        ({"shape": "round"}, 400, "Argument [shape] is unknown."),
        # hostile
        ({"to": "4179\r\nX: y"}, 400, "Argument [to] has an invalid value: [4179\r\nX: y]."),
        ({"username": "x" * 500}, 400, f"Argument [username] has an invalid value: [{'x' * 99}…]."),
        ({"dlr_url": "http://[::1"}, 400, "Argument [dlr-url] has an invalid value: [http://[::1]."),
        ({"validity_period": "9" * 300, "sdt": "990101000000000+"}, 400,
         "Argument [sdt] has an invalid value: [990101000000000+]."),
        # the gateway's own reasons
        ({"to": "447700900000"}, 412, "No route found"),
        ({"username": "poor", "password": "poor", "content": "a" * 400}, 403,
         "Cannot charge submit_sm, check RouterPB log file for details"),
        ({"username": "shop", "password": "shop", "from": "Other"}, 400,
         "Value filter failed for user [shop] (source_address filter mismatch)."),
        ({"username": "banned", "password": "banned"}, 403, "Authentication failure for username:banned"),
        ({"username": "far", "password": "far"}, 403, "Authentication failure for username:far"),
        ({"password": "wrong"}, 403, "Authentication failure for username:demo"),
    ],
)  # fmt: skip
def test_bad_input_has_its_sentence_and_stores_nothing(
    house: DialectHouse, changes: dict[str, Any], status: int, text: str
) -> None:
    before = house.stored()
    assert get(house, **changes) == (status, f'Error "{text}"')
    assert house.stored() == before


@pytest.mark.parametrize(
    ("path", "query", "status", "text"),
    [
        ("/rate", {"to": "1"}, 400, '"Mandatory argument [username] is not found."'),
        ("/rate", params(dlr="yes"), 400, '"Argument [dlr] is unknown."'),
        ("/rate", params(content="a" * 766), 400, None),
        ("/rate", params(username="far", password="far"), 403,
         '"Authentication failure for username:far"'),
        ("/rate", params(password="wrong"), 403, '"Authentication failure for username:demo"'),
        ("/rate", params(to="x"), 400, '"Argument [to] has an invalid value: [x]."'),
        ("/rate", params(to="4" * 25), 400,
         f'"Argument [to] has an invalid value: [{"4" * 25}]."'),
        ("/rate", params(to="447700900000"), 412, '"No route found"'),
        ("/rate", params(to="447700900000", content=None), 412, '"No route found"'),
        ("/rate", params(username="shop", password="shop", **{"from": "Other"}), 400,
         '"Value filter failed for user [shop] (source_address filter mismatch)."'),
        ("/balance", {}, 400,
         '"Mandatory arguments not found, please refer to the HTTPAPI specifications."'),
        ("/balance", {"username": "demo"}, 400, '"Mandatory argument [password] is not found."'),
        ("/balance", {"username": "demo", "password": "demo", "x": "<script>"}, 400,
         '"Argument [x] is unknown."'),
        ("/balance", {"username": "banned", "password": "banned"}, 403,
         '"Authentication failure for username:banned"'),
    ],
)  # fmt: skip
def test_errors_of_rate_and_balance(
    house: DialectHouse, path: str, query: dict[str, str], status: int, text: str | None
) -> None:
    answer = house.client.get(path, params=query)
    assert answer.headers["content-type"] == "application/json"
    assert answer.status_code == status
    assert text is None or answer.text == text
    assert isinstance(answer.json(), str)


def test_over_the_rate(house: DialectHouse) -> None:
    slow = {"username": "slow", "password": "slow"}
    assert get(house, **slow)[0] == 200
    before = house.stored()
    assert get(house, **slow) == (403, 'Error "User throughput exceeded"')
    assert house.stored() == before


def test_a_body_that_is_too_long(house: DialectHouse) -> None:
    answer = house.client.post("/send", content=b"content=" + b"a" * 70_000)
    assert answer.status_code == 413
    assert answer.text.startswith('Error "')


def test_no_query_reaches_a_log(house: DialectHouse, monkeypatch: pytest.MonkeyPatch) -> None:
    async def broken(_drafts: object) -> None:
        raise RuntimeError("a bug")

    get(house, password="hunter2-in-a-query")
    get(house, content="my secret words")
    monkeypatch.setattr(house.gateway.intake, "submit_many", broken)
    assert get(house, content="my secret words")[0] == 500
    assert house.log.named("http.request.failed")
    logged = house.texts_logged()
    for secret in ("hunter2", "secret words", "password="):
        assert secret not in logged


# --- the REST API -----------------------------------------------------------------------------

ONE = {"to": "41791234567", "content": "hi", "from": "Shop"}


def test_rest_send(house: DialectHouse) -> None:
    answer = house.client.post("/secure/send", json=ONE, auth=BASIC)
    data = answer.json()["data"]
    message = sent(house, data + '"')
    assert message.peek.source_addr == "Shop"
    hexed = {"to": "41791234567", "hex_content": "044f", "coding": 8}
    data = house.client.post("/secure/send", json=hexed, auth=BASIC).json()["data"]
    assert read_body(sent(house, data + '"').body).text() == "\u044f"


RULES = """
[outlets.sim]
kind = "simulator"
[[routes]]
to = ["41"]
when.tags = ["cheap"]
outlets = ["sim"]
do = { charge = 0.25 }
[[routes]]
to = ["41"]
outlets = ["sim"]
do = { charge = 2 }
[[routes]]
to = ["42"]
do = { drop = true }
"""


def test_a_rate_is_that_of_the_rule_that_takes_the_message(tmp_path: Path) -> None:
    with running(tmp_path / "var", RULES) as ruled:
        for changes, unit in (
            ({}, 2.0),
            ({"tags": "cheap"}, 0.25),
            ({"to": "42123456"}, 0.0),
            ({"username": "poor", "password": "poor"}, 2.0),  # it is told what it cannot pay
        ):
            answer = get(ruled, "/rate", **changes)
            assert answer == (200, f'{{"unit_rate":{unit},"submit_sm_count":1}}')
        assert ruled.stored() == 0
        cheap = ONE | {"tags": "cheap"}
        rate = ruled.client.get("/secure/rate", params=cheap, auth=BASIC).json()
        assert rate == {"data": {"unit_rate": 0.25, "submit_sm_count": 1}}
        lost = ruled.client.get("/secure/rate", params=ONE | {"to": "43123456"}, auth=BASIC)
        assert (lost.status_code, lost.json()) == (412, {"message": "No route found"})


def test_rest_rate_and_balance(house: DialectHouse) -> None:
    rate = {"data": {"unit_rate": 0.5, "submit_sm_count": 1}}
    assert house.client.request("GET", "/secure/rate", json=ONE, auth=BASIC).json() == rate
    assert house.client.get("/secure/rate", params=ONE, auth=BASIC).json() == rate
    balance = house.client.get("/secure/balance", auth=BASIC)
    assert balance.json() == {"data": {"balance": "ND", "sms_count": "ND"}}


def test_a_batch_goes_out_together(house: DialectHouse) -> None:
    before = house.stored()
    json = {
        "globals": {"from": "Shop"},
        "messages": [
            {"to": ["41791234567", "41791234568"], "content": "a"},
            {"to": "41791234569", "hex_content": "62"},
        ],
    }
    data = house.client.post("/secure/sendbatch", json=json, auth=BASIC).json()["data"]
    assert data["messageCount"] == 3
    assert house.stored() == before + 3
    first = id_of(data["batchId"])
    assert first is not None
    assert house.message(first)[0].batch == first


def test_a_batch_can_wait(house: DialectHouse) -> None:
    json = {"messages": [ONE], "batch_config": {"schedule_at": "3600s"}}
    data = house.client.post("/secure/sendbatch", json=json, auth=BASIC).json()["data"]
    assert data["scheduled"] == "3600s"
    first = id_of(data["batchId"])
    assert first is not None
    assert house.message(first)[1].state is State.SCHEDULED


JSON = b'{"to": "41791234567", "content": "hi"}'


@pytest.mark.parametrize(
    ("path", "body", "auth", "status", "member", "text"),
    [
        ("send", JSON, None, 401, "title", "Authentication required"),
        ("send", JSON, "Bearer x", 401, "title", "Invalid token"),
        ("send", JSON, "Basic !!", 401, "title", "Invalid token"),
        ("send", b"x", "", 412, "title", "Cannot parse JSON data"),
        ("send", b"[" * 9999, "", 412, "title", "Cannot parse JSON data"),
        ("send", b"", "", 400, "message", 'Error "Mandatory argument [to] is not found.'),
        ("send", b'{"to": "x", "content": "a"}', "", 400, "message",
         'Error "Argument [to] has an invalid value: [x].'),
        ("send", b'{"to": ["1", "2"], "content": "a"}', "", 400, "message", None),
        ("send", b'{"to": "447700900000", "content": "a"}', "", 412, "message", 'Error "No route found'),
        ("send", JSON, "far", 403, "message", 'Error "Authentication failure for username:far'),
        ("sendbatch", b'{"messages": []}', None, 401, "title", "Authentication required"),
        ("sendbatch", b'{"messages": []}', "far", 403, "title", "Forbidden"),
        ("sendbatch", b"x", "", 412, "title", "Cannot parse JSON data"),
        ("sendbatch", b'{"messages": 7}', "", 412, "title", "Cannot parse JSON data"),
        ("sendbatch", b'{"messages": []}', "", 400, "message", None),
        ("sendbatch", b'{"messages": [{"to": "447700900000", "content": "a"}]}', "", 412, "message",
         'Error "No route found'),
        ("sendbatch", b'{"messages": [{"to": "1", "content": ""}]}', "", 400, "message", None),
        ("sendbatch", b'{"batch_config": {"callback_url": "x"}}', "", 412, "title",
         "Invalid callback_url"),
        ("sendbatch", b'{"batch_config": {"errback_url": [7]}}', "", 412, "title",
         "Invalid errback_url"),
        ("sendbatch", b'{"batch_config": {"schedule_at": "x"}}', "", 412, "title",
         "Cannot parse scheduled_at value"),
    ],
)  # fmt: skip
def test_rest_bad_input_has_its_answer_and_stores_nothing(
    house: DialectHouse,
    path: str,
    body: bytes,
    auth: str | None,
    status: int,
    member: str,
    text: str | None,
) -> None:
    headers = {}
    if auth is not None:
        name = auth or "demo"
        basic = "Basic " + base64.b64encode(f"{name}:{name}".encode()).decode()
        headers["authorization"] = auth if " " in auth else basic
    before = house.stored()
    answer = house.client.post(f"/secure/{path}", content=body, headers=headers)
    assert answer.status_code == status, answer.text
    assert text is None or answer.json()[member] == text
    assert member in answer.json()
    assert house.stored() == before


# --- reports ----------------------------------------------------------------------------------


def arguments_of(one: Heard) -> dict[str, str]:
    query = one.body.decode() if one.method == "POST" else urllib.parse.urlsplit(one.target).query
    return dict(urllib.parse.parse_qsl(query, keep_blank_values=True))


@pytest.mark.parametrize("method", ["GET", "POST"])
def test_level_3_is_both(house: DialectHouse, sink: Sink, method: str) -> None:
    url = sink.base + "/dlr?mine=1"
    _, text = get(house, dlr_url=url, dlr_level="3", dlr_method=method)
    house.wait_until(lambda: len(sink.heard) >= 2, "two reports")
    assert {one.method for one in sink.heard} == {method}
    assert all(one.target.startswith("/dlr?mine=1") for one in sink.heard)
    first, second = sorted((arguments_of(one) for one in sink.heard), key=lambda one: one["level"])
    found = SUCCESS.search(text)
    assert found is not None
    assert first["id"] == second["id"] == found[1]
    assert (first["level"], first["message_status"], first["connector"]) == ("1", "ESME_ROK", "sim")
    assert (second["level"], second["message_status"]) == ("2", "DELIVRD")
    assert second["id_smsc"]
    assert (second["sub"], second["dlvrd"], second["err"]) == ("001", "001", "000")
    assert re.fullmatch(r"\d{10}", second["donedate"])


@pytest.mark.parametrize(
    ("level", "to", "status"),
    [("1", "41791234567", "ESME_ROK"), ("2", "41791234567", "DELIVRD"), ("2", "49301234567", "UNDELIV")],
)  # fmt: skip
def test_a_level_alone(house: DialectHouse, sink: Sink, level: str, to: str, status: str) -> None:
    get(house, dlr_url=sink.base + "/dlr", dlr_level=level, to=to)
    house.wait_until(lambda: bool(sink.heard), "a report")
    assert [arguments_of(one)["message_status"] for one in sink.heard] == [status]
    assert [arguments_of(one)["level"] for one in sink.heard] == [level]


def test_without_the_exact_answer_it_comes_again(house: DialectHouse, sink: Sink) -> None:
    before = house.log.events.count("webhook.deferred")
    sink.answers = [(200, b"OK")]
    get(house, dlr_url=sink.base + "/dlr", dlr_level="1")
    house.wait_until(lambda: house.log.events.count("webhook.deferred") > before, "put off")
    assert len(sink.heard) == 1


def test_a_batch_tells_of_each_message(house: DialectHouse, sink: Sink) -> None:
    sink.answer = (200, b"whatever")
    json = {
        "messages": [{"to": ["41791234567", "447700900000"], "content": "a"}],
        "batch_config": {"callback_url": sink.base + "/ok?x=1", "errback_url": sink.base + "/no"},
    }
    data = house.client.post("/secure/sendbatch", json=json, auth=BASIC).json()["data"]
    assert data["messageCount"] == 1
    house.wait_until(lambda: len(sink.heard) == 2, "a callback and an errback")
    told = {urllib.parse.urlsplit(one.target).path: arguments_of(one) for one in sink.heard}
    assert {one.method for one in sink.heard} == {"GET"}
    assert told["/ok"] == {
        "x": "1",
        "batchId": data["batchId"],
        "to": "41791234567",
        "status": "1",
        "statusText": f'Success "{data["batchId"]}"',
    }
    assert told["/no"] == {
        "batchId": data["batchId"],
        "to": "447700900000",
        "status": "0",
        "statusText": 'HTTPAPI error: Error "No route found',
    }


HOME = """
[accounts.home]
password = "home"
callback_url = "URL"
callback_style = "jasmin:3:GET"
[[mo_routes]]
to = ["12345"]
account = "home"
"""


def test_an_mo_message_is_pushed(tmp_path: Path, sink: Sink) -> None:
    with running(tmp_path, ROUTES + HOME.replace("URL", sink.base + "/mo")) as house:
        house.receive("41791234567", "12345", "n\u00e9")
        house.wait_for_event("webhook.delivered")
        (one,) = sink.heard
        told = arguments_of(one)
        assert re.fullmatch(r"[0-9a-f-]{36}", told.pop("id"))
        assert told == {
            "from": "41791234567",
            "to": "12345",
            "origin-connector": "sim",
            "content": "n\u00e9",
            "binary": "6e05",
            "priority": "0",
            "coding": "0",
        }
