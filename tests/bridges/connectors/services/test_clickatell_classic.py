"""Clickatell's classic interface against a fake written from its documents."""

import pytest

from bridges.connectors.service import (
    NOT_YET,
    Called,
    Declined,
    Mobile,
    Rejected,
    Report,
    Taken,
    Unclear,
)
from bridges.connectors.services.clickatell_classic import ClickatellClassic
from smsc.message import State
from tests.fakes.services.clickatell import LOGIN, FakeClassic
from tests.fakes.services.play import NOW_S, call, exchange, play, say, seen_of
from tests.fakes.services.sms import sms_of
from tests.fakes.services.web import Say

RETRYABLE = ("901", "003")
PERMANENT = ("101", "102", "105", "106", "107", "113", "114", "115", "116", "120", "121", "122")
PERMANENT_TOO = ("123", "128")
CONFIGURATION = ("001", "002", "005", "007", "108", "301")


def service(*, wants_receipts: bool = False, password: str = "p&ss") -> ClickatellClassic:
    return ClickatellClassic(
        "https://c.example", LOGIN["api_id"], LOGIN["user"], password, wants_receipts
    )


def test_a_plain_text() -> None:
    fake = FakeClassic()
    assert play(service(wants_receipts=True), fake, sms_of()) == Taken(f"{1:032x}")
    assert fake.taken == [
        LOGIN
        | {
            "to": "41791234567",
            "climsgid": "7",
            "text": "Hello",
            "from": "Shop",
            "callback": "7",
        }
    ]


def test_accents_go_as_latin_1_and_all_else_as_utf_16_in_hex() -> None:
    request = service().request(sms_of("né"), NOW_S)
    assert b"text=n%E9" in request.body  # type: ignore[union-attr]
    for text in ("Добрий", "5 €", "a Δ"):
        fake = FakeClassic()
        play(service(), fake, sms_of(text))
        assert fake.taken[0]["unicode"] == "1"
        assert bytes.fromhex(fake.taken[0]["text"]).decode("utf-16-be") == text


def test_flash_long_text_and_validity() -> None:
    fake = FakeClassic()
    play(service(), fake, sms_of("x" * 320, is_flash=True, validity_s=90))
    one = fake.taken[0]
    assert (one["msg_type"], one["concat"], one["validity"]) == ("SMS_FLASH", "3", "1")


def test_octets_go_with_their_header() -> None:
    fake = FakeClassic()
    octets = sms_of(is_octets=True, data=b"\x01\x02", udh=b"\x06\x05\x04\x15\x81\x15\x81")
    play(service(), fake, octets)
    assert (fake.taken[0]["data"], fake.taken[0]["udh"]) == ("0102", "06050415811581")
    assert "text" not in fake.taken[0]


@pytest.mark.parametrize(
    ("codes", "class_"),
    [
        (RETRYABLE, "retryable"),
        (("130",), "throttled"),
        (PERMANENT + PERMANENT_TOO, "permanent"),
        (CONFIGURATION, "configuration"),
    ],
)
def test_each_error_code_has_its_class(codes: tuple[str, ...], class_: str) -> None:
    for code in codes:
        verdict = play(service(), FakeClassic(f"{code}, Some reason"), sms_of())
        assert isinstance(verdict, Declined)
        assert (verdict.class_, verdict.code, verdict.why) == (class_, code, "Some reason")


def test_a_wrong_password_is_configuration() -> None:
    verdict = play(service(password="no"), FakeClassic(), sms_of())
    assert isinstance(verdict, Declined)
    assert (verdict.class_, verdict.code) == ("configuration", "001")


def test_a_malformed_success_leaves_it_open() -> None:
    assert isinstance(say(service(), sms_of(), Say(200, b"<html>")), Unclear)
    verdict = say(service(), sms_of(), Say(502, b"<html>"))
    assert isinstance(verdict, Declined)
    assert verdict.class_ == "retryable"


STATES = [
    ("001", State.UNKNOWN, 0),
    ("002", State.ENROUTE, 0),
    ("003", State.ENROUTE, 0),
    ("004", State.DELIVERED, 0),
    ("005", State.UNDELIVERABLE, 5),
    ("006", State.DELETED, 0),
    ("007", State.UNDELIVERABLE, 7),
    ("008", State.ENROUTE, 0),
    ("009", State.UNDELIVERABLE, 9),
    ("010", State.EXPIRED, 10),
    ("011", State.ENROUTE, 0),
    ("012", State.REJECTED, 12),
    ("014", State.REJECTED, 14),
]


@pytest.mark.parametrize(("code", "state", "error"), STATES)
@pytest.mark.parametrize("method", ["GET", "POST"])
def test_receipts_by_get_and_by_post(code: str, state: State, error: int, method: str) -> None:
    fields = f"api_id=3442&apiMsgId=abc&cliMsgId=7&timestamp=1790000001&status={code}&charge=1"
    url = "https://gw.example/r"
    told = service().called(
        call(f"{url}?{fields}") if method == "GET" else call(url, "POST", fields.encode())
    )
    assert isinstance(told, Called)
    assert told.reports == (Report("abc", state, error, 1_790_000_001_000),)


@pytest.mark.parametrize(("code", "state", "error"), STATES)
def test_the_same_by_asking(code: str, state: State, error: int) -> None:
    fake = FakeClassic(statuses={"abc": code})
    answer = exchange(fake, service().poll("abc", NOW_S))
    assert service().polled("abc", answer) == Report("abc", state, error)


def test_a_poll_that_fails_is_no_end() -> None:
    ask = service(password="no")
    told = ask.polled("abc", exchange(FakeClassic(), ask.poll("abc", NOW_S)))
    assert isinstance(told, Declined)
    nothing = exchange(lambda _: Say(200, b""), ask.poll("abc", NOW_S))
    assert ask.polled("abc", nothing) is NOT_YET


@pytest.mark.parametrize(
    ("charset", "text", "read"),
    [
        ("ISO-8859-1", "n%E9", "né"),
        ("UTF-8", "n%C3%A9", "né"),
        ("UTF-16BE", "006e00e9", "né"),
        ("UCS-2", "hello", "hello"),
    ],
)
def test_messages_of_handsets(charset: str, text: str, read: str) -> None:
    query = f"api_id=1&moMsgId=m&from=41791&to=12345&charset={charset}&udh=&text={text}"
    told = service().called(call(f"https://gw.example/r?{query}"))
    assert isinstance(told, Called)
    assert told.messages == (Mobile("41791", "12345", read),)


@pytest.mark.parametrize("query", ["", "apiMsgId=a", "apiMsgId=a&status=x", "moMsgId=m"])
def test_a_malformed_callback_is_refused(query: str) -> None:
    assert isinstance(service().called(call(f"https://gw.example/r?{query}")), Rejected)


def test_the_balance() -> None:
    assert service().balance_left(exchange(FakeClassic(), service().balance(NOW_S))) == 12.5
    request = service().balance(NOW_S)
    assert request is not None
    assert seen_of(request).path == "/http/getbalance"
