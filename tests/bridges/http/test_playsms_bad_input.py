"""playSMS web services and what is wrong with a request: for each operation the documented code.

Whatever it is, nothing is stored: see `PlaysmsHouse.everything`.
"""

import urllib.parse
from collections.abc import Iterator, Mapping
from typing import Any

import pytest

from bridges.http.dialects.playsms.codes import TEXTS
from bridges.http.playsms_routes import OPERATIONS
from smsc.message import AccountId
from tests.bridges.http.playsms_house import PlaysmsHouse, running

PV = {"to": "41791234567", "msg": "hi"}
NEW = {
    "data_status": "3",
    "data_username": "fresh",
    "data_password": "secret",
    "data_name": "Fresh",
    "data_email": "fresh@x.example",
}
ON_PLAIN = {"data_username": "plain"}
GOOD: Mapping[str, Mapping[str, str]] = {
    "pv": PV,
    "ds": {},
    "in": {},
    "ix": {},
    "sx": {},
    "cr": {},
    "get_token": {},
    "set_token": {},
    "get_contact": {"kwd": "anton"},
    "get_contact_group": {"kwd": "team"},
    "query": {},
    "inject": {"from": "+629876543210", "msg": "hi", "recvnum": "1234", "smsc": "sim"},
    "accountadd": NEW,
    "accountremove": ON_PLAIN,
    "parentset": {**ON_PLAIN, "data_parent": "demo"},
    "parentget": ON_PLAIN,
    "accountban": ON_PLAIN,
    "accountunban": ON_PLAIN,
    "accountpref": {**ON_PLAIN, "data_city": "Juba"},
    "accountconf": {**ON_PLAIN, "data_footer": "bye"},
    "creditview": ON_PLAIN,
    "creditadd": {"data_username": "poor", "data_amount": "5"},
    "creditdeduct": {"data_username": "poor", "data_amount": "0.5"},
    "loginkeyset": ON_PLAIN,
}
"""Arguments of each operation, besides who is calling."""
CODES: Mapping[str, tuple[int, int]] = {
    "pv": (201, 200),
    "ds": (102, 400),
    "in": (102, 501),
    "ix": (102, 501),
    "sx": (102, 501),
    "cr": (102, 102),
    "get_token": (102, 104),
    "set_token": (102, 102),
    "get_contact": (102, 501),
    "get_contact_group": (102, 501),
    "query": (102, 102),
    "inject": (602, 601),
    "accountadd": (603, 604),
    "accountremove": (605, 606),
    "parentset": (607, 608),
    "parentget": (609, 610),
    "accountban": (611, 612),
    "accountunban": (613, 614),
    "accountpref": (615, 616),
    "accountconf": (617, 618),
    "creditview": (619, 620),
    "creditadd": (621, 622),
    "creditdeduct": (623, 624),
    "loginkeyset": (625, 626),
}
"""The code of what is missing, and of what cannot be."""
ADMIN = [name for name, (missing, _) in CODES.items() if missing >= 600]
TOO_LONG = "a" * (153 * 3 + 1)


@pytest.fixture(scope="module")
def playsms(tmp_path_factory: pytest.TempPathFactory) -> Iterator[PlaysmsHouse]:
    with running(tmp_path_factory.mktemp("playsms")) as one:
        yield one


@pytest.fixture(autouse=True)
def _nothing_is_stored(playsms: PlaysmsHouse) -> Iterator[None]:
    before = playsms.everything()
    yield
    assert playsms.everything() == before
    assert not playsms.log.named("http.request.failed")


def code(house: PlaysmsHouse, op: str, account: str = "", **changes: Any) -> int:
    """The code of an operation whose arguments are good but for `changes`."""
    login: dict[str, Any] = {"p": account or "demo"} if op == "get_token" else {}
    return house.code(
        op, account or ("boss" if op in ADMIN else "demo"), **{**login, **GOOD[op], **changes}
    )


def test_the_tables_have_every_operation() -> None:
    assert set(GOOD) == set(CODES) == set(OPERATIONS)


@pytest.mark.parametrize(
    ("op", "argument"),
    [
        (op, name)
        for op, arguments in GOOD.items()
        for name in arguments
        if name not in {"recvnum", "smsc"}
    ],
)
def test_a_missing_argument(playsms: PlaysmsHouse, op: str, argument: str) -> None:
    for empty in ("", " ", "\t\r\n"):
        assert code(playsms, op, **{argument: empty}) == CODES[op][0]


@pytest.mark.parametrize("op", GOOD)
def test_what_cannot_be_read(playsms: PlaysmsHouse, op: str) -> None:
    """A wrong charset and control characters, in each argument and in one more."""
    failed = CODES[op][1]
    for name in (*GOOD[op], "format", "more"):
        for value in (b"\xff\xfe", b"caf\xe9", b"a\0b", b"\x1b[2J", "\uffff"):
            changes: dict[str, Any] = {name: value}
            assert code(playsms, op, **changes) == failed, (name, value)


@pytest.mark.parametrize("op", GOOD)
def test_who_may_not_speak(playsms: PlaysmsHouse, op: str) -> None:
    stranger = 600 if op in ADMIN else 100
    secret = "p" if op == "get_token" else "h"
    for changes in (
        {secret: "wrong"},
        {secret: ""},
        {"u": ""},
        {"u": "nobody"},
        {"u": "nobody@x.example"},
        {"u": "x" * 5000},
        {"u": b"\xff"},
        {secret: "\U0001f600" * 50},
        {secret: playsms.tokens["plain"]},
    ):
        assert code(playsms, op, **changes) == stranger, changes
    assert code(playsms, op, "far") == 106
    assert code(playsms, op, "other") == 105
    assert code(playsms, op, "banned") == (200 if op == "pv" else 105)
    if op in ADMIN:
        assert code(playsms, op, "demo") == 600


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        ({"msg": TOO_LONG}, 200),
        ({"msg": "ü€" * 101 + "\u4e00", "unicode": "1"}, 200),
        ({"msg": "a" * 202, "unicode": "1"}, 200),
        ({"msg": "a" * 450, "footer": "b" * 20}, 200),
        ({"to": "x"}, 200),
        ({"to": "+"}, 200),
        ({"to": "079x1234567"}, 200),
        ({"to": "9" * 400}, 200),
        ({"to": "٣٣٣٣٣٣٣٣"}, 200),
        ({"to": "+33612345678"}, 200),
        ({"to": "#"}, 200),
        ({"to": "#no group"}, 200),
        ({"to": "@nobody"}, 200),
        ({"to": "@"}, 200),
        ({"to": "@demo"}, 201),
        ({"to": ",, ,"}, 201),
        ({"to": ",".join(f"4179123{number}" for number in range(4000, 4021))}, 200),
        ({"to": "@plain", "msg": TOO_LONG}, 200),
        ({"schedule": "tomorrow"}, 200),
        ({"schedule": "2030-13-01 00:00:00"}, 200),
        ({"schedule": "9999-12-31 23:59:59"}, 200),
        ({"schedule": "2030-01-01T00:00:00Z"}, 200),
    ],
)
def test_a_message_that_cannot_be(
    playsms: PlaysmsHouse, changes: Mapping[str, str], expected: int
) -> None:
    assert code(playsms, "pv", **changes) == expected


def test_a_message_that_nobody_pays_for(playsms: PlaysmsHouse) -> None:
    assert code(playsms, "pv", "poor", msg="a" * 400) == 103


@pytest.mark.parametrize(
    ("op", "changes", "expected"),
    [
        *[
            (op, {name: value}, CODES[op][1])
            for op in ("ds", "in", "ix", "get_contact")
            for name in ("c", "last")
            for value in ("x", "-1", "1.5", "9" * 400, "٣")
        ],
        *[("ds", {"smslog_id": one}, 400) for one in ("0", "-1", "x", "9" * 19, "9" * 400, "1e9")],
        *[("ds", {"queue": one}, 400) for one in ("0" * 32, "f" * 32, "x", "0" * 5000, "' OR 1=1")],
        ("ds", {"dst": "%"}, 400),
        ("in", {"kwd": "NO SUCH"}, 501),
        ("ix", {"dt": "'"}, 501),
        ("get_contact", {"kwd": "a"}, 501),
        ("get_contact", {"kwd": "no such"}, 501),
        ("get_contact_group", {"kwd": "%"}, 501),
        ("get_contact_group", {"kwd": "no such"}, 501),
        ("inject", {"recvnum": ""}, 601),
        ("inject", {"smsc": ""}, 601),
        ("inject", {"smsc": "no such"}, 601),
        ("inject", {"recvnum": "x" * 50}, 601),
        ("inject", {"recvnum": "not a number"}, 601),
        ("inject", {"from": "far too long for a sender"}, 601),
        ("inject", {"from": "\u4e00"}, 601),
        ("inject", {"msg": "a" * 153 * 255 + "a"}, 601),
        ("accountadd", {"data_status": "1"}, 604),
        ("accountadd", {"data_status": "admin"}, 604),
        ("accountadd", {"data_status": "4"}, 604),
        ("accountadd", {"data_status": "4", "data_parent": "nobody"}, 604),
        ("accountadd", {"data_username": "demo"}, 604),
        ("accountadd", {"data_username": "a name"}, 604),
        ("accountadd", {"data_username": "x" * 16}, 604),
        ("accountadd", {"data_email": "no address"}, 604),
        ("accountadd", {"data_password": "x" * 201}, 604),
        ("accountadd", {"data_name": "x" * 251}, 604),
        ("accountadd", {"data_datetime_timezone": "+0799"}, 604),
        ("accountadd", {"data_datetime_timezone": "../etc"}, 604),
        *[(op, {"data_username": "nobody"}, CODES[op][0]) for op in ADMIN[2:]],
        *[(op, {"data_username": "x" * 5000}, CODES[op][0]) for op in ADMIN[2:]],
        ("accountremove", {}, 606),
        ("accountremove", {"data_username": "boss"}, 606),
        ("parentset", {}, 608),
        ("parentset", {"data_parent": "nobody"}, 607),
        ("parentget", {}, 610),
        ("accountban", {"data_username": "boss"}, 612),
        ("accountpref", {"data_email": "no address"}, 616),
        ("accountpref", {"data_password": "new"}, 616),
        ("accountpref", {"data_name": "x" * 251}, 616),
        ("accountconf", {"data_fwd_to_inbox": "yes"}, 618),
        ("accountconf", {"data_local_length": "-1"}, 618),
        ("accountconf", {"data_local_length": "1000"}, 618),
        ("accountconf", {"data_replace_zero": "x"}, 618),
        ("accountconf", {"data_sender": "far too long for a sender"}, 618),
        ("accountconf", {"data_username": "shop", "data_sender": "Other"}, 618),
        ("accountconf", {"data_datetime_timezone": "Mars"}, 618),
        ("accountconf", {"data_footer": "x" * 251}, 618),
        *[
            (op, {"data_amount": amount}, CODES[op][1])
            for op in ("creditadd", "creditdeduct")
            for amount in ("x", "0", "-1", "1e9", "NaN", "9" * 400, "0.0000000001", "٣")
        ],
        ("creditadd", {"data_username": "plain"}, 622),
        ("creditadd", {"data_amount": "1000000000000000"}, 622),
        ("creditdeduct", {"data_amount": "1000"}, 624),
    ],
)
def test_a_wrong_or_hostile_argument(
    playsms: PlaysmsHouse, op: str, changes: Mapping[str, str], expected: int
) -> None:
    assert code(playsms, op, **changes) == expected


@pytest.mark.parametrize(
    ("op", "expected"),
    [("", 102), (" ", 102), ("stoplist", 101), ("no_such", 101), ("__class__", 101), ("bc", 101)],
)
def test_an_operation_that_is_none(playsms: PlaysmsHouse, op: str, expected: int) -> None:
    answer = playsms.ask(op, u="", h="")
    assert answer == {
        "status": "ERR", "error": str(expected), "error_string": TEXTS[expected],
    }  # fmt: skip


def test_what_is_not_for_us(playsms: PlaysmsHouse) -> None:
    for url in ("/index.php?app=main", "/index.php?app=", "/index.php?app=%ff"):
        assert playsms.client.get(url).status_code == 404
    assert playsms.client.post("/index.php").status_code == 404
    assert playsms.client.put("/index.php?app=ws").status_code == 405


def test_a_body_that_is_too_long(playsms: PlaysmsHouse) -> None:
    answer = playsms.client.post("/index.php?app=ws", content=b"msg=" + b"a" * 65536)
    assert answer.status_code == 413
    assert answer.json()["status"] == "ERR"
    assert answer.json()["error_string"] == TEXTS[501]


@pytest.mark.parametrize(
    ("content_type", "body"),
    [
        ("multipart/form-data", b"--x"),
        ("multipart/form-data; boundary=", b"--"),
        ("multipart/form-data; boundary=x", b"--x\r\n\r\n--x\r\n--x--"),
        (
            "multipart/form-data; boundary=x",
            b'--x\r\nContent-Disposition: form-data; name="op"; filename="op"\r\n\r\ncr\r\n--x--',
        ),
        (
            "multipart/form-data; boundary=x",
            b"--x\r\nContent-Type: multipart/mixed; boundary=x\r\n" * 900,
        ),
        ("application/json", b'{"op": "cr"}'),
        ("application/x-www-form-urlencoded", b"&" * 60_000),
        ("application/x-www-form-urlencoded", b"=&%&%zz=%&op"),
        ("", b"\0" * 1000),
    ],
)
def test_a_form_that_is_none(playsms: PlaysmsHouse, content_type: str, body: bytes) -> None:
    answer = playsms.client.post(
        "/index.php?app=ws", content=body, headers={"Content-Type": content_type}
    )
    assert answer.status_code == 200
    assert answer.json()["error"] == "102"


def test_guesses_of_a_token_are_slowed_down(playsms: PlaysmsHouse) -> None:
    for _ in range(3):
        query = {"app": "ws", "op": "cr", "u": "nobody", "h": "guess"}
        url = "/index.php?" + urllib.parse.urlencode(query)
        assert playsms.client.get(url).json()["error"] == "100"
    directory = playsms.gateway.directory
    assert playsms.call(lambda: directory.profile(AccountId("nobody"))) is None
    playsms.forgive()
