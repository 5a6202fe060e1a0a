"""NetOxygen: calls to drafts, states to codes, without a gateway."""

import datetime as dt
from decimal import Decimal
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bridges.http.dialects import netoxygen, netoxygen_codes
from bridges.http.dialects.base import Content, read_body, text_content, to_body
from bridges.http.dialects.netoxygen import Asked, NetoxygenConfig, Order, Reading
from bridges.http.dialects.senders import readable_sender
from bridges.http.dialects.xmlrpc import Argument, Fault, MethodCall
from pdu.status import Status, Vendor
from pdu.text.alphabet import MessageClass, message_class
from smsc.config_errors import SettingError
from smsc.message import (
    NEW_BATCH,
    AccountId,
    Draft,
    Message,
    MessageId,
    OutletName,
    Progress,
    State,
)
from smsc.ports import Admitted, MessageReport, Refused

CONFIG = NetoxygenConfig()
READING = Reading.of(CONFIG)
ZURICH = ZoneInfo("Europe/Zurich")
NOW_MS = 1_790_000_000_000  # 2026-09-21


def ms(text: str) -> int:
    return int(dt.datetime.fromisoformat(text).timestamp() * 1000)


def asked_of(*params: Argument) -> Asked:
    asked = netoxygen.parse_asked(MethodCall("send_message", ["u", "p", *params]), CONFIG)
    assert isinstance(asked, Asked)
    return asked


def order_of(*params: Argument, sender: str = "Shop") -> Order:
    return netoxygen.parse_order(asked_of(*params), AccountId("u"), sender, READING, NOW_MS)


def one(*params: Argument) -> Draft:
    ((_, draft),) = order_of(*params).items
    assert isinstance(draft, Draft)
    return draft


# --- calls --------------------------------------------------------------------------------------


@pytest.mark.parametrize("method", netoxygen.METHODS)
def test_how_many_parameters(method: str) -> None:
    least, most = netoxygen.METHODS[method]
    for count in range(9):
        found = netoxygen.parse_asked(MethodCall(method, ["x"] * count), CONFIG)
        assert isinstance(found, Asked) is (least <= count <= most)
        assert isinstance(found, Asked) or found.code == -32602


def test_strings_and_arrays_of_them() -> None:
    assert asked_of("1", "text").items == ("1",)
    assert asked_of(["1", "2"], "text").items == ("1", "2")
    for params in (
        [["u"], "p", "1", "x"],
        ["u", {"p": "p"}, "1", "x"],
        ["u", "p", {"1": "2"}, "x"],
        ["u", "p", [["1"]], "x"],
        ["u", "p", "1", ["x"]],
        ["u", "p", ["1"] * 1001, "x"],
    ):
        found = netoxygen.parse_asked(MethodCall("send_message", params), CONFIG)  # type: ignore[arg-type]
        assert isinstance(found, Fault)
    found = netoxygen.parse_asked(MethodCall("clean_number", ["u", "p", ["1"]]), CONFIG)
    assert isinstance(found, Fault)


# --- send_message -------------------------------------------------------------------------------


def test_a_draft() -> None:
    draft = one("079 222 33 44", "Grüezi")
    assert (draft.account, draft.source, draft.due_ms, draft.batch) == ("u", "netoxygen", 0, None)
    spoken = read_body(draft.body)
    assert (spoken.source, spoken.destination, spoken.text()) == ("Shop", "41792223344", "Grüezi")
    assert one(["0792223344"], "x").batch is None
    assert [item[1].batch for item in order_of(["12345", "0792223344"], "x").items] == [  # type: ignore[union-attr]
        NEW_BATCH,
        NEW_BATCH,
    ]


@pytest.mark.parametrize(
    ("kind", "flash"),
    [("", False), ("text", False), ("flash", True), (" Flash ", True), ("x", False)],
)
def test_flash(kind: str, flash: bool) -> None:
    body = one("0792223344", "x", "", "", kind).body
    found = message_class(read_body(body).data_coding)
    assert (found is MessageClass.FLASH) is flash


@pytest.mark.parametrize(
    ("date", "due"),
    [
        ("2026-12-06 20:05:00", "2026-12-06T20:05:00+01:00"),
        ("2027-07-06 20:05:00", "2027-07-06T20:05:00+02:00"),
        (" 2026-12-06 20:05 ", "2026-12-06T20:05:00+01:00"),
        ("20261206T20:05:00", "2026-12-06T20:05:00+01:00"),
        ("2026-12-06T20:05:00Z", "2026-12-06T20:05:00+00:00"),
        ("2026-12-06", "2026-12-06T00:00:00+01:00"),
        ("2026-10-25 02:30:00", "2026-10-25T02:30:00+02:00"),  # twice: the first one
        ("2027-03-28 02:30:00", "2027-03-28T02:30:00+01:00"),  # never: as if there were no jump
        ("2006-12-06 20:05:00", None),
        ("", None),
        ("text", None),
        ("0000-00-00 00:00:00", None),
        ("2026-13-01 00:00:00", None),
        ("9" * 5000, None),
        ("0001-01-01 00:00:00", None),
    ],
)
def test_dates_are_of_zurich(date: str, due: str | None) -> None:
    assert netoxygen.parse_date(date, ZURICH, NOW_MS) == (ms(due) if due else 0)


@pytest.mark.parametrize(
    ("params", "code"),
    [
        (("", "x"), 5),
        (("abc", "x"), 5),
        (("079x2223344", "x"), 5),
        (("+4179222334455667788", "x"), 5),
        (("0792223344", ""), 7),
        (("0792223344", "a" * (153 * 255 + 1)), 8),
        (("0792223344", "x", "", "2031-01-01 00:00:00"), 4),
        (("0792223344", "x", "", "9999-12-31 23:59:59"), 4),
    ],
)
def test_an_error_code_instead_of_a_draft(params: tuple[str, ...], code: int) -> None:
    order = order_of(*params)
    assert order.drafts() == []
    assert order.rows([]) == [[params[0], 0, code]]


def test_a_sender_that_is_none() -> None:
    assert order_of("0792223344", "x", sender="longer than eleven").rows([]) == [
        ["0792223344", 0, 6]
    ]


@pytest.mark.parametrize(
    ("wish", "sender"),
    [
        ("", ""),
        ("Shop", "Shop"),
        ("12345", "12345"),
        ("079 222 33 44", "+41792223344"),
        ("+352691123456", "+352691123456"),
        ("2026-12-06 20:05:00", ""),
        ("longer than eleven", ""),
        ("Привет", ""),
        ("\x00", ""),
    ],
)
def test_a_sender_as_smpp_has_it(wish: str, sender: str) -> None:
    assert readable_sender(wish, READING.numbers) == sender


def test_whose_sender() -> None:
    assert netoxygen.choose_sender("Wish", "Own", CONFIG) == "Wish"
    assert netoxygen.choose_sender("", "Own", CONFIG) == "Own"
    assert netoxygen.choose_sender("", "", CONFIG) == "textobox.ch"


def test_rows_are_in_the_order_of_the_recipients() -> None:
    order = order_of(["x", "0792223344", "y", "0792223345"], "text")
    refused = Refused(Status.ESME_RTHROTTLED, "too fast")
    assert order.rows([Admitted(MessageId(1 << 62)), refused]) == [
        ["x", 0, 5],
        ["0792223344", 1, str(1 << 62)],
        ["y", 0, 5],
        ["0792223345", 0, 2],
    ]


@pytest.mark.parametrize(
    ("status", "code"),
    [
        (Status.ESME_RINVDSTADR, 3),
        (Status.ESME_RINVSRCADR, 6),
        (Status.ESME_RINVMSGLEN, 8),
        (Status.ESME_RTHROTTLED, 2),
        (Status.ESME_RMSGQFUL, 2),
        (Status.ESME_RSYSERR, 2),
        (Vendor.SMSC_NO_CREDIT, 3),
        (Vendor.SMSC_ACCOUNT_CLOSED, 3),
    ],
)
def test_what_intake_refuses(status: int, code: int) -> None:
    assert netoxygen_codes.refusal_code(Refused(status, "")) == code


@pytest.mark.parametrize(
    ("status", "passing"),
    [
        (Status.ESME_RINVPASWD, False),
        (Vendor.SMSC_ACCOUNT_CLOSED, False),
        (Vendor.SMSC_UNAVAILABLE, True),
    ],
)
def test_who_cannot_be_known_for_now(status: int, passing: bool) -> None:
    refused = Refused(status, "no account 'bob'")
    assert netoxygen_codes.is_passing(refused) is passing
    assert netoxygen.login_fault(refused).code == -32500
    assert "bob" not in netoxygen.login_fault(refused).why


# --- questions ----------------------------------------------------------------------------------


def test_credits() -> None:
    assert netoxygen.credits_left(None, CONFIG) == 999_999
    assert netoxygen.credits_left({}, CONFIG) == 0
    balances = {"a": Decimal("1.75"), "b": Decimal("2.5")}
    assert netoxygen.credits_left(balances, CONFIG) == 4


def test_account_status() -> None:
    config = NetoxygenConfig(free_accounts=("trial",))
    assert netoxygen.account_status("trial", config) == "free"
    assert netoxygen.account_status("demo", config) == "regular"


@pytest.mark.parametrize(
    ("text", "id_"),
    [
        ("1", 1),
        (" 17 ", 17),
        (str((1 << 63) - 1), (1 << 63) - 1),
        (str(1 << 63), None),
        ("", None),
        ("-1", None),
        ("1.0", None),
        ("²", None),
        ("9" * 20, None),
    ],
)
def test_identifiers(text: str, id_: int | None) -> None:
    assert netoxygen.parse_id(text) == id_


def report(state: State, outlet: str = "", error: int = 0, done_ms: int = 0) -> MessageReport:
    content = text_content("Grüezi €")
    assert isinstance(content, Content)
    body = to_body("Shop", "+41792223344", content)
    assert isinstance(body, bytes)
    message = Message(
        MessageId(1), AccountId("u"), "netoxygen", NOW_MS, 0, 0, 0, 0, None, None, None, (), body
    )
    return MessageReport(message, Progress(state, OutletName(outlet), done_ms=done_ms, error=error))


LATER = NOW_MS + 60_000


@pytest.mark.parametrize(
    ("found", "error", "status"),
    [
        (report(State.SCHEDULED), 9, 9),
        (report(State.QUEUED), 1, 8),
        (report(State.ENROUTE), 1, 3),
        (report(State.HELD), 1, 3),
        (report(State.ACCEPTED), 1, 2),
        (report(State.DELIVERED), 1, 1),
        (report(State.EXPIRED), 3, 6),
        (report(State.UNDELIVERABLE), 3, 5),
        (report(State.REJECTED), 4, 4),
        (report(State.REJECTED, error=Status.ESME_RINVDSTADR), 5, 4),
        (report(State.REJECTED, error=Status.ESME_RINVSRCADR), 6, 4),
        (report(State.DELETED, outlet="sim", done_ms=LATER), 3, 5),
        (report(State.DELETED, done_ms=NOW_MS), 3, 5),
        (report(State.DELETED, done_ms=LATER), 10, 6),
        (report(State.UNKNOWN), 2, 7),
    ],
)
def test_states(found: MessageReport, error: int, status: int) -> None:
    assert netoxygen_codes.codes_of(found.message, found.progress) == (error, status)


def test_every_state_and_code_has_words() -> None:
    for state in State:
        error, status = netoxygen_codes.codes_of(report(state).message, report(state).progress)
        assert netoxygen_codes.ERRORS[error]
        assert netoxygen_codes.STATUSES[status]
    assert list(netoxygen_codes.ERRORS) == list(range(1, 11))
    assert list(netoxygen_codes.STATUSES) == list(range(1, 10))


def test_a_row_of_get_status() -> None:
    found = report(State.DELIVERED, "sim", done_ms=LATER)
    assert netoxygen.status_row("1", found, READING) == [
        "1",
        {
            "from": "Shop",
            "to": "41792223344",
            "length": 8,
            "sent_date": "2026-09-21 16:13:20",
            "sent_status": 1,
            "sent_status_text": "OK",
            "last_date": "2026-09-21 16:14:20",
            "last_status": 1,
            "last_status_text": "Delivered to the recipient device",
        },
    ]
    found.message.due_ms = LATER + 60_000
    row: Any = netoxygen.status_row("1", found, READING)
    assert row[1]["sent_date"] == "2026-09-21 16:15:20"
    assert netoxygen.status_row("x", None, READING) == ["x", False]


@pytest.mark.parametrize("value", ["", "x", "../../etc/passwd", "Europe", 7, None])
def test_a_time_zone_that_is_none(value: object) -> None:
    with pytest.raises(SettingError):
        netoxygen._parse_zone(value)


@given(st.lists(st.text(max_size=30), min_size=2, max_size=5))
def test_any_arguments_are_judged(params: list[str]) -> None:
    order = netoxygen.parse_order(asked_of(*params), AccountId("u"), "Shop", READING, NOW_MS)
    assert len(order.items) == 1
