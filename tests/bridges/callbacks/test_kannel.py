"""Kannel's reports: what each escape is filled in with, for reports and for MO messages."""

from typing import Any

import pytest

from bridges.callbacks.kannel import KannelStyle
from bridges.callbacks.registry import events_of, find_style
from bridges.callbacks.style import ITS_OWN_TIME, CallbackResponse
from bridges.http.dialects.base import hex_content, to_body
from bridges.http.dialects.uuids import uuid_of
from smsc.message import MessageId, State
from smsc.ports import Again, CallbackEvent, Done
from tests.fakes.delivery import a_delivery

STYLE = KannelStyle()


def filled(pattern: str, mask: str = "63", **changes: Any) -> str:
    """What stands behind `http://h/?` in the request for a delivery."""
    delivery = a_delivery(callback_url=f"http://h/?{pattern}", **changes)
    request = STYLE.request(delivery, mask, 0, ())
    assert (request.method, request.body) == ("GET", b"")
    return request.url.removeprefix("http://h/?")


@pytest.mark.parametrize(
    ("kind", "state", "mask", "event"),
    [
        ("receipt", State.DELIVERED, "63", "1"),
        ("receipt", State.ACCEPTED, "63", "1"),
        ("receipt", State.UNDELIVERABLE, "63", "2"),
        ("receipt", State.EXPIRED, "63", "2"),
        ("receipt", State.REJECTED, "2", "2"),
        ("buffered", State.ENROUTE, "63", "4"),
        ("accepted", State.ENROUTE, "63", "8"),
        ("rejected", State.REJECTED, "63", "16"),
        ("notice", State.ENROUTE, "63", "32"),
        ("notice", State.ENROUTE, "4", "4"),
        ("mo", State.UNKNOWN, "", "-1"),
    ],
)
def test_the_event(kind: str, state: State, mask: str, event: str) -> None:
    assert filled("%d", mask, kind=kind, state=state) == event


@pytest.mark.parametrize(
    ("kind", "error", "text"),
    [
        ("accepted", 0, "ACK%2F"),
        ("rejected", 0x0B, "NACK%2F11%2FESME_RINVDSTADR"),
        ("rejected", 0, "NACK%2F0%2FESME_ROK"),
        ("receipt", 0, "id%3A7+sub%3A001"),
        ("mo", 0, "id%3A7+sub%3A001"),
    ],
)
def test_what_the_network_said(kind: str, error: int, text: str) -> None:
    assert filled("%A", kind=kind, error=error, text="id:7 sub:001") == text


def test_all_the_letters_of_a_report() -> None:
    found = filled(
        "%p|%P|%q|%t|%T|%i|%I|%F|%n|%k|%s|%r",
        outlet="car rier",
        upstream_id="ab/1",
        text="id:7 sub:001 dlvrd:001",
    )
    assert found == (
        "41791234567|12345|41791234567|2025-11-24+16:00:00|1764000000|car+rier"
        f"|{uuid_of(MessageId(77))}|ab%2F1|demo|id%3A7|sub%3A001|dlvrd%3A001"
    )


def test_what_the_request_filled_in_stays() -> None:
    assert filled("o=a%%26b&d=%d&x=%%41") == "o=a%26b&d=1&x=%41"


def test_two_zeros_are_a_plus() -> None:
    body = to_body("0041791234567", "0012345678", hex_content("00", 0, udh=False))  # type: ignore[arg-type]
    assert filled("%q|%Q", body=body) == "%2B41791234567|%2B12345678"


@pytest.mark.parametrize(
    ("data_coding", "digits", "udh", "letters"),
    [
        (0, "68656c6c6f20776f726c64", False, "0|UTF-8|-1|-1|00||hello+world|hello|world"),
        (0x10, "6869", False, "0|UTF-8|0|-1|16||hi|hi|"),
        (0xD9, "6869", False, "0|UTF-8|-1|1|217||hi|hi|"),
        (8, "044f", False, "2|UTF-16BE|-1|-1|08||%D1%8F|%D1%8F|"),
        (4, "00ff", False, "1|8-BIT|-1|-1|04||%00%FF|%00%C3%BF|"),
        (4, "0605040b8423f0dc06", True, "1|8-BIT|-1|-1|04|%06%05%04%0B%84%23%F0|%DC%06|%C3%9C%06|"),
    ],
)
def test_an_mo_message(data_coding: int, digits: str, udh: bool, letters: str) -> None:
    content = hex_content(digits, data_coding, udh)
    body = to_body("41791234567", "12345", content)  # type: ignore[arg-type]
    found = filled("%c|%C|%m|%M|%O|%u|%b|%k|%r", kind="mo", body=body, message_id=MessageId(0))
    assert found == letters


def test_an_mo_message_is_called_by_its_own_id() -> None:
    assert filled("%I", kind="mo", message_id=MessageId(0)) == uuid_of(MessageId(1))


@pytest.mark.parametrize("status", [200, 202, 204])
def test_any_2xx_is_done(status: int) -> None:
    assert STYLE.judge(a_delivery(), CallbackResponse(status, b"whatever")) == Done(MessageId(1))


@pytest.mark.parametrize("status", [302, 404, 500])
def test_anything_else_comes_again(status: int) -> None:
    outcome = STYLE.judge(a_delivery(), CallbackResponse(status))
    assert isinstance(outcome, Again)
    assert outcome.delay_s == ITS_OWN_TIME


@pytest.mark.parametrize(("rest", "events"), [("31", 31), ("0", 0), ("", 0), ("x", 0), ("64", 0)])
def test_the_mask_is_the_events(rest: str, events: int) -> None:
    assert events_of(f"kannel:{rest}") == CallbackEvent(events)
    assert isinstance(find_style(f"kannel:{rest}")[0], KannelStyle)
