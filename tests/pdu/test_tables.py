"""All tables at once: complete, named as the specification does, one shape for one idea."""

import json
from pathlib import Path

import attrs
import pytest

import pdu.broadcast_pdus
import pdu.retired_pdus
import pdu.session_pdus  # noqa: F401  # both fill the tables
from pdu.commands import (
    REQUESTS,
    RESPONSE,
    RESPONSES,
    UNANSWERED,
    Command,
    command_name,
    command_of,
    is_response,
    response_of,
)
from pdu.fields import TABLES, COctetString, CountedOctets, Group, Table
from pdu.message_pdus import SubmitSm, SubmitSmResp
from pdu.plain import body_as_dict
from pdu.status import Status, status_class, status_meaning, status_name, status_since

VECTORS = Path(__file__).parent.parent / "vectors" / "vectors.jsonl"


def test_every_operation_has_a_table_and_a_name() -> None:
    assert set(TABLES) == REQUESTS | RESPONSES == {int(command) for command in Command}
    for command in Command:
        assert command_of(command_name(command)) == command
    assert command_name(0x777) == "0x00000777"
    assert command_of("no_such") is None


@pytest.mark.parametrize("table", TABLES.values(), ids=lambda table: command_name(table.command_id))
def test_a_class_is_named_and_shaped_after_its_operation(table: Table) -> None:
    words = command_name(table.command_id).split("_")
    assert table.cls.__name__ == "".join(word.capitalize() for word in words)
    assert table.cls.command_id == table.command_id
    assert command_name(table.command_id) in (table.cls.__doc__ or "")
    names = [attribute.name for attribute in attrs.fields(table.cls)]  # type: ignore[arg-type]  # an attrs class
    assert names[: len(table.fields)] == [field.name for field in table.fields]
    assert "tlvs" in names
    assert ("bodiless" in names) == table.may_lack_body
    assert is_response(table.command_id) <= table.tolerant


def test_field_order_is_that_of_the_vectors() -> None:
    """The vectors list bodies in wire order, counts included."""
    seen = set()
    for line in VECTORS.read_text(encoding="utf-8").splitlines():
        vector = json.loads(line)
        if vector["kind"] != "pdu" or not vector["expect"]["body"]:
            continue
        table = TABLES[vector["expect"]["command_id"]]
        body = body_as_dict(table.cls())
        assert body is not None
        assert list(body) == list(vector["expect"]["body"])
        seen.add(table.command_id)
    assert len(seen) > 20


def test_limits_are_those_of_the_specification() -> None:
    limits = {
        "service_type": {6},
        "source_addr": {21, 65},
        "destination_addr": {21, 65},
        "message_id": {65},
        "system_id": {16},
        "password": {9},
        "system_type": {13},
        "address_range": {41},
        "esme_addr": {65},
        "param_name": {32},
        "param_value": {101},
    }
    for table in TABLES.values():
        for field in table.fields:
            if isinstance(field.kind, COctetString):
                assert field.kind.limit in limits[field.name], field
            if isinstance(field.kind, CountedOctets | Group):
                assert field.kind.count_name in {
                    "sm_length",
                    "number_of_dests",
                    "no_unsuccess",
                    "no_of_msgs",
                }


def test_objects_compare_and_hash_by_value() -> None:
    assert SubmitSm(source_addr="a") == SubmitSm(source_addr="a") != SubmitSm()
    assert len({SubmitSm(), SubmitSm(), SubmitSmResp()}) == 2
    assert SubmitSm().command == "submit_sm"


def test_requests_are_answered_by_their_own_response() -> None:
    for command_id in REQUESTS - UNANSWERED:
        assert response_of(command_id) == command_id | RESPONSE
        assert is_response(response_of(command_id))
    for command_id in (0x777, *UNANSWERED):
        assert response_of(command_id) == Command.GENERIC_NACK


def test_status_names_and_classes() -> None:
    assert status_name(0) == "ESME_ROK"
    assert status_name(0x412) == "0x00000412"
    assert status_meaning(0x412) == "vendor specific error"
    assert status_meaning(0x70) == "reserved value"
    assert status_meaning(Status.ESME_RTHROTTLED) == "rate limit exceeded"
    assert status_since(Status.ESME_RINVDCS) == "5.0"
    assert status_since(0x412) == ""
    assert status_class(0) == "success"
    assert status_class(Status.ESME_RTHROTTLED) == "retryable"
    assert status_class(Status.ESME_RINVDSTADR) == "permanent"
    assert status_class(0x412) == "permanent"
    assert status_class(Status.ESME_RDELIVERYFAILURE, 3) == "retryable"
    assert status_class(Status.ESME_RDELIVERYFAILURE, 2) == "permanent"
    assert {status_class(status) for status in Status if status} == {"retryable", "permanent"}


def test_the_numbers_people_know_by_heart() -> None:
    known = {
        "ESME_RINVCMDLEN": 2,
        "ESME_RALYBND": 5,
        "ESME_RINVSRCADR": 0x0A,
        "ESME_RINVDSTADR": 0x0B,
        "ESME_RMSGQFUL": 0x14,
        "ESME_RINVESMCLASS": 0x43,
        "ESME_RTHROTTLED": 0x58,
        "ESME_RINVSCHED": 0x61,
        "ESME_RINVTLVSTREAM": 0xC0,
        "ESME_RUNKNOWNERR": 0xFF,
        "ESME_RINVBCASTCHANIND": 0x112,
    }
    assert {name: Status[name].value for name in known} == known
    assert len(Status) == 67
