"""Requests that nobody would write, at each path of the dialects: no bug, no stray message.

Seeded, so that a failure comes back; each seed draws other arguments and values.
"""

import random
import urllib.parse
from collections.abc import Callable
from typing import Any

import httpx2
import orjson
import pytest

from bridges.http.dialects.netoxygen import METHODS as NETOXYGEN_METHODS
from bridges.http.playsms_routes import OPERATIONS as PLAYSMS_OPERATIONS
from tests.bridges.http.dialect_house import DialectHouse

REQUESTS = 150
VALUES: list[Any] = [
    "",
    " ",
    "0",
    "-1",
    "1e9",
    "9" * 400,
    "٣",
    "\0",
    "a\r\nb",
    "%",
    "%00%ff",
    "%d%%#a#b#",
    "<!DOCTYPE x>",
    "' OR 1=1 --",
    "\U0001f600" * 50,
    "\u202e",
    b"\xff\xfe",
    b"\xd8\x00",
    "http://",
    "http://[::1",
    "http://h:99999/",
    "http://%p/",
    "?smpp?a",
    "[[1,2,3,4]]",
    "000000000100000R",
    "41791234567",
    "hi",
    "2",
    "UTF-16",
]
JSON_VALUES: list[Any] = [None, True, 1.5, -1, 1 << 62, [], {}, [[]], {"id": {}}, [[[[[[]]]]]]]
KANNEL = (
    "to from text charset udh coding mclass mwi compress alt-dcs pid rpi priority validity deferred "
    "smsc account binfo meta-data dlr-mask dlr-url"
)
JASMIN = (
    "to from content hex-content coding priority sdt validity-period dlr dlr-url dlr-level "
    "dlr-method tags custom_tlvs other"
)
LOGIN = {"username": "demo", "password": "demo"}


def some(draw: random.Random, names: str, values: list[Any]) -> dict[str, Any]:
    known = names.split()
    chosen = draw.sample(known, draw.randint(1, min(6, len(known))))
    return {name: draw.choice(values) for name in chosen}


def kannel(draw: random.Random) -> dict[str, Any]:
    good = {"to": "41791234567", "from": "Shop", "text": "hi"}
    fields = LOGIN | good | some(draw, KANNEL, VALUES)
    if draw.random() < 0.5:
        return {"url": "/cgi-bin/sendsms?" + urllib.parse.urlencode(fields)}
    headers = [
        (f"X-Kannel-{name}".encode(), value if isinstance(value, bytes) else value.encode())
        for name, value in fields.items()
    ]
    safe = [(name, one) for name, one in headers if not set(one) & set(b"\0\r\n") and one.strip()]
    kind = draw.choice([b"text/plain", b"application/octet-stream", b"text/plain; charset=\xff"])
    body = draw.randbytes(draw.randint(0, 200))
    return {"url": "/cgi-bin/sendsms", "content": body, "headers": [*safe, (b"content-type", kind)]}


def jasmin(draw: random.Random) -> dict[str, Any]:
    fields = LOGIN | {"to": "41791234567", "content": "hi"} | some(draw, JASMIN, VALUES)
    path = draw.choice(["/send", "/rate", "/balance"])
    if draw.random() < 0.5:
        return {"url": f"{path}?{urllib.parse.urlencode(fields)}"}
    members = LOGIN | some(draw, JASMIN, [*JSON_VALUES, "41791234567", "hi", "\ud7ff"])
    return {"url": path, "content": orjson.dumps(members)}


def jasmin_rest(draw: random.Random) -> dict[str, Any]:
    values = [*JSON_VALUES, "41791234567", "hi", ["1", 2, None, {}]]
    member = some(draw, JASMIN.replace("-", "_"), values)
    batch: dict[str, Any] = {
        "messages": draw.choice([[member], member, [[]], None, 7]),
        "globals": draw.choice([member, None, []]),
        "batch_config": draw.choice([{"schedule_at": draw.choice([*JSON_VALUES, "5s"])}, None, 1]),
    }
    path = draw.choice(["send", "rate", "sendbatch"])
    content = orjson.dumps(batch if path == "sendbatch" else member)
    return {"url": f"/secure/{path}", "content": content, "auth": ("demo", "demo")}


def subito(draw: random.Random) -> dict[str, Any]:
    values = [*JSON_VALUES, "41791234567", "hi", 7, "7" * 19]
    message = {"sender": "Shop", "dest": "+39335123456", "text": "hi"}
    message |= some(draw, "sender dest text id", values)
    data = draw.choice([message, [message], [[message]], {"data": message}, {"0": message}, "x"])
    payload = draw.choice([{"auth": LOGIN, "data": data}, {"auth": [LOGIN]}, data, [data]])
    action = draw.choice(["send", "status", "credit", "%00", ""])
    return {"url": f"/json.php?action={action}", "content": orjson.dumps(payload)}


XML = [
    "",
    "x",
    "\u0661",
    "a" * 200,
    "&lt;&amp;",
    "&",
    "<b/>",
    "<i>1</i><i>+41791234567</i>",
    "<![CDATA[<]]>",
    "&#0;",
    "&#x1F600;",
    "<string>+41791234567</string>",
    "<int>0791234567</int>",
    "<base64>aGk=</base64>",
    "<base64>*</base64>",
    "<nil/>",
    "<array><data><value>1</value></data></array>",
    "<array/>",
    "<struct><member/></struct>",
    "2999-01-01 00:00:00",
    "1999-01-01 00:00:00",
    "SMSType=Flash,SMSValidity=9,=,",
    "flash",
]
DTDS = ["", "", "", '<!DOCTYPE x [<!ENTITY a "b">]>', '<!DOCTYPE x SYSTEM "file:///etc/passwd">']


def smshub(draw: random.Random) -> dict[str, Any]:
    names = "username password mobile text type sender client source settings other"
    good = LOGIN | {"mobile": "+41791234567", "text": "hi"}
    operation = draw.choice(["smshubSend", "smshubSend", "smshubSign", "smshubStatus", "no_such"])
    if draw.random() < 0.5:
        values = [*JSON_VALUES, "+41791234567", "hi", ["+41791234567", None], {"SMSType": "Flash"}]
        params = draw.choice([good | some(draw, names, values)] * 5 + JSON_VALUES)
        call = {"jsonrpc": "2.0", "method": operation, "params": params, "id": draw.choice(values)}
        return {"url": "/smshub/", "content": orjson.dumps(call)}
    fields = good | some(draw, names, XML)
    inside = "".join(f"<{name}>{value}</{name}>" for name, value in fields.items())
    body = (
        f'{draw.choice(DTDS)}<e:Envelope xmlns:e="http://schemas.xmlsoap.org/soap/envelope/">'
        f'<e:Body><u:{operation} xmlns:u="urn:smshub">{inside}</u:{operation}></e:Body></e:Envelope>'
    )
    return {"url": "/smshub", "content": body.encode()}


def netoxygen(draw: random.Random) -> dict[str, Any]:
    method = draw.choice(["send_message", "send_message", *NETOXYGEN_METHODS, "no_such", ""])
    values: list[str] = ["demo", "demo", "0791234567", "hi", "Shop", "", "text"]
    count = draw.randint(0, 8) if draw.random() < 0.3 else 4
    values = [*values, "more"][:count]
    for place in draw.sample(range(count), min(count, draw.randint(0, 2))):
        values[place] = draw.choice(XML)
    params = "".join(f"<param><value>{value}</value></param>" for value in values)
    body = (
        f"{draw.choice(DTDS)}<methodCall><methodName>{method}</methodName>"
        f"<params>{params}</params></methodCall>"
    )
    return {"url": "/api2/", "content": body.encode(draw.choice(["utf-8", "utf-16"]))}


PLAYSMS = (
    "to from msg type unicode schedule footer nofooter queue src dst dt smslog_id last c kwd login_key "
    "recvnum smsc data_username data_amount data_status data_parent format app"
)


def playsms(draw: random.Random) -> dict[str, Any]:
    login = {
        "app": "ws",
        "u": "demo",
        "op": draw.choice(["pv", "pv", *PLAYSMS_OPERATIONS, "ws_login"]),
    }
    good = {"to": "41791234567", "msg": "hi", "h": draw.choice(["TOKEN", "TOKEN", *VALUES])}
    fields = login | good | some(draw, PLAYSMS, VALUES)
    if draw.random() < 0.5:
        return {"url": "/index.php?" + urllib.parse.urlencode(fields)}
    if draw.random() < 0.5:
        return {"url": "/index.php?app=ws", "content": urllib.parse.urlencode(fields).encode()}
    parts = b"".join(
        b'--b\r\nContent-Disposition: form-data; name="%b"\r\n\r\n%b\r\n'
        % (name.encode(), value if isinstance(value, bytes) else value.encode())
        for name, value in fields.items()
    )
    kind = {"content-type": "multipart/form-data; boundary=b"}
    return {"url": "/index.php?app=ws", "content": parts + b"--b--\r\n", "headers": kind}


def cut_up(draw: random.Random, request: dict[str, Any]) -> dict[str, Any]:
    """Now and then the body is changed here and there."""
    body = request.get("content", b"")
    if not body or draw.random() < 0.7:
        return request
    octets = bytearray(body)
    for _ in range(draw.randint(1, 4)):
        at = draw.randint(0, len(octets))
        octets[at : at + draw.randint(0, 9)] = draw.randbytes(draw.randint(0, 5))
    return request | {"content": bytes(octets)}


def with_token(house: DialectHouse, request: dict[str, Any]) -> dict[str, Any]:
    """The request, with the token of its account where it says TOKEN."""
    if "/index.php" not in request["url"]:
        return request
    token = house.token("demo")
    request["url"] = request["url"].replace("TOKEN", token)
    if "content" in request:
        request["content"] = request["content"].replace(b"TOKEN", token.encode())
    return request


@pytest.mark.parametrize("seed", range(3))
@pytest.mark.parametrize("make", [kannel, jasmin, jasmin_rest, subito, smshub, netoxygen, playsms])
def test_never_a_bug_never_a_stray_message(
    house: DialectHouse, make: Callable[[random.Random], dict[str, Any]], seed: int
) -> None:
    draw = random.Random(f"{make.__name__} {seed}")
    for _ in range(REQUESTS):
        request = with_token(house, cut_up(draw, make(draw)))
        before = house.stored()
        house.forgive()
        method = draw.choice(["POST", "POST", "GET"]) if "content" in request else "GET"
        answer = house.client.request(method, **request)
        assert answer.status_code in {200, 202, 302, 400, 403, 404, 405, 412, 415} or is_fault(
            answer
        ), request
        if house.stored() > before:
            assert is_success(answer), (request, answer.text)
    assert not house.log.named("http.request.failed")


def is_success(answer: httpx2.Response) -> bool:
    """Does an answer say that something was taken?"""
    words = (
        "Accepted for delivery",
        'Success "',
        '"batchId"',
        '"data":{"id"',
        'Success \\"',
        "SMS send success",
        "messages were accepted",
        "<value><int>1</int></value><value><string>",
        "smslog_id",
    )
    return answer.status_code in {200, 202} and any(word in answer.text for word in words)


def is_fault(answer: httpx2.Response) -> bool:
    """A SOAP fault has status 500 (SOAP 1.1 §6.2)."""
    return answer.status_code == 500 and "<SOAP-ENV:Fault>" in answer.text
