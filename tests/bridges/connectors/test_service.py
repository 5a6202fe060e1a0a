"""What every service shares: statuses of HTTP, waits, callbacks taken apart."""

import pytest

from bridges.connectors.service import (
    Callback,
    Declined,
    Response,
    Unclear,
    by_http_status,
    member,
    retry_after_s,
    word,
)
from pdu.status import Status

DATE = "Sat, 28 Nov 2026 07:00:00 GMT"


@pytest.mark.parametrize(
    ("headers", "wait_s"),
    [
        ({}, 0.0),
        ({"retry-after": "7"}, 7.0),
        ({"retry-after": "999999999999"}, 3600.0),
        ({"retry-after": "-1"}, 0.0),
        ({"retry-after": "soon"}, 0.0),
        ({"retry-after": "٣"}, 0.0),
        ({"retry-after": "Sat, 28 Nov 2026 07:01:30 GMT", "date": DATE}, 90.0),
        ({"retry-after": "Sat, 28 Nov 2026 06:00:00 GMT", "date": DATE}, 0.0),
        ({"retry-after": "Sat, 28 Nov 2026 07:01:30 GMT"}, 0.0),
        ({"retry-after": "Sat, 28 Nov 2026 07:01:30", "date": DATE}, 0.0),
    ],
)
def test_retry_after(headers: dict[str, str], wait_s: float) -> None:
    assert retry_after_s(Response(429, headers, b"")) == wait_s


@pytest.mark.parametrize(
    ("status", "class_", "smpp"),
    [
        (301, "configuration", Status.ESME_RSYSERR),
        (400, "permanent", Status.ESME_RSUBMITFAIL),
        (401, "configuration", Status.ESME_RSYSERR),
        (402, "configuration", Status.ESME_RSYSERR),
        (403, "configuration", Status.ESME_RSYSERR),
        (404, "configuration", Status.ESME_RSYSERR),
        (405, "configuration", Status.ESME_RSYSERR),
        (408, "retryable", Status.ESME_RSYSERR),
        (422, "permanent", Status.ESME_RSUBMITFAIL),
        (429, "throttled", Status.ESME_RTHROTTLED),
        (500, "retryable", Status.ESME_RSYSERR),
        (502, "retryable", Status.ESME_RSYSERR),
        (503, "retryable", Status.ESME_RSYSERR),
    ],
)
def test_what_a_status_means(status: int, class_: str, smpp: Status) -> None:
    told = by_http_status(Response(status, {}, b""))
    assert isinstance(told, Declined)
    assert (told.class_, told.status, told.code) == (class_, smpp, str(status))


def test_a_gateways_time_out_leaves_it_open() -> None:
    assert isinstance(by_http_status(Response(504, {}, b"")), Unclear)


def test_json_is_looked_into_without_trust() -> None:
    told = {"a": [{"b": 7}], "c": True, "d": None}
    assert member(told, "a", 0, "b") == 7
    assert member(told, "a", 1, "b") is None
    assert member(told, "a", "b") is None
    assert member(told, "d", "x") is None
    assert (word(7), word(" x "), word(True), word(1.5), word(None)) == ("7", "x", "", "", "")


def test_a_callback_is_taken_apart_lazily_and_within_bounds() -> None:
    callback = Callback("POST", "https://gw/r?a=1&b=&a=2", {}, b"c=%C3%A9&a=3")
    assert callback.query == {"a": "2", "b": ""}
    assert callback.form_pairs == [("c", "é"), ("a", "3")]
    assert callback.parameters == {"a": "3", "b": "", "c": "é"}
    assert callback.json is None
    flood = Callback("POST", "https://gw/r", {}, b"&".join(b"a=1" for _ in range(10_000)))
    assert flood.form == {}
