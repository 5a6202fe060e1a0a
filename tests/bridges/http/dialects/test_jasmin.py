"""Jasmin as pure tables: arguments in, drafts or its sentences out."""

import urllib.parse
from decimal import Decimal
from typing import Any

import attrs
import orjson
import pytest

from bridges.http.dialects import jasmin, jasmin_rest
from bridges.http.dialects.base import Reply, read_body
from bridges.http.dialects.jasmin_arguments import Arguments, Refusal, parse_arguments
from bridges.http.dialects.jasmin_tlvs import parse_tlvs
from bridges.http.dialects.uuids import uuid_of
from pdu.codec import peek_submit_sm
from pdu.status import Status, Vendor
from smsc.flow.throttle import parts_of
from smsc.message import AccountId, Draft, MessageId
from smsc.ports import Admission, Admitted, Foreseen, Price, Refused

NOW_MS = 1_764_000_000_000
DEMO = AccountId("demo")
CONFIG = jasmin.JasminConfig()
BASE = {"username": "demo", "password": "demo", "to": "41791234567", "content": "hello"}
ID = MessageId(175_123_456_789_012_345)


def arguments_of(base: dict[str, Any] = BASE, **changes: Any) -> Arguments:
    """A query with these arguments; `_` in a name stands for `-`, None takes one away."""
    renamed = {name.replace("_", "-"): value for name, value in changes.items()}
    if "custom-tlvs" in renamed:
        renamed["custom_tlvs"] = renamed.pop("custom-tlvs")
    fields = {name: value for name, value in (base | renamed).items() if value is not None}
    arguments = parse_arguments(urllib.parse.urlencode(fields), "", b"")
    assert isinstance(arguments, dict)
    return arguments


def send(arguments: Arguments) -> Draft | Refusal:
    """All that /send judges before the door, in its order; the password is right."""
    refusal = jasmin.check_send(arguments, CONFIG)
    if refusal is not None:
        return refusal
    content = jasmin.parse_content(arguments, CONFIG)
    if isinstance(content, Refusal):
        return content
    return jasmin.to_draft(arguments, content, DEMO, "", NOW_MS)


def draft_of(**changes: Any) -> Draft:
    draft = send(arguments_of(**changes))
    assert isinstance(draft, Draft), draft
    return draft


def refusal_of(found: object) -> tuple[int, str]:
    assert isinstance(found, Refusal), found
    return found.status, found.text


def json_of(reply: Reply) -> Any:
    return orjson.loads(reply.body)


# --- where arguments stand --------------------------------------------------------------------


@pytest.mark.parametrize(
    ("query", "label", "body"),
    [
        ("to=1&content=a+b", "", b""),
        ("", "application/x-www-form-urlencoded", b"to=1&content=a%20b"),
        ("to=1", "", b"content=a+b"),
        ("to=1&to=2", "", b"content=a+b&to=3"),
        ("", "application/json", b'{"to": "1", "content": "a b", "sdt": null}'),
        ("", "application/x-www-form-urlencoded", b' {"to": "1", "content": "a b",}'),
    ],
)
def test_query_form_and_json(query: str, label: str, body: bytes) -> None:
    arguments = parse_arguments(query, label, body)
    assert isinstance(arguments, dict)
    texts = {
        name: value if isinstance(value, str) else bytes(value).decode()  # type: ignore[arg-type]
        for name, value in arguments.items()
    }
    assert texts == {"to": "1", "content": "a b"}


@pytest.mark.parametrize("body", [b"{", b"[]", b"7", b'{"to": "\xff"}', b"[" * 5000])
def test_json_that_is_none(body: bytes) -> None:
    status, text = refusal_of(parse_arguments("", "application/json", body))
    assert (status, text) == (400, "Unknown error: the body is not a JSON object")


# --- what is refused --------------------------------------------------------------------------


def invalid(name: str, value: str) -> str:
    return f"Argument [{name}] has an invalid value: [{value}]."


@pytest.mark.parametrize(
    ("changes", "text"),
    [
        ({"to": None}, "Mandatory argument [to] is not found."),
        ({"username": None}, "Mandatory argument [username] is not found."),
        ({"password": None}, "Mandatory argument [password] is not found."),
        ({"username": ""}, invalid("username", "")),
        ({"username": "x" * 31}, invalid("username", "x" * 31)),
        ({"password": "x" * 31}, invalid("password", "x" * 31)),
        ({"to": ""}, invalid("to", "")),
        ({"to": "nobody"}, invalid("to", "nobody")),
        ({"to": "4179\n"}, invalid("to", "4179\n")),
        ({"to": "41791234567 41791234568"}, invalid("to", "41791234567 41791234568")),
        ({"to": "4" * 30}, invalid("to", "4" * 30)),
        ({"to": "٤١"}, invalid("to", "٤١")),
        ({"from": "TWELVE CHARS"}, invalid("from", "TWELVE CHARS")),
        ({"coding": "11"}, invalid("coding", "11")),
        ({"coding": "x"}, invalid("coding", "x")),
        ({"coding": "-1"}, invalid("coding", "-1")),
        ({"priority": "4"}, invalid("priority", "4")),
        ({"priority": ""}, invalid("priority", "")),
        ({"sdt": "tomorrow"}, invalid("sdt", "tomorrow")),
        ({"sdt": "261332000000000+"}, invalid("sdt", "261332000000000+")),
        ({"sdt": "050000000000000R"}, invalid("sdt", "050000000000000R")),
        ({"validity_period": "x"}, invalid("validity-period", "x")),
        ({"validity_period": "0"}, invalid("validity-period", "0")),
        ({"validity_period": "-1"}, invalid("validity-period", "-1")),
        (
            {"validity_period": "1", "sdt": "000000000200000R"},
            invalid("validity-period", "1"),
        ),
        ({"dlr": "maybe"}, invalid("dlr", "maybe")),
        ({"dlr_url": "ftp://h/"}, invalid("dlr-url", "ftp://h/")),
        ({"dlr_url": "http://"}, invalid("dlr-url", "http://")),
        ({"dlr_url": "http://h/ x"}, invalid("dlr-url", "http://h/ x")),
        ({"dlr_level": "4"}, invalid("dlr-level", "4")),
        ({"dlr": "yes", "dlr_method": "PUT"}, invalid("dlr-method", "PUT")),
        ({"tags": "a b"}, invalid("tags", "a b")),
        ({"custom_tlvs": "x"}, invalid("custom_tlvs", "x")),
        ({"content": None}, "content or hex-content not present."),
        (
            {"hex_content": "00"},
            "content and hex-content cannot be used both in same request.",
        ),
        ({"content": ""}, invalid("content", "")),
        ({"content": b"\xff"}, invalid("content", "�")),
        ({"content": b"\x00h\x00", "coding": "8"}, invalid("content", "\0h\0")),
        ({"content": "a" * 766}, invalid("content", "a" * 99 + "…")),
        ({"content": None, "hex_content": ""}, invalid("hex-content", "")),
        ({"content": None, "hex_content": "0"}, "Invalid hex-content data: '0'"),
        ({"content": None, "hex_content": "xx"}, "Invalid hex-content data: 'xx'"),
        ({"content": None, "hex_content": "00" * 701, "coding": "4"}, invalid("hex-content", "0" * 99 + "…")),
        ({"flash": "1"}, "Argument [flash] is unknown."),
        ({"To": "1"}, "Argument [To] is unknown."),
        ({"to[]": "1"}, "Argument [to[]] is unknown."),
    ],
)  # fmt: skip
def test_each_fault_has_its_sentence(changes: dict[str, Any], text: str) -> None:
    assert refusal_of(send(arguments_of(**changes))) == (400, text)


def test_an_unknown_first_argument_comes_before_all_else() -> None:
    unknown = (400, "Argument [x] is unknown.")
    missing = (400, "Mandatory argument [to] is not found.")
    assert refusal_of(send(arguments_of({"x": "1", "username": "demo"}))) == unknown
    assert refusal_of(send(arguments_of({"username": "demo", "x": "1"}))) == missing
    assert refusal_of(send(arguments_of({}))) == missing


@pytest.mark.parametrize(
    "value", [["41791234567"], {"a": 1}, True, 1.5, [[[]]]], ids=["list", "object", "bool", "float", "deep"]
)  # fmt: skip
def test_json_of_a_wrong_type(value: object) -> None:
    arguments = parse_arguments("", "", orjson.dumps(BASE | {"to": value}))
    assert isinstance(arguments, dict)
    status, text = refusal_of(send(arguments))
    assert status == 400
    assert text.startswith("Argument [to] has an invalid value: [")


@pytest.mark.parametrize("value", [["x"], {"a": 1}])
def test_json_content_of_a_wrong_type(value: object) -> None:
    arguments = parse_arguments("", "", orjson.dumps(BASE | {"content": value}))
    assert isinstance(arguments, dict)
    assert refusal_of(send(arguments))[0] == 400


# --- what is taken ----------------------------------------------------------------------------


def test_every_argument_reaches_the_draft() -> None:
    draft = draft_of(
        **{"from": "Shop"},
        priority="2",
        sdt="000000000100000R",
        validity_period="120",
        tags="a,,b-1",
        dlr_url="http://h/dlr",
        dlr_level="3",
        dlr_method="get",
        custom_tlvs='[["0x1501", null, "COctetString", "x"], [522, null, "Int2", 5000]]',
    )
    assert draft == Draft(
        account=DEMO,
        source="jasmin",
        body=draft.body,
        due_ms=NOW_MS + 60_000,
        expires_ms=NOW_MS + 7_200_000,
        callback_url="http://h/dlr",
        callback_style="jasmin:3:GET",
        tags=("a", "b-1"),
    )
    peek = peek_submit_sm(draft.body)
    assert (peek.source_addr, peek.destination_addr) == ("Shop", "41791234567")
    assert (peek.priority_flag, peek.registered_delivery) == (2, 1)
    assert draft.body.endswith(b"\x15\x01\0\x02x\0" + b"\x02\x0a\0\x02\x13\x88")


@pytest.mark.parametrize(
    ("changes", "style"),
    [
        ({}, ""),
        ({"dlr": "no"}, ""),
        ({"dlr": "yes"}, ""),
        ({"dlr_level": "2"}, ""),
        ({"dlr_url": "http://h/"}, "jasmin:1:POST"),
        ({"dlr_url": "http://h/", "dlr": "no"}, "jasmin:1:POST"),
        ({"dlr_url": "https://h/", "dlr_level": "2", "dlr_method": "Get"}, "jasmin:2:GET"),
    ],
)
def test_reports_need_a_url(changes: dict[str, Any], style: str) -> None:
    draft = draft_of(**changes)
    assert draft.callback_style == style
    assert (draft.callback_url is not None) == bool(style)
    assert peek_submit_sm(draft.body).registered_delivery == bool(style)


@pytest.mark.parametrize(
    ("changes", "data", "data_coding"),
    [
        ({"content": "né€"}, b"n\x05\x1be", 0),
        ({"content": "aя"}, b"a?", 0),
        ({"content": b"\x04\x4f", "coding": "8"}, b"\x04\x4f", 8),
        ({"content": b"n\xe9", "coding": "3"}, b"n\xe9", 3),
        ({"content": None, "hex_content": "044F", "coding": "8"}, b"\x04\x4f", 8),
        ({"content": None, "hex_content": "00ff", "coding": "4"}, b"\x00\xff", 4),
        ({"content": None, "hex_content": "05"}, b"\x05", 0),
    ],
)
def test_the_octets_of_a_text(changes: dict[str, Any], data: bytes, data_coding: int) -> None:
    spoken = read_body(draft_of(**changes).body)
    assert (spoken.data, spoken.data_coding) == (data, data_coding)


@pytest.mark.parametrize(
    ("coding", "text", "data"),
    [(8, "я", b"\x04\x4f"), (3, "né", b"n\xe9"), (0, "né", b"n\x05"), (3, "я", None)],
)
def test_characters_of_json_get_the_coding(coding: int, text: str, data: bytes | None) -> None:
    body = orjson.dumps(BASE | {"content": text, "coding": coding})
    arguments = parse_arguments("", "application/json", body)
    assert isinstance(arguments, dict)
    found = send(arguments)
    if data is None:
        assert refusal_of(found) == (400, invalid("content", text))
    else:
        assert isinstance(found, Draft)
        assert read_body(found.body).data == data


@pytest.mark.parametrize(
    ("value", "tlvs"),
    [
        (None, ()),
        ([], ()),
        (b"[]", ()),
        ([[0x1501, None, "OctetString", "é"]], ((0x1501, b"\xc3\xa9"),)),
        ([[0x1501, 9, "COctetString", "ab"]], ((0x1501, b"ab\0"),)),
        ([["5377", None, "Int1", 255]], ((0x1501, b"\xff"),)),
        ([[0x1501, None, "Int4", "0x10"]], ((0x1501, b"\0\0\0\x10"),)),
        ("x", None),
        ({}, None),
        ([7], None),
        ([[1]], None),
        ([[0x1501, None, "Int1", 256]], None),
        ([[0x1501, None, "Int1", -1]], None),
        ([[0x1501, None, "Int8", 1]], None),
        ([[0x1501, None, None, 1]], None),
        ([[0x1501, None, "OctetString", 7]], None),
        ([[0, None, "Int1", 1]], None),
        ([[0x10000, None, "Int1", 1]], None),
        ([[True, None, "Int1", 1]], None),
        ([[0x0424, None, "OctetString", "payload"]], None),
        ([[0x020A, None, "Int1", 1]], None),
        ([[0x1501, None, "OctetString", "x" * 1025]], None),
        ([[0x1501, None, "Int1", 1]] * 33, None),
    ],
)
def test_custom_tlvs(value: Any, tlvs: object) -> None:
    assert parse_tlvs(value) == tlvs


# --- rate and balance -------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("changes", "parts"),
    [
        ({"content": None}, 1),
        ({"content": ""}, 1),
        ({"content": "a" * 161}, 2),
        ({"content": None, "hex_content": "00" * 141, "coding": "4"}, 2),
    ],
)
def test_rate_counts_parts(changes: dict[str, Any], parts: int) -> None:
    arguments = arguments_of(**changes)
    assert jasmin.check_rate(arguments, CONFIG) is None
    content = jasmin.parse_rate_content(arguments, CONFIG)
    assert not isinstance(content, Refusal)
    draft = jasmin.to_draft(arguments, content, DEMO, "", NOW_MS)
    assert isinstance(draft, Draft)
    assert content.parts == parts_of(draft.body, peek_submit_sm(draft.body)) == parts


@pytest.mark.parametrize("name", ["sdt", "dlr", "dlr_url", "custom_tlvs"])
def test_rate_does_not_know_how_a_message_leaves(name: str) -> None:
    changes: dict[str, Any] = {name: "x"}
    arguments = arguments_of(**changes)
    shown = "custom_tlvs" if name == "custom_tlvs" else name.replace("_", "-")
    want = (400, f"Argument [{shown}] is unknown.")
    assert refusal_of(jasmin.check_rate(arguments, CONFIG)) == want


@pytest.mark.parametrize(
    ("arguments", "text"),
    [
        ({}, "Mandatory arguments not found, please refer to the HTTPAPI specifications."),
        ({"username": b"demo"}, "Mandatory argument [password] is not found."),
        ({"username": b"demo", "password": b""}, invalid("password", "")),
        ({"username": b"demo", "password": b"x", "to": b"1"}, "Argument [to] is unknown."),
    ],
)
def test_balance_wants_credentials_alone(arguments: Arguments, text: str) -> None:
    assert refusal_of(jasmin.check_balance(arguments, CONFIG)) == (400, text)


@pytest.mark.parametrize(
    ("balances", "json"),
    [
        (None, b'{"balance":"ND","sms_count":"ND"}'),
        ({}, b'{"balance":0.0,"sms_count":"ND"}'),
        ({"a": Decimal("7.5"), "b": Decimal("2.5")}, b'{"balance":10.0,"sms_count":"ND"}'),
    ],
)
def test_the_balance(balances: dict[str, Decimal] | None, json: bytes) -> None:
    reply = jasmin.to_reply(jasmin.balance_result(balances))
    assert (reply.status, reply.body, reply.media_type) == (200, json, "application/json")


def test_the_rate() -> None:
    foreseen = Foreseen(
        source="",
        destination="41791234567",
        body=b"",
        parts=3,
        price=Price("", Decimal("0.05"), 3),
        outlets=("sim",),
        due_ms=0,
        expires_ms=0,
    )
    reply = jasmin.to_reply(jasmin.rate_result(foreseen, "demo", {}))
    assert reply.body == b'{"unit_rate":0.05,"submit_sm_count":3}'
    dropped = attrs.evolve(foreseen, outlets=())
    reply = jasmin.to_reply(jasmin.rate_result(dropped, "demo", {}))
    assert reply.body == b'{"unit_rate":0.0,"submit_sm_count":3}'
    lost = Refused(Status.ESME_RINVDSTADR, "no route to 41791234567")
    reply = jasmin.to_reply(jasmin.rate_result(lost, "demo", {}))
    assert (reply.status, reply.body) == (412, b'"No route found"')


def test_errors_of_rate_and_balance_are_json_strings() -> None:
    reply = jasmin.to_reply(jasmin.json_error_result(Refusal(400, 'a "b"')))
    assert (reply.status, reply.body) == (400, b'"a \\"b\\""')


# --- answers ----------------------------------------------------------------------------------


def test_success_names_a_uuid() -> None:
    reply = jasmin.to_reply(jasmin.sent_result(Admitted(ID), "demo", {}))
    assert (reply.status, reply.body.decode()) == (200, f'Success "{uuid_of(ID)}"')
    assert reply.media_type == "text/plain"
    assert dict(reply.headers) == {"X-Message-Id": str(ID)}


@pytest.mark.parametrize(
    ("admission", "status", "text"),
    [
        (
            Refused(Vendor.SMSC_NO_CREDIT, ""),
            403,
            "Cannot charge submit_sm, check RouterPB log file for details",
        ),
        (Refused(Vendor.SMSC_ACCOUNT_CLOSED, ""), 403, "Authentication failure for username:demo"),
        (Refused(Status.ESME_RTHROTTLED, ""), 403, "User throughput exceeded"),
        (Refused(Status.ESME_RINVDSTADR, ""), 412, "No route found"),
        (
            Refused(Status.ESME_RINVSRCADR, ""),
            400,
            "Value filter failed for user [demo] (source_address filter mismatch).",
        ),
        (Refused(Status.ESME_RINVEXPIRY, ""), 400, invalid("validity-period", "9")),
        (
            Refused(Status.ESME_RMSGQFUL, ""),
            500,
            "Cannot send submit_sm, check SMPPClientManagerPB log file for details",
        ),
        (
            Refused(Status.ESME_RSYSERR, ""),
            500,
            "Cannot send submit_sm, check SMPPClientManagerPB log file for details",
        ),
    ],
)
def test_refusals(admission: Admission, status: int, text: str) -> None:
    arguments: Arguments = {"validity-period": b"9"}
    reply = jasmin.to_reply(jasmin.sent_result(admission, "demo", arguments))
    assert (reply.status, reply.body.decode()) == (status, f'Error "{text}"')


# --- REST -------------------------------------------------------------------------------------


def test_rest_names_may_have_underscores() -> None:
    tlvs: list[object] = []
    members = {
        "to": "1",
        "hex_content": "0",
        "dlr_url": "http://h/",
        "custom_tlvs": tlvs,
        "x": None,
    }
    assert jasmin_rest.to_arguments(members, "u", "p") == {
        "to": "1",
        "hex-content": "0",
        "dlr-url": "http://h/",
        "custom_tlvs": [],
        "username": "u",
        "password": "p",
    }


def test_rest_strips_quotes_as_the_original_does() -> None:
    sent = jasmin_rest.to_reply(jasmin.sent_result(Admitted(ID), "demo", {}))
    assert json_of(sent) == {"data": f'Success "{uuid_of(ID)}'}
    error = jasmin_rest.to_reply(jasmin.error_result(Refusal(412, "No route found")))
    assert (error.status, json_of(error)) == (412, {"message": 'Error "No route found'})
    balance = jasmin_rest.to_reply(jasmin.balance_result(None))
    assert json_of(balance) == {"data": {"balance": "ND", "sms_count": "ND"}}
    refused = jasmin_rest.to_reply(jasmin.json_error_result(Refusal(403, "no")))
    assert json_of(refused) == {"message": "no"}


def batch(members: dict[str, object], **changes: Any) -> jasmin_rest.BatchOrder | Any:
    facts: dict[str, Any] = {"now_ms": NOW_MS, "time_zone": "UTC", "max_messages": 3} | changes
    return jasmin_rest.parse_batch(members, "u", "p", **facts)


def test_a_batch_is_laid_out() -> None:
    order = batch(
        {
            "globals": {"from": "Shop", "dlr_level": 2},
            "messages": [
                {"to": ["1", 2], "content": "a"},
                {"to": "3", "hex_content": "00", "from": "Own"},
                {"content": "nobody"},
                {"to": "4"},
                "x",
                None,
            ],
            "batch_config": {"callback_url": "http://h/", "schedule_at": "60s"},
        }
    )
    known: Arguments = {"username": "u", "password": "p", "dlr-level": 2}
    assert order == jasmin_rest.BatchOrder(
        [
            {"from": "Shop", "to": "1", "content": "a", **known},
            {"from": "Shop", "to": 2, "content": "a", **known},
            {"from": "Own", "to": "3", "hex-content": "00", **known},
        ],
        delay_s=60,
        callback_url="http://h/",
    )


@pytest.mark.parametrize(
    ("members", "title"),
    [
        ({"messages": {"a": 1}}, "Cannot parse JSON data"),
        ({"globals": [1]}, "Cannot parse JSON data"),
        ({"batch_config": "x"}, "Cannot parse JSON data"),
        ({"messages": [{"to": ["1"] * 4, "content": "a"}]}, "Too many messages"),
        ({"batch_config": {"schedule_at": "soon"}}, "Cannot parse scheduled_at value"),
        ({"batch_config": {"schedule_at": {}}}, "Cannot parse scheduled_at value"),
        ({"batch_config": {"schedule_at": "99999999s"}}, "Cannot schedule batch so far ahead"),
        (
            {"batch_config": {"schedule_at": "2020-01-01 00:00:00"}},
            "Cannot schedule batch in past date",
        ),
    ],
)
def test_a_batch_that_cannot_be(members: dict[str, object], title: str) -> None:
    found = batch({"messages": [{"to": "1", "content": "a"}]} | members)
    assert isinstance(found, jasmin_rest.Precondition)
    assert (found.status, found.title) == (412, title)


def test_a_schedule_is_in_the_time_zone_of_the_account() -> None:
    text = "2025-11-24 18:00:00"  # NOW_MS is 16:00 UTC
    assert jasmin_rest.parse_schedule_at(text, NOW_MS, "UTC") == 7200
    assert jasmin_rest.parse_schedule_at(text, NOW_MS, "Europe/Zurich") == 3600


def test_the_answer_to_a_batch() -> None:
    assert json_of(jasmin_rest.batch_reply(ID, 3, 0)) == {
        "data": {"batchId": uuid_of(ID), "messageCount": 3}
    }
    assert json_of(jasmin_rest.batch_reply(ID, 3, 60))["data"]["scheduled"] == "60s"


@pytest.mark.parametrize("body", [b"", b"x", b"[]", b'"{}"', b"{" * 3000])
def test_rest_json_that_is_none(body: bytes) -> None:
    found = jasmin_rest.parse_members(body)
    assert isinstance(found, jasmin_rest.Precondition)
    assert json_of(jasmin_rest.precondition_reply(found))["title"] == "Cannot parse JSON data"


@pytest.mark.parametrize(
    ("status", "http"),
    [
        (Status.ESME_RINVPASWD, 403),
        (Status.ESME_RBINDFAIL, 403),
        (Vendor.SMSC_ACCOUNT_CLOSED, 403),
        (Vendor.SMSC_UNAVAILABLE, 500),
    ],
)
def test_who_may_not(status: int, http: int) -> None:
    assert jasmin.refused_login(Refused(status, "why"), "demo").status == http
