"""Bodies, times, URLs and refusals as every dialect gets them."""

import pytest

from bridges.http.dialects.base import (
    Content,
    Invalid,
    check_callback_url,
    hex_content,
    http_status,
    iso_utc,
    parse_moment,
    read_body,
    shown,
    text_content,
    to_body,
)
from pdu.codec import decode
from pdu.commands import Command
from pdu.message_pdus import SubmitSm
from pdu.status import Status, Vendor
from pdu.tlvs import Tag

NOW_MS = 1_764_000_000_000  # 2025-11-24T16:00:00Z


def content_of(text: str) -> Content:
    content = text_content(text)
    assert isinstance(content, Content)
    return content


def submitted(body: bytes | Invalid) -> SubmitSm:
    assert isinstance(body, bytes), body
    pdu = decode(Command.SUBMIT_SM, body)
    assert isinstance(pdu, SubmitSm)
    return pdu


@pytest.mark.parametrize(
    ("text", "coding", "data_coding", "parts"),
    [
        ("hello", "gsm7", 0, 1),
        ("grüezi @ €", "gsm7", 0, 1),
        ("a" * 160, "gsm7", 0, 1),
        ("a" * 161, "gsm7", 0, 2),
        ("привет", "ucs2", 8, 1),
        ("ж" * 71, "ucs2", 8, 2),
        ("a" * 153 * 255, "gsm7", 0, 255),
    ],
)
def test_text_gets_the_cheapest_coding(
    text: str, coding: str, data_coding: int, parts: int
) -> None:
    content = content_of(text)
    assert (content.coding, content.data_coding, content.parts) == (coding, data_coding, parts)


@pytest.mark.parametrize("text", ["", "a" * (153 * 255 + 1), "ж" * (67 * 255 + 1)])
def test_text_that_makes_no_message(text: str) -> None:
    assert isinstance(text_content(text), Invalid)


@pytest.mark.parametrize(
    ("digits", "data_coding", "udh", "coding", "parts"),
    [
        ("00ff", 4, False, "octets", 1),
        ("41 42", 0, False, "gsm7", 1),
        ("00" * 141, 4, False, "octets", 2),
        ("0500030102014142", 0, True, "gsm7", 1),
        ("050003010201" + "41" * 153, 0, True, "gsm7", 1),
        ("06050415811581" + "00" * 133, 4, True, "octets", 1),
    ],
)
def test_octets_are_taken_as_they_are(
    digits: str, data_coding: int, udh: bool, coding: str, parts: int
) -> None:
    content = hex_content(digits, data_coding, udh)
    esm_class = 0x40 if udh else 0
    assert content == Content(bytes.fromhex(digits), data_coding, esm_class, parts, coding)


@pytest.mark.parametrize(
    ("digits", "udh", "why"),
    [
        ("", False, "at least one octet"),
        ("abc", False, "hexadecimal"),
        ("zz", False, "hexadecimal"),
        ("0500", True, "says 6 octets and only 2"),
        ("06050415811581" + "00" * 134, True, "140 octets"),
        ("00" * 65536, False, "at most 255"),
    ],
)
def test_octets_that_make_no_message(digits: str, udh: bool, why: str) -> None:
    invalid = hex_content(digits, 4, udh)
    assert isinstance(invalid, Invalid)
    assert why in invalid.why


def test_a_body_holds_every_field_where_the_specification_has_it() -> None:
    pdu = submitted(
        to_body(
            "ACME",
            "+41 79 123 45 67",
            content_of("hi"),
            registered_delivery=1,
            expires_ms=NOW_MS,
            priority=2,
            protocol_id=64,
        )
    )
    assert (pdu.source_addr_ton, pdu.source_addr_npi, pdu.source_addr) == (5, 0, "ACME")
    assert (pdu.dest_addr_ton, pdu.dest_addr_npi, pdu.destination_addr) == (1, 1, "41791234567")
    assert (pdu.registered_delivery, pdu.priority_flag, pdu.protocol_id) == (1, 2, 64)
    assert pdu.validity_period == "251124160000000+"
    assert (pdu.short_message, pdu.tlvs) == (b"hi", ())


def test_an_empty_sender_is_left_to_the_network() -> None:
    pdu = submitted(to_body("", "41791234567", content_of("hi")))
    assert (pdu.source_addr_ton, pdu.source_addr_npi, pdu.source_addr) == (0, 0, "")
    assert pdu.validity_period == ""


@pytest.mark.parametrize(("octets", "in_payload"), [(254, False), (255, True)])
def test_more_than_254_octets_travel_in_message_payload(octets: int, in_payload: bool) -> None:
    body = to_body("", "41791234567", content_of("a" * octets))
    pdu = submitted(body)
    data = b"a" * octets
    if in_payload:
        assert (pdu.short_message, pdu.tlvs) == (b"", ((Tag.MESSAGE_PAYLOAD, data),))
    else:
        assert (pdu.short_message, pdu.tlvs) == (data, ())
    assert isinstance(body, bytes)
    assert (read_body(body).data, read_body(body).parts) == (data, 2)


@pytest.mark.parametrize(
    ("source", "destination", "field"),
    [
        ("ACME", "nobody", "to"),
        ("ACME", "4179123456712345678901", "to"),
        ("ACME", "", "to"),
        ("TWELVE CHARS", "41791234567", "from"),
        ("ΔΔΔ", "41791234567", "from"),
        ("привет", "41791234567", "from"),
        ("a\0b", "41791234567", "from"),
        ("ACME", "4179\0", "to"),
    ],
)
def test_an_address_that_cannot_be_used_is_named(source: str, destination: str, field: str) -> None:
    invalid = to_body(source, destination, content_of("hi"))
    assert isinstance(invalid, Invalid)
    assert invalid.field == field
    assert invalid.sentence().startswith(f"{field}: ")


@pytest.mark.parametrize(
    ("text", "coding"), [("grüezi @ €", "gsm7"), ("привет 🙂", "ucs2"), ("a" * 500, "gsm7")]
)
def test_a_stored_body_reads_as_it_was_written(text: str, coding: str) -> None:
    body = to_body("ACME", "41791234567", content_of(text))
    assert isinstance(body, bytes)
    spoken = read_body(body)
    assert (spoken.source, spoken.destination) == ("ACME", "41791234567")
    assert (spoken.text(), spoken.coding) == (text, coding)


def test_a_user_data_header_is_no_text() -> None:
    content = hex_content("0500030102014142", 0, udh=True)
    assert isinstance(content, Content)
    body = to_body("ACME", "41791234567", content)
    assert isinstance(body, bytes)
    spoken = read_body(body)
    assert (spoken.text(), spoken.udh, spoken.parts) == ("AB", True, 1)


@pytest.mark.parametrize(
    ("value", "ahead_ms"),
    [
        (1, 1000),
        (0.5, 500),
        (86400, 86_400_000),
        ("2025-11-24T16:00:10Z", 10_000),
        ("2025-11-24T17:00:10+01:00", 10_000),
        ("2025-11-25T16:00:00.000+00:00", 86_400_000),
    ],
)
def test_a_moment_ahead(value: object, ahead_ms: int) -> None:
    assert parse_moment("validity", value, NOW_MS) == NOW_MS + ahead_ms


@pytest.mark.parametrize(
    "value",
    [
        0,
        -1,
        1e300,
        367 * 86400,
        True,
        None,
        [],
        "",
        "soon",
        "2025-11-24T16:00:10",
        "2025-11-24T16:00:00Z",
        "2035-11-24T16:00:00Z",
        "0001-01-01T00:00:00+23:59",
    ],
)
def test_what_is_no_moment_ahead(value: object) -> None:
    invalid = parse_moment("validity", value, NOW_MS)
    assert isinstance(invalid, Invalid)
    assert invalid.field == "validity"


@pytest.mark.parametrize(
    ("at_ms", "expected"),
    [(0, None), (NOW_MS, "2025-11-24T16:00:00.000Z"), (NOW_MS + 7, "2025-11-24T16:00:00.007Z")],
)
def test_iso_utc(at_ms: int, expected: str | None) -> None:
    assert iso_utc(at_ms) == expected


@pytest.mark.parametrize(
    "url",
    ["http://127.0.0.1:8000/dlr", "https://example.com", "https://[::1]:8443/x?y=z", "HTTP://h/"],
)
def test_a_callback_url(url: str) -> None:
    assert check_callback_url(url) is None


@pytest.mark.parametrize(
    "url",
    [
        "",
        "example.com/x",
        "ftp://example.com",
        "http:///x",
        "http://h:0/",
        "http://h:99999/",
        "http://h:x/",
        "http://[::1/",
        "http://h/a b",
        "http://h/\r\nX: y",
        "http://hé/",
        "http://h/" + "a" * 2048,
    ],
)
def test_what_is_no_callback_url(url: str) -> None:
    assert isinstance(check_callback_url(url), Invalid)


@pytest.mark.parametrize(
    ("status", "expected"),
    [
        (Status.ESME_RMSGQFUL, 503),
        (Status.ESME_RTHROTTLED, 429),
        (Status.ESME_RINVDSTADR, 422),
        (Status.ESME_RINVSRCADR, 422),
        (Status.ESME_RINVPASWD, 401),
        (Status.ESME_RBINDFAIL, 403),
        (Status.ESME_RSYSERR, 500),
        (Vendor.SMSC_NO_CREDIT, 402),
        (Vendor.SMSC_ACCOUNT_CLOSED, 403),
        (Vendor.SMSC_UNKNOWN, 404),
        (Vendor.SMSC_EXISTS, 409),
        (Vendor.SMSC_INVALID, 422),
        (Vendor.SMSC_UNAVAILABLE, 503),
        (0x0000FFFF, 422),
    ],
)
def test_http_status(status: int, expected: int) -> None:
    assert http_status(status) == expected


def test_a_long_value_is_cut_in_a_sentence() -> None:
    assert shown("a" * 1000) == '"' + "a" * 58 + "…"
    assert shown({"a": [1, None]}) == '{"a":[1,null]}'
    assert shown(1 << 70) == str(1 << 70)
