"""The native API as pure tables: JSON in, drafts; answers of the gateway in, JSON out."""

import orjson
import pytest

from bridges.http.dialects import rest, rest_problem, rest_quick, rest_replies
from bridges.http.dialects.base import Reply
from pdu.codec import peek_submit_sm
from pdu.status import Status
from smsc.message import AccountId, Draft, Message, MessageId, OutletName, Progress, State
from smsc.ports import Admission, Admitted, Health, MessageReport, Refused

NOW_MS = 1_764_000_000_000
DEMO = AccountId("demo")
PLAIN = {"to": "41791234567", "text": "hi"}


def wanted(item: object) -> rest_quick.Wanted:
    parsed = rest.parse_message(item, DEMO, NOW_MS)
    assert isinstance(parsed, rest_quick.Wanted), parsed
    return parsed


def batch_of(payload: object) -> rest.Batch:
    batch = rest.parse_batch(payload, DEMO, NOW_MS)
    assert isinstance(batch, rest.Batch), batch
    return batch


def json_of(reply: Reply) -> dict[str, object]:
    value = orjson.loads(reply.body)
    assert isinstance(value, dict)
    return value


# --- requests ---------------------------------------------------------------------------------


def test_every_member_of_a_message_reaches_the_draft() -> None:
    draft = wanted(
        {
            "to": "41791234567",
            "from": "ACME",
            "text": "hi",
            "validity": 3600,
            "schedule": 60,
            "callback_url": "https://example.com/dlr",
            "reference": "order 7",
            "receipt": True,
        }
    ).draft
    assert draft == Draft(
        account=DEMO,
        source="rest",
        body=draft.body,
        due_ms=NOW_MS + 60_000,
        expires_ms=NOW_MS + 3_600_000,
        callback_url="https://example.com/dlr",
        reference="order 7",
    )
    peek = peek_submit_sm(draft.body)
    assert (peek.source_addr, peek.destination_addr) == ("ACME", "41791234567")
    assert peek.registered_delivery == 1


def test_hex_goes_with_its_coding_and_header() -> None:
    item = {"to": "41791234567", "hex": "0605040b8423f0dc06", "data_coding": 245, "udh": True}
    peek = peek_submit_sm(wanted(item).draft.body)
    assert (peek.data_coding, peek.esm_class, peek.sm_length) == (245, 0x40, 9)
    peek = peek_submit_sm(wanted({"to": "41791234567", "hex": "00"}).draft.body)
    assert (peek.data_coding, peek.esm_class) == (4, 0)


@pytest.mark.parametrize(
    ("members", "registered_delivery"),
    [
        ({}, 0),
        ({"callback_url": "http://h/"}, 1),
        ({"callback_url": "http://h/", "receipt": False}, 0),
        ({"callback_url": "http://h/", "receipt": 2}, 2),
        ({"receipt": True}, 1),
        ({"receipt": 0}, 0),
        ({"receipt": 3}, 3),
        ({"receipt": None}, 0),
    ],
)
def test_a_receipt_is_wished_for(members: dict[str, object], registered_delivery: int) -> None:
    peek = peek_submit_sm(wanted(PLAIN | members).draft.body)
    assert peek.registered_delivery == registered_delivery


def test_null_counts_as_absent() -> None:
    absent = dict.fromkeys(["from", "hex", "data_coding", "udh", "validity", "schedule"])
    assert wanted(PLAIN | absent) == wanted(PLAIN)


@pytest.mark.parametrize(
    ("item", "field"),
    [
        ("text", None),
        (7, None),
        (None, None),
        ([], None),
        ({}, "to"),
        ({"text": "hi"}, "to"),
        ({"to": "", "text": "hi"}, "to"),
        ({"to": None, "text": "hi"}, "to"),
        ({"to": 41791234567, "text": "hi"}, "to"),
        ({"to": ["41791234567"], "text": "hi"}, "to"),
        ({"to": "nobody", "text": "hi"}, "to"),
        ({"to": "4" * 65, "text": "hi"}, "to"),
        ({"to": "41791234567"}, "text"),
        (PLAIN | {"hex": "00"}, "text"),
        (PLAIN | {"text": ""}, "text"),
        (PLAIN | {"text": 7}, "text"),
        (PLAIN | {"text": "a" * 40_000}, "text"),
        (PLAIN | {"from": "TWELVE CHARS"}, "from"),
        (PLAIN | {"data_coding": 8}, "data_coding"),
        (PLAIN | {"udh": False}, "udh"),
        ({"to": "41791234567", "hex": "0"}, "hex"),
        ({"to": "41791234567", "hex": 0}, "hex"),
        ({"to": "41791234567", "hex": "00", "data_coding": 256}, "data_coding"),
        ({"to": "41791234567", "hex": "00", "data_coding": -1}, "data_coding"),
        ({"to": "41791234567", "hex": "00", "data_coding": True}, "data_coding"),
        ({"to": "41791234567", "hex": "00", "data_coding": 1.0}, "data_coding"),
        ({"to": "41791234567", "hex": "ff", "udh": True}, "hex"),
        ({"to": "41791234567", "hex": "00", "udh": 1}, "udh"),
        (PLAIN | {"validity": 0}, "validity"),
        (PLAIN | {"validity": "PT1H"}, "validity"),
        (PLAIN | {"schedule": "tomorrow"}, "schedule"),
        (PLAIN | {"schedule": 60, "validity": 60}, "validity"),
        (PLAIN | {"callback_url": "example.com"}, "callback_url"),
        (PLAIN | {"callback_url": {}}, "callback_url"),
        (PLAIN | {"reference": "r" * 256}, "reference"),
        (PLAIN | {"receipt": 4}, "receipt"),
        (PLAIN | {"receipt": "yes"}, "receipt"),
        (PLAIN | {"recepit": True}, "recepit"),
        (PLAIN | {"TO": "41791234567"}, "TO"),
    ],
)
def test_a_wrong_message_names_the_field(item: object, field: str | None) -> None:
    problem = rest.parse_message(item, DEMO, NOW_MS)
    assert isinstance(problem, rest_problem.Problem)
    assert (problem.status, problem.field) == (400, field)
    assert problem.detail.startswith(f"{field or 'body'}: ")


@pytest.mark.parametrize("payload", [[], [PLAIN] * 1001])
def test_an_array_has_1_to_1000_messages(payload: object) -> None:
    problem = rest.parse_batch(payload, DEMO, NOW_MS)
    assert isinstance(problem, rest_problem.Problem)
    assert problem.status == 400


@pytest.mark.parametrize(
    ("body", "expected"), [(b'{"a": 1}', {"a": 1}), (b" [] ", []), (b"null", None)]
)
def test_json_is_read(body: bytes, expected: object) -> None:
    assert rest.loads(body) == expected


@pytest.mark.parametrize("body", [b"", b" \n", b"{", b"\xff\xfe", b"[" * 3000, b"{'a': 1}"])
def test_what_is_no_json_is_a_problem(body: bytes) -> None:
    problem = rest.loads(body)
    assert isinstance(problem, rest_problem.Problem)
    assert problem.status == 400


MO = {"outlet": "sim", "from": "41791234567", "to": "12345", "text": "HELLO"}


def test_a_simulated_mo() -> None:
    parsed = rest.parse_simulated_mo(MO)
    assert parsed == rest.SimulatedMo("sim", "41791234567", "12345", "HELLO")


@pytest.mark.parametrize(
    ("payload", "field"),
    [([], None), (MO | {"x": 1}, "x"), (MO | {"to": 12345}, "to")]
    + [({name: value for name, value in MO.items() if name != gone}, gone) for gone in MO]
    + [(MO | {gone: ""}, gone) for gone in MO],
)
def test_a_wrong_simulated_mo_names_the_field(payload: object, field: str) -> None:
    problem = rest.parse_simulated_mo(payload)
    assert isinstance(problem, rest_problem.Problem)
    assert problem.field == field


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("7", 7),
        ("9223372036854775807", (1 << 63) - 1),
        ("9223372036854775808", None),
        ("", None),
        ("-7", None),
        ("+7", None),
        ("７", None),
        ("0x7", None),
        ("1" * 20, None),
    ],
)
def test_parse_message_id(text: str, expected: int | None) -> None:
    assert rest.parse_message_id(text) == expected


# --- replies ----------------------------------------------------------------------------------


def test_one_message_admitted() -> None:
    reply = rest_replies.admissions_reply(batch_of(PLAIN), [Admitted(MessageId(7))])
    assert reply.status == 202
    assert json_of(reply) == {
        "messages": [{"id": "7", "to": "41791234567", "parts": 1, "coding": "gsm7"}]
    }


def test_one_message_refused_is_a_problem_with_the_status_name() -> None:
    refused = Refused(Status.ESME_RMSGQFUL, "the store is full; try again later")
    reply = rest_replies.admissions_reply(batch_of(PLAIN), [refused])
    assert (reply.status, reply.media_type) == (503, "application/problem+json")
    assert dict(reply.headers)["Retry-After"] == "5"
    assert json_of(reply) == {
        "type": "about:blank",
        "title": "Service Unavailable",
        "status": 503,
        "detail": "the store is full; try again later",
        "code": "ESME_RMSGQFUL",
    }


def test_one_wrong_message_is_a_problem_with_field_and_value() -> None:
    reply = rest_replies.admissions_reply(batch_of(PLAIN | {"receipt": 9}), [])
    problem = json_of(reply)
    assert (reply.status, problem["field"], problem["value"]) == (400, "receipt", "9")


def test_admissions_stay_with_their_elements() -> None:
    batch = batch_of([{"text": "no recipient"}, PLAIN, PLAIN | {"to": "41791234568"}])
    assert len(batch.drafts()) == 2
    full = Refused(Status.ESME_RMSGQFUL, "full")
    reply = rest_replies.admissions_reply(batch, [full, Admitted(MessageId(8))])
    assert reply.status == 202
    messages = json_of(reply)["messages"]
    assert isinstance(messages, list)
    first, second, third = messages
    assert first["error"]["field"] == "to"
    assert second["to"] == "41791234567"
    assert second["error"]["code"] == "ESME_RMSGQFUL"
    assert third == {"id": "8", "to": "41791234568", "parts": 1, "coding": "gsm7"}


FULL = Refused(Status.ESME_RMSGQFUL, "full")
FAST = Refused(Status.ESME_RTHROTTLED, "too fast")
NO_ROUTE = Refused(Status.ESME_RINVDSTADR, "no route")


@pytest.mark.parametrize(
    ("admissions", "status"),
    [([NO_ROUTE, NO_ROUTE], 422), ([NO_ROUTE, FAST], 429), ([FAST, FULL], 503)],
)
def test_an_array_of_which_nothing_is_taken(admissions: list[Admission], status: int) -> None:
    reply = rest_replies.admissions_reply(batch_of([PLAIN, PLAIN]), admissions)
    assert (reply.status, reply.media_type) == (status, "application/problem+json")
    problem = json_of(reply)
    assert problem["status"] == status
    assert isinstance(problem["messages"], list)
    assert len(problem["messages"]) == 2


def test_an_array_of_one_wrong_message() -> None:
    assert rest_replies.admissions_reply(batch_of([{}]), []).status == 400


def a_report(progress: Progress, text: str = "hi") -> MessageReport:
    draft = wanted(PLAIN | {"from": "ACME", "text": text, "reference": "r"}).draft
    message = Message(
        id=MessageId(7),
        account=DEMO,
        source="rest",
        accepted_ms=NOW_MS,
        due_ms=0,
        expires_ms=NOW_MS + 1000,
        priority=0,
        registered_delivery=0,
        callback_url=None,
        batch=None,
        reference=draft.reference,
        tags=(),
        body=draft.body,
    )
    return MessageReport(message, progress)


def test_a_report_of_a_delivered_message() -> None:
    progress = Progress(
        State.DELIVERED,
        OutletName("sim"),
        attempt=1,
        done_ms=NOW_MS + 500,
        parts=bytes([State.DELIVERED]),
        upstream_ids=("a1",),
    )
    assert json_of(rest_replies.report_reply(a_report(progress), "7")) == {
        "id": "7",
        "from": "ACME",
        "to": "41791234567",
        "state": "DELIVERED",
        "parts": 1,
        "parts_delivered": 1,
        "coding": "gsm7",
        "outlet": "sim",
        "upstream_ids": ["a1"],
        "attempt": 1,
        "error": 0,
        "accepted": "2025-11-24T16:00:00.000Z",
        "due": None,
        "expires": "2025-11-24T16:00:01.000Z",
        "done": "2025-11-24T16:00:00.500Z",
        "reference": "r",
        "callback_url": None,
        "account": "demo",
    }


def test_a_report_of_a_waiting_long_message_counts_the_parts_to_come() -> None:
    progress = Progress(State.QUEUED, OutletName(""), due_ms=NOW_MS + 2000)
    report = json_of(rest_replies.report_reply(a_report(progress, "a" * 400), "7"))
    assert (report["state"], report["parts"], report["outlet"]) == ("QUEUED", 3, None)
    assert (report["due"], report["done"]) == ("2025-11-24T16:00:02.000Z", None)


def test_a_report_of_a_half_delivered_message() -> None:
    parts = bytes([State.DELIVERED, State.ENROUTE, State.UNDELIVERABLE])
    progress = Progress(State.ENROUTE, OutletName("sim"), error=0x45, parts=parts)
    report = json_of(rest_replies.report_reply(a_report(progress, "a" * 400), "7"))
    assert (report["parts"], report["parts_delivered"], report["error"]) == (3, 1, 0x45)


def test_no_report_is_a_404_with_the_id_asked_for() -> None:
    reply = rest_replies.report_reply(None, "99")
    assert reply.status == 404
    assert '"99"' in str(json_of(reply)["detail"])


@pytest.mark.parametrize(("ready", "status"), [(True, 200), (False, 503)])
def test_health(ready: bool, status: int) -> None:
    health = Health(ready, "because", {"queued": 1})
    reply = rest_replies.health_reply(health, with_facts=False)
    assert (reply.status, json_of(reply)) == (status, {"ready": ready, "why": "because"})
    assert json_of(rest_replies.health_reply(health, with_facts=True))["facts"] == {"queued": 1}


def test_a_simulated_mo_is_answered() -> None:
    mo = rest.SimulatedMo("sim", "41791234567", "12345", "HELLO")
    assert rest_replies.simulated_mo_reply(mo, None).status == 202
    reply = rest_replies.simulated_mo_reply(mo, "no such outlet")
    assert (reply.status, json_of(reply)["detail"]) == (422, "no such outlet")
