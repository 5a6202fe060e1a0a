"""SubitoSMS over real sockets, against a whole gateway: what its PHP samples do, and bad input."""

import socket
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import orjson
import pytest

from smsc.message import AccountId, State
from smsc.ports import AccountStatus, NewProfile
from tests.bridges.http.dialect_house import DialectHouse, running

AUTH = {"username": "demo", "password": "demo"}
ONE = {"sender": "Shop", "dest": "+39335123456", "text": "Hello message"}
FORM = {"Content-Type": "application/x-www-form-urlencoded"}


def ask(house: DialectHouse, action: str, data: object, auth: object = AUTH) -> Any:
    """As `curl_setopt(CURLOPT_POSTFIELDS, $json)` posts it: JSON by the label of a form."""
    body = orjson.dumps({"auth": auth, "data": data})
    answer = house.client.post(f"/json.php?action={action}", content=body, headers=FORM)
    assert answer.headers["content-type"] == "application/json"
    assert answer.status_code == 200, answer.text
    return answer.json()


def code_of(answer: Any) -> int:
    assert isinstance(answer["error"]["code"], int)
    return int(answer["error"]["code"])


def test_a_bulk_has_one_id_and_each_message_a_status(house: DialectHouse) -> None:
    text = "50% & a+b=c \u20ac"
    data = [ONE | {"text": text}, {"sender": "+39335123456", "dest": "3351234567", "text": "2"}]
    id_ = ask(house, "send", data, [AUTH])["data"]["id"]
    assert id_.isdigit()
    codes = [one["code"] for one in ask(house, "status", {"id": id_})[0]["messages"]]
    assert codes[0] == int(id_)
    for code in codes:
        house.wait_for(code, State.DELIVERED)
    (group,) = ask(house, "status", {"data": {"id": id_}})
    assert group == {
        "id": int(id_),
        "messages": [
            {
                "sender": "Shop",
                "dest": "+39335123456",
                "text": text,
                "status": "1",
                "code": codes[0],
            },
            {
                "sender": "+39335123456",
                "dest": "+393351234567",
                "text": "2",
                "status": "1",
                "code": codes[1],
            },
        ],
    }


def test_a_single_message_of_four_parts(house: DialectHouse) -> None:
    before = house.stored()
    id_ = ask(house, "send", ONE | {"text": "a" * 600})["data"]["id"]
    assert house.stored() == before + 1
    house.wait_for(id_, State.DELIVERED)
    assert len(house.message(id_)[1].parts) == 4


def test_the_sample_of_the_document_with_its_commas(house: DialectHouse) -> None:
    body = b"""{
    "auth":[{"username":"demo","password":"demo"}],
    "data":[
    {"sender":"SubitoSMS","dest":"+39335123456","text":"Hello, message",},
    {"sender":"SubitoSMS","dest":"+393356359515","text":"Hello,]",}]}"""
    answer = house.client.post("/json.php?action=send", content=body, headers=FORM)
    message, _ = house.message(answer.json()["data"]["id"])
    assert message.body.endswith(b"Hello, message")


def test_an_unknown_id_has_an_empty_array(house: DialectHouse) -> None:
    id_ = ask(house, "send", ONE)["data"]["id"]
    asked = [{"id": id_}, {"id": 7}, {"id": "no such"}, {"id": 1 << 62}]
    groups = ask(house, "status", asked)
    assert [len(group["messages"]) for group in groups] == [1, 0, 0, 0]
    assert [group["id"] for group in groups] == [int(id_), 7, "no such", 1 << 62]


def test_another_account_sees_nothing(house: DialectHouse) -> None:
    id_ = ask(house, "send", ONE)["data"]["id"]
    other = {"username": "other", "password": "other"}
    assert ask(house, "status", {"id": id_}, other) == [{"id": int(id_), "messages": []}]


def test_a_message_of_another_interface_is_no_group(house: DialectHouse) -> None:
    query = {"username": "demo", "password": "demo", "to": "39335123456", "content": "x"}
    id_ = house.client.get("/send", params=query).headers["x-message-id"]
    assert ask(house, "status", {"id": id_})[0]["messages"] == []


def test_credit(house: DialectHouse) -> None:
    poor = {"username": "poor", "password": "poor"}
    want = {"Italy": "1", "Foreign": "1", "ItalyLow": "1"}
    rest: dict[str, object] = {"AddressBooks": "0", "Polls": "0", "Credit": None}
    assert ask(house, "credit", [], poor) == {"data": want | rest}
    assert ask(house, "credit", [])["data"]["Italy"] == "999999"


def test_credit_is_judged_for_the_whole_request(house: DialectHouse) -> None:
    poor = {"username": "poor", "password": "poor"}
    before = house.stored()
    assert code_of(ask(house, "send", [ONE] * 3, poor)) == 5  # 1 pays for two messages
    assert house.stored() == before
    assert ask(house, "credit", [], poor)["data"]["Italy"] == "1"


def test_an_empty_sender_is_the_account_s_own(house: DialectHouse) -> None:
    plain = {"username": "plain", "password": "plain"}
    id_ = ask(house, "send", ONE | {"sender": ""}, plain)["data"]["id"]
    assert house.message(id_)[0].peek.source_addr == "Plain"


DEEP = b'{"auth":' + b"[" * 900 + b"]" * 900 + b"}"
LOGIN = orjson.dumps(AUTH)
SEND, STATUS = "?action=send", "?action=status"


def frame(data: object) -> bytes:
    return orjson.dumps({"auth": AUTH, "data": data})


@pytest.mark.parametrize(
    ("query", "body", "code"),
    [
        # the frame, whatever is asked
        (SEND, b"", 1),
        (SEND, b"nonsense", 1),
        (SEND, b'{"auth":{"username":"\xe9"}}', 1),
        (SEND, DEEP, 1),
        (SEND, b"[" * 60_000, 1),
        (SEND, b'{"data":[]}', 1),
        (SEND, b'{"auth":{"password":"demo"}}', 2),
        (SEND, b'{"auth":{"username":"demo"}}', 3),
        ("?action=credit", b'{"auth":7}', 1),
        ("?action=credit", b'{"auth":{"username":"demo","password":[1]}}', 3),
        # 4 comes before 7, and 7 before what data says
        ("", frame([ONE]), 7),
        ("?action=", frame([ONE]), 7),
        ("?action=SEND", frame([ONE]), 7),
        ("?action=delete", frame([ONE]), 7),
        ("?action=" + "x" * 4000, frame([ONE]), 7),
        ("?action=%00%ff", frame([ONE]), 7),
        # send
        (SEND, frame([]), 1),
        (SEND, frame("x"), 1),
        (SEND, frame([[ONE]]), 1),
        (SEND, frame([ONE] * 1001), 1),
        (SEND, frame({"sender": "Shop", "text": "x"}), 1),
        (SEND, frame({"dest": "+39335123456", "text": "x"}), 1),
        (SEND, frame({"sender": "Shop", "dest": "+39335123456"}), 1),
        (SEND, frame(ONE | {"text": ""}), 1),
        (SEND, frame(ONE | {"text": "a" * 613}), 1),
        (SEND, frame(ONE | {"text": "a" * 100_000}), 1),
        (SEND, frame(ONE | {"text": {"a": 1}}), 1),
        (SEND, frame(ONE | {"dest": "nobody"}), 1),
        (SEND, frame(ONE | {"dest": "1; DROP TABLE"}), 1),
        (SEND, frame(ONE | {"dest": "+44" + "7" * 10}), 1),
        (SEND, frame(ONE | {"sender": "TWELVE CHARS"}), 1),
        (SEND, frame(ONE | {"sender": "\u0000\u202e"}), 1),
        # status
        (STATUS, frame([]), 6),
        (STATUS, frame({}), 6),
        (STATUS, frame([{"code": 1}]), 6),
        (STATUS, frame([{"id": None}]), 6),
        (STATUS, frame([{"id": [[1]]}]), 6),
        (STATUS, frame([{"id": 1.5}]), 6),
        (STATUS, frame([{"id": 7}] * 1001), 1),
    ],
)
def test_bad_input_has_its_code_and_stores_nothing(
    house: DialectHouse, query: str, body: bytes, code: int
) -> None:
    before = house.stored()
    answer = house.client.post(f"/json.php{query}", content=body, headers=FORM)
    assert answer.status_code == 200
    assert code_of(answer.json()) == code
    assert house.stored() == before


@pytest.mark.parametrize(
    "auth",
    [
        {"username": "banned", "password": "banned"},
        {"username": "far", "password": "far"},
        {"username": "nobody", "password": "demo"},
        {"username": "x" * 100_000, "password": "demo"},
    ],
    ids=["banned", "network", "unknown", "long"],
)
def test_who_may_not_is_told_code_4_whatever_he_asks(house: DialectHouse, auth: object) -> None:
    before = house.stored()
    answer = ask(house, "nonsense", [ONE], auth)
    assert answer == {"error": {"message": "Wrong username or password", "code": 4}}
    assert house.stored() == before


def test_a_sender_that_is_not_the_account_s(house: DialectHouse) -> None:
    before = house.stored()
    shop = {"username": "shop", "password": "shop"}
    assert code_of(ask(house, "send", ONE | {"sender": "Other"}, shop)) == 1
    assert house.stored() == before
    assert ask(house, "send", ONE, shop)["data"]["id"]


def test_over_the_rate_it_may_come_again(house: DialectHouse) -> None:
    auth = {"username": "slow", "password": "slow"}
    assert "data" in ask(house, "send", ONE, auth)
    before = house.stored()
    body = orjson.dumps({"auth": auth, "data": ONE})
    answer = house.client.post("/json.php?action=send", content=body)
    assert (answer.status_code, code_of(answer.json())) == (429, -100)
    assert answer.headers["retry-after"]
    assert house.stored() == before


def test_a_request_that_is_too_long(house: DialectHouse) -> None:
    answer = house.client.post("/json.php?action=send", content=b" " * 300_000)
    assert (answer.status_code, code_of(answer.json())) == (413, 1)


def test_by_get_there_is_no_json(house: DialectHouse) -> None:
    assert code_of(house.client.get("/json.php?action=credit").json()) == 1


def test_neither_passwords_nor_texts_are_logged(house: DialectHouse) -> None:
    auth = {"username": "demo", "password": "hunter2-not-right"}
    assert code_of(ask(house, "send", ONE, auth)) == 4
    ask(house, "send", ONE | {"text": "my secret words"})
    logged = house.texts_logged()
    assert "hunter2" not in logged
    assert "secret words" not in logged


def exchange(house: DialectHouse, head: bytes, body: bytes, *, waits: bool) -> bytes:
    """What a client of old gets that writes these octets; `waits` for 100 before the body."""
    assert house.http is not None
    with socket.create_connection(house.http, timeout=10.0) as connection:
        connection.sendall(head)
        got = b""
        if waits:
            got = connection.recv(65536)
            assert got.startswith(b"HTTP/1.1 100 ")
        connection.sendall(body)
        got = b"" if waits else got
        while chunk := connection.recv(65536):
            got += chunk
        return got


@pytest.mark.parametrize(
    ("version", "expect", "waits"),
    [(b"1.0", b"", False), (b"1.1", b"Expect: 100-continue\r\nConnection: close\r\n", True)],
)
def test_as_old_libraries_write_http(
    house: DialectHouse, version: bytes, expect: bytes, waits: bool
) -> None:
    body = frame(ONE)
    head = b"POST /json.php?action=send HTTP/%b\r\nHost: x\r\n%bContent-Length: %d\r\n\r\n" % (
        version,
        expect,
        len(body),
    )
    got = exchange(house, head, body, waits=waits)
    assert b" 200 " in got.split(b"\r\n", 1)[0]
    assert b'{"data":{"id":"' in got


CLASSES = """
[accounts.rich]
password = "rich"
credit = {domestic = 10, foreign = 4.5, low-cost = 2}
[outlets.sim]
kind = "simulator"
[[routes]]
outlets = ["sim"]
"""


def test_credit_by_class(tmp_path: Path) -> None:
    prices = tmp_path / "prices.csv"
    prices.write_text("prefix,class,price\n39,domestic,1\n393999,low-cost,1\n41,foreign,1.5\n")
    rich = {"username": "rich", "password": "rich"}
    with running(tmp_path / "var", CLASSES, credit=f'prices = "{prices}"') as house:
        data = [ONE, ONE | {"text": "a" * 161}, ONE | {"dest": "+41791234567"}]
        assert "data" in ask(house, "send", data, rich)
        left = ask(house, "credit", [], rich)["data"]
        assert (left["Italy"], left["Foreign"], left["ItalyLow"]) == ("7", "3", "2")
        before = house.stored()
        assert code_of(ask(house, "send", [ONE, ONE | {"dest": "3999123456"}] * 3, rich)) == 5
        assert house.stored() == before
        assert ask(house, "credit", [], rich)["data"] == left


CHARGES = """
[accounts.three]
password = "three"
credit = 3
[outlets.sim]
kind = "simulator"
[[routes]]
to = ["3933"]
outlets = ["sim"]
do = { charge = 2 }
[[routes]]
to = ["3934"]
outlets = ["sim"]
do = { charge = 0 }
[[routes]]
to = ["3936"]
do = { drop = true }
[[routes]]
to = ["3938"]
outlets = ["sim"]
"""
DEAR, FREE, DROPPED, LISTED, NOWHERE = "+3933", "+3934", "+3936", "+3938", "+4420"
"""At 2 by a rule, at 0 by a rule, at nothing, at 1 by the price list; and no way out."""


@pytest.fixture
def charging(tmp_path: Path) -> Iterator[DialectHouse]:
    with running(tmp_path / "var", CHARGES, credit="default_price = 1") as house:
        yield house


@pytest.mark.parametrize(
    ("bulk", "cost"),
    [
        ([DEAR, LISTED], 3),
        ([DEAR, DEAR], None),  # by the list they would be paid for
        ([DEAR, LISTED, LISTED], None),
        ([FREE] * 5 + [LISTED] * 3, 3),  # by the list they would not
        ([LISTED] * 3 + [DROPPED, NOWHERE], 3),
    ],
)
@pytest.mark.parametrize("payer", ["three", "child"])
def test_a_bulk_is_judged_by_what_rules_charge(
    charging: DialectHouse, bulk: list[str], cost: int | None, payer: str
) -> None:
    charging.await_(lambda: charging.gateway.directory.add(CHILD, by=AccountId("boss")))
    auth = {"username": payer, "password": payer}
    data = [ONE | {"dest": f"{start}5123{place:04}"} for place, start in enumerate(bulk)]
    before = charging.stored()
    answer = ask(charging, "send", data, auth)
    left = ask(charging, "credit", [], auth)["data"]["Italy"]
    if cost is None:
        assert code_of(answer) == 5
        assert (charging.stored(), left) == (before, "3")
    else:
        assert answer["data"]["id"].isdigit()
        assert len(answer["data"].get("refused", [])) == bulk.count(NOWHERE)
        assert left == str(3 - cost)


CHILD = NewProfile(
    account=AccountId("child"),
    password="child",
    status=AccountStatus.SUBUSER,
    parent=AccountId("three"),
)
