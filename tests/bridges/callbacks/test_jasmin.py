"""Jasmin's reports and MO push: the arguments of each level, and what counts as an answer."""

import urllib.parse
from typing import Any

import pytest

from bridges.callbacks.jasmin import JasminStyle
from bridges.callbacks.registry import events_of, find_style
from bridges.callbacks.style import CallbackRequest, CallbackResponse
from bridges.http.dialects.base import hex_content, to_body
from bridges.http.dialects.uuids import uuid_of
from smsc.message import MessageId, State
from smsc.ports import Again, CallbackEvent, Done, Dropped
from tests.fakes.delivery import a_delivery

STYLE = JasminStyle()
RECEIPT = (
    "id:77 sub:001 dlvrd:001 submit date:2511241600 done date:2511241601 stat:DELIVRD err:000 text:"
)
ACCEPTED, REJECTED = CallbackEvent.ACCEPTED, CallbackEvent.REJECTED
ENDS = CallbackEvent.DELIVERED | CallbackEvent.FAILED


def request_of(rest: str = "3:POST", **changes: Any) -> CallbackRequest:
    return STYLE.request(a_delivery(**{"text": RECEIPT, "outlet": "sim"} | changes), rest, 0, ())


def arguments_of(request: CallbackRequest) -> dict[str, str]:
    return dict(urllib.parse.parse_qsl(request.body.decode(), keep_blank_values=True))


@pytest.mark.parametrize(
    ("kind", "error", "status"),
    [
        ("accepted", 0, "ESME_ROK"),
        ("rejected", 0x0B, "ESME_RINVDSTADR"),
        ("rejected", 0, "ESME_RSUBMITFAIL"),
    ],
)
def test_level_1(kind: str, error: int, status: str) -> None:
    assert arguments_of(request_of(kind=kind, error=error)) == {
        "id": uuid_of(MessageId(77)),
        "level": "1",
        "message_status": status,
        "connector": "sim",
    }


@pytest.mark.parametrize(
    ("state", "status"),
    [
        (State.DELIVERED, "DELIVRD"),
        (State.EXPIRED, "EXPIRED"),
        (State.DELETED, "DELETED"),
        (State.UNDELIVERABLE, "UNDELIV"),
        (State.ACCEPTED, "ACCEPTD"),
        (State.REJECTED, "REJECTD"),
        (State.UNKNOWN, "UNKNOWN"),
    ],
)
def test_level_2(state: State, status: str) -> None:
    assert arguments_of(request_of(state=state, upstream_id="abc")) == {
        "id": uuid_of(MessageId(77)),
        "level": "2",
        "message_status": status,
        "connector": "sim",
        "id_smsc": "abc",
        "sub": "001",
        "dlvrd": "001",
        "subdate": "2511241600",
        "donedate": "2511241601",
        "err": "000",
        "text": "",
    }


@pytest.mark.parametrize(
    ("url", "got"),
    [("http://h/dlr", "http://h/dlr?id="), ("http://h/dlr?a=b", "http://h/dlr?a=b&id=")],
)
def test_by_get(url: str, got: str) -> None:
    request = request_of("1:GET", callback_url=url, kind="accepted")
    assert (request.method, request.body) == ("GET", b"")
    assert request.url.startswith(got + uuid_of(MessageId(77)))
    assert "message_status=ESME_ROK" in request.url


def test_by_post_it_is_a_form() -> None:
    request = request_of("1:POST", callback_url="http://h/dlr?a=b")
    assert (request.method, request.url) == ("POST", "http://h/dlr?a=b")
    assert ("Content-Type", "application/x-www-form-urlencoded") in request.headers
    assert request_of("2").method == "POST"


@pytest.mark.parametrize(
    ("data_coding", "digits", "udh", "content"),
    [
        (0, "6e05", False, "né".encode()),
        (8, "044f", False, b"\x04\x4f"),
        (4, "0605040b8423f0dc06", True, b"\xdc\x06"),
    ],
)
def test_an_mo_message(data_coding: int, digits: str, udh: bool, content: bytes) -> None:
    spoken = hex_content(digits, data_coding, udh)
    body = to_body("41791234567", "12345", spoken, priority=2)  # type: ignore[arg-type]
    request = request_of("", kind="mo", body=body, message_id=MessageId(0))
    arguments = urllib.parse.parse_qs(request.body.decode(), encoding="latin-1")
    assert {name: values[0].encode("latin-1") for name, values in arguments.items()} == {
        "id": uuid_of(MessageId(1)).encode(),
        "from": b"41791234567",
        "to": b"12345",
        "origin-connector": b"sim",
        "priority": b"2",
        "coding": str(data_coding).encode(),
        "content": content,
        "binary": digits.encode(),
    }


@pytest.mark.parametrize(
    ("status", "body", "outcome"),
    [
        (200, b"ACK/Jasmin", Done),
        (200, b" ACK/Jasmin\r\n", Done),
        (200, b"OK", Again),
        (200, b"", Again),
        (200, b"ACK/Jasmin and more", Again),
        (202, b"ACK/Jasmin", Again),
        (500, b"ACK/Jasmin", Again),
        (404, b"", Dropped),
    ],
)
def test_only_the_exact_answer_is_done(status: int, body: bytes, outcome: type[object]) -> None:
    assert isinstance(STYLE.judge(a_delivery(), CallbackResponse(status, body)), outcome)


@pytest.mark.parametrize(
    ("rest", "events"),
    [
        ("1:POST", ACCEPTED | REJECTED),
        ("2:GET", ENDS),
        ("3:GET", ACCEPTED | REJECTED | ENDS),
        ("", CallbackEvent(0)),
        ("9:GET", CallbackEvent(0)),
    ],
)
def test_a_level_asks_for_events(rest: str, events: CallbackEvent) -> None:
    assert events_of(f"jasmin:{rest}") == events
    assert isinstance(find_style(f"jasmin:{rest}")[0], JasminStyle)
