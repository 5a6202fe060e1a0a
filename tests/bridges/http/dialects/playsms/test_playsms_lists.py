"""Lists of playSMS web services: what is asked for, and rows."""

import datetime as dt

import pytest

from bridges.http.dialects.base import Content, text_content, to_body
from bridges.http.dialects.playsms import lists
from bridges.http.dialects.playsms.parameters import Parameters
from smsc.message import AccountId, Message, MessageId, OutletName, Progress, State
from smsc.ports import Contact, InboxKind, MessageReport, Received

NOW_MS = 1_700_000_000_000


def report(state: State, text: str = 'say "hi"') -> MessageReport:
    content = text_content(text)
    assert isinstance(content, Content)
    body = to_body("Shop", "+41791234567", content)
    assert isinstance(body, bytes)
    message = Message(
        id=MessageId(7), account=AccountId("me"), source="", accepted_ms=NOW_MS, due_ms=0,
        expires_ms=0, priority=0, registered_delivery=0, callback_url=None, batch=None,
        reference=None, tags=(), body=body,
    )  # fmt: skip
    return MessageReport(message, Progress(state, OutletName("sim"), done_ms=0))


def test_every_state_has_a_status() -> None:
    shown = {one: lists.outgoing_row(report(one), dt.UTC)["status"] for one in State}
    assert shown == {
        State.SCHEDULED: "0", State.QUEUED: "0", State.ENROUTE: "1", State.HELD: "1",
        State.ACCEPTED: "1", State.DELIVERED: "3", State.EXPIRED: "2", State.DELETED: "2",
        State.UNDELIVERABLE: "2", State.UNKNOWN: "2", State.REJECTED: "2",
    }  # fmt: skip


def test_an_outgoing_row() -> None:
    assert lists.outgoing_row(report(State.ENROUTE), dt.UTC) == {
        "smslog_id": "7", "src": "Shop", "dst": "+41791234567", "msg": "say 'hi'",
        "dt": "2023-11-14 22:13:20", "update": "", "status": "1",
    }  # fmt: skip
    assert lists.is_waiting([report(State.DELIVERED), report(State.SCHEDULED)])
    assert not lists.is_waiting([report(State.DELIVERED), report(State.REJECTED)])


@pytest.mark.parametrize(
    ("written", "ending"),
    [
        ("", ""),
        ("0791234567", "791234567"),
        ("+41791234567", "791234567"),
        ("41 79 123 45 67", "91234567"),
        ("1234", "1234"),
        ("Shop", "Shop"),
    ],
)
def test_numbers_are_compared_by_their_ends(written: str, ending: str) -> None:
    wanted = lists.parse_filter(Parameters({"src": written, "dst": written}), 1000)
    assert wanted is not None
    assert (wanted.source, wanted.destination) == (ending, ending)


def test_what_is_asked_for() -> None:
    wanted = lists.parse_filter(Parameters({"c": "5000", "last": "6", "dt": "2023-11"}), 1000)
    assert wanted is not None
    assert (wanted.count, wanted.above) == (1000, 6)
    row = lists.outgoing_row(report(State.QUEUED), dt.UTC)
    assert lists.fits(wanted, row)
    later = lists.parse_filter(Parameters({"last": "7"}), 1000)
    assert later is not None
    assert not lists.fits(later, row)
    plain = lists.parse_filter(Parameters({"c": "0"}), 1000)
    assert plain is not None
    assert (plain.count, plain.above) == (lists.ROWS, None)
    for wrong in ({"c": "x"}, {"last": "-1"}, {"c": "1" * 20}, {"c": "٣"}):
        assert lists.parse_filter(Parameters(wrong), 1000) is None


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("IDOL A vote", "A vote"),
        ("  idol   A", "A"),
        ("Idol", ""),
        ("IDOL\nA", "A"),
        ("other text", "other text"),
    ],
)
def test_an_incoming_text_stands_without_its_keyword(text: str, shown: str) -> None:
    one = Received(
        id=MessageId(1), account=AccountId("me"), kind=InboxKind.KEYWORD, source="417", text=text,
        destination="1234", keyword="idol", received_ms=NOW_MS,
    )  # fmt: skip
    row = lists.incoming_row(one, dt.UTC)
    assert (row["kwd"], row["msg"], row["status"]) == ("IDOL", shown, "1")
    assert lists.received_row(one, dt.UTC)["msg"] == text


def test_a_contact_without_a_group() -> None:
    row = lists.contact_row(Contact(id=1, name="A", number="1", groups=("GONE",)), {})
    assert (row["gpid"], row["group_name"], row["code"]) == ("", "", "")
