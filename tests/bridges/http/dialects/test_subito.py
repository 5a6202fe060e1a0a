"""SubitoSMS as pure tables: its JSON in, drafts; answers of the gateway in, its JSON out."""

from decimal import Decimal
from typing import Any

import attrs
import orjson
import pytest

from bridges.http.dialects import subito, subito_status
from bridges.http.dialects.base import Invalid, Reply, read_body
from bridges.http.dialects.numbers import NumberReader
from pdu.codec import peek_submit_sm
from pdu.status import Status, Vendor
from smsc.flow.throttle import parts_of
from smsc.message import NEW_BATCH, AccountId, Message, MessageId, OutletName, Progress, State
from smsc.ports import Admission, Admitted, Foreseen, MessageReport, Price, Refused

DEMO = AccountId("demo")
CONFIG = subito.SubitoConfig()
NUMBERS = NumberReader(CONFIG.region)
AUTH = b'"auth":{"username":"mickey","password":"foobar"}'
ONE = {"sender": "SubitoSMS", "dest": "+39335123456", "text": "Hello message"}
SAMPLE = b"""{
"auth":[{
"username":"mickey",
"password":"foobar"}
],
"data":[
{
"sender":"SubitoSMS",
"dest":"+39335123456",
"text":"Hello message",
},
{
"sender":"SubitoSMS",
"dest":"+393356359515",
"text":"Hello message",
}]}"""
"""As the document prints it, commas too many included."""


def order_of(data: object) -> subito.Order:
    order = subito.parse_order(data, DEMO, CONFIG, NUMBERS)
    assert isinstance(order, subito.Order), order
    return order


def json_of(reply: Reply) -> Any:
    assert reply.media_type == "application/json"
    return orjson.loads(reply.body)


def fault_of(found: object) -> tuple[int, str]:
    assert isinstance(found, subito.Fault), found
    return found.code, found.message


# --- the frame --------------------------------------------------------------------------------


def test_the_sample_of_the_document_is_read() -> None:
    asked = subito.parse_request(SAMPLE)
    assert isinstance(asked, subito.Asked)
    assert (asked.username, asked.password) == ("mickey", "foobar")
    first, second = order_of(asked.data).drafts()
    peeks = [peek_submit_sm(one.body) for one in (first, second)]
    assert [peek.destination_addr for peek in peeks] == ["39335123456", "393356359515"]
    assert [peek.source_addr for peek in peeks] == ["SubitoSMS"] * 2
    assert first.source == "subito"
    assert first.batch == second.batch == NEW_BATCH
    assert read_body(first.body).text() == "Hello message"


@pytest.mark.parametrize(
    ("body", "code"),
    [
        (b"", 1),
        (b"not json", 1),
        (b"[]", 1),
        (b"7", 1),
        (b"{}", 1),
        (b'{"data":[]}', 1),
        (b'{"auth":null,"data":[]}', 1),
        (b'{"auth":"mickey","data":[]}', 1),
        (b'{"auth":[],"data":[]}', 1),
        (b'{"auth":[{},{}],"data":[]}', 1),
        (b'{"auth":{"username":"m\xe9"}}', 1),
        (b"auth=mickey&data=", 1),
        (b'{"auth":{},"data":[]}', 2),
        (b'{"auth":{"password":"x"}}', 2),
        (b'{"auth":{"username":"","password":"x"}}', 2),
        (b'{"auth":{"username":null,"password":"x"}}', 2),
        (b'{"auth":{"username":["m"],"password":"x"}}', 2),
        (b'{"auth":{"username":true,"password":"x"}}', 2),
        (b'{"auth":{"username":"m"}}', 3),
        (b'{"auth":{"username":"m","password":""}}', 3),
        (b'{"auth":{"username":"m","password":{}}}', 3),
    ],
)
def test_faults_of_the_frame(body: bytes, code: int) -> None:
    sentences = {1: "Syntax error", 2: "Username is undefined", 3: "Password is undefined"}
    assert fault_of(subito.parse_request(body)) == (code, sentences[code])


def test_a_name_of_digits_may_come_as_a_number() -> None:
    asked = subito.parse_request(b'{"auth":{"username":7,"password":1234}}')
    assert isinstance(asked, subito.Asked)
    assert (asked.username, asked.password, asked.data) == ("7", "1234", None)


def test_a_password_is_not_shown() -> None:
    assert "foobar" not in repr(subito.parse_request(b"{" + AUTH + b"}"))


@pytest.mark.parametrize(
    ("query", "action"),
    [
        ("action=send", "send"),
        ("x=1&action=status&action=send", "status"),
        ("action=", ""),
        ("", ""),
        ("action=se%6Ed", "send"),
    ],
)
def test_the_action_stands_in_the_query(query: str, action: str) -> None:
    assert subito.parse_action(query) == action


@pytest.mark.parametrize("action", ["", "Send", "delete", "a" * 1000, "<b>\r\n"])
def test_an_unknown_action_is_fault_7(action: str) -> None:
    assert fault_of(subito.check_action(action)) == (7, f"Action {action[:40]} is not defined")


def test_the_known_actions_are_no_fault() -> None:
    assert [subito.check_action(action) for action in subito.ACTIONS] == [None] * 3


# --- send -------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "data", [ONE, [ONE], {"0": ONE}, {"3": ONE}], ids=["object", "array", "php 0", "php 3"]
)
def test_the_shapes_of_data(data: object) -> None:
    assert len(order_of(data).drafts()) == 1


@pytest.mark.parametrize(
    ("member", "value"),
    [
        ("sender", None),
        ("sender", "TWELVE CHARS"),
        ("sender", "日本"),
        ("sender", ["x"]),
        ("sender", "a\0b"),
        ("dest", None),
        ("dest", ""),
        ("dest", "nobody"),
        ("dest", "+39335' OR 1=1"),
        ("dest", "3" * 30),
        ("dest", {"number": "39335"}),
        ("dest", 3.5),
        ("text", None),
        ("text", ""),
        ("text", True),
        ("text", "a" * 613),
        ("text", "é€" * 67 * 4),
        ("text", "a" * 200_000),
        ("text", [[[[]]]]),
    ],
)
def test_a_bad_message_alone_is_a_syntax_error(member: str, value: object) -> None:
    found = subito.parse_order([ONE | {member: value}], DEMO, CONFIG, NUMBERS)
    assert fault_of(found) == (1, "Syntax error")
    assert isinstance(found, subito.Fault)
    assert found.detail.startswith(f"{member}: ")


@pytest.mark.parametrize("member", ["sender", "dest", "text"])
def test_every_member_is_required(member: str) -> None:
    less = {name: value for name, value in ONE.items() if name != member}
    assert fault_of(subito.parse_order(less, DEMO, CONFIG, NUMBERS)) == (1, "Syntax error")


@pytest.mark.parametrize("data", [None, [], {}, "x", 7, [[]], ["x"], [None], [ONE] * 1001])
def test_data_without_messages_or_with_too_many(data: object) -> None:
    assert fault_of(subito.parse_order(data, DEMO, CONFIG, NUMBERS)) == (1, "Syntax error")


@pytest.mark.parametrize(
    ("text", "parts"), [("a" * 160, 1), ("a" * 161, 2), ("a" * 612, 4), ("я" * 268, 4)]
)
def test_a_text_may_have_four_parts(text: str, parts: int) -> None:
    (one,) = order_of(ONE | {"text": text}).drafts()
    assert parts_of(one.body, peek_submit_sm(one.body)) == parts


@pytest.mark.parametrize(
    ("dest", "number"),
    [
        ("+39335123456", "39335123456"),
        ("3351234567", "393351234567"),
        ("335 123-4567", "393351234567"),
        ("0041 79 123 45 67", "41791234567"),
        ("393351234567", "393351234567"),
        ("3931234567", "393931234567"),
        ("12345", "12345"),
        (3351234567, "393351234567"),
    ],
)
def test_a_national_number_gets_the_country_code(dest: object, number: str) -> None:
    (one,) = order_of(ONE | {"dest": dest}).drafts()
    assert peek_submit_sm(one.body).destination_addr == number


def test_a_sender_may_be_a_number() -> None:
    (one,) = order_of(ONE | {"sender": "3351234567"}).drafts()
    peek = peek_submit_sm(one.body)
    assert (peek.source_addr, peek.source_addr_ton) == ("393351234567", 1)


def test_in_a_bulk_the_good_ones_go() -> None:
    order = order_of([ONE, ONE | {"dest": "nobody"}, ONE])
    assert [isinstance(item, Invalid) for item in order.items] == [False, True, False]
    reply = subito.sent_reply(
        order, [Refused(Status.ESME_RINVDSTADR, "no route"), Admitted(MessageId(12293682))]
    )
    data = json_of(reply)["data"]
    assert data["id"] == "12293682"
    assert [one["message"] for one in data["refused"]] == [0, 1]
    assert data["refused"][0]["why"] == "no route"


def test_the_answer_is_one_id_for_all() -> None:
    reply = subito.sent_reply(
        order_of([ONE, ONE]), [Admitted(MessageId(7)), Admitted(MessageId(8))]
    )
    assert reply.status == 200
    assert reply.body == b'{"data":{"id":"7"}}'


@pytest.mark.parametrize(
    ("admissions", "http", "code"),
    [
        ([Refused(Vendor.SMSC_NO_CREDIT, "no credit")], 200, 5),
        ([Refused(Status.ESME_RINVDSTADR, "no route"), Refused(Vendor.SMSC_NO_CREDIT, "")], 200, 5),
        ([Refused(Vendor.SMSC_ACCOUNT_CLOSED, "closed")], 200, 4),
        ([Refused(Status.ESME_RINVDSTADR, "no route")], 200, 1),
        ([Refused(Status.ESME_RINVSRCADR, "not his sender")], 200, 1),
        ([Refused(Status.ESME_RTHROTTLED, "over the rate")], 429, -100),
        ([Refused(Status.ESME_RMSGQFUL, "full")], 503, -100),
        ([Refused(Status.ESME_RSYSERR, "stopping")], 500, -100),
    ],
)
def test_a_refusal_of_all_is_an_error(admissions: list[Admission], http: int, code: int) -> None:
    reply = subito.sent_reply(order_of([ONE] * len(admissions)), admissions)
    assert reply.status == http
    assert json_of(reply)["error"]["code"] == code


@pytest.mark.parametrize(
    ("balances", "code"),
    [
        (None, None),
        ({"domestic": Decimal(3)}, None),
        ({"domestic": Decimal("2.99")}, 5),
        ({"foreign": Decimal(100)}, 5),
        ({}, 5),
    ],
)
def test_credit_is_judged_for_the_whole_request(
    balances: dict[str, Decimal] | None, code: int | None
) -> None:
    dropped = attrs.evolve(foreseen("domestic", 100), outlets=())
    no_route = Refused(Status.ESME_RINVDSTADR, "no route")
    bulk: list[Foreseen | Refused] = [
        foreseen("domestic", 2),
        no_route,
        foreseen("domestic", 1),
        dropped,
    ]
    fault = subito.check_credit(bulk, balances)
    assert (fault.code if fault else None) == code


def foreseen(credit_class: str, parts: int) -> Foreseen:
    """A message of that many parts, at 1 each, that would go."""
    price = Price(credit_class, Decimal(1), parts)
    return Foreseen(
        source="Shop",
        destination="39335123456",
        body=b"",
        parts=parts,
        price=price,
        outlets=("sim",),
        due_ms=0,
        expires_ms=0,
    )


# --- status -----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("data", "ids"),
    [
        ([{"id": 12293682}, {"id": 12279076}], [12293682, 12279076]),
        ({"id": 7}, [7]),
        ({"id": "7"}, [7]),
        ({"data": {"id": 7}}, [7]),
        ({"data": [{"id": 7}, {"id": 8}]}, [7, 8]),
        ({"id": [7, 8]}, [7, 8]),
        ({"0": {"id": 7}, "1": {"id": 8}}, [7, 8]),
        ([{"id": "x7"}], ["x7"]),
        ([{"id": -7}], [-7]),
        ([{"id": "9" * 40}], ["9" * 40]),
        ([{"id": "٣"}], ["٣"]),
    ],
)
def test_the_shapes_of_ids(data: object, ids: list[object]) -> None:
    assert subito_status.parse_ids(data, CONFIG) == ids


@pytest.mark.parametrize(
    "data",
    [
        None,
        [],
        {},
        "7",
        7,
        [7],
        [{}],
        [{"id": None}],
        [{"id": ""}],
        [{"id": True}],
        [{"id": 1.5}],
        [{"id": {}}],
        [{"id": [[]]}],
        {"id": []},
        [{"id": 7}, {"code": 8}],
        {"data": {}},
    ],
)
def test_a_status_without_id_is_fault_6(data: object) -> None:
    want = (6, "Action status requires a id to be set")
    assert fault_of(subito_status.parse_ids(data, CONFIG)) == want


def test_too_many_ids_are_a_syntax_error() -> None:
    assert fault_of(subito_status.parse_ids([{"id": 7}] * 1001, CONFIG)) == (1, "Syntax error")


@pytest.mark.parametrize(
    ("id_", "batch"), [(7, 7), (0, None), (-7, None), (1 << 63, None), ("x", None)]
)
def test_what_never_was_an_id_is_not_looked_up(id_: int | str, batch: int | None) -> None:
    assert subito_status.batch_of(id_) == batch


def report(state: State, **progress: Any) -> MessageReport:
    (one,) = order_of(ONE).drafts()
    message = Message(
        id=MessageId(1803322),
        account=DEMO,
        source="subito",
        accepted_ms=1000,
        due_ms=0,
        expires_ms=0,
        priority=0,
        registered_delivery=0,
        callback_url=None,
        batch=1803322,
        reference=None,
        tags=(),
        body=one.body,
    )
    return MessageReport(message, Progress(state, **({"outlet": OutletName("sim")} | progress)))


@pytest.mark.parametrize(
    ("one", "status"),
    [
        (report(State.QUEUED, outlet=OutletName("")), 0),
        (report(State.QUEUED, attempt=1), 4),
        (report(State.SCHEDULED), 0),
        (report(State.ENROUTE), 8),
        (report(State.HELD), 8),
        (report(State.ACCEPTED), 8),
        (report(State.DELIVERED), 1),
        (report(State.EXPIRED), 2),
        (report(State.UNDELIVERABLE), 2),
        (report(State.DELETED), 2),
        (report(State.DELETED, outlet=OutletName(""), done_ms=1000), -50),
        (report(State.DELETED, outlet=OutletName(""), done_ms=2000), -2),
        (report(State.REJECTED), 16),
        (report(State.UNKNOWN), -100),
    ],
)
def test_every_state_has_a_status(one: MessageReport, status: int) -> None:
    assert subito_status.status_of(one.message, one.progress) == status


def test_no_state_is_forgotten() -> None:
    for state in State:
        one = report(state)
        assert isinstance(subito_status.status_of(one.message, one.progress), int)


def test_the_answer_to_status_is_an_array_of_groups() -> None:
    reply = subito_status.status_reply([(12293682, [report(State.DELIVERED)]), (7, []), ("x", [])])
    assert json_of(reply) == [
        {
            "id": 12293682,
            "messages": [
                {
                    "sender": "SubitoSMS",
                    "dest": "+39335123456",
                    "text": "Hello message",
                    "status": "1",
                    "code": 1803322,
                }
            ],
        },
        {"id": 7, "messages": []},
        {"id": "x", "messages": []},
    ]


# --- credit and failures ----------------------------------------------------------------------


def test_credit_is_told_by_class_in_quotes() -> None:
    balances = {
        "domestic": Decimal("4021.9"),
        "foreign": Decimal(91),
        "low-cost": Decimal(90),
    }
    assert json_of(subito.credit_reply(balances, 12, CONFIG)) == {
        "data": {
            "Italy": "4021",
            "Foreign": "91",
            "ItalyLow": "90",
            "AddressBooks": "12",
            "Polls": "0",
            "Credit": None,
        }
    }


@pytest.mark.parametrize(
    ("balances", "italy"),
    [(None, "999999"), ({"": Decimal(5)}, "5"), ({"foreign": Decimal(5)}, "0"), ({}, "0")],
)
def test_credit_without_that_class(balances: dict[str, Decimal] | None, italy: str) -> None:
    assert json_of(subito.credit_reply(balances, 0, CONFIG))["data"]["Italy"] == italy


@pytest.mark.parametrize(("status", "code"), [(413, 1), (408, 1), (500, -100), (503, -100)])
def test_what_has_no_code_of_its_own(status: int, code: int) -> None:
    reply = subito.fault_reply(subito.failure(status, "why"))
    assert (reply.status, json_of(reply)["error"]["code"]) == (status, code)


@pytest.mark.parametrize(
    ("status", "code"),
    [
        (Status.ESME_RINVPASWD, 4),
        (Status.ESME_RINVSYSID, 4),
        (Status.ESME_RBINDFAIL, 4),
        (Vendor.SMSC_ACCOUNT_CLOSED, 4),
        (Vendor.SMSC_UNAVAILABLE, -100),
    ],
)
def test_who_may_not(status: int, code: int) -> None:
    assert subito.refused_login(Refused(status, "why")).code == code
