"""NetOxygen over real sockets, against a whole gateway: foreign clients, recorded ones, bad input."""

import base64
import datetime as dt
import socket
import xmlrpc.client
from collections.abc import Iterator
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from pdu.text.alphabet import MessageClass, message_class
from smsc.message import AccountId, State
from tests.bridges.http.xml_house import Answer, XmlHouse, running

ZURICH = ZoneInfo("Europe/Zurich")


@pytest.fixture(scope="module")
def xml_house(tmp_path_factory: pytest.TempPathFactory) -> Iterator[XmlHouse]:
    with running(tmp_path_factory.mktemp("netoxygen")) as one:
        yield one


@pytest.fixture
def client(xml_house: XmlHouse) -> Iterator[Any]:
    """Python's own client."""
    with xmlrpc.client.ServerProxy(f"{xml_house.base}/api2/") as proxy:
        yield proxy


def call_of(method: str, *values: str) -> bytes:
    """A call whose values are written as they stand."""
    params = "".join(f"<param><value>{value}</value></param>" for value in values)
    return (
        f'<?xml version="1.0"?><methodCall><methodName>{method}</methodName>'
        f"<params>{params}</params></methodCall>"
    ).encode()


def result_of(heard: Answer) -> Any:
    assert heard.status == 200
    assert heard.headers["content-type"].startswith("text/xml")
    (value,), _ = xmlrpc.client.loads(heard.body, use_builtin_types=True)
    return value


def post(house: XmlHouse, body: bytes, path: str = "/api2/") -> Any:
    return result_of(house.ask("POST", path, body, {"Content-Type": "text/xml"}))


# --- Python's xmlrpc.client ---------------------------------------------------------------------


def test_a_message_and_its_way_to_the_handset(xml_house: XmlHouse, client: Any) -> None:
    ((dest, was_sent, id_),) = client.send_message("demo", "demo", "0792223344", "Grüezi & <b> €")
    assert (dest, was_sent) == ("0792223344", 1)
    assert isinstance(id_, str)
    xml_house.wait_for(id_, State.DELIVERED)
    message, _ = xml_house.message(id_)
    assert message.peek.destination_addr == "41792223344"
    assert message.peek.source_addr == "textobox.ch"
    ((same, status),) = client.get_status("demo", "demo", id_)
    assert same == id_
    assert status["from"] == "textobox.ch"
    assert status["to"] == "41792223344"
    assert status["length"] == 14
    assert (status["sent_status"], status["sent_status_text"]) == (1, "OK")
    assert status["last_status"] == 1
    assert status["last_status_text"] == "Delivered to the recipient device"
    sent = dt.datetime.strptime(status["sent_date"], "%Y-%m-%d %H:%M:%S").replace(tzinfo=ZURICH)
    assert abs(sent.timestamp() * 1000 - message.accepted_ms) < 1000


def test_an_array_of_recipients_has_a_row_for_each(xml_house: XmlHouse, client: Any) -> None:
    before = xml_house.stored()
    dests = ["022/364 8000", "nobody", "+352691123456", "+33612345678"]
    rows = client.send_message("demo", "demo", dests, "to all")
    assert [row[:2] for row in rows] == [
        [dests[0], 1],
        [dests[1], 0],
        [dests[2], 1],
        [dests[3], 0],
    ]
    assert rows[1][2] == 5
    assert rows[3][2] == 3  # no route leads there
    assert xml_house.stored() == before + 2
    ids = [rows[0][2], rows[2][2]]
    assert [row[0] for row in client.get_status("demo", "demo", ids)] == ids


def test_the_questions_about_an_account(client: Any, xml_house: XmlHouse) -> None:
    assert client.auth("demo", "demo") is True
    assert client.get_credits("demo", "demo") == 999_999
    assert client.get_credits("poor", "poor") == 1
    assert client.account_status("demo", "demo") == "regular"
    guid = client.get_guid("demo", "demo")
    assert [len(one) for one in guid.split("-")] == [8, 4, 4, 4, 12]
    profile = xml_house.call(lambda: xml_house.gateway.directory.profile(AccountId("demo")))
    assert profile is not None
    assert guid == profile.group_id
    assert client.clean_number("demo", "demo", "022/364 8000") == "41223648000"


def test_a_wrong_password_by_method(xml_house: XmlHouse, client: Any) -> None:
    for asks_boolean in (client.auth, client.get_credits, client.get_guid):
        assert asks_boolean("demo", "wrong") is False
        xml_house.forgive()
    for method, *rest in (
        ("account_status",),
        ("clean_number", "1"),
        ("get_status", "1"),
        ("cancel_message", "1"),
        ("send_message", "0792223344", "x"),
    ):
        with pytest.raises(xmlrpc.client.Fault) as fault:
            getattr(client, method)("demo", "wrong", *rest)
        assert fault.value.faultCode == -32500
        xml_house.forgive()


def test_flash_sender_and_date(xml_house: XmlHouse, client: Any) -> None:
    date = f"{dt.datetime.now(ZURICH) + dt.timedelta(hours=2):%Y-%m-%d %H:%M:%S}"
    ((_, was_sent, id_),) = client.send_message(
        "demo", "demo", "0792223344", "later", "Shop", date, "flash"
    )
    assert was_sent == 1
    message, progress = xml_house.message(id_)
    assert progress.state is State.SCHEDULED
    local = dt.datetime.fromtimestamp(message.due_ms / 1000, ZURICH)
    assert f"{local:%Y-%m-%d %H:%M:%S}" == date
    assert message.peek.source_addr == "Shop"
    assert message_class(message.peek.data_coding) is MessageClass.FLASH
    ((_, status),) = client.get_status("demo", "demo", id_)
    assert (status["sent_status"], status["last_status"]) == (9, 9)
    assert status["sent_date"] == date


def test_cancelling_what_is_scheduled(xml_house: XmlHouse, client: Any) -> None:
    date = f"{dt.datetime.now(ZURICH) + dt.timedelta(hours=2):%Y-%m-%d %H:%M:%S}"
    dests = ["0792223344", "0792223345"]
    rows = client.send_message("demo", "demo", dests, "never mind", "", date)
    first, second = (row[2] for row in rows)
    ((_, _, left),) = client.send_message("demo", "demo", "0792223344", "at once")
    assert client.cancel_message("demo", "demo", [first, left, "7"]) == [
        [first, True],
        [left, False],
        ["7", False],
    ]
    assert client.cancel_message("demo", "demo", first) == [[first, False]]  # it was cancelled
    assert xml_house.message(first)[1].state is State.DELETED
    assert xml_house.message(second)[1].state is State.SCHEDULED
    ((_, status),) = client.get_status("demo", "demo", first)
    assert (status["sent_status"], status["sent_status_text"]) == (10, "Message canceled")


def test_another_account_neither_sees_nor_cancels(xml_house: XmlHouse, client: Any) -> None:
    date = f"{dt.datetime.now(ZURICH) + dt.timedelta(hours=2):%Y-%m-%d %H:%M:%S}"
    ((_, _, id_),) = client.send_message("demo", "demo", "0792223344", "mine", "", date)
    assert client.get_status("other", "other", id_) == [[id_, False]]
    assert client.cancel_message("other", "other", id_) == [[id_, False]]
    assert xml_house.message(id_)[1].state is State.SCHEDULED


def test_the_sender_falls_back(xml_house: XmlHouse, client: Any) -> None:
    def sender(account: str, *wish: str) -> str:
        ((_, was_sent, id_),) = client.send_message(account, account, "0792223344", "x", *wish)
        assert was_sent == 1, id_
        return xml_house.message(id_)[0].peek.source_addr

    assert sender("plain") == "Plain"
    assert sender("plain", "Other") == "Other"
    assert sender("plain", "longer than eleven") == "Plain"
    assert sender("shop", "Shop") == "Shop"
    assert sender("shop", "079 000 00 01") == "41790000001"
    # Neither the wish nor the default is one of the shop's senders.
    before = xml_house.stored()
    assert client.send_message("shop", "shop", "0792223344", "x", "Other") == [["0792223344", 0, 6]]
    assert xml_house.stored() == before


# --- recorded clients ---------------------------------------------------------------------------


def test_perl_sends_base64_and_guesses_ints(xml_house: XmlHouse) -> None:
    dest = base64.b64encode(b"0792223344").decode()
    text = base64.b64encode("accentué €".encode()).decode()
    body = call_of(
        "send_message",
        "<string>demo</string>",
        "<string>demo</string>",
        f"<base64>{dest}</base64>",
        f"<base64>\n{text}\n</base64>",
    )
    ((told, was_sent, id_),) = post(xml_house, body)
    assert (told, was_sent) == ("0792223344", 1)
    assert xml_house.message(id_)[0].peek.destination_addr == "41792223344"
    assert post(xml_house, call_of("get_status", "demo", "demo", id_))[0][1]["length"] == 10
    # The simple script leaves the types to smart_encode: the leading zero must survive it.
    body = call_of("send_message", "demo", "demo", "<int>0792223344</int>", "<int>4711</int>")
    ((told, was_sent, id_),) = post(xml_house, body)
    assert (told, was_sent) == ("0792223344", 1)
    assert xml_house.message(id_)[0].body.endswith(b"4711")


def test_ixr_speaks_http_1_0_and_sends_arrays(xml_house: XmlHouse) -> None:
    body = call_of(
        "send_message",
        "<string>demo</string>",
        "<string>demo</string>",
        "<array><data>\n<value><string>0792223344</string></value>\n</data></array>",
        "<string>IXR</string>",
    )
    head = (
        "POST /api2/ HTTP/1.0\r\nHost: sms.netoxygen.ch\r\nContent-Type: text/xml\r\n"
        "User-Agent: The Incutio XML-RPC PHP Library\r\n"
        f"Content-length: {len(body)}\r\n\r\n"
    )
    assert xml_house.http is not None
    with socket.create_connection(xml_house.http, timeout=10) as peer:
        peer.sendall(head.encode() + body)
        heard = b"".join(iter(lambda: peer.recv(65536), b""))  # until the server closes
    got_head, _, got_body = heard.partition(b"\r\n\r\n")
    assert b"200" in got_head.splitlines()[0]
    assert b"transfer-encoding" not in got_head.lower()
    assert f"content-length: {len(got_body)}".encode() in got_head.lower()
    loaded: Any = xmlrpc.client.loads(got_body)
    ((dest, was_sent, id_),) = loaded[0][0]
    assert (dest, was_sent) == ("0792223344", 1)
    assert xml_house.message(id_)[0].body.endswith(b"IXR")


def test_ruby_shifts_its_arguments(xml_house: XmlHouse) -> None:
    """It forgets the sender: the date stands in its place, the type in that of the date."""
    body = call_of(
        "send_message",
        "<string>plain</string>",
        "<string>plain</string>",
        "<array><data><value><string>0792223344</string></value></data></array>",
        "<string>ruby</string>",
        "<string>2099-12-06 20:05:00</string>",
        "<string>text</string>",
    )
    ((_, was_sent, id_),) = post(xml_house, body)
    assert was_sent == 1
    message, _ = xml_house.message(id_)
    assert message.peek.source_addr == "Plain"
    assert message.due_ms == 0


def test_the_path_without_its_slash(xml_house: XmlHouse) -> None:
    assert post(xml_house, call_of("auth", "demo", "demo"), "/api2") is True


def test_latin_text_without_a_charset(xml_house: XmlHouse) -> None:
    body = call_of("send_message", "demo", "demo", "0792223344", "TEXT")
    ((_, was_sent, id_),) = post(xml_house, body.replace(b"TEXT", b"caf\xe9 5\xa4"))
    assert was_sent == 1
    ((_, status),) = post(xml_house, call_of("get_status", "demo", "demo", id_))
    assert status["length"] == 7
    assert xml_house.message(id_)[0].body.endswith(b"caf\x05 5\x1be")  # é and € of GSM 7-bit


def test_expect_100_continue(xml_house: XmlHouse) -> None:
    body = call_of("auth", "demo", "demo")
    head = f"POST /api2/ HTTP/1.1\r\nHost: x\r\nExpect: 100-continue\r\nContent-Length: {len(body)}"
    assert xml_house.http is not None
    with socket.create_connection(xml_house.http, timeout=10) as peer:
        peer.sendall(f"{head}\r\nConnection: close\r\n\r\n".encode())
        assert peer.recv(65536).startswith(b"HTTP/1.1 100")
        peer.sendall(body)
        heard = b"".join(iter(lambda: peer.recv(65536), b""))
    assert b"<boolean>1</boolean>" in heard


def test_what_is_no_post(xml_house: XmlHouse) -> None:
    heard = xml_house.ask("GET", "/api2/")
    assert (heard.status, heard.headers["allow"]) == (405, "POST")


# --- bad input: every operation, and nothing stored ---------------------------------------------

GOOD = {
    "send_message": ["demo", "demo", "0792223344", "text", "Shop", "", "text"],
    "auth": ["demo", "demo"],
    "get_credits": ["demo", "demo"],
    "account_status": ["demo", "demo"],
    "get_guid": ["demo", "demo"],
    "clean_number": ["demo", "demo", "1"],
    "get_status": ["demo", "demo", "1"],
    "cancel_message": ["demo", "demo", "1"],
}
STRUCT = "<struct><member><name>a</name><value>b</value></member></struct>"
NESTED = "<array><data><value><array><data><value>x</value></data></array></value></data></array>"
HOSTILE = {
    "a struct": STRUCT,
    "an array of arrays": NESTED,
    "no base64": "<base64>*</base64>",
    "an unknown type": "<surprise>1</surprise>",
    "two types": "<string>a</string><string>b</string>",
    "text in an element": "<string><b>a</b></string>",
}


def required(method: str) -> int:
    return 4 if method == "send_message" else len(GOOD[method])


def fault_of(house: XmlHouse, body: bytes) -> int:
    heard = house.ask("POST", "/api2/", body)
    assert heard.status == 200
    with pytest.raises(xmlrpc.client.Fault) as fault:
        xmlrpc.client.loads(heard.body)
    return int(fault.value.faultCode)


@pytest.mark.parametrize("method", GOOD)
def test_a_missing_or_one_more_argument(xml_house: XmlHouse, method: str) -> None:
    before = xml_house.stored()
    for count in range(required(method)):
        assert fault_of(xml_house, call_of(method, *GOOD[method][:count])) == -32602, count
    assert fault_of(xml_house, call_of(method, *GOOD[method], "more")) == -32602
    assert xml_house.stored() == before


@pytest.mark.parametrize(
    ("method", "place"),
    [(name, place) for name, args in GOOD.items() for place in range(len(args))],
)
def test_a_wrong_or_hostile_argument(xml_house: XmlHouse, method: str, place: int) -> None:
    before = xml_house.stored()
    for what, value in HOSTILE.items():
        arguments = list(GOOD[method])
        arguments[place] = value
        assert fault_of(xml_house, call_of(method, *arguments)) == -32602, what
    assert xml_house.stored() == before


@pytest.mark.parametrize("method", GOOD)
def test_who_may_not_speak(xml_house: XmlHouse, method: str) -> None:
    before = xml_house.stored()
    for user, password in (
        ("demo", ""),
        ("", ""),
        ("no such", "x"),
        ("banned", "banned"),
        ("far", "far"),
        ("x" * 5000, "x"),
    ):
        body = call_of(method, user, password, *GOOD[method][2:])
        if method in {"auth", "get_credits", "get_guid"}:
            assert post(xml_house, body) is False, user
        else:
            assert fault_of(xml_house, body) == -32500, user
    assert xml_house.stored() == before


@pytest.mark.parametrize(
    ("arguments", "code"),
    [
        (["demo", "demo", "0792223344", ""], 7),
        (["demo", "demo", "0792223344", "a" * 153 * 255 + "a"], 8),
        (["demo", "demo", "", "text"], 5),
        (["demo", "demo", "12", "text"], 3),
        (["demo", "demo", "079x2223344", "text"], 5),
        (["demo", "demo", "0" * 5000, "text"], 5),
        (["demo", "demo", "+4179222334455667788", "text"], 5),
        (["demo", "demo", "+33612345678", "text"], 3),
        (["poor", "poor", "0792223344", "a" * 400], 3),
        (["shop", "shop", "0792223344", "text"], 6),
        (["demo", "demo", "0792223344", "text", "", "2999-01-01 00:00:00"], 4),
    ],
)
def test_an_error_code_for_a_message(xml_house: XmlHouse, arguments: list[str], code: int) -> None:
    before = xml_house.stored()
    dest = arguments[2]
    assert post(xml_house, call_of("send_message", *arguments)) == [[dest, 0, code]]
    assert xml_house.stored() == before


def test_an_account_over_its_rate(xml_house: XmlHouse) -> None:
    dests = "<array><data>" + "<value>0792223344</value>" * 2 + "</data></array>"
    rows = post(xml_house, call_of("send_message", "slow", "slow", dests, "x"))
    assert [row[1] for row in rows] == [1, 0]
    assert rows[1][2] == 2


@pytest.mark.parametrize("id_", ["", "0", "-1", "no", "9" * 19, "9" * 5000, "1.5", "²"])
def test_an_identifier_of_nothing(xml_house: XmlHouse, id_: str) -> None:
    for method in ("get_status", "cancel_message"):
        assert post(xml_house, call_of(method, "demo", "demo", id_)) == [[id_, False]]


def test_a_list_without_end(xml_house: XmlHouse) -> None:
    before = xml_house.stored()
    many = "<array><data>" + "<value>0792223344</value>" * 1001 + "</data></array>"
    for method in ("send_message", "get_status", "cancel_message"):
        arguments = ["demo", "demo", many, *GOOD[method][3:]]
        assert fault_of(xml_house, call_of(method, *arguments)) == -32602
    none = call_of("send_message", "demo", "demo", "<array><data/></array>", "x")
    assert post(xml_house, none) == []
    assert xml_house.stored() == before


BOMB = (
    b'<?xml version="1.0"?><!DOCTYPE b [<!ENTITY a "aaaaaaaaaa"><!ENTITY b "&a;&a;&a;">]>'
    b"<methodCall><methodName>auth</methodName><params><param><value>&b;</value></param></params>"
    b"</methodCall>"
)
FILE = BOMB.replace(b'<!ENTITY a "aaaaaaaaaa">', b'<!ENTITY a SYSTEM "file:///etc/passwd">')
DEEP = call_of("auth", "<array><data><value>" * 50 + "</value></data></array>" * 50, "demo")


@pytest.mark.parametrize(
    ("body", "code"),
    [
        (b"", -32700),
        (b"no XML", -32700),
        (b"\x00\xff\xfe", -32700),
        (call_of("auth", "demo", "a & b"), -32700),
        (call_of("auth", "demo", "demo")[:-5], -32700),
        (BOMB, -32700),
        (FILE, -32700),
        (DEEP, -32700),
        (b'<?xml version="1.0" encoding="x-nothing"?><methodCall/>', -32700),
        (b'<?xml version="1.0" encoding="utf-7"?><methodCall/>', -32700),
        (b"<methodCall/>", -32600),
        (b"<methodCall><methodName/></methodCall>", -32600),
        (b"<methodResponse><params/></methodResponse>", -32600),
        (call_of("no_such", "demo", "demo"), -32601),
        (call_of("system.listMethods"), -32601),
        (call_of("__class__", "demo", "demo"), -32601),
        (call_of("auth", "demo", "x" * 70_000), -32600),
    ],
)
def test_what_is_no_call(xml_house: XmlHouse, body: bytes, code: int) -> None:
    before = xml_house.stored()
    assert fault_of(xml_house, body) == code
    assert xml_house.stored() == before


def test_neither_texts_nor_passwords_are_logged(xml_house: XmlHouse) -> None:
    post(xml_house, call_of("send_message", "demo", "demo", "0792223344", "quiet as a mouse"))
    post(xml_house, call_of("auth", "demo", "a mouse in the cellar"))
    assert "mouse" not in xml_house.texts_logged()
